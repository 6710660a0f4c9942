"""Watches for signals: all of a client's in one heap, looked at beside, told one after the other.

One thread, or one task of the loop, runs `Scheduler.run` while there is anything to watch; it sleeps until the next
look is due. Each look is a short-lived thread or task of its own, `AT_ONCE` at the most. Receivers are called by the
one thread or task, so never two at a time; a slow one delays the others' news, and may be added ``deferred``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import InvalidStateError
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

from esipy._forks import forget_after_fork
from esipy.engine.pipeline import Engine
from esipy.events import Signal
from esipy.runtime.base import Flight
from esipy.stores.base import StoreUnavailable
from esipy.watching.schedule import Schedule
from esipy.watching.telling import tell_failure
from esipy.watching.watched import LOGGER, Changed, Watched

__all__ = ["Crew", "Scheduler"]

AT_ONCE = 10


class Crew(Protocol):
    """What runs a scheduler's coroutines."""

    def check(self) -> None:
        """Raise RuntimeError where nothing could be run."""
        ...

    def begin(self, work: Callable[[], Coroutine[Any, Any, None]], *, lasting: bool = False) -> None:
        """Have it done beside; ``lasting``: it is `Scheduler.run`."""
        ...


class _Found(NamedTuple):
    """What a look came to: an error, a change, or neither."""

    watched: Watched
    changed: Changed[Any, Any] | None
    error: Exception | None


class Scheduler:
    """The watches of one client that signals tell of.

    Attributes:
        crew: what runs it.
    """

    def __init__(self, engine: Engine, crew: Crew) -> None:
        self.crew = crew
        self._engine = engine
        self._lock = engine.runtime.lock()
        self._closed = False
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """In a child after fork: the parent's watches are the parent's."""
        self._schedule: Schedule[Watched] = Schedule()
        self._signals: dict[Watched, Signal[...]] = {}
        self._found: deque[_Found] = deque()
        self._busy = 0
        self._running = False
        self._wake: Flight[None] = Flight()

    def __len__(self) -> int:
        return len(self._signals)

    def enter(self, watched: Watched, signal: Signal[...]) -> None:
        """Look at it from now on, and tell the signal. Entering again goes on, should the loop have ended."""
        with self._lock:
            if self._closed:
                return
            if watched not in self._signals:
                self._signals[watched] = signal
                self._schedule.put(watched, watched.due)
            begins, self._running = not self._running, True
        if begins:
            self.crew.begin(self.run, lasting=True)
        else:
            self._rouse()

    def check(self) -> None:
        """See whether it can watch.

        Raises:
            RuntimeError: the client is closed, or there is no loop to run it.
        """
        if self._closed:
            raise RuntimeError("the client is closed: it watches nothing any more")
        if not self._running:
            self.crew.check()

    def leave(self, watched: Watched) -> None:
        """Look at it no more. What a look that is under way finds is told nobody."""
        with self._lock:
            self._signals.pop(watched, None)
            self._schedule.discard(watched)
        self._rouse()

    def close(self) -> None:
        """Look at nothing any more."""
        with self._lock:
            self._closed = True
            everyone = list(self._signals)
        for watched in everyone:
            self.leave(watched)

    async def run(self) -> None:
        """Look at what is due, and tell what was found, until there is nothing to watch."""
        runtime = self._engine.runtime
        try:
            while True:
                with self._lock:
                    if not self._signals:
                        self._running = False
                        return
                    if self._wake.done():
                        self._wake = Flight()
                    wake = self._wake
                    found = self._found.popleft() if self._found else None
                    is_full = self._busy >= AT_ONCE
                    watched = None if found or is_full else self._schedule.take(runtime.now())
                    self._busy += watched is not None
                    due = None if is_full else self._schedule.next_due()
                if found is not None:
                    await self._tell(found)
                elif watched is not None:
                    self.crew.begin(partial(self._look, watched))
                else:
                    with suppress(TimeoutError):
                        await runtime.join(wake, None if due is None else max(due - runtime.now(), 0.0))
        except BaseException:  # its loop has ended; another may go on
            with self._lock:
                self._running = False
            raise

    async def _look(self, watched: Watched) -> None:
        changed: Changed[Any, Any] | None = None
        error: Exception | None = None
        try:
            changed = await watched.look()
        except Exception as raised:
            error = raised
        finally:
            with self._lock:
                self._busy -= 1
                if watched in self._signals:
                    self._found.append(_Found(watched, changed, error))
            self._rouse()

    async def _tell(self, found: _Found) -> None:
        """Tell what was found, and only then say that it has been told, and look again."""
        watched = found.watched
        signal = self._signals.get(watched)
        if signal is None:
            return
        try:
            if found.error is not None:
                await tell_failure(self._engine.runtime, watched, found.error)
            if found.changed is not None:
                await self._engine.runtime.tell(signal, found.changed._asdict())
                await watched.taken()
        except StoreUnavailable as error:
            LOGGER.warning("%r: what was told of it could not be saved: %s", watched, error)
        except BaseException:  # whoever goes on tells it
            self._found.appendleft(found)
            raise
        with self._lock:
            if watched in self._signals:
                self._schedule.put(watched, watched.due)

    def _rouse(self) -> None:
        """There is something to do: have `run` see it."""
        wake = self._wake
        with suppress(InvalidStateError):  # another was first
            wake.set_result(None)
