"""The journal of a sandbox: what it tells of each request, and what it never keeps."""

from __future__ import annotations

import json

from esipy.sandbox import ControlClient, RunningSandbox
from esipy.sandbox.journal import Journal
from tests.sandbox.control_kit import wallet
from tests.sandbox.logins import MAIL, VERIFIER, WALLET, WHO, auth_uri, basic, code, pkce_uri, post
from tests.sandbox.wire import ask, raw


def test_received(handle: RunningSandbox | ControlClient) -> None:
    """What came stands there in order, to be chosen by path and method, until it is forgotten."""
    ask(handle.url, "/status?datasource=tranquility")
    ask(handle.url, "/latest/status/", "HEAD")
    ask(handle.url, "/markets/prices", headers={"X-Tenant": "tranquility"})
    assert [entry.path for entry in handle.received()] == ["/status", "/latest/status/", "/markets/prices"]
    assert [entry.method for entry in handle.received("/status")] == ["GET", "HEAD"]
    assert [entry.number for entry in handle.received("/v1/status/", "GET")] == [1]
    first, _, last = handle.received()
    assert first.query == [("datasource", "tranquility")]
    assert last.headers["x-tenant"] == "tranquility"
    assert (last.status, last.fault, last.authorization, last.character_id) == (200, None, None, None)
    handle.forget()
    assert handle.received() == []


def test_the_control_interface_leaves_no_trace(server: RunningSandbox) -> None:
    """Its own requests are not among those received."""
    ControlClient(server.url).about()
    assert server.received() == []


def test_T44_the_journal_keeps_no_secret(server: RunningSandbox) -> None:
    """After logins, refreshes and calls, no token, code, verifier or secret is in what was received."""
    first, second = code(server), code(server, pkce_uri(server))
    got = post(server, "token", basic(server), grant_type="authorization_code", code=first).json()
    form = {"client_id": "sandbox-demo-pkce", "code_verifier": VERIFIER}
    post(server, "token", grant_type="authorization_code", code=second, **form)
    post(server, "token", basic(server), grant_type="refresh_token", refresh_token=got["refresh_token"], scope=MAIL)
    post(server, "revoke", basic(server), token=got["refresh_token"])
    wallet(server, got)
    ask(server.url, f"/status?token={got['access_token']}", headers={"Cookie": "session=abcdef"})
    kept = json.dumps([entry.as_dict() for entry in server.received()])
    for secret in (first, second, VERIFIER, got["access_token"], got["refresh_token"], "sandbox-demo-secret", "abcdef"):
        assert secret not in kept
    assert basic(server)["Authorization"].partition(" ")[2] not in kept


def test_the_journal_tells_how_a_request_was_signed(server: RunningSandbox) -> None:
    """The scheme and the character stand there, and which plain fields a form had."""
    token = server.login(WHO)
    wallet(server, token)
    post(server, "token", basic(server), grant_type="refresh_token", refresh_token=token["refresh_token"], scope=WALLET)
    call, refresh = server.received()
    assert (call.authorization, call.character_id, call.token_error) == ("bearer", WHO, None)
    assert refresh.authorization == "basic"
    assert refresh.form == {"grant_type": "refresh_token", "refresh_token": "***", "scope": WALLET}


def test_T44_the_journal_keeps_no_state_of_a_login(server: RunningSandbox) -> None:
    """Neither of its address nor of the page that a browser came from; what ESI calls a state is kept."""
    server.approve(auth_uri(server))
    ask(server.url, "/status?state=All", headers={"Referer": f"{server.url}/callback?code=c&state=s/1&2"})
    assert "s/1&2" not in repr(server.received())
    assert server.received()[-1].query == [("state", "All")]


def test_the_journal_is_bounded() -> None:
    """Only the last requests are kept, and their numbers go on."""
    journal = Journal(keep=3)
    for _ in range(5):
        journal.enter("GET", "/x", [], {}, [], body_bytes=0, character_id=None, token_error=None, fault=None)
    assert [entry.number for entry in journal.received()] == [3, 4, 5]


def test_most_at_once_counts_what_overlaps(server: RunningSandbox) -> None:
    """Requests one after another are never two at once."""
    for _ in range(3):
        raw(server.url, b"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert server.most_at_once() == 1
    assert server.most_at_once("/wars") == 0
