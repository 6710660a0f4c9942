"""Faults of the wire: connections that break off, hang or drip, and bodies of any size; each kind really happens."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from http.client import HTTPConnection, IncompleteRead
from threading import Semaphore, Thread
from typing import Any

import pytest

from esipy.sandbox import RunningSandbox
from esipy.sandbox.faults import KINDS
from tests.sandbox.wire import Echo, ask, dial, raw

GET = b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n"
REAL = b"GET /status"


@pytest.fixture
def server(echoing: RunningSandbox) -> RunningSandbox:
    return echoing


def body_of(received: bytes) -> bytes:
    """What follows the headers."""
    return received.partition(b"\r\n\r\n")[2]


def test_cut(server: RunningSandbox, echo: Echo) -> None:
    """The body ends before its stated length, and so does the connection."""
    server.fail("/status", kind="cut", size=4)
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.request("GET", "/status")
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("Content-Length") == str(len(REAL))
    with pytest.raises(IncompleteRead) as caught:
        answer.read()
    connection.close()
    assert caught.value.partial == REAL[:4]
    assert len(echo.requests) == 1


def test_cut_leaves_half_if_not_told(server: RunningSandbox) -> None:
    """Half of the body comes."""
    server.fail("/large/1000", kind="cut")
    assert len(body_of(raw(server.url, b"GET /large/1000 HTTP/1.1\r\nHost: x\r\n\r\n"))) == 500


def test_cut_chunked(server: RunningSandbox) -> None:
    """A chunked body ends without its last chunk."""
    server.fail("/status", kind="cut-chunked", size=4)
    received = raw(server.url, GET)
    assert b"\r\nTransfer-Encoding: chunked\r\n" in received
    assert b"Content-Length" not in received
    assert body_of(received) == b"4\r\nGET \r\n"


def test_reset(server: RunningSandbox) -> None:
    """The connection is torn down by a RST, not closed."""
    server.fail("/status", kind="reset")
    with dial(server.url) as connection:
        connection.sendall(GET)
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_close(server: RunningSandbox) -> None:
    """The connection is closed without a byte."""
    server.fail("/status", kind="close")
    assert raw(server.url, GET) == b""


def test_garbage(server: RunningSandbox) -> None:
    """What comes is not HTTP."""
    server.fail("/status", kind="garbage")
    assert not raw(server.url, GET).startswith(b"HTTP/")


@pytest.mark.parametrize("kind", ["reset", "close", "status"])
@pytest.mark.parametrize("after", [False, True])
def test_an_answer_may_be_lost_after_the_request_was_carried_out(
    server: RunningSandbox, echo: Echo, kind: Any, after: bool
) -> None:
    """``after`` carries the request out and then loses its answer."""
    server.fail("/status", kind=kind, after=after)
    with dial(server.url) as connection:
        connection.sendall(GET)
        try:
            connection.recv(100)
        except ConnectionResetError:
            pass
    assert len(echo.requests) == int(after)


def test_hang_until_released(server: RunningSandbox, echo: Echo) -> None:
    """Nothing comes until `release`; then the real answer does. All that hang are released together."""
    server.fail("/status", 3, kind="hang")
    bodies: list[bytes] = []
    threads = [Thread(target=lambda: bodies.append(ask(server.url, "/status").body)) for _ in range(3)]
    for thread in threads:
        thread.start()
    server.wait_received(3, "/status")
    assert bodies == []
    assert echo.requests == []
    assert [entry.ended for entry in server.received()] == [None, None, None]
    assert server.release() == 3
    for thread in threads:
        thread.join(10)
    assert bodies == [REAL] * 3
    assert server.most_at_once("/status") == 3


def test_slow(server: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The headers come at once, the body drips, and all of it comes."""
    pauses: list[float] = []
    go_on = Semaphore(0)
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        if seconds:
            pauses.append(seconds)
            assert await asyncio.to_thread(go_on.acquire, timeout=10)
        else:
            await sleep(0)

    monkeypatch.setattr("asyncio.sleep", pause)
    server.fail("/large/100", kind="slow", seconds=0.2)
    with dial(server.url) as connection:
        connection.sendall(b"GET /large/100 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(65536)
        pieces: list[bytes] = []
        for _ in range(20):
            go_on.release()
            pieces.append(connection.recv(65536))
        assert connection.recv(65536) == b""
    assert b"Content-Length: 100\r\n" in head
    assert pieces == [b"x" * 5] * 20
    assert pauses == [pytest.approx(0.2 / 20)] * 20


def test_slow_without_a_body(server: RunningSandbox) -> None:
    """HEAD has no body to drip, and the connection is good for the next request."""
    server.fail("/status", kind="slow", seconds=0)
    head = b"HEAD /status HTTP/1.1\r\nHost: x\r\n\r\n"
    received = raw(server.url, head + b"GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    first, _, second = received.partition(b"\r\n\r\n")
    assert f"Content-Length: {len('HEAD /status')}".encode() in first
    assert second.startswith(b"HTTP/1.1 200 OK")
    assert second.endswith(b"GET /next")


def test_delay(server: RunningSandbox) -> None:
    """The real answer comes late."""
    server.fail("/status", kind="delay", seconds=0.1)
    began = time.monotonic()
    assert ask(server.url, "/status").body == REAL
    assert time.monotonic() - began >= 0.1


def test_gzip(server: RunningSandbox) -> None:
    """The real answer, compressed, in the same connection as what follows."""
    server.fail("/large/5000", kind="gzip")
    got = ask(server.url, "/large/5000")
    assert got.headers["content-encoding"] == "gzip"
    assert len(got.body) < 5000
    assert gzip.decompress(got.body) == b"x" * 5000


def test_oversize_with_a_length(server: RunningSandbox) -> None:
    """A body of any size, of valid JSON white space."""
    server.fail("/status", kind="oversize", size=300_000)
    got = ask(server.url, "/status")
    assert got.headers["content-length"] == "300000"
    assert len(got.body) == 300_000


def test_oversize_without_end(server: RunningSandbox) -> None:
    """A body that goes on until the client leaves, while others are served."""
    server.fail("/status", kind="oversize")
    with dial(server.url) as connection:
        connection.sendall(GET)
        received = 0
        while received < 5_000_000:
            received += len(connection.recv(1 << 20))
        assert ask(server.url, "/other").body == b"GET /other"
    journal = server.sandbox.journal
    journal.when(lambda: journal.received("/status")[0].ended is not None).result(10)


def test_bomb(server: RunningSandbox) -> None:
    """A small compressed body that unpacks to a large one."""
    server.fail("/status", kind="bomb", size=20_000_000)
    got = ask(server.url, "/status")
    assert len(got.body) < 100_000
    assert zlib.decompressobj(31).decompress(got.body) == b" " * 20_000_000


def test_every_kind_happens_and_is_entered(server: RunningSandbox) -> None:
    """Each kind of the list can be planned, happens to a real request, and stands in the journal."""
    for kind in KINDS:
        server.fail("/status", kind=kind, location="/", seconds=0, size=10)  # type: ignore[arg-type]
        with dial(server.url) as connection:
            connection.sendall(GET)
            if kind == "hang":
                server.wait_received(KINDS.index(kind) + 1)
                assert server.release() == 1
            try:
                connection.recv(1000)
            except ConnectionResetError:
                assert kind == "reset"
    assert [entry.fault for entry in server.received()] == list(KINDS)
    assert server.sandbox.faults.planned == []
