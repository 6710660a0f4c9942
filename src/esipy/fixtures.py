"""Pytest fixtures over `esipy.testing`. Ask for them in a ``conftest.py``: ``pytest_plugins = ["esipy.fixtures"]``.

They are not an entry point, so that installing EsiPy changes nobody's test runs.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esipy.sandbox import RunningSandbox, serve
from esipy.testing import environment

__all__ = ["esi_sandbox", "esi_sandbox_environment"]


@pytest.fixture
def esi_sandbox() -> Iterator[RunningSandbox]:
    """A sandbox of its own for each test."""
    with serve() as server:
        yield server


@pytest.fixture
def esi_sandbox_environment(esi_sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """The same, with ``ESI_BASE_URL`` and ``ESI_SSO_URL`` leading every client to it."""
    for name, value in environment(esi_sandbox).items():
        monkeypatch.setenv(name, value)
    return esi_sandbox
