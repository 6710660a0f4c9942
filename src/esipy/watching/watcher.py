"""Watches for who asks for the next change: nothing is looked at, and nobody waits, but while the caller does.

Of several calls those that are due are looked at together. A change counts as taken when the next one is asked for, or
when `Watcher.taken` says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from esipy.engine.pipeline import Engine
from esipy.exceptions import APIException
from esipy.watching.schedule import Schedule
from esipy.watching.telling import tell_failure
from esipy.watching.watched import Changed, Watched, is_lasting

__all__ = ["Watcher"]

AT_ONCE = 10


class Watcher:
    """Watched calls of one caller, without a colour."""

    def __init__(self, engine: Engine, watched: Sequence[Watched]) -> None:
        self.calls = tuple(one.call for one in watched)
        self._engine = engine
        self._schedule: Schedule[Watched] = Schedule()
        for one in watched:
            self._schedule.put(one, one.due)
        self._found: deque[tuple[Watched, Changed[Any, Any]]] = deque()
        self._errors: deque[APIException] = deque()
        self._given: Watched | None = None
        self._closed = False
        self._is_read = False

    async def next(self) -> Changed[Any, Any] | None:
        """The next change, however long it takes; None: this is closed.

        Raises:
            APIException: a login is dead, or ESI refuses a call. Asking again goes on with all calls; the one that
                failed is put off.
            StoreUnavailable: the store cannot be used. Asking again goes on.
            RuntimeError: somebody else waits for it.
        """
        if self._is_read:
            raise RuntimeError("this watch is read by another loop: one reads it at a time; let each have its own")
        self._is_read = True
        try:
            return await self._next()
        finally:
            self._is_read = False

    async def _next(self) -> Changed[Any, Any] | None:
        await self.taken()
        runtime = self._engine.runtime
        while not self._closed:
            if self._found:
                self._given, changed = self._found.popleft()
                return changed
            if self._errors:
                raise self._errors.popleft()
            due = self._schedule.next_due()
            assert due is not None
            if due > runtime.now():
                await runtime.sleep(due - runtime.now())
            await self._look()
        return None

    async def taken(self) -> None:
        """The change that was given last has been dealt with."""
        if self._given is not None:
            await self._given.taken()
            self._given = None

    def close(self) -> None:
        """Look no more. What was found and not given is not taken."""
        self._closed = True

    async def _look(self) -> None:
        """Look at all that are due."""
        now = self._engine.runtime.now()
        looking: set[Watched] = set()
        while (watched := self._schedule.take(now)) is not None:
            looking.add(watched)

        async def job(watched: Watched) -> None:
            try:
                changed = await watched.look()
            except APIException as error:
                await tell_failure(self._engine.runtime, watched, error)
                if is_lasting(error):
                    self._errors.append(error)
            else:
                if changed is not None:  # at once: what is found is not lost, should the caller be interrupted
                    self._found.append((watched, changed))

        try:
            await self._engine.runtime.gather(job, list(looking), AT_ONCE)
        finally:
            for watched in looking:
                self._schedule.put(watched, watched.due)
