"""The verbs about lists: rollovers, edits, odd pages, and every version that a list has had.

Rules: those of `verbs`. A path is one of ESI's, without query; any page of a list is the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esipy.sandbox.app import Sandbox

__all__ = ["ListVerbs"]


class ListVerbs:
    """The verbs, bound to a sandbox."""

    _sandbox: Sandbox

    def bump(self, path: str) -> None:
        """Change the data at an ESI path now, as if something had happened in the game; the lifetime goes on.

        Raises:
            ValueError: no operation has this path.
        """
        self._sandbox.esi.bump(path)

    def roll(
        self,
        path: str,
        after_requests: int = 0,
        *,
        pages: int | None = None,
        changed: Sequence[int] | None = None,
        shift: int = 0,
    ) -> None:
        """Let the list at a path roll over to its next version, and begin a new lifetime.

        Args:
            path: of a list that comes at once, in pages, or by id.
            after_requests: first so many more of its answers are given, whatever becomes of them; 0: now.
            pages: grow or shrink to so many pages; 0 leaves an empty list; None: as many as before.
            changed: the pages whose rows change; all others stay as they are, ``ETag`` and all. None: every row may
                change, or with ``pages`` or ``shift`` none.
            shift: so many new rows stand in front, or with a negative number so many rows there are gone: all others
                move over the borders of pages.

        Raises:
            ValueError: no operation has this path, or there is no such list.
        """
        self._sandbox.esi.lists.roll(path, after_requests, pages=pages, changed=changed, shift=shift)

    def edit(self, path: str, row: int | str | None = None) -> int | str:
        """Change what one row of a list holds; with a cursor it is the newest from now on. Gives its id.

        Args:
            path: of any list whose rows are not written by calls.
            row: the row's id; None takes the first one.

        Raises:
            ValueError: no operation has this path, or the list has no such row.
        """
        return self._sandbox.esi.lists.edit(path, row)

    def add(self, path: str, rows: int = 1, place: int | None = None) -> list[int | str]:
        """Add rows with new ids to a list; gives the ids.

        Args:
            path: as `edit`.
            rows: how many.
            place: before which row they stand, counted from 0; None: at the end. With a cursor, and in lists that
                begin with the newest, new rows are the newest, whatever is said here.

        Raises:
            ValueError: as `edit`.
        """
        return self._sandbox.esi.lists.add(path, rows, place)

    def remove(self, path: str, row: int | str | None = None) -> int | str:
        """Take a row out of a list: all later ones move up. Arguments, result and errors as `edit`."""
        return self._sandbox.esi.lists.remove(path, row)

    def set_list(self, path: str, **manner: Any) -> None:
        """Tell the list at a path in another manner from now on; what is not named stays.

        Args:
            path: of a list.
            manner: ``x_pages``, ``empty_status``, ``cursor_at_end``, ``overlap``; see `esi_edits.Manner`.

        Raises:
            ValueError: no operation has this path, or it cannot be meant.
            TypeError: no such option.
        """
        self._sandbox.esi.lists.set_list(path, **manner)

    def odd_last_modified(
        self, path: str, page: int = 1, times: int | None = None, *, seconds: float = -3600.0
    ) -> None:
        """Let one page bear a ``Last-Modified`` that differs from those of the others.

        Args:
            path: of the list.
            page: which one.
            times: for so many of its answers; None: for ever; 0: no longer.
            seconds: by how much it differs.

        Raises:
            ValueError: no operation has this path.
        """
        self._sandbox.esi.lists.odd_last_modified(path, page, times, seconds)

    def versions(self, path: str, query: Mapping[str, str] | None = None, *, ids: bool = True) -> list[list[Any]]:
        """Every version that a list has had, the newest last: each the ids of its rows, or the rows, in order.

        A version that a lifetime's end brought is among them when any of its pages was answered.

        Args:
            path: as `edit`.
            query: the parameters that choose a list (``{"order_type": "sell"}``), not a part of it.
            ids: False gives whole rows, as they are in the JSON.

        Raises:
            ValueError: no operation has this path, it is no list, or its rows are written by calls or have no id.
        """
        return self._sandbox.esi.lists.versions(path, query, ids=ids)
