"""The marker of tests that run EsiPy 1.2.3 itself."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "version1: runs EsiPy 1.2.3 in an environment of its own; takes a minute")
