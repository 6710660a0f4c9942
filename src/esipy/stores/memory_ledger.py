"""The ledger of one process, in memory: shared by its threads, loops and clients."""

from __future__ import annotations

import threading
from collections.abc import Callable

from esipy._forks import forget_after_fork
from esipy.core.buckets import UNTIL_LANDING, Bucket
from esipy.stores.base import NOTHING_TOLD, Ask, BucketState, Grant, Told, Wait

__all__ = ["MemoryLedger"]

SWEEP_AT = 1024
"""From so many buckets on, those that are idle are forgotten whenever their number has doubled."""


class MemoryLedger:
    """`LedgerStore` in a dict.

    Args:
        now: a clock that never jumps, in seconds.
    """

    remote = False

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._buckets: dict[str, Bucket] = {}
        self._gates: dict[str, float] = {}
        self._sweep_at = SWEEP_AT
        self._lock = threading.Lock()
        forget_after_fork(self)

    def __len__(self) -> int:
        return len(self._buckets)

    def reserve(self, ask: Ask) -> Grant | Wait:
        name, gate, limit, window_seconds, worst, cost, share, spread, forced = ask
        with self._lock:
            now = self._now()
            bucket = self._buckets.get(name)
            if bucket is None:
                bucket = self._new(name, Bucket(limit, window_seconds, worst), now)
            if forced:
                bucket.depart(now, cost)
                return Grant(ask, bucket.mark(cost))
            if self._gates and now < self._gates.get(gate, 0.0):
                return Wait(self._gates[gate] - now, everyone=True)
            wait_seconds = bucket.reserve(now, cost, share, spread=spread)
            if wait_seconds == UNTIL_LANDING:
                return Wait(bucket.next_chance(now), landing=True)
            if wait_seconds:
                return Wait(wait_seconds)
            return Grant(ask, bucket.mark(cost))

    def settle(self, grant: Grant, spent: int, told: Told = NOTHING_TOLD, answered: bool = True) -> None:
        ask, mark = grant
        used, limit, window_seconds, returns_in = told
        with self._lock:
            bucket = self._buckets.get(ask.bucket)
            if bucket is None:  # the process has forked since: what the parent sent is the parent's
                return
            if limit is not None and (limit != bucket.limit or window_seconds != bucket.window_seconds):
                bucket.resize(limit, window_seconds or bucket.window_seconds)
            bucket.settle(self._now(), mark, spent, used=used, returns_in=returns_in, answered=answered)

    def wait_for(self, ask: Ask, tokens: int) -> Wait:
        with self._lock:
            now = self._now()
            bucket = self._buckets.get(ask.bucket) or Bucket(ask.limit, ask.window_seconds, ask.worst)
            closed = self._gates.get(ask.gate, 0.0) - now
            wait_seconds = bucket.wait_for(now, tokens, ask.share)
            return Wait(closed, everyone=True) if closed > wait_seconds else Wait(wait_seconds)

    def block(self, name: str, seconds: float) -> None:
        with self._lock:
            until = self._now() + seconds
            bucket = self._buckets.get(name)
            if bucket is not None:
                bucket.block(until)
            else:
                self._gates[name] = max(until, self._gates.get(name, 0.0))

    def resize(self, ask: Ask, limit: int) -> None:
        with self._lock:
            bucket = self._buckets.get(ask.bucket)
            if bucket is None:
                bucket = self._new(ask.bucket, Bucket(limit, ask.window_seconds, ask.worst), self._now())
            bucket.resize(limit, bucket.window_seconds)

    def states(self) -> list[BucketState]:
        with self._lock:
            now = self._now()
            return [
                BucketState(
                    name, bucket.limit, bucket.window_seconds, bucket.own, bucket.reserved, bucket.foreign,
                    bucket.wait_for(now, 1),
                )
                for name, bucket in self._buckets.items()
                if not bucket.is_idle(now)
            ]  # fmt: skip

    def close(self) -> None:
        """There is nothing to close."""

    def forget(self) -> None:
        """In a child after fork: what the parent has under way is the parent's; its answers will not come here."""
        half_changed = self._lock.locked()
        self._lock = threading.Lock()
        if half_changed:
            self._buckets = {}
            return
        now = self._now()
        for bucket in self._buckets.values():
            bucket.abandon(now)

    def _new(self, name: str, bucket: Bucket, now: float) -> Bucket:
        if len(self._buckets) >= self._sweep_at:
            self._buckets = {name: bucket for name, bucket in self._buckets.items() if not bucket.is_idle(now)}
            self._sweep_at = max(2 * len(self._buckets), SWEEP_AT)
        self._buckets[name] = bucket
        until = self._gates.pop(name, 0.0)
        if until > now:  # it was blocked before anything was sent
            bucket.block(until)
        return bucket
