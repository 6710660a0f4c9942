"""What every transport promises (`esipy.transport.base`) when a server misbehaves: cut, endless, hanging or gone."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from esipy.core.wire import HttpRequest
from esipy.exceptions import (
    AnswerTimeoutError,
    AnswerTooLargeError,
    BrokenAnswerError,
    ConnectError,
    InvalidCallError,
    NetworkError,
)
from tests.transport.contract_kit import HEADERS, get
from tests.transport.rawserver import RawServer
from tests.transport.senders import Sender


@pytest.mark.parametrize("path", ["/cut", "/cut-chunked", "/cut-gzip", "/reset-in-body"])
def test_T34_a_body_cut_short_is_an_error(sender: Sender, server: RawServer, path: str) -> None:
    """Fewer bytes than announced are never an answer."""
    with pytest.raises(BrokenAnswerError) as caught:
        sender.send(get(server, path))
    assert caught.value.sent


@pytest.mark.parametrize("path", ["/garbage", "/broken-gzip", "/reset"])
def test_what_is_no_answer_is_an_error(sender: Sender, server: RawServer, path: str) -> None:
    """Something else than HTTP, a coding that cannot be decoded, a reset: one kind of error, and it was sent."""
    with pytest.raises(BrokenAnswerError) as caught:
        sender.send(get(server, path))
    assert caught.value.sent
    assert 200 == sender.send(get(server, "/normal")).status


def test_a_head_cut_short_is_an_error(sender: Sender, server: RawServer) -> None:
    """It was sent. curl may keep that connection for up to a second: then the next request finds out, by the same
    error, and the one after it comes through."""
    with pytest.raises(BrokenAnswerError) as caught:
        sender.send(get(server, "/cut-head"))
    assert caught.value.sent
    with suppress(BrokenAnswerError):
        sender.send(get(server, "/normal"))
    assert 200 == sender.send(get(server, "/normal")).status


@pytest.mark.parametrize("path", ["/large", "/endless", "/bomb"])
def test_T35_too_large_an_answer_is_refused(sender: Sender, server: RawServer, path: str) -> None:
    """By its Content-Length before it is read, or as soon as too much has come: before or after decompression."""
    request = HttpRequest("GET", server.url(path), HEADERS, timeout=10.0, max_answer_bytes=1_000_000)
    with pytest.raises(AnswerTooLargeError):
        sender.send(request)
    if path != "/bomb":
        assert server.gone.wait(10)  # the connection is not read to its end, but closed
    assert server.sent < 50_000_000


def test_T35_the_limit_itself_is_allowed(sender: Sender, server: RawServer) -> None:
    """A body of exactly the limit is an answer; the limit is the request's own."""
    body = bytes(5000)
    for limit, error in ((5000, None), (4999, AnswerTooLargeError), (5000, None)):
        request = HttpRequest("POST", server.url("/echo"), HEADERS, body, max_answer_bytes=limit)
        if error is None:
            assert body == sender.send(request).body
        else:
            with pytest.raises(error):
                sender.send(request)


@pytest.mark.parametrize("path", ["/hang", "/hang-in-body", "/drip"])
def test_T36_a_hanging_server_is_left_in_time(sender: Sender, server: RawServer, path: str) -> None:
    """Silence before the headers, within the body, or a drip of single bytes: the limit is over all of it."""
    begun = time.monotonic()
    with pytest.raises(AnswerTimeoutError) as caught:
        sender.send(get(server, path, timeout=0.5))
    assert caught.value.sent
    assert 0.4 < time.monotonic() - begun < 10
    assert isinstance(caught.value, TimeoutError)


def test_T36_a_limit_is_the_requests_own(sender: Sender, server: RawServer) -> None:
    """After a timeout the next request has its own limit, and a good connection."""
    with pytest.raises(AnswerTimeoutError):
        sender.send(get(server, "/hang", timeout=0.5))
    assert 200 == sender.send(get(server, "/normal")).status


def test_T36_a_connection_that_is_never_accepted(sender: Sender) -> None:
    """The connect limit ends it: nothing was sent."""
    import socket

    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        request = HttpRequest("POST", f"http://127.0.0.1:{address[1]}/", HEADERS, b"", connect_timeout=0.2)
        with pytest.raises(ConnectError) as caught:
            sender.send(request)
        assert not caught.value.sent
        for filler in fillers:
            filler.close()


def test_a_refused_connection_sent_nothing(sender: Sender) -> None:
    """ConnectError with ``sent=False``: even a POST may be repeated."""
    with pytest.raises(ConnectError) as caught:
        sender.send(HttpRequest("POST", "http://127.0.0.1:1/", HEADERS, b"{}"))
    assert not caught.value.sent


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "file:///etc/hostname", "nonsense://127.0.0.1/"])
def test_only_http_is_spoken(sender: Sender, url: str) -> None:
    """Another scheme is refused, and nothing is sent."""
    with pytest.raises((NetworkError, InvalidCallError)) as caught:
        sender.send(HttpRequest("GET", url, HEADERS))
    assert not getattr(caught.value, "sent", False)


@pytest.mark.parametrize("url", ["http://127.0.0.1/\xe9", "http://127.0.0.1/\0", "http://", ""])
def test_a_url_that_is_none_is_refused(sender: Sender, url: str) -> None:
    """Neither sent nor a foreign error."""
    with pytest.raises((NetworkError, InvalidCallError)) as caught:
        sender.send(HttpRequest("GET", url, HEADERS, timeout=2.0))
    assert not getattr(caught.value, "sent", False)


def test_a_connection_closed_while_idle_is_replaced(sender: Sender, server: RawServer, elsewhere: RawServer) -> None:
    """The server closed a kept connection: a second later the next request has a new one, and the caller notices
    nothing."""
    sender.send(get(server, "/close-idle"))
    assert server.gone.wait(10)
    with pytest.raises(AnswerTimeoutError):  # the second; curl looks no earlier
        sender.send(get(elsewhere, "/hang", timeout=1.1))
    assert 200 == sender.send(get(server, "/normal")).status
    assert [1, 2] == [seen.connection for seen in server.seen]


@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("HEAD", None), ("POST", b"[1]"), ("POST", b""), ("PUT", b"{}"), ("DELETE", None)],
)
def test_T32_a_request_leaves_at_most_once(sender: Sender, server: RawServer, method: str, body: bytes | None) -> None:
    """A kept connection dies after the request was read: it is not repeated by the transport itself. A write may have
    been done, and a read has been paid for."""
    sender.send(get(server, "/dies"))
    with pytest.raises(BrokenAnswerError) as caught:
        sender.send(get(server, "/dies", method, body))
    assert caught.value.sent
    assert ["GET", method] == [seen.method for seen in server.seen]
