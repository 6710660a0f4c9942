"""How version 1's programs have requests signed, make the login's address, and refresh."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from esipy import EsiSecurity
from esipy.exceptions import InvalidCallError, LoginRequiredError
from tests.security_kit import AGENT, logged_in
from tests.sso.sso_kit import TOKEN, ScriptedSso, recorded, reply, signed, tokens
from tests.urls import query_of

# -- the request protocol --------------------------------------------------------------------------------------


class Request:
    """What pyswagger's requests had of it."""

    def __init__(self, *security: dict[str, Any]) -> None:
        self._security = list(security)
        self._p: dict[str, dict[str, str]] = {"header": {"Accept": "x"}, "path": {}, "query": {}}


def test_a_request_that_asks_for_this_login_gets_the_token() -> None:
    """And is given back, edited."""
    security, request = logged_in(), Request({"evesso": ["esi-a.v1"]})
    assert request is security(request)
    assert {"Accept": "x", "Authorization": f"Bearer {security.access_token}"} == request._p["header"]


def test_a_public_request_gets_none() -> None:
    """Not even the SSO is asked, although there is no token."""
    sso = ScriptedSso()
    security, request = logged_in(sso), Request()
    security.token_expiry = 0
    assert {"Accept": "x"} == security(request)._p["header"]
    request._security = None  # type: ignore[assignment]
    assert {"Accept": "x"} == security(request)._p["header"]
    assert [] == sso.asked


def test_a_request_for_another_login_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """By version 1's words and logger; the one that fits gets its token all the same."""
    security = logged_in(security_name="mine")
    with caplog.at_level(logging.WARNING, "esipy.security"):
        request = security(Request({"evesso": [], "other": []}, {"mine": []}))
    assert ["Missing Securities: [evesso, other]"] == caplog.messages
    assert "Authorization" in request._p["header"]


def test_a_token_that_is_over_is_refreshed_and_told() -> None:
    """Once, by the signal with the identifier, as version 1 did."""
    sso, fresh = ScriptedSso(), signed(name="New")
    sso.grant = lambda form: reply(200, tokens(fresh, refresh_token="r2"))
    with recorded() as (signal, told):
        security = logged_in(sso, signal_token_updated=signal, token_identifier=7)
        security.update_token({"access_token": "", "expires_in": -1, "refresh_token": "r"})
        request = security(Request({"evesso": []}, {"evesso": []}))
    assert f"Bearer {fresh}" == request._p["header"]["Authorization"]
    assert [(7, fresh, "r2")] == [(p["token_identifier"], p["access_token"], p["refresh_token"]) for p in told]
    assert 1 == sso.asked.count(TOKEN)


def test_a_request_without_any_token_is_an_attribute_error() -> None:
    """As in version 1."""
    security = EsiSecurity("", "app", "secret", headers=AGENT)
    with pytest.raises(AttributeError) as caught:
        security(Request({"evesso": []}))
    assert isinstance(caught.value, LoginRequiredError)


# -- the address -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda security: security.get_auth_uri(scopes=["esi-a.v1", "esi-b.v1"]),
        lambda security: security.get_auth_uri(["esi-a.v1", "esi-b.v1"]),
        lambda security: security.get_auth_uri(scopes="esi-a.v1 esi-b.v1"),
    ],
)
def test_version_0_gave_no_state(ask: Callable[[EsiSecurity], str]) -> None:
    """A random one is made and kept, another each time; the warning is at the line that asked."""
    security = logged_in()
    assert security.state is None
    states = set()
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"see \.state; compare it") as caught:
            query = query_of(ask(security))
        assert (security.state, "esi-a.v1 esi-b.v1") == (query["state"], query["scope"])
        assert __file__ == caught[0].filename
        states.add(query["state"])
    assert 2 == len(states)
    assert all(len(state) >= 16 for state in states)


def test_version_0_had_the_scopes_first() -> None:
    """With the state behind them, or by its name."""
    security = logged_in()
    for url in (security.get_auth_uri(["esi-a.v1"], "mine"), security.get_auth_uri("mine", ["esi-a.v1"])):  # type: ignore[arg-type]
        assert ("mine", "esi-a.v1") == (query_of(url)["state"], query_of(url)["scope"])
    assert security.state is None


def test_the_implicit_flow_is_gone() -> None:
    """The error says what takes its place."""
    with pytest.raises(InvalidCallError, match="code_verifier"):
        logged_in().get_auth_uri("state", implicit=True)


def test_an_empty_redirect_uri_is_taken() -> None:
    """Programs that only ever refresh have none."""
    assert "" == query_of(logged_in().get_auth_uri("state"))["redirect_uri"]


# -- refreshing ------------------------------------------------------------------------------------------------


def test_T46_refresh_takes_a_list_of_scopes() -> None:
    """They go out separated by spaces, encoded once; an empty list asks for all that were allowed."""
    sso = ScriptedSso()
    security = logged_in(sso)
    security.refresh(["esi-a.v1", "esi-b.v1"])
    security.refresh([])
    assert ["esi-a.v1 esi-b.v1", None] == [form.get("scope") for form in sso.forms]
    raw = next(request.body for request in sso.requests if request.body)
    assert b"scope=esi-a.v1+esi-b.v1" in raw


@pytest.mark.parametrize("scopes", ["esi-a.v1", "a b", 5, True])
def test_T46_what_is_no_list_is_an_attribute_error(scopes: Any) -> None:
    """As in version 1, and nothing is sent."""
    sso = ScriptedSso()
    security = logged_in(sso)
    for ask in (security.refresh, security.get_refresh_token_params):
        with pytest.raises(AttributeError, match=r"scope_list must be a list of scope\."):
            ask(scopes)
    assert [] == sso.asked
