"""The ledger of one machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from esipy.stores.sqlite_ledger import SqliteLedger
from tests.stores.kit import Clock
from tests.stores.ledger_kit import LEASE_SECONDS
from tests.stores.shared_ledger_contract import SharedLedgerContract


class TestSqliteLedger(SharedLedgerContract):
    """In a file."""

    @pytest.fixture
    def open_ledger(self, clock: Clock, tmp_path: Path) -> Iterator[Callable[[], SqliteLedger]]:
        with ExitStack() as opened:
            yield lambda: opened.enter_context(
                closing(SqliteLedger(tmp_path / "ledger.sqlite3", clock=clock, lease_seconds=LEASE_SECONDS))
            )
