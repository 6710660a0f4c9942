"""Processes that share a file which fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from esipy.stores.degrading import DegradingLedger
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.sqlite_ledger import SqliteLedger
from tests.stores.ledger_contract import LEASE_SECONDS, Clock


class House:
    """Processes that share a file, each with a ledger that may degrade; the file fails while `down`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.told: list[str | None] = []
        self.stores: list[SqliteLedger] = []

    def open(self) -> DegradingLedger:
        """One more process."""
        store = SqliteLedger(self.path, clock=self.clock, lease_seconds=LEASE_SECONDS, busy_seconds=0.0)
        self.stores.append(store)
        return DegradingLedger(store, MemoryLedger(self.clock), now=self.clock, told=self.told.append)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Somebody has locked the file and does not give it back."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            yield

    def kept(self) -> SqliteLedger:
        """The file as one more process sees it."""
        return self.stores[0]
