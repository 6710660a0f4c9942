"""The cache of one machine, in a file: it survives restarts, and all processes of a user share it.

- A hit takes no lock: it is one look by a unique name. When it was used is written down later, with the next answer
  that is kept or `USES_SECONDS` later, so what goes first is the least recently used to that accuracy.
- The file never grows beyond its bound: pages that are in use are counted, and what goes makes room for what comes.
- Freshness is kept on the machine's clock (`esipy.stores.sqlite_clock`), not on anybody's time of day (T06).
- An entry that cannot be read is a miss, and is forgotten (T11); a file that is damaged is set aside and begun anew.
- A killed process loses nothing but its claims, which end; a power cut may lose the last seconds.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from esipy._forks import forget_after_fork
from esipy.core.answer import Answer
from esipy.stores.base import StoreUnavailable
from esipy.stores.cache_entries import name_of, pack, unpack
from esipy.stores.flights import FENCE_SECONDS
from esipy.stores.places import ANSWERS, user_file
from esipy.stores.sqlite import BUSY_SECONDS, SharedFile, used_pages
from esipy.stores.sqlite_clock import CLOCK_SCHEMA, machine_clock, note_time

__all__ = ["SqliteCache"]

LOGGER = logging.getLogger("esipy.cache")
T = TypeVar("T")

USES_SECONDS = 10.0
"""How long a process that only reads keeps to itself what it has used."""

MOST_USES = 1000
"""How many entries it keeps so at the most."""

SPLIT_PAGES = 8
"""How many pages an entry may take beside its data: those of its table and its indexes that it makes split."""

APPLICATION_ID = 0x45534301
"""Marks the file as a cache of this format; another format has another one."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, place BLOB NOT NULL, "
    "token INTEGER NOT NULL, ends REAL, data BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS entries_by_place ON entries (place)",
    # Beside the entries: writing into one of these would mean writing its body.
    "CREATE TABLE IF NOT EXISTS uses (id INTEGER PRIMARY KEY, used REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS uses_by_used ON uses (used)",
    "CREATE TABLE IF NOT EXISTS claims (name BLOB NOT NULL PRIMARY KEY, token INTEGER NOT NULL, ends REAL NOT NULL) "
    "WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS drops (place BLOB NOT NULL PRIMARY KEY, token INTEGER NOT NULL, at REAL NOT NULL) "
    "WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS tokens (last INTEGER NOT NULL)",
    CLOCK_SCHEMA,
)

EVERYWHERE = b""
"""The place of a drop that is of every path."""


class SqliteCache:
    """`SharedCache` in a file.

    Args:
        path: of the file, on a local disk; None: in the user's cache directory, for all programs that say so. Beside
            it are SQLite's ``-wal`` and ``-shm``, and a ``.lock``.
        max_bytes: of the file; an answer larger than a quarter of it is not kept.
        clock: for tests: seconds, in the place of the machine's time.
        busy_seconds: how long to wait while another process writes, which takes it a tenth of a millisecond.
    """

    remote = True

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int = 256 * 1024 * 1024,
        clock: Callable[[], float] | None = None,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._file = SharedFile(
            user_file(ANSWERS) if path is None else path,
            application_id=APPLICATION_ID, schema=SCHEMA, opened=self._opened, busy_seconds=busy_seconds,
        )  # fmt: skip
        self._now: Callable[[], float] = time.time
        self._page_bytes = 0
        self.forget()
        forget_after_fork(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._file.path}>"

    def forget(self) -> None:
        """In a child after fork: what the parent has used is the parent's to write down."""
        self._uses: dict[int, float] = {}
        self._uses_since = 0.0
        self._note_time_at = 0.0

    # -- SharedCache -------------------------------------------------------------------------------------------

    def get(self, key: str, now: Callable[[], float]) -> Answer | None:
        name = name_of(key)
        row = self._file.look(lambda file: file.execute(_GET, (name,)).fetchone())
        if row is None:
            return None
        number, ends, data = row
        answer = _unpacked(name, data, ends)
        if answer is None:
            self._do(lambda file, _: _delete(file, [number]))
            return None
        moment = self._now()
        if ends is not None:
            answer.fresh_until = now() + (ends - moment)
        self._use(number, moment)
        return answer

    def put(self, key: str, answer: Answer, path: str, now: Callable[[], float], token: int | None = None) -> None:
        name, place = name_of(key), name_of(path)
        data = pack(name, answer)

        def work(file: sqlite3.Connection, moment: float) -> None:
            mark = _next_token(file) if token is None else token
            if token is not None:
                file.execute("DELETE FROM claims WHERE name = ? AND token = ?", (name, token))
                if _is_overtaken(file, name, place, token):
                    return
            _delete(file, [number for (number,) in file.execute("SELECT id FROM entries WHERE name = ?", (name,))])
            if len(data) > self._max_bytes // 4:
                return
            self._make_room(file, len(data))
            ends = None if answer.fresh_until is None else moment + (answer.fresh_until - now())
            row = file.execute(_PUT, (name, place, mark, ends, data))
            file.execute("INSERT INTO uses VALUES (?, ?)", (row.lastrowid, moment))

        self._do(work)

    def drop(self, path: str) -> None:
        place = name_of(path)

        def work(file: sqlite3.Connection, moment: float) -> None:
            _delete(file, [number for (number,) in file.execute("SELECT id FROM entries WHERE place = ?", (place,))])
            _note_drop(file, place, moment)

        self._do(work)

    def clear(self) -> None:
        def work(file: sqlite3.Connection, moment: float) -> None:
            for table in ("entries", "uses", "claims"):
                file.execute(f"DELETE FROM {table}")  # noqa: S608 (our own names)
            _note_drop(file, EVERYWHERE, moment)

        self._do(work)

    def claim(self, key: str, seconds: float) -> int | None:
        name = name_of(key)
        if self._is_claimed(name):  # who waits asks often, and is not to keep the others from writing
            return None

        def work(file: sqlite3.Connection, moment: float) -> int | None:
            token = _next_token(file)
            file.execute("DELETE FROM claims WHERE ends <= ?", (moment,))
            taken = file.execute("INSERT OR IGNORE INTO claims VALUES (?, ?, ?)", (name, token, moment + seconds))
            return token if taken.rowcount else None

        return self._do(work)

    def release(self, key: str, token: int) -> None:
        name = name_of(key)
        self._do(lambda file, _: file.execute("DELETE FROM claims WHERE name = ? AND token = ?", (name, token)))

    def size(self) -> tuple[int, int]:
        entries, stored_bytes = self._file.look(lambda file: file.execute(_SIZE).fetchone())
        return int(entries), int(stored_bytes)

    def close(self) -> None:
        if self._uses and self._file.is_open:
            self._write_uses()
        self._file.close()

    # -- what is left ------------------------------------------------------------------------------------------

    def _do(self, work: Callable[[sqlite3.Connection, float], T]) -> T:
        def whole(file: sqlite3.Connection) -> T:
            moment = self._now()
            self._note_uses(file, moment)
            return work(file, moment)

        return self._file.do(whole)

    def _opened(self, file: sqlite3.Connection) -> None:
        self._now = self._clock or machine_clock(file)
        self._page_bytes = int(file.execute("PRAGMA page_size").fetchone()[0])
        self._uses = {}  # of another file, maybe
        if file.execute("SELECT count(*) FROM tokens").fetchone()[0] == 0:
            file.execute("INSERT INTO tokens VALUES (0)")

    def _is_claimed(self, name: bytes) -> bool:
        row = self._file.look(lambda file: file.execute("SELECT ends FROM claims WHERE name = ?", (name,)).fetchone())
        return row is not None and row[0] > self._now()

    def _use(self, number: int, moment: float) -> None:
        if not self._uses:
            self._uses_since = moment
        self._uses[number] = moment
        if len(self._uses) >= MOST_USES or moment >= self._uses_since + USES_SECONDS:
            self._write_uses()

    def _write_uses(self) -> None:
        try:
            self._do(lambda _file, _moment: None)
        except StoreUnavailable as error:  # what was read is good all the same
            self._uses = {}
            LOGGER.debug("what was used is not known: %s", error)

    def _note_uses(self, file: sqlite3.Connection, moment: float) -> None:
        if self._uses:
            uses, self._uses = self._uses, {}
            used = [(when, number) for number, when in list(uses.items())]  # another thread may be adding one
            file.executemany("UPDATE uses SET used = ? WHERE id = ?", used)
        if moment >= self._note_time_at:
            self._note_time_at = moment + USES_SECONDS
            note_time(file, moment)

    def _make_room(self, file: sqlite3.Connection, coming_bytes: int) -> None:
        most_bytes = self._max_bytes - coming_bytes - SPLIT_PAGES * self._page_bytes
        while used_pages(file) * self._page_bytes > most_bytes:
            rows = file.execute("SELECT id FROM uses ORDER BY used, id LIMIT 8").fetchall()
            if not rows:
                return
            for (number,) in rows:
                _delete(file, [number])
                if used_pages(file) * self._page_bytes <= most_bytes:
                    return


_GET = "SELECT id, ends, data FROM entries WHERE name = ?"
_SIZE = "SELECT count(*), coalesce(sum(length(data)), 0) FROM entries"
_PUT = "INSERT INTO entries (name, place, token, ends, data) VALUES (?, ?, ?, ?, ?)"


def _unpacked(name: bytes, data: object, ends: object) -> Answer | None:
    try:
        if not isinstance(data, bytes) or not isinstance(ends, float | None):
            raise ValueError("columns of other kinds")
        return unpack(name, data)
    except ValueError as error:
        LOGGER.warning("an entry is forgotten: %s", error)
        return None


def _delete(file: sqlite3.Connection, numbers: list[int]) -> None:
    for table in ("entries", "uses"):
        file.executemany(f"DELETE FROM {table} WHERE id = ?", [(number,) for number in numbers])  # noqa: S608


def _next_token(file: sqlite3.Connection) -> int:
    file.execute("UPDATE tokens SET last = last + 1")
    return int(file.execute("SELECT last FROM tokens").fetchone()[0])


def _note_drop(file: sqlite3.Connection, place: bytes, moment: float) -> None:
    """Remember that what was claimed before is out of date."""
    file.execute("DELETE FROM drops WHERE at <= ?", (moment - FENCE_SECONDS,))
    file.execute("REPLACE INTO drops VALUES (?, ?, ?)", (place, _next_token(file), moment))


def _is_overtaken(file: sqlite3.Connection, name: bytes, place: bytes, token: int) -> bool:
    """Whether somebody has claimed the key since, or the path was dropped; or may have been, in a file that is gone."""
    later = (
        "SELECT 1 FROM claims WHERE name = :name AND token > :token "
        "UNION ALL SELECT 1 FROM entries WHERE name = :name AND token > :token "
        "UNION ALL SELECT 1 FROM drops WHERE place IN (:place, x'') AND token > :token "
        "UNION ALL SELECT 1 FROM tokens WHERE last < :token"
    )
    return file.execute(later, {"name": name, "place": place, "token": token}).fetchone() is not None
