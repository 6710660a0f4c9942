"""The authorize endpoint: what is asked is checked, people see a page, and the browser is sent back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.app import DEMO
from esipy.sandbox.characters import FIRST_CHARACTER
from esipy.sandbox.tokens import Client
from tests.sandbox.logins import MAIL, WALLET, auth_uri, pkce_uri
from tests.sandbox.wire import Got, ask
from tests.urls import query_of


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


def page(server: RunningSandbox, uri: str) -> Got:
    """The page at an authorize address."""
    return ask(server.url, uri.removeprefix(server.url))


def test_the_page_shows_who_and_what(server: RunningSandbox) -> None:
    """A person sees the application, all scopes, the characters, and can approve or deny."""
    got = page(server, auth_uri(server))
    text = got.body.decode()
    assert got.status == 200
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert got.headers["cache-control"] == "no-store"
    for word in (server.client_id, WALLET, MAIL, 'value="approve"', 'value="deny"'):
        assert word in text
    for character in server.sandbox.roster:
        assert character.name in text
        assert f'value="{character.character_id}"' in text


def test_the_page_loads_nothing(server: RunningSandbox) -> None:
    """No address of anyone else stands in the page, and its policy forbids to load anything."""
    got = page(server, auth_uri(server, redirect_uri=None, client_id=None)), page(server, auth_uri(server))
    for text in (answer.body.decode() for answer in got):
        assert "src=" not in text
        assert "<link" not in text
        assert "<script" not in text
        assert "url(" not in text
    assert got[1].headers["content-security-policy"].startswith("default-src 'none'")


def test_the_page_escapes_what_it_shows() -> None:
    """Markup in what was sent is text on the page."""
    client = Client('<b>"x"', None, ("http://127.0.0.1/",))
    with serve(clients=[client]) as server:
        state = '"><script>alert(1)</script>'
        text = page(server, pkce_uri(server, client_id='<b>"x"', state=state)).body.decode()
        answer = server.approve(pkce_uri(server, client_id='<b>"x"', state=state))
    assert "<script" not in text
    assert "<b>" not in text
    assert "&lt;b&gt;&quot;x&quot;" in text
    assert state == query_of(answer)["state"]


def test_approving_sends_code_and_state(server: RunningSandbox) -> None:
    """The browser comes back to the application with a code and the state, unchanged."""
    callback = server.approve(auth_uri(server))
    assert callback.partition("?")[0] == server.redirect_uri
    assert set(query_of(callback)) == {"code", "state"}
    assert query_of(callback)["state"] == "s/1&2"


def test_denying_sends_access_denied(server: RunningSandbox) -> None:
    """A person who refuses is sent back with ``access_denied`` and the state."""
    answer = query_of(server.deny(auth_uri(server)))
    assert (answer["error"], answer["state"]) == ("access_denied", "s/1&2")
    assert "code" not in answer


def test_what_stands_in_the_redirect_uri_is_kept() -> None:
    """A query of the application's own address survives."""
    client = Client("app", "secret", ("http://127.0.0.1:1/back?site=1",))
    with serve(clients=[client]) as server:
        callback = server.approve(auth_uri(server))
    assert urlsplit(callback).path == "/back"
    assert query_of(callback)["site"] == "1"
    assert "code" in query_of(callback)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"state": None}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"scope": f"{WALLET} esi-no.such_scope.v1"}, "invalid_scope"),
        ({"scope": f"{WALLET},{MAIL}"}, "invalid_scope"),
        ({"client_id": "sandbox-demo-pkce"}, "invalid_request"),
        ({"code_challenge": "a" * 43, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "a" * 43}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
    ],
)
def test_the_application_is_told_its_mistakes(server: RunningSandbox, changed: dict[str, Any], error: str) -> None:
    """What is wrong with a question whose sender is known goes back to the sender, without a page."""
    got = page(server, auth_uri(server, **changed))
    assert got.status == 302
    assert got.headers["location"].startswith(server.redirect_uri)
    answer = query_of(got.headers["location"])
    assert answer["error"] == error
    assert answer.get("state") == (changed.get("state", "s/1&2") or None)


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "http://127.0.0.1:8635/callback/"},
        {"redirect_uri": "http://evil.example/callback"},
    ],
)
def test_nobody_is_redirected_while_the_sender_is_in_doubt(server: RunningSandbox, changed: dict[str, Any]) -> None:
    """An unknown application or address gets an error page: the browser goes nowhere."""
    got = page(server, auth_uri(server, **changed))
    assert got.status == 400
    assert "location" not in got.headers
    assert got.headers["content-type"].startswith("text/html")
    with pytest.raises(ValueError, match="error page"):
        server.approve(auth_uri(server, **changed))


def test_the_form_is_checked_again(server: RunningSandbox) -> None:
    """A form that is posted to a changed address gets no code."""
    target = auth_uri(server, redirect_uri="http://evil.example/").removeprefix(server.url)
    got = ask(server.url, target, "POST", f"decision=approve&character_id={FIRST_CHARACTER}")
    assert got.status == 400
    target = auth_uri(server, state=None).removeprefix(server.url)
    got = ask(server.url, target, "POST", f"decision=approve&character_id={FIRST_CHARACTER}")
    assert query_of(got.headers["location"])["error"] == "invalid_request"


def test_a_character_that_is_not_there_cannot_log_in(server: RunningSandbox) -> None:
    """The page says that the sandbox has no such character."""
    with pytest.raises(ValueError, match="no character '7'"):
        server.approve(auth_uri(server), 7)


def test_a_crowd_is_not_listed_but_may_log_in() -> None:
    """Of 10,000 characters the page lists some; any can be named by its id."""
    last = FIRST_CHARACTER + 9_999
    with serve(characters=10_000, clients=[DEMO]) as server:
        text = page(server, auth_uri(server)).body.decode()
        callback = server.approve(auth_uri(server), last)
    assert len(text) < 30_000
    assert f'value="{last}"' not in text
    assert "code" in query_of(callback)


def test_public_data_is_a_scope(server: RunningSandbox) -> None:
    """The scope that no operation asks for, and many applications do, is known."""
    assert "code" in query_of(server.approve(auth_uri(server, scope=f"publicData {WALLET}")))


@pytest.mark.parametrize("options", [{"issuer": "https://evil.example"}, {"token_lifetime_seconds": 0}])
def test_an_sso_that_cannot_be_meant_is_refused(options: dict[str, Any]) -> None:
    """A sandbox is not started with an issuer that no client knows, or tokens that never live."""
    with pytest.raises(ValueError, match="not"):
        serve(**options)


def test_a_login_without_scopes_is_possible(server: RunningSandbox) -> None:
    """An application may ask for nothing but the name."""
    assert "Nothing but to know who you are" in page(server, auth_uri(server, scope=None)).body.decode()
    assert "code" in query_of(server.approve(auth_uri(server, scope=None)))


def test_other_methods_are_refused(server: RunningSandbox) -> None:
    """The SSO's paths know their methods."""
    got = ask(server.url, "/v2/oauth/authorize", "DELETE")
    assert (got.status, got.headers["allow"]) == (405, "GET, POST")
    assert ask(server.url, "/v2/oauth/token").status == 405
