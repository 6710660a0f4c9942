"""Processes that share a file which fails."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from esipy.stores.degrading import DegradingLedger
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.sqlite_ledger import SqliteLedger
from tests.stores.kit import Clock
from tests.stores.ledger_kit import LEASE_SECONDS


class House:
    """Processes that share a file, each with a ledger that may degrade; the file fails while `down`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.news: deque[dict[str, Any]] = deque()
        self.stores: list[SqliteLedger] = []

    def open(self) -> DegradingLedger:
        """One more process."""
        store = SqliteLedger(self.path, clock=self.clock, lease_seconds=LEASE_SECONDS, busy_seconds=0.0)
        self.stores.append(store)
        ledger = DegradingLedger(store, MemoryLedger(self.clock), now=self.clock)
        ledger.news = self.news
        return ledger

    @property
    def told(self) -> list[str | None]:
        """The reasons that were told when the file failed, and None where it was back."""
        assert [payload["error"] is not None for payload in self.news] == [each["degraded"] for each in self.news]
        return [payload["error"] for payload in self.news]

    @contextmanager
    def down(self) -> Iterator[None]:
        """Somebody has locked the file and does not give it back."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            yield

    def kept(self) -> SqliteLedger:
        """The file as one more process sees it."""
        return self.stores[0]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With a file that is not there yet."""
    one = House(tmp_path / "ledger.sqlite3")
    yield one
    for each in one.stores:
        each.close()


@pytest.fixture
def ledger(house: House) -> DegradingLedger:
    """The first process."""
    return house.open()
