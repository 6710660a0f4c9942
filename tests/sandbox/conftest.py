"""The sandbox of the tests here; a test file that needs another makes its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esipy.sandbox import RunningSandbox, serve


@pytest.fixture
def server() -> Iterator[RunningSandbox]:
    """A new one for each test, over HTTP."""
    with serve() as running:
        yield running
