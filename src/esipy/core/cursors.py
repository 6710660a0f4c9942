"""Lists that are read by cursor, and by walking from id to id: what counts as one row, and how pages become one list.

A cursor's list is ordered by when its records were last modified, the newest last. Its rules:

- The first page, asked for without a token, has the newest records. Its ``after`` is the position from which changes
  are asked for later. From there ``before`` leads back, until a page is empty: a short page, or a token that was there
  already, is no end.
- A record may come twice. From ``before`` the one that is there already stays; from ``after`` the new one takes its
  place.
- The ``cursor`` object, or a token in it, may be missing. A reader that can go back no further, and has seen no empty
  page, has perhaps not seen all. Then the position is the beginning (`START`): better twice than never.
- Tokens are opaque.

Source: ESI's documentation, Cursor-based Pagination and From-id Pagination; for `START` the parameter ``after`` in
ESI's OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec.inspect import ListType, StructType, type_info

from esipy.exceptions import InvalidCallError, UndecodableAnswerError

__all__ = ["ROW_KEYS", "START", "Backward", "CursorPage", "Forward", "Position", "key_of", "list_field", "read_page"]

ROW_KEYS: Mapping[str, str] = {
    # how a list is read (`Operation.pagination`) -> the field by which its rows are known
    "cursor": "id",
    "from_id": "transaction_id",
    "last_mail_id": "mail_id",
    "from_event": "event_id",
}
"""One table for the catalogue: all lists that are read in one of these ways agree, which a test holds them to."""

START = "0"
"""The token that stands for the oldest end of a list, to be asked for with ``after``."""


class Position(NamedTuple):
    """Up to where a list has been read: a value to keep, as a text (``str(position)``) or pickled. It has no end:
    ESI takes it days later.

    Attributes:
        target: of which list: its path, with the query that chooses the records.
        after: the token.
    """

    target: str
    after: str

    def __str__(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that a text stands for.

        Raises:
            InvalidCallError: it stands for no position.
        """
        try:
            return cls(*msgspec.json.decode(text, type=tuple[str, str]))
        except (msgspec.DecodeError, UnicodeError):
            raise InvalidCallError(f"{text[:80]!r} is no position of a list: begin anew") from None


class CursorPage(NamedTuple):
    """One answer.

    Attributes:
        rows: the newest last.
        before, after: the tokens; None when it has none.
    """

    rows: list[Any]
    before: str | None
    after: str | None


def list_field(result_type: Any) -> str:
    """Which field of an answer's type is the list: ``projects``, ``participants`` and so on."""
    shape = type_info(result_type)
    assert isinstance(shape, StructType)
    return next(field.name for field in shape.fields if isinstance(field.type, ListType))


def read_page(data: Any, field: str) -> CursorPage:
    """The page that an answer's data are, typed or version 1's.

    Raises:
        UndecodableAnswerError: they have no list: what is missing is not taken for the end.
    """
    rows = getattr(data, field, None)
    if not isinstance(rows, list):
        raise UndecodableAnswerError("", 200, message=f"the answer has no list {field!r}, so that its page is unknown")
    cursor = getattr(data, "cursor", None)
    return CursorPage([*rows], _token(cursor, "before"), _token(cursor, "after"))


def _token(cursor: Any, name: str) -> str | None:
    token = getattr(cursor, name, None)
    return token if isinstance(token, str) and token else None


def key_of(row: Any, name: str) -> int | str | None:
    """The value by which a row is known; None when the row, against its type, has none."""
    key = getattr(row, name, None)
    return key if isinstance(key, int | str) else None


class Backward:
    """The way back from the newest records: a page after the other is taken.

    Attributes:
        after: the position from which changes are asked for later.
        whole: the oldest end was seen.
    """

    def __init__(self) -> None:
        self.after: str | None = None
        self.whole = False
        self._asked: set[str] = set()
        self._rows: dict[Any, Any] = {}

    def take(self, page: CursorPage) -> str | None:
        """Take a page; gives the token with which to ask for the one before it, None when this was the last."""
        if self.after is None:
            self.after = page.after or START
        if not page.rows:
            self.whole = True
            return None
        known = len(self._rows)
        for row in reversed(page.rows):
            self._rows.setdefault(_key_or_itself(row), row)
        token = page.before
        if token is None or (token in self._asked and len(self._rows) == known):
            self.after = START
            return None
        self._asked.add(token)
        return token

    def rows(self) -> list[Any]:
        """All records that were taken, once each, the newest last."""
        return [*self._rows.values()][::-1]


class Forward:
    """The way on to newer records.

    Attributes:
        after: the token with which to ask for the next page, now or another day.
        ended: there is nothing more for now.
    """

    def __init__(self, after: str) -> None:
        self.after = after
        self.ended = False
        self._asked = {after}

    def take(self, page: CursorPage) -> list[Any]:
        """Take a page; gives its records, once each, the newest last."""
        rows: dict[Any, Any] = {}
        for row in page.rows:
            key = _key_or_itself(row)
            rows.pop(key, None)
            rows[key] = row
        # Without rows this is the end. Without a new token the next page would be this one, again and again.
        self.ended = not rows or page.after is None or page.after in self._asked
        self.after = page.after or self.after
        self._asked.add(self.after)
        return [*rows.values()]


def _key_or_itself(row: Any) -> Any:
    key = key_of(row, ROW_KEYS["cursor"])
    return _Unknown(row) if key is None else key


class _Unknown:
    """A row without a key: equal to no other."""

    __slots__ = ("row",)

    def __init__(self, row: Any) -> None:
        self.row = row
