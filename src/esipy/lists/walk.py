"""Lists that are walked from id to id: wallet transactions, mail headers, the calendar.

Each page is asked for with the id of the last row of the one before. With ``from_id`` that row comes again, so a page
that has nothing else is the end; the others give the rows after it, so there the end is an empty page. Written for all
three: a row of the page before is left out, and a page without another row is the end, which also ends a server that
answers the same page again and again.

Held are two pages, and one id for each page that was read.

Source: ESI's documentation, From-id Pagination; the descriptions of ``last_mail_id`` and ``from_event`` in ESI's
OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

from esipy.core.cursors import ROW_KEYS, key_of
from esipy.exceptions import InvalidCallError, UndecodableAnswerError
from esipy.operation import Call

__all__ = ["Fetch", "Walk", "require_pagination"]

R = TypeVar("R")

Fetch = Callable[[Call[Any]], Awaitable[Any]]
"""Sends a call and gives its data, or raises."""

WAYS: Mapping[str | None, str] = {
    None: "client.fetch(call)",
    "pages": "client.snapshot(call)",
    "cursor": "client.cursor(call)",
    "from_id": "client.walk(call)",
    "last_mail_id": "client.walk(call)",
    "from_event": "client.walk(call)",
}


def require_pagination(call: Call[Any], *wanted: str) -> str:
    """How a call's list is read.

    Raises:
        InvalidCallError: not in one of these ways; the text names the right verb.
    """
    way = call.operation.pagination
    if way is None or way not in wanted:
        raise InvalidCallError(f"{call.operation.name} is not read in this way: use {WAYS[way]}")
    return way


class Walk(Generic[R]):
    """One way through a list, without a colour.

    Args:
        call: the list; an id that it names is where the walk begins.

    Raises:
        InvalidCallError: the list is not read from id to id.
    """

    def __init__(self, fetch: Fetch, call: Call[list[R]]) -> None:
        self._parameter = require_pagination(call, "from_id", "last_mail_id", "from_event")
        self._key = ROW_KEYS[self._parameter]
        self._fetch = fetch
        self._next: Call[list[R]] | None = call
        self._asked: set[int | str] = set()
        self._last_page: set[int | str] = set()

    async def page(self) -> list[R] | None:
        """The next rows, none of them twice; None when there are no more.

        Raises:
            APIException: there is no good answer. The walk can go on: the page will be asked for again.
        """
        call = self._next
        if call is None:
            return None
        found = await self._fetch(call)
        if not isinstance(found, list):
            raise UndecodableAnswerError(call.path, 200, message=f"{call!r}: the answer is no list")
        rows: list[R] = []
        keys = set[int | str]()
        last: int | str | None = None  # of those that are new
        for row in found:  # pyright: ignore[reportUnknownVariableType]
            key = key_of(row, self._key)
            if key is not None:
                if key in keys or key in self._last_page:
                    continue
                keys.add(key)
                last = key
            rows.append(row)  # pyright: ignore[reportUnknownArgumentType]
        if last is None or last in self._asked:
            self._next = None
        else:
            self._asked.add(last)
            self._last_page = keys
            self._next = call.replace(**{self._parameter: last})
        return rows or None
