"""The sandbox of the tests here; a test file that needs another makes its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esipy.sandbox import ControlClient, RunningSandbox, serve
from esipy.sandbox.esi_versions import Lists
from tests.sandbox.control_kit import Handle
from tests.sandbox.sandbox_esi_caller import Caller
from tests.sandbox.wire import Echo


@pytest.fixture
def server() -> Iterator[RunningSandbox]:
    """A new one for each test, over HTTP."""
    with serve() as running:
        yield running


@pytest.fixture(params=["inside", "over HTTP"])
def handle(server: RunningSandbox, request: pytest.FixtureRequest) -> Handle:
    """The sandbox as its own process holds it, and as another one does."""
    return server if request.param == "inside" else ControlClient(server.url + "/")


@pytest.fixture
def echo() -> Echo:
    """An ESI half that answers what it is asked for."""
    return Echo()


@pytest.fixture
def echoing(echo: Echo) -> Iterator[RunningSandbox]:
    """A sandbox that has it for its ESI half."""
    with serve(esi=echo) as running:
        yield running


@pytest.fixture
def caller() -> Caller:
    """Calls a new sandbox's ESI half without a server."""
    return Caller()


@pytest.fixture
def lists(caller: Caller) -> Lists:
    """What tests do to its lists."""
    return caller.api.lists
