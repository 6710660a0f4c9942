"""The transports under one contract, and the server they are held against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esipy.transport import curl_aio
from esipy.transport.curl_watch import LoopWatch
from tests.transport.rawserver import RawServer
from tests.transport.senders import ASYNC, BLOCKING, Sender


def _sender(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    if request.param == "curl-aio-loop-watch":
        # What is taken where there is no epoll.
        monkeypatch.setattr(curl_aio, "watch_in", LoopWatch)
    sender = Sender(*(BLOCKING | ASYNC)[request.param])
    yield sender
    sender.end()


@pytest.fixture(params=[*BLOCKING, *ASYNC])
def sender(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """Each transport."""
    yield from _sender(request, monkeypatch)


@pytest.fixture(params=[*BLOCKING])
def blocking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """Each blocking transport."""
    yield from _sender(request, monkeypatch)


@pytest.fixture(params=[*ASYNC])
def aio(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """Each asyncio transport."""
    yield from _sender(request, monkeypatch)


@pytest.fixture
def server() -> Iterator[RawServer]:
    """The misbehaving server."""
    with RawServer() as raw:
        yield raw


@pytest.fixture
def elsewhere() -> Iterator[RawServer]:
    """A second host."""
    with RawServer() as raw:
        yield raw
