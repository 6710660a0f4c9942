"""What tests do to a list of the sandbox: edits, and the manner in which lists are told.

Rules: edits are replayed, in order, over the rows that the world makes up, so that each version of a list can be made
again at any time; the id of a new row is larger than any that the list ever had. Nothing here keeps anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Added", "Changed", "Edit", "Manner", "Removed", "RowId", "Sized", "Stirred", "replay"]

RowId = int | str


@dataclass(frozen=True, slots=True)
class Changed:
    """What one row holds changed; in a list with a cursor it is the newest now. None: the first row."""

    row: RowId | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """One row is gone. None: the first one."""

    row: RowId | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """So many rows are new: at a place, counted from 0; None: at the end."""

    rows: int = 1
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Sized:
    """The list grew or shrank to so many pages, the last of them half full; 0 leaves no row."""

    pages: int


@dataclass(frozen=True, slots=True)
class Stirred:
    """What the rows on these pages hold changed, and on no others."""

    pages: tuple[int, ...]


Edit = Changed | Removed | Added | Sized | Stirred


@dataclass(frozen=True, slots=True)
class Manner:
    """How the lists at a path are told.

    Attributes:
        x_pages: whether ``X-Pages`` comes with the pages.
        empty_status: 200 with ``[]``, or 204, for a list or page without rows.
        cursor_at_end: whether an answer without records has a cursor object (which repeats the mark) or none.
        overlap: how many records from beyond the mark each answer of a cursor repeats; none when there are no others.
            Towards ``before`` a record that was edited is repeated where and as it was before.
    """

    x_pages: bool = True
    empty_status: int = 200
    cursor_at_end: bool = True
    overlap: int = 0

    def __post_init__(self) -> None:
        if self.empty_status not in (200, 204):
            raise ValueError(f"an empty list is told with 200 or 204, not {self.empty_status}")
        if self.overlap < 0:
            raise ValueError(f"answers cannot overlap by {self.overlap} records")


def replay(
    rows: Sequence[Any], edits: Sequence[Edit], key: str | None, page_rows: int, change: Callable[[Any, int], Any]
) -> list[Any]:
    """A list's rows after these edits.

    Args:
        rows: as the world makes them up.
        edits: in order.
        key: the field that holds a row's id; None: the rows are ids themselves, or have none.
        page_rows: how many rows a page has.
        change: gives a row with other data (and the same id) for a row and a number that says which change it is.
    """

    def id_of(row: Any) -> Any:
        return row[key] if key is not None else row

    def renewed(row: Any, new_id: int, turn: int) -> Any:
        if key is not None:
            return change({**row, key: new_id}, turn)
        return new_id if isinstance(row, int) else change(row, turn)

    made = list(rows)
    patterns = list(rows[:page_rows])
    last_id = max((number for number in map(id_of, rows) if isinstance(number, int)), default=0)
    for turn, edit in enumerate(edits, 1):
        match edit:
            case Changed():
                made = [change(row, turn) if _meant(edit, id_of(row), place) else row for place, row in enumerate(made)]
            case Removed():
                made = [row for place, row in enumerate(made) if not _meant(edit, id_of(row), place)]
            case Stirred():
                made = [
                    change(row, turn) if place // page_rows + 1 in edit.pages else row for place, row in enumerate(made)
                ]
            case Added() | Sized():
                if isinstance(edit, Sized):
                    wanted = max(edit.pages * page_rows - page_rows // 2, 0)
                    made = made[:wanted]
                    missing, place = wanted - len(made), len(made)
                else:
                    missing, place = edit.rows, len(made) if edit.place is None else edit.place
                if not patterns:
                    continue  # of an empty list nobody knows what its rows look like
                new = [renewed(patterns[n % len(patterns)], last_id + n + 1, turn) for n in range(missing)]
                last_id += missing
                made[place:place] = new
    return made


def _meant(edit: Changed | Removed, row_id: Any, place: int) -> bool:
    return row_id == edit.row if edit.row is not None else place == 0
