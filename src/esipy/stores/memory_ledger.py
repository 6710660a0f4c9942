"""The ledger of one process, in memory: shared by its threads, loops and clients.

A call that is never settled (its loop was closed, or Ctrl-C came between two steps) is given up when nothing has left
from its bucket for a lease: it counts as one of unknown outcome, at the most that it can cost, from then on. Of an
answer that comes all the same only the headers count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from esipy._forks import forget_after_fork
from esipy.core.buckets import UNTIL_LANDING, Bucket, Mark
from esipy.core.retries import LONGEST_WAIT_SECONDS
from esipy.stores.base import NOTHING_TOLD, Ask, BucketState, Reservation, Told, Wait

__all__ = ["MemoryLedger"]

LOST_SECONDS = 900.0
"""How long calls under way are waited for. Longer than in a ledger that processes share: few are ever lost here."""

SWEEP_AT = 1024
"""From so many buckets on, those that are idle are forgotten whenever their number has doubled."""


class KeptBucket(Bucket):
    """A bucket, and what it can be told by that it still counts where an `Ask` found it.

    Attributes:
        home: of its ledger; None when it was forgotten.
    """

    __slots__ = ("home",)

    def __init__(self, ask: Ask, home: object) -> None:
        super().__init__(ask.limit, ask.window_seconds, ask.worst)
        self.home: object | None = home


class MemoryLedger:
    """`LedgerStore` in a dict.

    Args:
        now: a clock that never jumps, in seconds.
        lease_seconds: longer than the longest exchange (`Settings.timeout`).
    """

    remote = False

    def __init__(self, now: Callable[[], float], lease_seconds: float = LOST_SECONDS) -> None:
        self.lease_seconds = lease_seconds
        self._now = now
        self._buckets: dict[str, KeptBucket] = {}
        self._gates: dict[str, float] = {}
        self._lost: dict[str, int] = {}  # by bucket: the last of the calls that were given up
        self._sweep_at = SWEEP_AT
        self._home = object()
        self._lock = threading.Lock()
        forget_after_fork(self)

    def __len__(self) -> int:
        return len(self._buckets)

    def reserve(self, ask: Ask) -> Reservation | Wait:
        cost = ask.cost
        with self._lock:
            now = self._now()
            bucket: KeptBucket | None = ask.known
            if bucket is None or bucket.home is not self._home:
                bucket = self._find(ask, now)
            if self._gates and now < self._gates.get(ask.gate, 0.0):
                return Wait(self._gates[ask.gate] - now, everyone=True)
            if ask.forced:
                bucket.depart(now, cost)
                return Reservation(ask, (bucket, bucket.mark(cost)))
            if bucket.flying and now >= bucket.lost_at(self.lease_seconds):
                self._abandon(ask.bucket, bucket, now)
            wait_seconds = bucket.reserve(now, cost, ask.share, ask.spread)
            if not wait_seconds:
                return Reservation(ask, (bucket, bucket.mark(cost)))
            if wait_seconds == UNTIL_LANDING:
                lost_in = bucket.lost_at(self.lease_seconds) - now
                return Wait(min(bucket.next_chance(now), lost_in), landing=True)
            return Wait(wait_seconds)

    def settle(self, reservation: Reservation, spent: int, told: Told = NOTHING_TOLD, answered: bool = True) -> None:
        bucket: Bucket
        mark: Mark
        bucket, mark = reservation.mark
        limit, window_seconds, used = told.limit, told.window_seconds, told.used
        with self._lock:
            if limit is not None and (limit != bucket.limit or window_seconds != bucket.window_seconds):
                bucket.resize(limit, window_seconds or bucket.window_seconds)
            if self._lost and mark[0] <= self._lost.get(reservation.ask.bucket, 0):
                if used is None:
                    return
                bucket.flying += 1  # of what was counted then
                mark, spent = (mark[0], 0, *mark[2:]), 0
            bucket.settle(self._now(), mark, spent, used, told.returns_in, answered)

    def wait_for(self, ask: Ask, tokens: int) -> Wait:
        with self._lock:
            now = self._now()
            bucket = self._buckets.get(ask.bucket) or Bucket(ask.limit, ask.window_seconds, ask.worst)
            self._give_up(ask.bucket, bucket, now)
            closed = self._gates.get(ask.gate, 0.0) - now
            wait_seconds = 0.0 if ask.forced else bucket.wait_for(now, tokens, ask.share, ask.cost, ask.paced)
            return Wait(closed, everyone=True) if closed > wait_seconds else Wait(wait_seconds)

    def closed_in(self, gate: str) -> float:
        """For how many seconds more a gate is closed; 0: it is open."""
        with self._lock:
            return max(self._gates.get(gate, 0.0) - self._now(), 0.0)

    def block(self, name: str, seconds: float) -> None:
        with self._lock:
            until = self._now() + min(seconds, LONGEST_WAIT_SECONDS)
            bucket = self._buckets.get(name)
            if bucket is not None:
                bucket.block(until)
            else:
                self._gates[name] = max(until, self._gates.get(name, 0.0))

    def resize(self, ask: Ask, limit: int, at_most: bool = False) -> None:
        with self._lock:
            bucket = self._find(ask, self._now())
            bucket.resize(min(limit, bucket.limit) if at_most else limit, bucket.window_seconds)

    def states(self) -> list[BucketState]:
        with self._lock:
            now = self._now()
            return [
                BucketState.of(name, bucket, now)
                for name, bucket in self._buckets.items()
                if not self._is_idle(name, bucket, now)
            ]

    def close(self) -> None:
        """There is nothing to close."""

    def forget(self) -> None:
        """In a child after fork: what the parent has under way is the parent's; its answers will not come here."""
        half_changed = self._lock.locked()
        self._lock = threading.Lock()
        if half_changed:
            self._buckets, self._lost, self._home = {}, {}, object()
            return
        now = self._now()
        for name, bucket in self._buckets.items():
            self._abandon(name, bucket, now)

    def _abandon(self, name: str, bucket: Bucket, now: float) -> None:
        if bucket.flying:
            self._lost[name] = bucket.mark(0)[0]
            bucket.abandon(now)

    def _give_up(self, name: str, bucket: Bucket, now: float) -> None:
        if bucket.flying and now >= bucket.lost_at(self.lease_seconds):
            self._abandon(name, bucket, now)

    def _is_idle(self, name: str, bucket: Bucket, now: float) -> bool:
        self._give_up(name, bucket, now)
        return bucket.is_idle(now)

    def _find(self, ask: Ask, now: float) -> KeptBucket:
        """The bucket that is asked for, known to the asker from now on."""
        bucket = ask.known = self._buckets.get(ask.bucket) or self._new(ask, now)
        return bucket

    def _new(self, ask: Ask, now: float) -> KeptBucket:
        if len(self._buckets) >= self._sweep_at:
            self._sweep(now)
        bucket = self._buckets[ask.bucket] = KeptBucket(ask, self._home)
        until = self._gates.pop(ask.bucket, 0.0)
        if until > now:  # it was blocked before anything was sent
            bucket.block(until)
        return bucket

    def _sweep(self, now: float) -> None:
        kept: dict[str, KeptBucket] = {}
        for name, bucket in self._buckets.items():
            if self._is_idle(name, bucket, now):
                bucket.home = None
            else:
                kept[name] = bucket
        self._buckets = kept
        self._lost = {name: number for name, number in self._lost.items() if name in kept}
        self._sweep_at = max(2 * len(kept), SWEEP_AT)
