"""What an SSO does wrong, and what a login makes of it: nothing is lost, and nothing wrong is taken (T40, T42)."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from esipy.exceptions import (
    AnswerTimeoutError,
    ConnectError,
    LoginRequiredError,
    SSOUnavailableError,
    TokenInvalidError,
    TokenRevokedError,
)
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox
from esipy.security import EsiSecurity
from esipy.transport.scripted import ScriptedTransport
from tests.sso.sso_kit import AGENT, JWKS, KEY, METADATA, OTHER_KEY, TOKEN, Colour, ScriptedSso, reply, signed, tokens

FAULTS: list[dict[str, Any]] = [
    {"status": 400, "body": b'{"error": "invalid_request"}'},
    {"status": 400, "body": b"invalid_grant"},
    {"status": 401, "body": b'{"error": "invalid_grant"}'},
    {"status": 403, "kind": "html"},
    {"status": 404},
    {"kind": "rate-limited"},
    {"status": 500, "body": b'{"error": "invalid_grant"}'},
    {"status": 502, "kind": "html"},
    {"status": 503, "kind": "empty"},
    {"kind": "oddjson"},
    {"status": 200, "kind": "html"},
    {"status": 200, "kind": "empty"},
    {"status": 200, "body": b"[]"},
    {"status": 200, "body": b'{"access_token": ""}'},
    {"status": 200, "body": b'{"access_token": 5, "expires_in": 1199}'},
    {"kind": "redirect", "location": "http://127.0.0.1:1/"},
    {"kind": "cut"},
    {"kind": "reset"},
    {"kind": "close"},
    {"kind": "garbage"},
    {"kind": "oversize"},
]


def _scripted(sso: ScriptedSso, **keywords: Any) -> EsiSecurity:
    """A login of the client ``app`` at a scripted SSO, its access token over."""
    given = {"headers": {"User-Agent": AGENT}, "transport": ScriptedTransport(sso)} | keywords
    security = EsiSecurity("http://localhost/callback", "app", "secret", **given)
    security.update_token({"access_token": signed(), "expires_in": 0, "refresh_token": "R1"})
    return security


def _state(security: Any) -> tuple[Any, ...]:
    return security.access_token, security.refresh_token, security.token_expiry


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(map(str, fault.values()))[:40])
def test_T40_an_sso_outage_keeps_the_token(sandbox: RunningSandbox, colour: Colour, fault: dict[str, Any]) -> None:
    """Whatever it says but 400 ``invalid_grant``, the tokens stay, and the next refresh works."""
    sandbox.set_tokens(rotate_refresh_tokens=False)  # a cut answer is one that the SSO believes was heard
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    kept = _state(security)
    sandbox.fail(TOKEN, **fault)
    with pytest.raises(SSOUnavailableError):
        colour(security.refresh())
    assert kept == _state(security)
    colour(security.refresh())
    assert kept != _state(security)


@pytest.mark.parametrize(
    "error", [ConnectError("https://x", "refused"), AnswerTimeoutError("https://x", "no answer in 60 s")]
)
def test_T40_no_connection_and_no_answer_keep_the_token(error: Exception) -> None:
    """The cause is chained, so that a program can tell them apart."""
    sso = ScriptedSso()
    security = _scripted(sso)
    kept = _state(security)

    def script(request: Any) -> Any:
        answer = sso(request)
        return error if request.method == "POST" else answer

    security._transport = ScriptedTransport(script)
    with pytest.raises(SSOUnavailableError, match="try later, the token is kept") as caught:
        security.refresh()
    assert error is caught.value.__cause__
    assert kept == _state(security)


def test_T40_a_revoked_token_is_dropped_and_not_sent_again(sandbox: RunningSandbox, colour: Colour) -> None:
    """After 400 ``invalid_grant`` the character has to log in; the SSO is not asked again."""
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    sandbox.revoke(sandbox.sandbox.roster.ids[0])
    with pytest.raises(TokenRevokedError, match="log in again"):
        colour(security.refresh())
    assert security.refresh_token is None
    with pytest.raises(LoginRequiredError):
        colour(security.refresh())
    assert 1 == len(sandbox.received(TOKEN))


def test_T40_a_token_put_in_while_another_was_refused_stays() -> None:
    """Only what was sent is dropped."""
    transport_at_work = threading.Event()
    go_on = threading.Event()
    sso = ScriptedSso()

    def refuse(form: dict[str, str]) -> Any:
        transport_at_work.set()
        assert go_on.wait(10)
        return reply(400, {"error": "invalid_grant"})

    sso.grant = refuse
    security = _scripted(sso)
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            security.refresh()
        except TokenRevokedError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert transport_at_work.wait(10)
    security.refresh_token = "R-of-a-new-login"
    go_on.set()
    thread.join(10)
    assert 1 == len(errors)
    assert "R-of-a-new-login" == security.refresh_token


BAD: dict[str, dict[str, Any]] = {
    "another key": {"key": OTHER_KEY},
    "another issuer": {"iss": "https://login.example.com"},
    "another application": {"aud": ["other", "EVE Online"]},
    "another audience": {"aud": ["app"]},
    "no audience": {"aud": None},
    "expired": {"exp": 1_000_000_000},
    "no expiry": {"exp": None},
    "expiry as text": {"exp": "tomorrow"},
    "no character": {"sub": "CORPORATION:EVE:1"},
    "another character": {"sub": "CHARACTER:EVE:90000002"},
    "a key that nobody has": {"header": {"kid": "unknown"}},
}


@pytest.mark.parametrize("how", BAD, ids=str)
def test_T42_a_refreshed_token_that_is_not_valid_is_refused(how: str) -> None:
    """The old tokens stay, and the error says what is wrong without showing the token."""
    odd = dict(BAD[how])
    token = signed(odd.pop("key", OTHER_KEY if "header" in odd else KEY), **odd)
    sso = ScriptedSso()
    sso.grant = lambda form: reply(200, tokens(token, refresh_token="R1"))
    security = _scripted(sso)
    kept = _state(security)
    with pytest.raises(TokenInvalidError, match="the access token is not valid") as caught:
        security.refresh()
    assert kept == _state(security)
    assert token not in str(caught.value)


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "..", signed()[:-4] + "AAAA", "\u00e9.\u00e9.\u00e9"])
def test_T42_what_is_no_signed_jwt_is_refused(token: str) -> None:
    """Text, garbage with two dots, a signature that was tampered with."""
    sso = ScriptedSso()
    sso.grant = lambda form: reply(200, tokens(token))
    security = _scripted(sso)
    kept = _state(security)
    with pytest.raises(TokenInvalidError):
        security.refresh()
    assert kept == _state(security)


def test_T42_an_exchanged_token_that_is_not_valid_is_refused() -> None:
    """Also a login: what was there before stays."""
    sso = ScriptedSso()
    sso.grant = lambda form: reply(200, tokens(signed(aud=["other", "EVE Online"]), refresh_token="R9"))
    security = _scripted(sso)
    kept = _state(security)
    with pytest.raises(TokenInvalidError, match="aud"):
        security.auth("code")
    assert kept == _state(security)


def test_a_rotated_token_in_a_refused_answer_is_not_lost() -> None:
    """The SSO has spent R1 for an answer that we refused: R2, which came with it, still gets the next token."""
    sso = ScriptedSso()
    good = signed(jti="good")

    def grant(form: dict[str, str]) -> Any:
        if len(sso.forms) == 1:
            return reply(200, tokens(signed(iss="elsewhere"), refresh_token="R2"))
        if form["refresh_token"] == "R1":
            return reply(400, {"error": "invalid_grant"})
        return reply(200, tokens(good))

    sso.grant = grant
    security = _scripted(sso)
    with pytest.raises(TokenInvalidError):
        security.refresh()
    assert "R1" == security.refresh_token
    security.refresh()
    assert (good, "R2") == (security.access_token, security.refresh_token)
    assert ["R1", "R1", "R2"] == [form["refresh_token"] for form in sso.forms]


def test_what_was_kept_aside_for_one_login_is_not_used_for_another() -> None:
    """A dead token of another login is dead, whatever is kept aside."""
    sso = ScriptedSso()
    sso.grant = lambda form: reply(200, tokens(signed(iss="elsewhere"), refresh_token="R2"))
    security = _scripted(sso)
    with pytest.raises(TokenInvalidError):
        security.refresh()
    security.update_token({"access_token": "", "expires_in": -1, "refresh_token": "other"})
    sso.grant = lambda form: reply(400, {"error": "invalid_grant"})
    with pytest.raises(TokenRevokedError):
        security.refresh()
    assert ["R1", "other"] == [form["refresh_token"] for form in sso.forms]


def test_no_refresh_token_is_spent_while_the_keys_cannot_be_had(sandbox: RunningSandbox, colour: Colour) -> None:
    """A rotated token that cannot be verified would be neither usable nor safe to throw away; the same for a code."""
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    for attempt in (security.refresh, lambda: security.auth("code")):
        sandbox.fail(JWKS, status=503)
        with pytest.raises(SSOUnavailableError):
            colour(attempt())
    assert [] == sandbox.received(TOKEN)
    colour(security.refresh())


def test_without_metadata_the_known_endpoints_are_used(sandbox: RunningSandbox, colour: Colour) -> None:
    """An SSO whose metadata is out still refreshes tokens."""
    sandbox.fail(METADATA, times=None, kind="html")
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    colour(security.refresh())
    colour(security.refresh())
    assert 1 == len(sandbox.received(METADATA))
    assert 2 == len(sandbox.received(TOKEN))


def test_an_answer_without_a_refresh_token_keeps_the_old_one() -> None:
    """As without rotation; null and empty text count as missing."""
    for answer in (tokens(), tokens(refresh_token=None), tokens(refresh_token="")):
        sso = ScriptedSso()
        sso.grant = lambda form, answer=answer: reply(200, answer)  # type: ignore[misc]
        security = _scripted(sso)
        security.refresh()
        assert "R1" == security.refresh_token


@pytest.mark.parametrize(
    ("expires_in", "lifetime"), [(1199, 1199), ("1199", 1199), (600.7, 600), (None, 1200), ([], 1200)]
)
def test_the_lifetime_comes_from_the_answer_else_from_the_token(expires_in: Any, lifetime: int) -> None:
    """``expires_in`` in seconds in any form that can be read; else the time in the token itself."""
    sso = ScriptedSso()
    sso.grant = lambda form: reply(200, tokens(signed(exp=int(time.time()) + 1200), expires_in=expires_in))
    security = _scripted(sso)
    security.refresh()
    assert security.token_expiry == pytest.approx(time.time() + lifetime, abs=5)


def test_a_clock_that_is_wrong_refuses_no_good_token() -> None:
    """Our clock is an hour ahead of the SSO's: its own ``Date`` says when now is."""
    sso = ScriptedSso()
    hour_ago = time.time() - 3600
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(hour_ago))
    sso.grant = lambda form: reply(200, tokens(signed(exp=int(hour_ago) + 1200)), Date=date)
    security = _scripted(sso)
    security.refresh()
    assert not security.is_token_expired()
    assert "CHARACTER:EVE:90000001" == security.verify()["sub"]


def test_another_login_shares_the_keys_of_a_transport() -> None:
    """The second character over one transport costs the SSO one request: its own."""
    sso = ScriptedSso()
    transport = ScriptedTransport(sso)
    for _ in range(3):
        run(_scripted(sso).token(BlockingRuntime(transport)))
    assert [METADATA, JWKS, TOKEN, TOKEN, TOKEN] == sso.asked
