"""The sandbox of the tests here; a test file that needs another makes its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esipy.sandbox import RunningSandbox, serve
from tests.sandbox.wire import Echo


@pytest.fixture
def server() -> Iterator[RunningSandbox]:
    """A new one for each test, over HTTP."""
    with serve() as running:
        yield running


@pytest.fixture
def echo() -> Echo:
    """An ESI half that answers what it is asked for."""
    return Echo()


@pytest.fixture
def echoing(echo: Echo) -> Iterator[RunningSandbox]:
    """A sandbox that has it for its ESI half."""
    with serve(esi=echo) as running:
        yield running
