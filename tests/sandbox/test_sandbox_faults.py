"""Faults: planned for some requests and no others, and the answers of servers that have trouble."""

from __future__ import annotations

import json
from typing import Any

import pytest

from esipy.sandbox import RunningSandbox
from esipy.sandbox.faults import Fault
from tests.sandbox.wire import Echo, ask


@pytest.fixture
def server(echoing: RunningSandbox) -> RunningSandbox:
    return echoing


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


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"kind": "nonsense"}, "no fault is called 'nonsense'"),
        ({"times": 0}, "at least once"),
        ({"kind": "redirect"}, "needs a location"),
        ({"status": 42}, "42 is no status"),
        ({"body": {"error": "ConStopSpamming"}}, "a body is text or bytes, .*, not dict"),
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
