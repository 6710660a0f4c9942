"""Time as all processes that use one SQLite file have it: the machine's, which setting the time of day does not move.

It is what has passed since the machine was started, with an offset that the first process writes into the file. After
another start of the machine it goes on from where it was. Where the system does not tell one start from another (not
Linux), it is the time of day.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

__all__ = ["CLOCK_SCHEMA", "machine_clock", "note_time"]

CLOCK_SCHEMA = "CREATE TABLE IF NOT EXISTS clock (boot TEXT NOT NULL, offset REAL NOT NULL, seen REAL NOT NULL)"


def machine_clock(connection: sqlite3.Connection) -> Callable[[], float]:
    """A clock that is the same for all processes that use the file; within a transaction."""
    boot = _boot()
    if boot is None:
        return time.time
    clock, boottime = time.clock_gettime, time.CLOCK_BOOTTIME
    row: Any = connection.execute("SELECT offset FROM clock WHERE boot = ?", (boot,)).fetchone()
    if row is None:
        # Never behind what was seen before: what is in the file would come back late, or never.
        seen = max(time.time(), connection.execute("SELECT max(seen) FROM clock").fetchone()[0] or 0.0)
        row = (seen - clock(boottime),)
        connection.execute("DELETE FROM clock")
        connection.execute("INSERT INTO clock VALUES (?, ?, ?)", (boot, row[0], seen))
    offset = float(row[0])
    return lambda: offset + clock(boottime)


def note_time(connection: sqlite3.Connection, now: float) -> None:
    """Write down how late it is, now and then: after another start of the machine it is never earlier."""
    connection.execute("UPDATE clock SET seen = ?", (now,))


def _boot() -> str | None:
    """Which start of the machine this is; None when it does not tell."""
    if sys.platform != "linux":
        return None
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None
