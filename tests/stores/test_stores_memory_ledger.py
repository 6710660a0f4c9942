"""The ledger of one process."""

from __future__ import annotations

import pytest

from esipy.stores.memory_ledger import MemoryLedger
from tests.stores.ledger_contract import Clock, LedgerContract


class TestMemoryLedger(LedgerContract):
    """In a dict."""

    @pytest.fixture
    def ledger(self, clock: Clock) -> MemoryLedger:
        return MemoryLedger(clock)
