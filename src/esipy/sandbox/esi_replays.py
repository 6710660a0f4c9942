"""A list of the sandbox after its edits: whole, its ids, or the part of it that is asked for.

Rules: the rows are made anew from the world, by whoever makes them, page by page; only the last few lists that were
made are kept. The Forge's orders take seconds: edit smaller lists.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from esipy.sandbox.esi_asked import Asked, Handler, Reply
from esipy.sandbox.esi_edits import replay
from esipy.sandbox.esi_lists import PAGE_ROWS, Generic, page_of, walked

__all__ = ["Replays"]

_KEPT = 16
_PARTS = ("page", "from_id", "before", "after", "limit")  # which part of a list is asked for, not which list


class Replays:
    """The maker of lists with edits.

    Args:
        generic: the maker of lists of which only the type is known.
        handlers: the makers of the others, by operation.
    """

    def __init__(self, generic: Generic, handlers: Mapping[str, Handler]) -> None:
        self._generic = generic
        self._handlers = handlers
        self._made: OrderedDict[tuple[Any, ...], tuple[list[Any], int]] = OrderedDict()

    def rows(self, asked: Asked, *, ids: bool) -> list[Any]:
        """All rows of the list that is asked for, after its edits; or their ids.

        Raises:
            ValueError: they have none.
        """
        if asked.operation.pagination == "cursor":
            return self._generic.cursors.ids(asked) if ids else self._generic.cursors.whole(asked)
        rows, _ = self._whole(asked)
        if not ids:
            return rows
        if not rows or not isinstance(rows[0], dict):
            return list(rows)
        key = self._generic.key(asked.operation)
        if key is None:
            raise ValueError(f"the rows of {asked.path} have no id")
        return [row[key] for row in rows]

    def part(self, asked: Asked) -> Reply:
        """The page, or the part of a walk, that is asked for, after the list's edits.

        Raises:
            Refused: 404, there is no such page.
        """
        rows, page_rows = self._whole(asked)
        if asked.operation.pagination == "from_id":
            return Reply(walked(asked, rows))
        if asked.operation.pagination != "pages":
            return Reply(rows)
        pages = max(1, -(-len(rows) // page_rows))
        first = (page_of(asked, pages) - 1) * page_rows
        return Reply(rows[first : first + page_rows], pages=pages)

    def _whole(self, asked: Asked) -> tuple[list[Any], int]:
        """All rows of the list, and how many a page has."""
        values = {name: value for name, value in asked.values.items() if name not in _PARTS}
        edits, asked = asked.edits, replace(asked, values=values, edits=())
        named = (asked.tenant, asked.path, repr(values), asked.version, asked.bumps, asked.now // 86_400, edits)
        if named in self._made:
            return self._made[named]
        rows, page_rows = self._unedited(asked)
        key = self._generic.key(asked.operation)
        rows = replay(rows, edits, key, page_rows, lambda row, turn: self._generic.changed(asked, row, turn))
        if asked.operation.pagination == "from_id":
            rows.sort(key=lambda row: -row["transaction_id"])
        self._made[named] = rows, page_rows
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return rows, page_rows

    def _unedited(self, asked: Asked) -> tuple[list[Any], int]:
        handler = self._handlers.get(asked.operation.name)
        if handler is None:
            return self._generic.whole(asked), PAGE_ROWS
        first = handler(asked)
        rows = first.rows()
        for page in range(2, (first.pages or 1) + 1):
            rows = rows + handler(replace(asked, values={**asked.values, "page": page})).rows()
        return rows, first.page_rows
