"""The server: one HTTP/1.1 connection after another, and a clean end."""

from __future__ import annotations

import gc
import logging
import socket
import sys
import threading
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from threading import Thread
from typing import Any

import pytest

from esipy.sandbox import RunningSandbox, serve
from tests.ports import free_port
from tests.sandbox.wire import Echo, ask, dial, raw


@pytest.fixture
def server(echoing: RunningSandbox) -> RunningSandbox:
    return echoing


def test_a_request_reaches_the_half_whole(server: RunningSandbox, echo: Echo) -> None:
    """Method, path, query, headers and body arrive as they were sent: the path escaped, the query unescaped."""
    ask(server.url, "/a%20b/c?x=1&x=%C3%A9&y=", "PUT", b'{"k": 1}', {"X-Tenant": "tranquility"})
    request = echo.requests[0]
    assert request.method == "PUT"
    assert request.path == "/a%20b/c"
    assert request.query == [("x", "1"), ("x", "é"), ("y", "")]
    assert request.headers["x-tenant"] == "tranquility"
    assert request.body == b'{"k": 1}'
    assert request.identity is None
    assert request.token_error is None


def test_repeated_headers_are_joined(server: RunningSandbox, echo: Echo) -> None:
    """A header that comes twice is one text, joined as RFC 9110 section 5.3 allows."""
    raw(server.url, b"GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\nAccept: b\r\nConnection: close\r\n\r\n")
    assert echo.requests[0].headers["accept"] == "a, b"


def test_a_connection_serves_many_requests(server: RunningSandbox) -> None:
    """Connections are kept alive."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    bodies = []
    port = None
    for number in range(3):
        connection.request("GET", f"/{number}")
        assert port in (None, connection.sock.getsockname()[1])
        port = connection.sock.getsockname()[1]
        bodies.append(connection.getresponse().read())
    connection.close()
    assert bodies == [b"GET /0", b"GET /1", b"GET /2"]


def test_pipelined_requests_are_answered_in_order(server: RunningSandbox) -> None:
    """Requests sent without waiting get their answers in the order in which they were sent."""
    one = b"GET /large/40000 HTTP/1.1\r\nHost: x\r\n\r\n"
    two = b"GET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = raw(server.url, one + two)
    first, _, second = received.partition(b"x" * 40000)
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")
    assert second.endswith(b"GET /two")


def test_head_has_the_headers_and_no_body(server: RunningSandbox) -> None:
    """HEAD says how long the body would be."""
    received = raw(server.url, b"HEAD /large/500 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert received.endswith(b"\r\n\r\n")
    assert b"\r\nContent-Length: 500\r\n" in received


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_has_none(server: RunningSandbox, status: int) -> None:
    """204 and 304 carry neither a body nor its length, whatever the half gave."""
    received = raw(server.url, b"GET /status/%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % status)
    assert received.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in received
    assert b'\r\nETag: "e"\r\n' in received


def test_http_1_0_is_closed_after_its_answer(server: RunningSandbox) -> None:
    """A client of HTTP/1.0 sees the end of the connection."""
    assert raw(server.url, b"GET /old HTTP/1.0\r\n\r\n").endswith(b"GET /old")


def test_date_follows_the_sandbox_clock(server: RunningSandbox) -> None:
    """``Date`` is the sandbox's time, so that a client's clock can be made to look wrong."""
    before = parsedate_to_datetime(ask(server.url, "/").headers["date"])
    server.advance(7200)
    after = parsedate_to_datetime(ask(server.url, "/").headers["date"])
    assert 7200 <= (after - before).total_seconds() <= 7210


def test_a_body_in_chunks_is_read(server: RunningSandbox, echo: Echo) -> None:
    """A request body may be chunked."""
    head = b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    raw(server.url, head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert echo.requests[0].body == b"abcde"


def test_expect_continue_is_answered(server: RunningSandbox, echo: Echo) -> None:
    """A client that asks first is told to go on, as libcurl does with long bodies."""
    with dial(server.url) as connection:
        connection.sendall(
            b"POST /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
        )
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert echo.requests[0].body == b"abc"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"this is not HTTP\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 17000000\r\n\r\n" + b"a" * 17_000_000, 413),
    ],
)
def test_what_cannot_be_read_is_refused(server: RunningSandbox, echo: Echo, sent: bytes, status: int) -> None:
    """Nonsense, endless headers and huge bodies get an error and the end of the connection."""
    with dial(server.url) as connection:
        try:
            connection.sendall(sent)
            received = connection.recv(65536)
        except ConnectionError:  # the sandbox had closed before all was sent: its answer may be lost, as in life
            received = b"HTTP/1.1 %d" % status
    assert received.startswith(b"HTTP/1.1 %d" % status)
    assert echo.requests == []


def test_a_mistake_of_the_sandbox_is_a_500_that_is_logged(
    server: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception in a half never hangs a client, and its traceback is in the log."""
    with caplog.at_level(logging.ERROR, "esipy.sandbox"):
        assert ask(server.url, "/fail?token=secret").status == 500
    assert caplog.records[0].exc_info is not None
    assert "secret" not in caplog.text


def test_a_large_answer_arrives_whole(server: RunningSandbox) -> None:
    """Bodies larger than any socket's buffer are sent to their end, also to a client that reads late."""
    assert len(ask(server.url, "/large/8000000").body) == 8_000_000


def test_a_slow_reader_keeps_nobody_waiting(server: RunningSandbox) -> None:
    """While one client does not read its answer, others are served."""
    with dial(server.url) as lazy:
        lazy.sendall(b"GET /large/8000000 HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n")
        server.wait_received(1, "/large/8000000")
        assert ask(server.url, "/meanwhile").body == b"GET /meanwhile"
        assert server.received("/next") == []


def test_close_leaves_no_thread_and_no_socket(echo: Echo) -> None:
    """After `close` the thread has ended and the port is free; closing again does nothing."""
    port = free_port()  # which nobody else is given when it is free again
    server = serve(esi=echo, port=port)
    assert f"esipy-sandbox-{port}" in {thread.name for thread in threading.enumerate()}
    ask(server.url, "/")
    server.close()
    server.close()
    assert f"esipy-sandbox-{port}" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ConnectionRefusedError):
        dial(server.url)


def test_close_waits_for_nobody(echo: Echo) -> None:
    """Idle connections, hanging answers and clients that do not read are dropped at once."""
    server = serve(esi=echo)
    server.fail("/hang", kind="hang")
    with dial(server.url) as idle, dial(server.url) as hanging, dial(server.url) as lazy:
        hanging.sendall(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
        lazy.sendall(b"GET /large/8000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        server.wait_received(2)
        closing = Thread(target=server.close)
        closing.start()
        closing.join(5)
        assert not closing.is_alive()
        assert idle.recv(10) == b""
        assert hanging.recv(10) == b""


def test_a_client_that_leaves_ends_its_request(server: RunningSandbox) -> None:
    """Work for a client that is gone is given up, and the journal says that nothing was answered."""
    server.fail("/hang", kind="hang")
    connection = dial(server.url)
    connection.sendall(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
    server.wait_received(1, "/hang")
    connection.close()
    journal = server.sandbox.journal
    journal.when(lambda: journal.received()[0].ended is not None).result(10)
    assert server.received()[0].status is None
    assert server.release() == 0


def test_only_loopback_is_served() -> None:
    """The sandbox refuses to be reachable from elsewhere."""
    with pytest.raises(ValueError, match="loopback"):
        serve(host="0.0.0.0")


def test_each_sandbox_of_a_process_has_a_port_of_its_own(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    """What clients have spent at one that is closed does not count at the next; who names a port is given it."""
    port = free_port()
    serve(esi=echo, port=port).close()
    create, offered = socket.create_server, [port]

    def offers_it_again(address: tuple[str, int], **options: Any) -> socket.socket:
        return create((address[0], offered.pop() if offered else address[1]), **options)

    with monkeypatch.context() as patched:
        patched.setattr(socket, "create_server", offers_it_again)
        with serve(esi=echo) as another:
            assert not offered
            assert f":{port}" not in another.url
    with serve(esi=echo, port=port) as named:
        assert f"http://127.0.0.1:{port}" == named.url


def test_a_taken_port_is_an_error(server: RunningSandbox) -> None:
    """A port that is in use raises where the sandbox is started."""
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(OSError, match=rf"port {port} of 127\.0\.0\.1 cannot be had \(.*in use\); 0 takes a free one"):
        serve(port=port)


def test_ipv6_loopback_is_served(echo: Echo) -> None:
    """``::1`` works, and its address is written in brackets."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:  # also where the system knows of IPv6, but has no such address, as in many containers
        pytest.skip(f"this machine has no IPv6: {error}")
    with serve(host="::1", esi=echo) as server:
        assert server.url.startswith("http://[::1]:")
        assert ask(server.url, "/six").body == b"GET /six"


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without httptools, starting a sandbox names the extra."""
    monkeypatch.setitem(sys.modules, "httptools", None)
    with pytest.raises(ImportError, match=r'pip install "EsiPy\[sandbox\]"'):
        serve()


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port_is_refused_before_a_socket_is_opened(port: int) -> None:
    """It is a ValueError that names it; an unclosed socket would be a warning, and so an error here."""
    with pytest.raises(ValueError, match=f"port {port}: ports are 0 to 65535"):
        serve(port=port)
    gc.collect()


def test_a_sandbox_without_an_application_is_refused() -> None:
    """At once: nobody could log in, and a socket would be left open."""
    with pytest.raises(ValueError, match="needs at least one application"):
        serve(clients=())
