"""A sandbox for the module, and clients of both colours over it."""

from __future__ import annotations

import pytest

from esipy.runtime.shared import PROCESS
from tests.client.conftest import box as box
from tests.client.conftest import connect as connect
from tests.client.conftest import served as served


@pytest.fixture(autouse=True)
def nothing_spent() -> None:
    """What one test has spent, the next one has not."""
    PROCESS.clear()
