"""One look at a call, as its operation is read: whole, in pages, from id to id, or by cursor.

=====================================  =================================================================================
the operation's answers                are looked at
=====================================  =================================================================================
come whole                             by one exchange
come in pages                          as a `esipy.lists.snapshot.Snapshot`: all pages, of one version
are walked from id to id               by the newest page; more of them, as long as all of their rows are new
are read by cursor                     whole at first, then what has changed since
=====================================  =================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from esipy.core.changes import fields_of, key_fields, keyed, row_type_of
from esipy.core.cursors import Position, list_field
from esipy.core.freshness import lifetime_of
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Terms
from esipy.exceptions import PositionRefusedError
from esipy.lists.asking import ask
from esipy.lists.cursor import Course
from esipy.lists.snapshot import snapshot
from esipy.lists.walk import Walk
from esipy.operation import Call, Operation
from esipy.response import Response
from esipy.watching.options import Options

__all__ = ["Seen", "Shape", "Sight", "shape_of"]

WINDOWS: Mapping[str | None, int] = {"last_mail_id": 50, "from_event": 50, "from_id": 2500}
"""How many rows a page of a list that is walked holds. A shorter one is the whole list.

Source: ESI's OpenAPI document, the descriptions of the operations and ``maxItems`` of their answers."""

MOST_PAGES = 20
"""How far a list is walked back for a row that is known."""


class Seen(NamedTuple):
    """What there was to be seen.

    Attributes:
        data: the rows of a list; of other answers the data.
        fresh_until: the moment at which it is fit to be looked at again; None when nobody knows.
        is_stale: ESI does not answer, and this is what is kept.
        is_window: there may be rows beyond the last.
        position: where the next look goes on, of a list that is read by cursor.
    """

    data: Any
    fresh_until: float | None
    is_stale: bool = False
    is_window: bool = False
    position: str | None = None


class Shape(NamedTuple):
    """What an operation answers.

    Attributes:
        is_list: rows, which are told apart.
        field: the one of the answer's fields that is the list; None: the answer is.
        key: the fields by which rows are known; none: the whole row.
        fields: all that rows have, by all their names; none: it is not known.
    """

    is_list: bool
    field: str | None
    key: tuple[str, ...]
    fields: tuple[str, ...] = ()


@lru_cache(maxsize=1024)
def shape_of(operation: Operation[Any]) -> Shape:
    """It takes a millisecond to find out."""
    if operation.result is None:
        return Shape(False, None, ())
    result_type = operation.result_type()
    field = list_field(result_type) if operation.pagination == "cursor" else None
    row_type = row_type_of(result_type, field)
    if row_type is None:
        return Shape(False, field, ())
    return Shape(True, field, key_fields(operation.name, row_type), fields_of(row_type))


class _Asking:
    """Sends the calls of one look, and notes what their answers say of time."""

    def __init__(self, engine: Engine, options: Options, terms: Terms) -> None:
        self._engine = engine
        self._sign = options.sign
        self._terms = terms
        self.fresh_until: float | None = None
        self.is_stale = False

    async def ask(self, call: Call[Any]) -> Response[Any]:
        """Send one.

        Raises:
            APIException: there is no good answer.
        """
        response = await ask(self._engine, self._sign(call), self._terms)
        self.is_stale = self.is_stale or response.source == "stale"
        now = self._engine.runtime.now()
        if response.expires_at is not None:
            moment: float | None = response.expires_at.timestamp()
        else:  # nothing is kept; the lifetime counts all the same
            lifetime = lifetime_of(response.headers, call.operation.lifetime_seconds, now)
            moment = None if lifetime is None else now + lifetime
        if moment is not None:
            self.fresh_until = moment if self.fresh_until is None else max(self.fresh_until, moment)
        return response

    async def fetch(self, call: Call[Any]) -> Any:
        """The data of one."""
        return (await self.ask(call)).data


class Sight:
    """How one call is looked at.

    Args:
        options: among them, how its exchanges wait for limits: lists that are fetched in many parts have patience, all
            others had better come back than wait.
        key: what tells rows apart.
    """

    def __init__(self, engine: Engine, call: Call[Any], options: Options, key: Callable[[Any], Hashable]) -> None:
        self._engine = engine
        self._call = call
        self._options = options
        self._key = key
        self.way = call.operation.pagination if "page" not in call.arguments else None
        if self.way == "cursor":
            Course(self._asking().fetch, engine.runtime, call)  # refuses what cannot be read so

    async def look(self, known: Any, position: str | None) -> Seen:
        """Look.

        Args:
            known: what was seen before; None: nothing.
            position: as it was given with that.

        Raises:
            APIException: there is no good answer.
        """
        if self.way == "pages":
            return await self._pages()
        asking = self._asking()
        if self.way == "cursor":
            return await self._cursor(asking, known, position)
        if self.way is not None:
            return await self._newest(asking, known)
        response = await asking.ask(self._call)
        is_empty_list = response.data is None and response.status == 204
        return Seen([] if is_empty_list else response.data, asking.fresh_until, asking.is_stale)

    def _asking(self) -> _Asking:
        options = self._options
        return _Asking(self._engine, options, options.patient if self.way == "cursor" else options.quick)

    async def _pages(self) -> Seen:
        runtime = self._engine.runtime
        began = runtime.now()
        got = await snapshot(self._engine, self._options.sign(self._call), terms=self._options.patient)
        now = runtime.now()
        if got.expires_at is None:
            lifetime = self._call.operation.lifetime_seconds
            return Seen(got.rows, None if lifetime is None else now + lifetime)
        expires_at = got.expires_at.timestamp()
        # That of the first page which ceases to be fresh. The last one was asked for no later than now.
        return Seen(got.rows, expires_at + now - began, is_stale=expires_at < began)

    async def _newest(self, asking: _Asking, known: Any) -> Seen:
        way: Walk[Any] = Walk(asking.fetch, self._call)
        rows = list(await way.page() or ())
        is_window = len(rows) >= WINDOWS[self.way]
        if is_window and known:
            seen = {self._key(row) for row in known}
            for _ in range(MOST_PAGES):
                if any(self._key(row) in seen for row in rows):
                    break
                more = await way.page()
                if more is None:
                    is_window = False
                    break
                rows.extend(more)
        return Seen(rows, asking.fresh_until, asking.is_stale, is_window)

    async def _cursor(self, asking: _Asking, known: Any, position: str | None) -> Seen:
        try:
            return await self._onward(asking, known, position)
        except PositionRefusedError:
            return await self._onward(asking, None, None)

    async def _onward(self, asking: _Asking, known: Any, position: str | None) -> Seen:
        begin = None if position is None else Position.parse(position)
        course: Course[Any] = Course(asking.fetch, self._engine.runtime, self._call, begin)
        rows = keyed(known or (), self._key)
        way = await course.begin()
        while True:
            batch, way = await course.more(way)
            if batch is None:
                break
            if batch.whole:
                rows = {}
            for name, row in keyed(batch.rows, self._key).items():
                rows.pop(name, None)  # so that it is the newest
                rows[name] = row
            await course.taken(batch)
        reached = await course.position()
        return Seen(
            [*rows.values()], asking.fresh_until, asking.is_stale, position=None if reached is None else str(reached)
        )
