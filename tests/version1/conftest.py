"""The marker of tests that run EsiPy 1.2.3 itself, and another API, whose documents programs read."""

from __future__ import annotations

import pytest

from tests.version1.documents_kit import shop as shop
from tests.version1.documents_kit import shop_server as shop_server
from tests.version1.documents_kit import write as write


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "version1: runs EsiPy 1.2.3 in an environment of its own; takes a minute")
