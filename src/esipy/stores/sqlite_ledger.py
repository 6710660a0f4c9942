"""The ledger of one machine, in a file: what its processes spend together never exceeds a limit.

- The arithmetic is that of the ledger in memory (`esipy.core.buckets`); a verb is one transaction.
- Time is the machine's: what has passed since it was started, so that setting the time of day moves nothing, with an
  offset that the first process writes into the file. After another start of the machine it goes on from where it was.
  Where the system does not tell one start from another (not Linux), it is the time of day.
- A power cut may lose the spends of the last seconds; the headers of the next answers tell most of them again.
- A process that dies with calls under way gives them back when their leases end, at the most that they can have cost.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from esipy._forks import forget_after_fork
from esipy.core.buckets import UNTIL_LANDING, Bucket
from esipy.core.retries import LONGEST_WAIT_SECONDS
from esipy.stores.base import (
    BEAT_SECONDS,
    LEASE_SECONDS,
    MEMBER_SECONDS,
    NOTHING_TOLD,
    Ask,
    BucketState,
    Reservation,
    StoreUnavailable,
    Told,
    Wait,
    checked_lease,
)
from esipy.stores.shared_state import SharedBucket
from esipy.stores.sqlite import BUSY_SECONDS, Damaged, SharedFile
from esipy.stores.sqlite_clock import CLOCK_SCHEMA, machine_clock, note_time

__all__ = ["SqliteLedger"]

T = TypeVar("T")

SWEEP_SECONDS = 60.0
"""How often a process forgets what is idle, at the most."""

APPLICATION_ID = 0x45535901
"""Marks the file as a ledger of this format; another format has another one."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS buckets (name TEXT NOT NULL UNIQUE, idle_at REAL NOT NULL, packed BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS gates (name TEXT NOT NULL PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS members (name TEXT NOT NULL PRIMARY KEY, seen REAL NOT NULL) WITHOUT ROWID",
    CLOCK_SCHEMA,
)


class SqliteLedger:
    """`LedgerStore` in a file.

    Args:
        path: of the file, on a local disk. Beside it are SQLite's ``-wal`` and ``-shm``, and a ``.lock``.
        clock: for tests: seconds, in the place of the machine's time.
        lease_seconds: longer than the longest exchange (`Settings.timeout`).
        busy_seconds: how long to wait while another process writes, which takes it a tenth of a millisecond.

    Raises:
        ValueError: no lease that can be meant.
    """

    remote = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] | None = None,
        lease_seconds: float = LEASE_SECONDS,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.lease_seconds = checked_lease(lease_seconds)
        self._clock = clock
        self._file = SharedFile(
            path, application_id=APPLICATION_ID, schema=SCHEMA, opened=self._opened, busy_seconds=busy_seconds
        )
        self._now: Callable[[], float] = time.time
        self.forget()
        forget_after_fork(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._file.path}>"

    def forget(self) -> None:
        """In a child after fork: it is a process of its own."""
        self._member = f"{os.getpid()}:{secrets.token_hex(4)}"
        self._members = 1
        self._beat_at = self._sweep_at = -UNTIL_LANDING

    # -- LedgerStore -------------------------------------------------------------------------------------------

    def reserve(self, ask: Ask) -> Reservation | Wait:
        def work(connection: sqlite3.Connection, now: float) -> Reservation | Wait:
            if now >= self._beat_at:
                self._beat(connection, now)
            self._count_members(connection)
            shared = self._bucket(connection, ask, now)
            bucket = shared.bucket
            closed = _gate(connection, ask.gate) - now
            if closed > 0:
                return Wait(closed, everyone=True)
            if ask.forced:
                bucket.depart(now, ask.cost)
            else:
                wait_seconds = bucket.reserve(now, ask.cost, ask.share, spread=ask.spread)
                if wait_seconds:
                    return self._wait(shared, wait_seconds, now)
            mark = shared.departed(now, ask.cost, self.lease_seconds, self._member)
            _write(connection, ask.bucket, shared)
            return Reservation(ask, mark)

        return self._do(work)

    def settle(self, reservation: Reservation, spent: int, told: Told = NOTHING_TOLD, answered: bool = True) -> None:
        def work(connection: sqlite3.Connection, now: float) -> None:
            shared = self._bucket(connection, reservation.ask, now)
            shared.settle(now, reservation.mark, spent, told, answered=answered)
            _write(connection, reservation.ask.bucket, shared)
            self._count_members(connection)

        self._do(work)

    def wait_for(self, ask: Ask, tokens: int) -> Wait:
        def work(connection: sqlite3.Connection, now: float) -> Wait:
            bucket = self._bucket(connection, ask, now).bucket
            wait_seconds = 0.0 if ask.forced else bucket.wait_for(now, tokens, ask.share, ask.cost, ask.paced)
            closed = _gate(connection, ask.gate) - now
            return Wait(closed, everyone=True) if closed > wait_seconds else Wait(wait_seconds)

        return self._do(work)

    def block(self, name: str, seconds: float) -> None:
        def work(connection: sqlite3.Connection, now: float) -> None:
            packed = _read(connection, name)
            until = now + min(seconds, LONGEST_WAIT_SECONDS)
            if packed is None:
                connection.execute(
                    "INSERT INTO gates VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
                    (name, until),
                )
                return
            shared = _unpacked(packed, now)
            shared.block(until)
            _write(connection, name, shared)

        self._do(work)

    def resize(self, ask: Ask, limit: int, at_most: bool = False) -> None:
        def work(connection: sqlite3.Connection, now: float) -> None:
            shared = self._bucket(connection, ask, now)
            shared.resize(now, min(limit, shared.bucket.limit) if at_most else limit)
            _write(connection, ask.bucket, shared)

        self._do(work)

    def states(self) -> list[BucketState]:
        def work(connection: sqlite3.Connection, now: float) -> list[BucketState]:
            states: list[BucketState] = []
            for name, packed in connection.execute("SELECT name, packed FROM buckets ORDER BY rowid"):
                bucket = _unpacked(packed, now).bucket
                if not bucket.is_idle(now):
                    states.append(BucketState.of(name, bucket, now))
            return states

        return self._do(work)

    def close(self) -> None:
        if self._file.is_open:
            with suppress(StoreUnavailable):  # else it is forgotten after a while
                self._do(lambda file, _: file.execute("DELETE FROM members WHERE name = ?", (self._member,)))
        self._file.close()

    def members(self) -> int:
        """How many processes use the file, this one among them, as was known with its last call, or its answer: it can
        be asked when the file is gone."""
        return self._members

    # -- within a transaction ----------------------------------------------------------------------------------

    def _do(self, work: Callable[[sqlite3.Connection, float], T]) -> T:
        # The clock is read when the file is ours, so that no process comes after one that is later than itself.
        return self._file.do(lambda connection: work(connection, self._now()))

    def _opened(self, connection: sqlite3.Connection) -> None:
        self._now = self._clock or machine_clock(connection)
        self._beat_at = -UNTIL_LANDING

    def _bucket(self, connection: sqlite3.Connection, ask: Ask, now: float) -> SharedBucket:
        packed = _read(connection, ask.bucket)
        if packed is not None:
            return _unpacked(packed, now)
        shared = SharedBucket(Bucket(ask.limit, ask.window_seconds, ask.worst), now)
        until = _gate(connection, ask.bucket)
        if until > now:  # it was blocked before anything was sent
            shared.block(until)
        _write(connection, ask.bucket, shared)
        return shared

    def _wait(self, shared: SharedBucket, wait_seconds: float, now: float) -> Wait:
        others = shared.others_fly(self._member)
        if wait_seconds != UNTIL_LANDING:
            # What others have under way may turn out to cost less; a wait that ESI asked for does not end by that.
            return Wait(wait_seconds, others=others and shared.bucket.blocked_until <= now)
        landing = shared.landing()
        # At the end of its lease even the call of a dead process has landed.
        latest = (
            shared.bucket.next_chance(now) if landing is None else min(shared.bucket.next_chance(now), landing - now)
        )
        return Wait(latest, landing=True, others=others)

    def _beat(self, connection: sqlite3.Connection, now: float) -> None:
        """Say that this process is here, and forget what is idle."""
        self._beat_at = now + BEAT_SECONDS
        connection.execute("DELETE FROM members WHERE seen <= ?", (now - MEMBER_SECONDS,))
        connection.execute("REPLACE INTO members VALUES (?, ?)", (self._member, now))
        note_time(connection, now)
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_SECONDS
            connection.execute("DELETE FROM buckets WHERE idle_at <= ?", (now,))
            connection.execute("DELETE FROM gates WHERE until <= ?", (now,))

    def _count_members(self, connection: sqlite3.Connection) -> None:
        self._members = max(int(connection.execute("SELECT count(*) FROM members").fetchone()[0]), 1)


def _read(connection: sqlite3.Connection, name: str) -> bytes | None:
    row = connection.execute("SELECT packed FROM buckets WHERE name = ?", (name,)).fetchone()
    return None if row is None else row[0]


def _write(connection: sqlite3.Connection, name: str, shared: SharedBucket) -> None:
    connection.execute(
        "INSERT INTO buckets VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET idle_at = excluded.idle_at, packed = excluded.packed",
        (name, shared.idle_at, shared.packed()),
    )


def _unpacked(packed: bytes, now: float) -> SharedBucket:
    try:
        return SharedBucket.unpacked(packed, now)
    except ValueError as error:
        raise Damaged(str(error)) from error


def _gate(connection: sqlite3.Connection, name: str) -> float:
    """Until when it is closed."""
    row = connection.execute("SELECT until FROM gates WHERE name = ?", (name,)).fetchone()
    return 0.0 if row is None else float(row[0])
