"""A bucket that processes share, as bytes: its counts, and who has what under way until when.

A call that leaves has a lease. Whoever does not settle it in time has died, or was cut off: the call counts as one of
unknown outcome, at the most that it can cost, from the end of its lease on. What is settled after that was counted
already; only what its headers tell is taken.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple, Self

import msgspec

from esipy.core.buckets import Bucket
from esipy.core.buckets import Mark as BucketMark
from esipy.core.counts import RELEASE_MARGIN_SECONDS
from esipy.stores.base import Told

__all__ = ["Mark", "SharedBucket"]

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder().decode


class Mark(NamedTuple):
    """What is kept of a call that left.

    Attributes:
        born: which bucket it left from: one that was forgotten and begun anew is another.
        of: what `Bucket.settle` needs.
    """

    born: str
    of: BucketMark


class SharedBucket:
    """A bucket and its flights.

    Attributes:
        bucket: the counts.
        idle_at: from this moment on nothing is to be remembered of it, unless it changes.
    """

    __slots__ = ("_born", "_flights", "bucket", "idle_at")

    def __init__(self, bucket: Bucket, now: float) -> None:
        self.bucket = bucket
        self.idle_at = now
        self._born = secrets.token_hex(8)
        # By number: what is reserved, the end of the lease, and whose it is; those that left first come first.
        self._flights: dict[int, tuple[int, float, str]] = {}

    @classmethod
    def unpacked(cls, packed: bytes, now: float) -> Self:
        """The bucket as it is now.

        Raises:
            ValueError: this was never packed.
        """
        shared = cls.__new__(cls)
        try:
            shared._born, shared.idle_at, flights, state = _DECODE(packed)
            shared._flights = {number: (cost, ends, who) for number, cost, ends, who in flights}
            shared.bucket = Bucket.of(state)
        except TypeError as error:
            raise ValueError(f"not a bucket: {error}") from error
        shared._expire(now)
        return shared

    def packed(self) -> bytes:
        """All of it, as bytes."""
        flights = [(number, *flight) for number, flight in self._flights.items()]
        return _ENCODE((self._born, self.idle_at, flights, self.bucket.state()))

    def departed(self, now: float, cost: int, lease_seconds: float, who: str) -> Mark:
        """Keep what is to be kept of a call that has just left the bucket."""
        mark = self.bucket.mark(cost)
        self._flights[mark[0]] = (cost, now + lease_seconds, who)
        self._remember(now + lease_seconds)
        return Mark(self._born, mark)

    def settle(self, now: float, mark: Mark, spent: int, told: Told, *, answered: bool) -> None:
        """Count what a call has cost, and what its headers tell."""
        bucket = self.bucket
        if told.limit is not None:
            bucket.resize(told.limit, told.window_seconds or bucket.window_seconds)
        born, (number, cost, landed, left_at) = mark
        if born != self._born:  # the bucket that it left from is forgotten: this one has not heard of it
            bucket.depart(now, cost)
            number, cost, landed, left_at = bucket.mark(cost)
        elif self._flights.pop(number, None) is None:  # its lease has ended: it was counted
            if told.used is None:
                return
            bucket.flying += 1
            cost = spent = 0
        of = (number, cost, landed, left_at)
        bucket.settle(now, of, spent, used=told.used, returns_in=told.returns_in, answered=answered)
        self._remember(now + max(told.returns_in or 0.0, 0.0))

    def resize(self, now: float, limit: int) -> None:
        """Take another limit."""
        self.bucket.resize(limit, self.bucket.window_seconds)
        self._remember(now)

    def block(self, until: float) -> None:
        """Let nothing leave until then."""
        self.bucket.block(until)
        self._remember(until)

    def landing(self) -> float | None:
        """When the first of what is under way lands at the latest; None: nothing is."""
        return min((ends for _, ends, _ in self._flights.values()), default=None)

    def others_fly(self, who: str) -> bool:
        """Whether calls of others are under way."""
        return any(owner != who for _, _, owner in self._flights.values())

    def _expire(self, now: float) -> None:
        late = [(ends, number, cost) for number, (cost, ends, _) in self._flights.items() if ends <= now]
        for ends, number, cost in sorted(late):
            del self._flights[number]
            self.bucket.settle(ends, (number, cost, 0, 0.0), self.bucket.worst, answered=False)

    def _remember(self, until: float) -> None:
        """Something is to be remembered until a window after this moment."""
        # Twice the window, because a smaller one may have been told meanwhile of what was entered with a larger one.
        self.idle_at = max(self.idle_at, until + 2 * self.bucket.window_seconds + 2 * RELEASE_MARGIN_SECONDS)
