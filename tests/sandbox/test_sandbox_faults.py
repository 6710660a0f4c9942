"""Faults: each kind really happens on the wire, to the requests it was planned for and to no others."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead
from threading import Thread
from typing import Any

import pytest

from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.faults import KINDS, Fault
from tests.sandbox.wire import Echo, ask, dial, raw

GET = b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n"
REAL = b"GET /status"


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[RunningSandbox]:
    with serve(esi=echo) as running:
        yield running


def body_of(received: bytes) -> bytes:
    """What follows the headers."""
    return received.partition(b"\r\n\r\n")[2]


def test_a_status_is_an_error_with_json(server: RunningSandbox, echo: Echo) -> None:
    """The plain kind answers the status with a JSON error, and the request is not carried out."""
    server.fail("/status", status=503)
    got = ask(server.url, "/status")
    assert got.status == 503
    assert isinstance(got.json()["error"], str)
    assert echo.requests == []


def test_a_fault_happens_so_often_as_planned(server: RunningSandbox) -> None:
    """``times`` answers fail, then the path is well again."""
    server.fail("/status", 2, status=500)
    assert [ask(server.url, "/status").status for _ in range(3)] == [500, 500, 200]


def test_a_fault_without_end_lasts_until_healed(server: RunningSandbox) -> None:
    """``times=None`` fails until `heal`."""
    server.fail("/status", None, status=502)
    assert [ask(server.url, "/status").status for _ in range(3)] == [502, 502, 502]
    server.heal()
    assert ask(server.url, "/status").status == 200


def test_faults_come_in_the_order_in_which_they_were_planned(server: RunningSandbox) -> None:
    """Two faults of one path take turns as they were asked for."""
    server.fail("/status", status=503)
    server.fail("/status", 2, status=502)
    assert [ask(server.url, "/status").status for _ in range(4)] == [503, 502, 502, 200]


@pytest.mark.parametrize(
    ("options", "target", "method", "fails"),
    [
        ({"path": "/markets/*/orders"}, "/markets/10000002/orders", "GET", True),
        ({"path": "/markets/*/orders"}, "/latest/markets/10000002/orders/", "GET", True),
        ({"path": "/latest/markets/*/orders/"}, "/markets/10000002/orders", "GET", True),
        ({"path": "/markets/*/orders"}, "/markets/10000002/history", "GET", False),
        ({"path": "/status", "method": "post"}, "/status", "GET", False),
        ({"path": "/status", "method": "get"}, "/status", "GET", True),
        ({"path": "/orders", "query": {"page": "3"}}, "/orders?page=3&order_type=all", "GET", True),
        ({"path": "/orders", "query": {"page": "3"}}, "/orders?page=4", "GET", False),
        ({"path": "/orders", "query": {"page": "3"}}, "/orders", "GET", False),
        ({}, "/anything", "DELETE", True),
        ({"path": "/v2/oauth/token"}, "/v2/oauth/token", "POST", True),
    ],
)
def test_a_fault_meets_what_fits(
    server: RunningSandbox, options: dict[str, Any], target: str, method: str, fails: bool
) -> None:
    """Path (with ``*``, in any old spelling), method and query choose what fails."""
    server.fail(**options, status=599)
    assert fails == (ask(server.url, target, method).status == 599)


def test_html(server: RunningSandbox) -> None:
    """An error page of a proxy, as in the daily downtime."""
    server.fail("/status", kind="html", status=504)
    got = ask(server.url, "/status")
    assert got.status == 504
    assert got.headers["content-type"] == "text/html"
    assert got.body.startswith(b"<html>")


def test_empty(server: RunningSandbox) -> None:
    """An error without any body."""
    server.fail("/status", kind="empty")
    got = ask(server.url, "/status")
    assert (got.status, got.body) == (502, b"")


def test_oddjson(server: RunningSandbox) -> None:
    """JSON, but not of the form that errors have."""
    server.fail("/status", kind="oddjson")
    got = ask(server.url, "/status")
    assert got.status == 500
    assert isinstance(got.json(), list)


def test_own_body_and_headers(server: RunningSandbox) -> None:
    """A status with one's own text and headers, as ESI's hidden limiter sends it."""
    server.fail("/status", status=520, body='{"error":"ConStopSpamming"}', headers={"X-Odd": "1"})
    got = ask(server.url, "/status")
    assert got.status == 520
    assert got.headers["x-odd"] == "1"
    assert got.json() == {"error": "ConStopSpamming"}


def test_rate_limited(server: RunningSandbox) -> None:
    """429 with ``Retry-After`` in seconds, or as a date of one's own, and only one of them."""
    server.fail("/status", kind="rate-limited", seconds=17)
    server.fail("/status", kind="rate-limited", headers={"Retry-After": "Sun, 22 Nov 2026 21:00:00 GMT"})
    first, second = ask(server.url, "/status"), ask(server.url, "/status")
    assert (first.status, first.headers["retry-after"]) == (429, "17")
    assert (second.status, second.headers["retry-after"]) == (429, "Sun, 22 Nov 2026 21:00:00 GMT")


def test_error_limited(server: RunningSandbox) -> None:
    """420 with the error limit's own headers."""
    server.fail("/status", kind="error-limited", seconds=42)
    got = ask(server.url, "/status")
    assert got.status == 420
    assert got.headers["x-esi-error-limit-remain"] == "0"
    assert got.headers["x-esi-error-limit-reset"] == "42"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect(server: RunningSandbox, status: int) -> None:
    """A redirect to wherever it is told."""
    server.fail("/status", kind="redirect", status=status, location="http://127.0.0.1:9/elsewhere")
    got = ask(server.url, "/status")
    assert got.status == status
    assert got.headers["location"] == "http://127.0.0.1:9/elsewhere"


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


def test_slow(server: RunningSandbox) -> None:
    """The headers come at once, the body drips, and all of it comes."""
    server.fail("/large/100", kind="slow", seconds=0.2)
    with dial(server.url) as connection:
        began = time.monotonic()
        connection.sendall(b"GET /large/100 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        pieces = [connection.recv(65536)]
        while piece := connection.recv(65536):
            pieces.append(piece)
    assert len(pieces) > 2
    assert time.monotonic() - began >= 0.2
    assert body_of(b"".join(pieces)) == b"x" * 100


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


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"kind": "nonsense"}, "no fault is called 'nonsense'"),
        ({"times": 0}, "at least once"),
        ({"kind": "redirect"}, "needs a location"),
        ({"status": 42}, "42 is no status"),
        ({"path": "status"}, "'status' is no path, such as /status"),
        ({"path": "/markets/{region_id}/orders"}, r"is no path, such as /status or /markets/\*/orders"),
    ],
)
def test_what_cannot_be_meant_is_refused(server: RunningSandbox, options: dict[str, Any], text: str) -> None:
    """A fault that makes no sense is refused when it is planned."""
    with pytest.raises(ValueError, match=text):
        server.fail(**{"path": "/status", **options})
    assert server.sandbox.faults.planned == []


def test_the_control_interface_never_fails(server: RunningSandbox) -> None:
    """A fault for every path leaves the control interface alone."""
    server.fail("*", None, kind="reset")
    about = ask(server.url, "/_sandbox/about")
    assert about.status == 200
    assert json.loads(about.body)["faults"] == ["reset"]


def test_a_fault_of_an_sso_path_leaves_codes_unused(server: RunningSandbox) -> None:
    """A token endpoint that fails has not carried the request out: the code or refresh token is still good."""
    token = server.login(scopes=["publicData"])["refresh_token"]
    form = f"grant_type=refresh_token&refresh_token={token}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    server.fail("/v2/oauth/token", kind="html", status=503)
    assert ask(server.url, "/v2/oauth/token", "POST", form, headers).status == 503
    assert Fault("status").status == 500
    assert server.sandbox.tokens.find_grant(token) is not None
