"""All buckets of one sandbox: found by group and principal, made when first asked for, counted in one manner.

Rules: nothing here is locked; the user of a bucket has to see to it that no other thread uses it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from esipy.operation import RateGroup
from esipy.sandbox.esi_foreign import Manner, Strangers
from esipy.sandbox.esi_window import Bucket, Foreign, Visit

__all__ = ["Buckets"]


class Buckets:
    """The buckets.

    Args:
        seed: others who spend follow from it.
        on_foreign: is told what others spend.

    Attributes:
        slot_seconds, strangers: how is counted now; `count_in_slots` and `share` change it.
    """

    def __init__(self, seed: int = 1, on_foreign: Foreign | None = None) -> None:
        self._seed = seed
        self._on_foreign = on_foreign
        self.strangers = Strangers()
        self.slot_seconds = 0.0
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def at(self, group: RateGroup, principal: str, now: float) -> Bucket:
        """A bucket as it is now."""
        bucket = self._buckets.get((group.name, principal))
        if bucket is None:
            bucket = Bucket(f"{group.name} {principal}", group, self.slot_seconds)
            self._buckets[group.name, principal] = bucket
            # Who is there now was there before anyone asked.
            self._invite(bucket, now - group.window_seconds)
        bucket.turn(now)
        return bucket

    def count_in_slots(self, slot_seconds: float) -> None:
        """Spends from now on come back at the end of slots of this length; 0: exactly.

        Raises:
            ValueError: it is negative.
        """
        if not slot_seconds >= 0:
            raise ValueError(f"spends come back some seconds late, not {slot_seconds!r}")
        self.slot_seconds = slot_seconds
        for bucket in self:
            bucket.slot_seconds = slot_seconds

    def share(self, now: float, share: float | None, manner: Manner | None) -> None:
        """Others spend like this from now on; None leaves it as it is.

        Raises:
            ValueError: see `Strangers`.
        """
        before = self.strangers
        self.strangers = replace(
            before, share=before.share if share is None else share, manner=before.manner if manner is None else manner
        )
        for bucket in self:
            bucket.turn(now)
            self._invite(bucket, now)

    def clear(self) -> None:
        """Forget all of them."""
        self._buckets.clear()

    def __iter__(self) -> Iterator[Bucket]:
        return iter(self._buckets.values())

    def _invite(self, bucket: Bucket, since: float) -> None:
        strangers, seed = self.strangers, self._seed

        def visits(since: float) -> Iterator[Visit]:
            return strangers.visits(seed, bucket.name, bucket.limit, bucket.window_seconds, since)

        bucket.visited_by(visits, since, self._on_foreign)
