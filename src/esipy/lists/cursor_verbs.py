"""`cursor` and `walk` of both clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol, TypeAlias, TypeVar

from esipy.core.cursors import Position
from esipy.engine.terms import Downtime, Policy, Priority, Terms
from esipy.exceptions import InvalidCallError, SettingError
from esipy.lists.asking import ask
from esipy.lists.client import OfClient
from esipy.lists.cursor import AsyncCursor, Course, Cursor
from esipy.lists.positions import PositionStore, store_of
from esipy.lists.walk import Fetch, Walk
from esipy.operation import Call
from esipy.runtime.blocking import run

__all__ = ["AsyncCursors", "BlockingCursors"]

R = TypeVar("R")


class _Projects(Protocol[R]):
    projects: list[R]


class _Jobs(Protocol[R]):
    freelance_jobs: list[R]


class _Objectives(Protocol[R]):
    objectives: list[R]


class _Participants(Protocol[R]):
    participants: list[R]


class _Contributors(Protocol[R]):
    contributors: list[R]


Listing: TypeAlias = _Projects[R] | _Jobs[R] | _Objectives[R] | _Participants[R] | _Contributors[R]
"""What the answers of lists that are read by cursor look like: so that a checker knows the type of their rows."""


class _Cursors(OfClient):
    """What the verbs share."""

    def _fetch_on(self, terms: Terms | None) -> Fetch:
        async def fetch(call: Call[Any]) -> Any:
            # Each is signed by itself: a list may be read for days.
            return (await ask(self._engine, self._signed(call), terms)).data

        return fetch

    def _course(
        self,
        call: Call[Any],
        terms: Terms | None,
        name: str | None,
        store: PositionStore | str | None,
        position: Position | str | None,
    ) -> Course[Any]:
        if isinstance(position, str):
            position = Position.parse(position)
        elif position is not None and not isinstance(position, Position):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidCallError(f"position={position!r}: has to be a batch's position, or its text")
        if store is None and name is not None:
            raise SettingError(f"name={name!r}: is for a store, such as store='sqlite:///positions.sqlite3'")
        engine = self._engine
        course: Course[Any] = Course(self._fetch_on(terms), engine.runtime, self._call_of(call), position)
        if store is not None:
            course.save_in(store_of(store), engine.settings.base_url + course.target if name is None else name)
        return course


class BlockingCursors(_Cursors):
    """What `EsiClient` can do with lists that are read by cursor or from id to id."""

    def cursor(
        self,
        call: Call[Listing[R]],
        *,
        name: str | None = None,
        store: PositionStore | str | None = None,
        position: Position | str | None = None,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> Cursor[R]:
        """A list that is read once whole, and then for what has changed. Nothing is sent yet.

        Args:
            call: of an operation that is paged by cursor, such as corporations' projects. Without a ``limit`` (or with
                ESI's default of 10) it is read in pages of 100.
            name: under which the store keeps the position; None: the address of the list.
            store: where the position is kept between runs: a text such as ``sqlite:///positions.sqlite3`` or
                ``redis://localhost:6379/0``, or an object (`esipy.lists.positions`); None: nowhere.
            position: where to go on, as a value or as its text; None: from what the store has.
            priority, policy, max_wait, downtime, stale_if_error: of each of its calls, see `esipy.EsiClient.request`.

        Raises:
            InvalidCallError: the list is not read by cursor, or the position is of another list.
            SettingError: ``store``, ``name`` or one of the last five cannot be meant.
        """
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        return Cursor(self._course(call, terms, name, store, position))

    def walk(
        self,
        call: Call[list[R]],
        *,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> Iterator[R]:
        """The rows of a list that is read from id to id: wallet transactions, mail headers, the calendar.

        Rows come in ESI's order, each once: the newest first, of the calendar the next first. A page is asked for when
        its first row is, so when you stop early no more is sent. Without an id in the call the walk begins at the
        beginning.

        Args:
            priority, policy, max_wait, downtime, stale_if_error: of each of its calls, see `esipy.EsiClient.request`.

        Raises:
            InvalidCallError: at once; the list is not read from id to id.
            SettingError: at once; one of the last five cannot be meant.
            APIException: while reading; there is no good answer.
        """
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        way: Walk[R] = Walk(self._fetch_on(terms), self._call_of(call))
        return _rows(way)


class AsyncCursors(_Cursors):
    """What `AsyncEsiClient` can do with lists that are read by cursor or from id to id."""

    def cursor(
        self,
        call: Call[Listing[R]],
        *,
        name: str | None = None,
        store: PositionStore | str | None = None,
        position: Position | str | None = None,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> AsyncCursor[R]:
        """See `EsiClient.cursor`. It is not awaited; the verbs of what it gives are."""
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        return AsyncCursor(self._course(call, terms, name, store, position))

    def walk(
        self,
        call: Call[list[R]],
        *,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> AsyncIterator[R]:
        """See `EsiClient.walk`. It is not awaited, but read with ``async for``."""
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        way: Walk[R] = Walk(self._fetch_on(terms), self._call_of(call))
        return _async_rows(way)


def _rows(way: Walk[R]) -> Iterator[R]:
    while (page := run(way.page())) is not None:
        yield from page


async def _async_rows(way: Walk[R]) -> AsyncIterator[R]:
    while (page := await way.page()) is not None:
        for row in page:
            yield row
