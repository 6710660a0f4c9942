"""One flight for all who want the same thing, and a bounded number of flights at once.

Threads, tasks and both runtimes meet here, so everything that waits is a `concurrent.futures.Future`, and no
lock is held across an await. After ``fork`` a child knows nothing of its parent's flights.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from esipy.runtime.base import Runtime

__all__ = ["Flights", "Slots"]

T = TypeVar("T")


class _Interrupted(Exception):
    """Whoever led the flight was stopped (its loop ended, or Ctrl-C): the others try it themselves."""


class Flights(Generic[T]):
    """Work that is done once for all who ask for it at the same time.

    `fly` has to be given to ``runtime.finish``: a leader that is cancelled would take the others down.
    """

    def __init__(self) -> None:
        self._flying: dict[Hashable, Future[T]] = {}

    async def fly(self, runtime: Runtime, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Do ``work``, or wait for who does it already.

        Returns:
            the result, and whether it was this caller that did the work.
        """
        # No lock: setdefault and pop of a dict are atomic. The process id keeps a child from waiting for
        # threads that only its parent has.
        key = (os.getpid(), key)
        while True:
            mine: Future[T] = Future()
            flight = self._flying.setdefault(key, mine)
            if flight is mine:
                return await self._lead(key, mine, work), True
            try:
                return await runtime.join(flight), False
            except _Interrupted:
                continue

    async def _lead(self, key: Hashable, flight: Future[T], work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            result = await work()
        except Exception as error:
            self._flying.pop(key, None)
            flight.set_exception(error)
            raise
        except BaseException:
            self._flying.pop(key, None)
            flight.set_exception(_Interrupted())
            raise
        self._flying.pop(key, None)
        flight.set_result(result)
        return result


class Slots:
    """At most so many at once, over all threads, tasks and loops of the process; the longest waiting goes next."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.reset)

    def reset(self) -> None:
        """Begin anew: who held a slot before is forgotten."""
        self._lock = threading.Lock()
        self._free = self._count
        self._waiting: deque[Future[None]] = deque()

    async def enter(self, runtime: Runtime) -> None:
        """Wait for a slot; `leave` has to follow."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn: Future[None] = Future()
            self._waiting.append(turn)
        try:
            await runtime.join(turn)
        except BaseException:
            with self._lock:
                handed_over = turn.done()
                if not handed_over:
                    self._waiting.remove(turn)
            if handed_over:
                self.leave()
            raise

    def leave(self) -> None:
        """Hand the slot over to the longest waiting."""
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            turn = self._waiting.popleft()
            # Under the lock, so that `enter` sees either a waiting turn or a done one.
            turn.set_result(None)
