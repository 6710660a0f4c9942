"""What tests of several parts share: one Valkey server for the whole run, and no downtime that another began."""

from __future__ import annotations

import pytest

from esipy.runtime.shared import PROCESS
from tests.stores.valkey import own_valkey as own_valkey
from tests.stores.valkey import valkey as valkey


@pytest.fixture(autouse=True)
def no_downtime_of_another_test() -> None:
    """Tests that run between 11:00 and 12:00 UTC find no downtime that an earlier one began."""
    for key in [key for key in PROCESS if isinstance(key, tuple) and key[0] == "downtime"]:
        del PROCESS[key]
