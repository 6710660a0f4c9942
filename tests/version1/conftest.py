"""The marker of tests that run EsiPy 1.2.3 itself; a client of a sandbox, and of another API with its documents."""

from __future__ import annotations

import pytest

from tests.version1.documents_kit import shop as shop
from tests.version1.documents_kit import shop_server as shop_server
from tests.version1.documents_kit import write as write
from tests.version1.requests_kit import box as box
from tests.version1.requests_kit import client as client
from tests.version1.requests_kit import served as served


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "version1: runs EsiPy 1.2.3 in an environment of its own; takes a minute")
