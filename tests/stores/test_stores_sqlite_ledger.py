"""The ledger of one machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize("seconds", [0, -1.0, True, "90", None, float("nan"), float("inf")])
def test_a_lease_that_cannot_be_meant_is_refused(tmp_path: Path, seconds: Any) -> None:
    """When the ledger is made, not in the first call."""
    with pytest.raises(ValueError, match=r"lease_seconds=.*: has to be a number of seconds above 0, such as 90"):
        SqliteLedger(tmp_path / "ledger.sqlite3", lease_seconds=seconds)
