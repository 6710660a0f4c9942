"""Bytes by name in one SQLite file, for the threads and processes of one machine (`esipy.stores.sqlite`).

Rules kept here: the size is bounded, and what was stored first goes first.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from esipy.stores.sqlite import SharedFile, used_pages

__all__ = ["FILE_NAME", "FileShelf"]

FILE_NAME = "esipy-cache.sqlite3"
"""Not the name that diskcache gives: version 1's file may lie in the same folder, and is left alone."""

APPLICATION_ID = 0x45534302
"""Marks the file as one of this format; another format has another one."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS entries (name TEXT NOT NULL UNIQUE, data BLOB NOT NULL, ends REAL)",
    "CREATE INDEX IF NOT EXISTS entries_by_end ON entries (ends)",
)


class FileShelf:
    """Entries in a folder.

    Args:
        folder: made when it is not there, for its owner alone.
        max_bytes: of the file.
        busy_seconds: how long to wait while another process writes.

    Raises:
        OSError: the folder cannot be made.
        StoreUnavailable: (all verbs, too) the file cannot be used; the text says why.
    """

    def __init__(self, folder: str | os.PathLike[str], *, max_bytes: int, busy_seconds: float) -> None:
        path = Path(folder).expanduser()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._max_bytes = max_bytes
        self._page_bytes = 0
        self._file = SharedFile(
            path / FILE_NAME,
            application_id=APPLICATION_ID, schema=SCHEMA, opened=self._opened, busy_seconds=busy_seconds,
        )  # fmt: skip
        self._file.do(lambda _: None)

    def get(self, name: str) -> bytes | None:
        """The data; None when there is none, or its time is over."""
        asked = "SELECT data FROM entries WHERE name = ? AND (ends IS NULL OR ends > ?)"
        row = self._file.look(lambda connection: connection.execute(asked, (name, time.time())).fetchone())
        return row[0] if row is not None and isinstance(row[0], bytes) else None

    def put(self, name: str, data: bytes, lifetime: float | None) -> None:
        """Keep data for so many seconds; None: until there is no more room. What is larger than that is not kept."""
        if len(data) > self._max_bytes:
            self.drop(name)
            return
        now = time.time()
        ends = None if lifetime is None else now + lifetime

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE ends <= ? LIMIT 10)", (now,)
            )
            # Replacing gives a new rowid, so that these are in the order of storing.
            connection.execute("REPLACE INTO entries (name, data, ends) VALUES (?, ?, ?)", (name, data, ends))
            self._make_room(connection)

        self._file.do(write)

    def drop(self, name: str) -> None:
        """Forget an entry; it is no error when there is none."""
        self._file.do(lambda connection: connection.execute("DELETE FROM entries WHERE name = ?", (name,)))

    def clear(self) -> None:
        """Forget all entries."""
        self._file.do(lambda connection: connection.execute("DELETE FROM entries"))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._file.close()

    def _opened(self, connection: sqlite3.Connection) -> None:
        self._page_bytes = int(connection.execute("PRAGMA page_size").fetchone()[0])

    def _make_room(self, connection: sqlite3.Connection) -> None:
        while used_pages(connection) * self._page_bytes > self._max_bytes:
            gone = connection.execute(
                "DELETE FROM entries WHERE rowid IN "
                "(SELECT rowid FROM entries ORDER BY rowid LIMIT (SELECT count(*) / 8 + 1 FROM entries))"
            )
            if not gone.rowcount:
                return
