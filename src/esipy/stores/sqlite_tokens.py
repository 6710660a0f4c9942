"""The tokens of one machine's characters, in a file that its processes share.

- A `save` that returned is on the disk: a killed process loses nothing, nor does a power cut.
- The file is its owner's alone (0600) from the moment it is there; so is its folder, when it is made here (0700).
  Rights that were given to others are left, and told once.
- A file that is damaged is left as it is and said to be: nothing is ever begun in its place.
- What was removed or replaced is overwritten in the file, not only marked as free.
- Readers do not wait for writers, not even in one process: saving waits for the disk.
- Leases are by the machine's clock (`esipy.stores.sqlite_clock`): setting the time of day moves none.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from esipy.exceptions import TokenStoreError
from esipy.stores.base import StoreUnavailable
from esipy.stores.places import TOKENS, user_data_file
from esipy.stores.sqlite import Damaged, SharedFile, is_damage
from esipy.stores.sqlite_clock import CLOCK_SCHEMA, machine_clock, note_time
from esipy.stores.tokens import TokenRecord

__all__ = ["SqliteTokens"]

LOGGER = logging.getLogger("esipy.stores")
T = TypeVar("T")

APPLICATION_ID = 0x45535904
"""Marks the file as one of tokens in this format; another format has another one."""

BUSY_SECONDS = 10.0
"""How long to wait while another process writes, to a disk that may be slow: what is to be saved is precious."""

AT_ONCE = 100
"""How many records are read at once, of all."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS tokens (client_id TEXT NOT NULL, character_id INTEGER NOT NULL, name TEXT NOT NULL, "
    "owner TEXT NOT NULL, scopes TEXT NOT NULL, state TEXT NOT NULL, expires_at REAL NOT NULL, "
    "refreshed_at REAL NOT NULL, sealed BLOB NOT NULL, version INTEGER NOT NULL, "
    "PRIMARY KEY (client_id, character_id))",
    "CREATE TABLE IF NOT EXISTS leases (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until REAL NOT NULL) "
    "WITHOUT ROWID",
    CLOCK_SCHEMA,
)

LOAD = "SELECT * FROM tokens WHERE client_id = ? AND character_id = ?"
INSERT = "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
UPDATE = (
    "UPDATE tokens SET name = ?, owner = ?, scopes = ?, state = ?, expires_at = ?, refreshed_at = ?, sealed = ?, "
    "version = ? WHERE client_id = ? AND character_id = ? AND version = ?"
)
DELETE = "DELETE FROM tokens WHERE client_id = ? AND character_id = ? AND version = ?"
LIST = "SELECT * FROM tokens WHERE (client_id, character_id) > (?, ?) ORDER BY client_id, character_id LIMIT ?"
LIST_OF_ONE = "SELECT * FROM tokens WHERE client_id = ? AND character_id > ? ORDER BY character_id LIMIT ?"
LEASE = (
    "INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until "
    "WHERE holder = excluded.holder"
)

RIGHTS = "give this user the right to write to the file and its folder"
ROOM = "make room on the disk"
ADVICE = {
    sqlite3.SQLITE_READONLY: RIGHTS,
    sqlite3.SQLITE_PERM: RIGHTS,
    sqlite3.SQLITE_CANTOPEN: RIGHTS,
    sqlite3.SQLITE_FULL: ROOM,
    sqlite3.SQLITE_IOERR: "see whether the disk is full or failing",
    sqlite3.SQLITE_BUSY: "another process holds it for long: end that one, or try again",
}
ADVICE_OF_SYSTEM = {errno.EACCES: RIGHTS, errno.EPERM: RIGHTS, errno.EROFS: RIGHTS, errno.ENOSPC: ROOM}


class SqliteTokens:
    """`TokenStore` in a file.

    Nobody has to close it: it is closed with its last user.

    Args:
        path: of the file, on a local disk; None: the one of this user's programs. Beside it are SQLite's ``-wal`` and
            ``-shm``, and a ``.lock``.
        clock: for tests: seconds, in the place of the machine's time.
        busy_seconds: how long to wait while another process writes.

    Raises (all verbs):
        TokenStoreError: the file cannot be used; its text says why, and what to do.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        clock: Callable[[], float] | None = None,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self._clock = clock
        self._now: Callable[[], float] = time.time
        self._warned = False
        this = weakref.ref(self)  # so that the file does not keep it alive

        def opened(connection: sqlite3.Connection) -> None:
            store = this()
            if store is not None:
                store._opened(connection)

        self._file, self._view = (
            SharedFile(
                user_data_file(TOKENS) if path is None else path,
                application_id=APPLICATION_ID,
                schema=SCHEMA,
                opened=opened,
                busy_seconds=busy_seconds,
                precious=True,
                told=_told,
            )
            for _ in range(2)
        )
        weakref.finalize(self, _close, self._file, self._view)

    @property
    def place(self) -> str:
        """The file's path, for people to read."""
        return str(self._file.path)

    def __repr__(self) -> str:
        return f"<SqliteTokens {self.place}>"

    # -- TokenStore --------------------------------------------------------------------------------------------

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        """What is kept of a character; None when nothing is."""

        def work(connection: sqlite3.Connection) -> TokenRecord | None:
            row = connection.execute(LOAD, (client_id, character_id)).fetchone()
            return None if row is None else _record(row)

        return _answered(self._view.look, work)

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        """Put a record in place, on the disk, if the version there is still the one expected; see `TokenStore`."""
        whose = (client_id, character_id)

        def work(connection: sqlite3.Connection) -> bool:
            if expected is None:
                if record is None:
                    return connection.execute(LOAD, whose).fetchone() is None
                return connection.execute(INSERT, (*whose, *_columns(record), 1)).rowcount == 1
            if record is None:
                return connection.execute(DELETE, (*whose, expected)).rowcount == 1
            given = (*_columns(record), expected + 1, *whose, expected)
            return connection.execute(UPDATE, given).rowcount == 1

        return _answered(self._file.do, work)

    def records(self, client_id: str | None = None) -> Iterator[TokenRecord]:
        """All that is kept, of one application or of all, in the order of application and character.

        They are read `AT_ONCE` at a time, so that neither memory nor the file is held meanwhile.
        """
        after: tuple[str, int] = ("" if client_id is None else client_id, -(2**63))
        statement = LIST if client_id is None else LIST_OF_ONE

        def work(connection: sqlite3.Connection) -> list[TokenRecord]:
            return [_record(row) for row in connection.execute(statement, (*after, AT_ONCE))]

        while True:
            some = _answered(self._view.look, work)
            yield from some
            if len(some) < AT_ONCE:
                return
            after = some[-1][:2]

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Have a name for oneself for a while, by the machine's clock; see `TokenStore`."""

        def work(connection: sqlite3.Connection) -> bool:
            now = self._now()
            connection.execute("DELETE FROM leases WHERE until <= ?", (now,))
            if seconds <= 0:
                given = ("DELETE FROM leases WHERE name = ? AND holder = ?", (name, holder))
                return connection.execute(*given).rowcount == 1
            if connection.execute(LEASE, (name, holder, now + seconds)).rowcount != 1:
                return False
            note_time(connection, now)
            return True

        return _answered(self._file.do, work)

    # ----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        _close(self._file, self._view)

    def _opened(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA secure_delete = ON")
        self._now = self._clock or machine_clock(connection)
        path = self._file.path
        if os.name == "posix" and not self._warned and path.stat().st_mode & 0o077:
            self._warned = True
            LOGGER.warning("others may read the tokens in %s: chmod 600 %s", path, path)


def _close(*files: SharedFile) -> None:
    for file in files:
        file.close()


def _answered(way: Callable[[Callable[[sqlite3.Connection], T]], T], work: Callable[[sqlite3.Connection], T]) -> T:
    try:
        return way(work)
    except StoreUnavailable as error:
        raise TokenStoreError(f"the tokens in {error}") from error


def _columns(record: TokenRecord) -> tuple[Any, ...]:
    return (
        record.name, record.owner, " ".join(record.scopes), record.state, record.expires_at, record.refreshed_at,
        record.sealed,
    )  # fmt: skip


def _record(row: Any) -> TokenRecord:
    client_id, character_id, name, owner, scopes, state, expires_at, refreshed_at, sealed, version = row
    if not (isinstance(scopes, str) and isinstance(sealed, bytes) and isinstance(version, int)):
        raise Damaged(f"what is kept of character {character_id} cannot be read")
    return TokenRecord(
        client_id, character_id, name, owner, tuple(scopes.split()), state, expires_at, refreshed_at, sealed, version
    )


def _told(path: Path, error: BaseException) -> str:
    """What is wrong with the file, and what to do."""
    if os.path.isdir(path):  # where it may not be looked at, `Path.is_dir` raises
        return f"{path} cannot be used: this is a folder. Name a file"
    if is_damage(error):
        return (
            f"{path} are damaged ({error}). The file is left as it is, and nothing is begun in its place: put a copy "
            "of it there, or move it away and have the characters log in again"
        )
    if isinstance(error, OSError):
        said, advice = error.strerror or str(error), ADVICE_OF_SYSTEM.get(error.errno or 0)
    else:
        said, advice = str(error), ADVICE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return f"{path} cannot be read or written ({said}). Nothing is lost" + (f": {advice}" if advice else "")
