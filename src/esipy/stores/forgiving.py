"""A shared cache that may fail: until it is back everything is a miss, and no call fails for it.

- Reading and writing fail each for itself: from a full disk answers are still had.
- After 1, 2, 4 ... 30 s the next that asks tries again, one at a time. The log is told once, and when it is back.
- A path that could not be dropped is dropped before anything is read again: nobody is given what a write has changed.
  What was kept there meanwhile by other processes, which could reach the store, is lost with it.
- While nobody can tell who fetches what, everyone does by himself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from esipy._forks import forget_after_fork, fork_lock
from esipy.core.answer import Answer
from esipy.stores.base import StoreUnavailable
from esipy.stores.flights import NO_LEASE, SharedCache

__all__ = ["ForgivingCache"]

LOGGER = logging.getLogger("esipy.cache")
T = TypeVar("T")

FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 30.0

MOST_MISSED = 10_000
"""So many paths wait to be dropped; when there are more, everything is."""


class ForgivingCache:
    """`SharedCache` over another, that never raises `StoreUnavailable`; but `clear` does.

    Args:
        store: that may fail.
        passed: seconds that only go on.
    """

    remote = True

    def __init__(self, store: SharedCache, passed: Callable[[], float] = time.monotonic) -> None:
        self.store = store
        self._reading = _Lane(passed)
        self._writing = _Lane(passed)
        self._lock = fork_lock()
        self._told = False
        self._missed: dict[str, None] = {}
        self._missed_all = False
        forget_after_fork(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.store!r}>"

    def forget(self) -> None:
        """In a child after fork: nobody is trying."""
        self._reading.trying = self._writing.trying = None

    def get(self, key: str, now: Callable[[], float]) -> Answer | None:
        if (self._missed or self._missed_all) and not self._write(lambda: True, False):
            return None
        return self._try(self._reading, lambda: self.store.get(key, now), None)

    def put(self, key: str, answer: Answer, path: str, now: Callable[[], float], token: int | None = None) -> None:
        given = None if token == NO_LEASE else token
        self._write(lambda: self.store.put(key, answer, path, now, given), None)

    def drop(self, path: str) -> None:
        def drop() -> bool:
            self.store.drop(path)
            return True

        if not self._write(drop, False):
            with self._lock:
                self._missed[path] = None
                if len(self._missed) > MOST_MISSED:
                    self._missed, self._missed_all = {}, True

    def clear(self) -> None:
        """Forget everything.

        Raises:
            StoreUnavailable: it cannot now; it will, before anything is read.
        """
        with self._lock:
            self._missed_all = True
        self._catch_up()

    def claim(self, key: str, seconds: float) -> int | None:
        nobody_knows: int | None = NO_LEASE
        return self._write(lambda: self.store.claim(key, seconds), nobody_knows)

    def release(self, key: str, token: int) -> None:
        if token != NO_LEASE:
            self._write(lambda: self.store.release(key, token), None)

    def size(self) -> tuple[int, int] | None:
        """How many answers are kept, and the bytes that they take; None while nobody can tell."""
        return self._try(self._reading, self.store.size, None)

    def close(self) -> None:
        self.store.close()

    def _write(self, work: Callable[[], T], otherwise: T) -> T:
        def whole() -> T:
            self._catch_up()
            return work()

        return self._try(self._writing, whole, otherwise)

    def _catch_up(self) -> None:
        """Drop what could not be dropped."""
        while self._missed_all or self._missed:
            if self._missed_all:
                self.store.clear()
                with self._lock:
                    self._missed_all = False
                    self._missed.clear()
                continue
            with self._lock:
                path = next(iter(self._missed), None)
            if path is not None:
                self.store.drop(path)
                with self._lock:
                    self._missed.pop(path, None)

    def _try(self, lane: _Lane, work: Callable[[], T], otherwise: T) -> T:
        me = object()
        try:
            if lane.failed and not self._may_try(lane, me):
                return otherwise
            result = work()
        except StoreUnavailable as error:
            self._fails(lane, error)
            return otherwise
        finally:
            if lane.trying is me:
                lane.trying = None
        if lane.failed:
            self._works(lane)
        return result

    def _may_try(self, lane: _Lane, me: object) -> bool:
        with self._lock:
            if lane.trying is not None or lane.passed() < lane.retry_at:
                return False
            lane.trying = me
            return True

    def _fails(self, lane: _Lane, error: StoreUnavailable) -> None:
        with self._lock:
            lane.fail()
            is_news, self._told = not self._told, True
        if is_news:
            LOGGER.warning("the cache does not answer, so nothing is kept for now: %s", error)

    def _works(self, lane: _Lane) -> None:
        with self._lock:
            lane.failed = False
            is_news = self._told and not (self._reading.failed or self._writing.failed)
            if is_news:
                self._told = False
        if is_news:
            LOGGER.info("the cache answers again")


class _Lane:
    """Whether one kind of verb works.

    Attributes:
        failed: the last one did not.
        retry_at: when to try again.
        trying: who does; None: nobody.
    """

    def __init__(self, passed: Callable[[], float]) -> None:
        self.passed = passed
        self.failed = False
        self.trying: object | None = None
        self.retry_at = 0.0
        self._retry_seconds = FIRST_RETRY_SECONDS

    def fail(self) -> None:
        """Wait, and longer each time; those who failed together wait once."""
        now = self.passed()
        if not self.failed:
            self._retry_seconds = FIRST_RETRY_SECONDS
        elif now >= self.retry_at:
            self._retry_seconds = min(2 * self._retry_seconds, LAST_RETRY_SECONDS)
        else:
            return
        self.failed = True
        self.retry_at = now + self._retry_seconds
