"""Bytes by name in one SQLite file, for the threads and processes of one machine.

Rules kept here: a process that was forked opens the file anew; the size is bounded, and what was stored first
goes first; a file that is not a database any more is begun anew, because a cache may lose what it likes.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from esipy._forks import abandon, forget_after_fork

__all__ = ["FILE_NAME", "FileShelf"]

LOGGER = logging.getLogger("esipy.cache")
T = TypeVar("T")

FILE_NAME = "esipy-cache.sqlite3"
"""Not the name that diskcache gives: version 1's file may lie in the same folder, and is left alone."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (name TEXT NOT NULL UNIQUE, data BLOB NOT NULL, ends REAL);
CREATE INDEX IF NOT EXISTS entries_by_end ON entries (ends);
"""


class FileShelf:
    """Entries in a folder.

    Args:
        folder: made when it is not there, for its owner alone.
        max_bytes: of the file.
        timeout: seconds to wait while another process writes.
    """

    def __init__(self, folder: str | os.PathLike[str], *, max_bytes: int, timeout: float) -> None:
        self._folder = Path(folder)
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        forget_after_fork(self)
        self._do(lambda _: None)

    def get(self, name: str) -> bytes | None:
        """The data; None when there is none, or its time is over."""
        asked = "SELECT data FROM entries WHERE name = ? AND (ends IS NULL OR ends > ?)"
        row = self._do(lambda connection: connection.execute(asked, (name, time.time())).fetchone())
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

        self._do(write)

    def drop(self, name: str) -> None:
        """Forget an entry; it is no error when there is none."""
        self._do(lambda connection: connection.execute("DELETE FROM entries WHERE name = ?", (name,)))

    def clear(self) -> None:
        """Forget all entries."""
        self._do(lambda connection: connection.execute("DELETE FROM entries"))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._close()

    def forget(self) -> None:
        """In a child after fork: the connection is the parent's, which not even closing leaves alone."""
        self._lock = threading.Lock()
        if self._connection is not None:
            abandon(self._connection)
            self._connection = None

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _make_room(self, connection: sqlite3.Connection) -> None:
        while _used_bytes(connection) > self._max_bytes:
            gone = connection.execute(
                "DELETE FROM entries WHERE rowid IN "
                "(SELECT rowid FROM entries ORDER BY rowid LIMIT (SELECT count(*) / 8 + 1 FROM entries))"
            )
            if not gone.rowcount:
                return

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                return self._once(work)
            except sqlite3.DatabaseError as error:
                # Its subclasses mean something else: a full disk, a lock that did not come free.
                if type(error) is not sqlite3.DatabaseError:
                    raise
                LOGGER.warning("%s is no cache any more (%s): it is begun anew", self._folder, error)
            self._close()
            for end in ("", "-wal", "-shm"):
                (self._folder / f"{FILE_NAME}{end}").unlink(missing_ok=True)
            return self._once(work)

    def _once(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._connect()
        with self._connection as connection:
            return work(connection)

    def _connect(self) -> sqlite3.Connection:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / FILE_NAME
        path.touch(0o600)  # in a folder that others may read, too; what SQLite keeps beside it gets the same rights
        connection = sqlite3.connect(path, timeout=self._timeout, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # a crash of the machine may lose the last entries
            connection.executescript(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
