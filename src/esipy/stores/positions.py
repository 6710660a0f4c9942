"""Positions of cursors in a file, for programs that go on where they were, and for several processes of one machine."""

from __future__ import annotations

import os
import sqlite3
import weakref

from esipy.stores.sqlite import SharedFile

__all__ = ["SqlitePositions"]

APPLICATION_ID = 0x45535903
"""Marks the file as one of positions in this format; another format has another one."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS positions (name TEXT NOT NULL PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID",
)


class SqlitePositions:
    """`esipy.lists.positions.PositionStore` in a file.

    Nobody has to close it: it is closed with its last user.

    A killed process loses nothing that was saved. After a power cut the last seconds may be missing: then what they
    told is told again.

    Raises (both verbs):
        StoreUnavailable: the file cannot be used; its text says why.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = SharedFile(path, application_id=APPLICATION_ID, schema=SCHEMA, opened=lambda _: None)
        weakref.finalize(self, self._file.close)

    def load(self, name: str) -> str | None:
        """What was saved last under this name; None: nothing."""

        def work(connection: sqlite3.Connection) -> str | None:
            found = connection.execute("SELECT position FROM positions WHERE name = ?", (name,)).fetchone()
            return None if found is None else str(found[0])

        return self._file.do(work)

    def save(self, name: str, position: str) -> None:
        """Keep a text in place of what was there."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (name, position))

        self._file.do(work)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._file.close()

    def __repr__(self) -> str:
        return f"<SqlitePositions {self._file.path}>"
