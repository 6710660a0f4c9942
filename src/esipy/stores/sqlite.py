"""One SQLite file that the processes of a machine share: how it is opened, used and lost.

- Every piece of work is one transaction, begun IMMEDIATE: the file is locked before it is read, so two processes never
  decide on the same state. What only looks takes no lock, waits for nobody who writes, and sees what was last done.
- WAL with synchronous NORMAL: a killed process loses nothing; a power cut may lose the last seconds.
- A file that is damaged is set aside under another name, and begun anew; one that was deleted or replaced is begun
  anew, too. A file of anything else is never touched, whether it is a database or not.
- A file whose content can be had nowhere else (``precious``) has synchronous FULL: what was done is on the disk, and a
  power cut loses nothing. When it is damaged it stays where it is, and nothing is begun in its place.
- Whatever else fails is `StoreUnavailable`: no right to write, a full disk, a lock that another process does not give
  back. Nobody waits twice for that lock: who stood behind the one who waited in vain fails with it.
- Whoever is interrupted (Ctrl-C), wherever that is, leaves the file unlocked: the connection is closed.
- A process that was forked neither uses nor closes its parent's connection.

All of this holds for a local disk; WAL does not work over a network.
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
from esipy.stores.base import StoreUnavailable

__all__ = ["BUSY_SECONDS", "Damaged", "SharedFile", "is_damage", "used_pages"]

LOGGER = logging.getLogger("esipy.stores")
T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]

BUSY_SECONDS = 2.0
"""How long to wait while another process writes. It takes a tenth of a millisecond, unless that process is ill."""


LOG_BYTES = 4 * 1024 * 1024
"""What the file's log is cut back to, after something large was written."""

MAGIC = b"SQLite format 3\0"
HEADER_BYTES = 100
MARK = slice(68, 72)
"""How a database begins, and where its application id is. Source: SQLite's documentation, Database File Format, 1.3."""

FIRST_PAUSE_SECONDS = 0.0002
LAST_PAUSE_SECONDS = 0.002


class Damaged(Exception):
    """What was read can be nothing that was written."""


class SharedFile:
    """A database of one kind.

    Args:
        path: of the file; its folder is made when it is not there, for its owner alone.
        application_id: marks a database as one of this kind and format.
        schema: makes the tables; may run on a file that has them.
        opened: gets every new connection, within a transaction.
        busy_seconds: how long to wait while another process writes.
        precious: what is in it can be had nowhere else.
        told: what a failure's text is to say.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        application_id: int,
        schema: tuple[str, ...],
        opened: Callable[[sqlite3.Connection], None],
        busy_seconds: float = BUSY_SECONDS,
        precious: bool = False,
        told: Callable[[Path, BaseException], str] = lambda path, error: f"{path}: {error}",
    ) -> None:
        self.path = Path(os.path.abspath(path))  # the same file also when the program goes to another folder
        self._precious = precious
        self._told = told
        self._application_id = application_id
        self._schema = schema
        self._opened = opened
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._sound_file: tuple[int, int] | None = None
        self._failures = 0
        self._failure = ""
        forget_after_fork(self)

    @property
    def is_open(self) -> bool:
        """Whether this process has the file open, and it is still there."""
        return self._connection is not None and _identity(self.path) == self._file

    def do(self, work: Work[T]) -> T:
        """Do something in one transaction.

        Raises:
            StoreUnavailable: it could not be done; nothing of it was.
        """
        return self._guarded(self._transaction, work)

    def look(self, work: Work[T]) -> T:
        """Read something by one statement, all of its rows.

        Raises:
            StoreUnavailable: it could not be read.
        """
        return self._guarded(self._reading, work)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._leave()

    def forget(self) -> None:
        """In a child after fork: the connection is the parent's, which not even closing leaves alone."""
        self._lock = threading.Lock()
        connection, self._connection = self._connection, None
        if connection is not None:
            abandon(connection)

    def _guarded(self, way: Callable[[sqlite3.Connection, Work[T]], T], work: Work[T]) -> T:
        failures = self._failures
        with self._lock:
            if self._failures != failures:
                raise StoreUnavailable(self._failure)
            try:
                return self._mended(way, work)
            except (sqlite3.Error, OSError, Damaged) as error:
                if not _is_busy(error):
                    self._leave()
                self._failures += 1
                self._failure = self._told(self.path, error)
                raise StoreUnavailable(self._failure) from error
            except BaseException:
                self._leave()
                raise

    def _mended(self, way: Callable[[sqlite3.Connection, Work[T]], T], work: Work[T]) -> T:
        for is_last in (False, True):
            try:
                return way(self._ready(), work)
            except (sqlite3.DatabaseError, Damaged) as error:
                if is_last or self._precious or not is_damage(error):
                    raise
                if not self._was_ours():
                    raise sqlite3.OperationalError("is no database of EsiPy's: name another file") from error
                self._set_aside(error)
        raise AssertionError("unreachable")

    def _ready(self) -> sqlite3.Connection:
        """The connection to the file that is there now."""
        if self._connection is not None and _identity(self.path) != self._file:
            LOGGER.warning("%s was deleted or replaced: what was in it is not known any more", self.path)
            self._leave()
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        return connection

    def _transaction(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        try:
            self._patiently(lambda connection: connection.execute("BEGIN IMMEDIATE"), connection)
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise
        return result

    def _reading(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        # Even who only reads may find the file locked: while another process recovers it from a crash.
        return self._patiently(work, connection)

    def _patiently(self, step: Work[T], connection: sqlite3.Connection) -> T:
        """Try until the file is free. The pauses of SQLite's own waiting grow to 100 ms, for what others have done in
        0.1 ms."""
        ends: float | None = None
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            try:
                return step(connection)
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                now = time.monotonic()
                ends = now + self._busy_seconds if ends is None else ends
                if now >= ends:
                    raise
            time.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LAST_PAUSE_SECONDS)

    def _connect(self) -> sqlite3.Connection:
        if self.path.is_dir():
            raise sqlite3.OperationalError("is a folder, not a file")
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._alone(self._open)

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            self.path.touch(0o600)  # nobody else's business; what SQLite keeps beside it gets the same rights
        connection = self._raw(self.path)
        try:
            self._file = _identity(self.path)
            ours = int(connection.execute("PRAGMA application_id").fetchone()[0])
            if ours != self._application_id:
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise sqlite3.OperationalError("is a database of something else, or of another version of EsiPy")
                connection.execute(f"PRAGMA application_id = {self._application_id}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if self._precious else 'NORMAL'}")
            connection.execute(f"PRAGMA fullfsync = {int(self._precious)}")  # of macOS, where fsync is not enough
            connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
            connection.execute("BEGIN IMMEDIATE")
            for statement in self._schema:
                connection.execute(statement)
            self._opened(connection)
            connection.execute("COMMIT")
            connection.execute("PRAGMA busy_timeout = 0")
            self._sound_file = self._file
        except BaseException:
            connection.close()
            raise
        return connection

    def _leave(self) -> None:
        """Be without a connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _was_ours(self) -> bool:
        """Whether a file that cannot be read is one of this kind: it was open here, or its header says so, or is lost
        altogether, as after a power cut."""
        if _identity(self.path) in (None, self._sound_file):
            return True
        with self.path.open("rb") as file:
            header = file.read(HEADER_BYTES)
        marked = header.startswith(MAGIC) and header[MARK] == self._application_id.to_bytes(4, "big")
        return marked or not any(header)

    def _set_aside(self, error: BaseException) -> None:
        """Give a damaged file another name, unless another process has done so already."""
        self._leave()
        aside = self._alone(self._rename)
        if aside is not None:
            LOGGER.warning("%s is damaged (%s): it is kept as %s, and begun anew", self.path, error, aside.name)

    def _rename(self) -> Path | None:
        if self._file is None or _identity(self.path) != self._file:
            return None
        aside = self.path.with_name(f"{self.path.name}.damaged-{self._file[1]}")
        for end in ("-wal", "-shm", ""):
            beside = self.path.with_name(self.path.name + end)
            if beside.exists():
                beside.replace(aside.with_name(aside.name + end))
        return aside

    def _alone(self, step: Callable[[], T]) -> T:
        """Do something while no other process opens the file, or sets it aside."""
        gate = self._raw(self.path.with_name(self.path.name + ".lock"))
        try:
            gate.execute("BEGIN EXCLUSIVE")
            return step()
        finally:
            gate.close()

    def _raw(self, path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False)


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from its successor of the same name; None: it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def used_pages(connection: sqlite3.Connection) -> int:
    """How many pages of the file are in use: it does not shrink when rows go, they are written over."""
    pages, free = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count"))
    return pages - free


def is_damage(error: BaseException) -> bool:
    """Whether a failure says that the file is damaged."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, Damaged) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _is_busy(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
