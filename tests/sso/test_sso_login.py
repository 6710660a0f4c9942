"""Logging in, refreshing by hand, verifying and revoking, at a real SSO over HTTP, in both colours."""

from __future__ import annotations

from typing import Any

import pytest

from esipy.events import AFTER_TOKEN_REFRESH
from esipy.exceptions import LoginRequiredError, SSOUnavailableError, TokenInvalidError, TokenRevokedError
from esipy.sandbox import RunningSandbox
from esipy.utils import generate_code_verifier
from tests.sso.sso_kit import AGENT, JWKS, METADATA, REVOKE, TOKEN, WALLET, Colour
from tests.urls import query_of


def _log_in(colour: Colour, sandbox: RunningSandbox, security: Any, scopes: list[str] | None = None) -> dict[str, Any]:
    """Through the login page and back; gives what `auth` returns."""
    back = sandbox.approve(security.get_auth_uri("state-1", scopes))
    query = query_of(back)
    assert "state-1" == query["state"]
    answer = colour(security.auth(query["code"]))
    assert isinstance(answer, dict)
    return answer


def test_a_login_with_a_secret_gives_verified_tokens(sandbox: RunningSandbox, colour: Colour) -> None:
    """After approve and auth the object holds the tokens, knows its character and is not expired."""
    security = colour.security(sandbox)
    answer = _log_in(colour, sandbox, security, [WALLET])
    character = sandbox.sandbox.roster.ids[0]
    assert answer["access_token"] == security.access_token
    assert answer["refresh_token"] == security.refresh_token
    assert character == security.character_id
    assert f"{sandbox.client_id}:{character}" == security.principal
    assert not security.is_token_expired()
    assert f"CHARACTER:EVE:{character}" == colour(security.verify())["sub"]


def test_a_login_with_pkce_sends_no_secret(sandbox: RunningSandbox, colour: Colour) -> None:
    """With a verifier the client names itself in the form, and refreshing works the same way."""
    security = colour.security(sandbox, code_verifier=generate_code_verifier())
    _log_in(colour, sandbox, security, [WALLET])
    old = security.access_token
    colour(security.refresh())
    assert old != security.access_token
    for entry in sandbox.received(TOKEN):
        assert entry.authorization is None
        assert "sandbox-demo-pkce" == entry.form["client_id"]
    assert ["code_verifier" in entry.form for entry in sandbox.received(TOKEN)] == [True, False]


def test_a_wrong_verifier_is_refused(sandbox: RunningSandbox, colour: Colour) -> None:
    """The code of one login cannot be exchanged with the verifier of another."""
    security = colour.security(sandbox, code_verifier=generate_code_verifier())
    code = query_of(sandbox.approve(security.get_auth_uri("s", [WALLET])))["code"]
    security.code_verifier = generate_code_verifier()
    with pytest.raises(TokenRevokedError):
        colour(security.auth(code))
    assert security.access_token is None


def test_a_code_is_good_for_one_use(sandbox: RunningSandbox, colour: Colour) -> None:
    """The second exchange of a code says so, and leaves the login of the first alone."""
    security = colour.security(sandbox)
    code = query_of(sandbox.approve(security.get_auth_uri("s", [WALLET])))["code"]
    colour(security.auth(code))
    kept = security.access_token, security.refresh_token
    with pytest.raises(TokenRevokedError):
        colour(security.auth(code))
    assert kept == (security.access_token, security.refresh_token)


def test_a_login_without_scopes_has_no_refresh_token(sandbox: RunningSandbox, colour: Colour) -> None:
    """Nothing of a former login, which may be another character's, is left."""
    security = colour.security(sandbox)
    security.update_token(sandbox.login(sandbox.sandbox.roster.ids[1]))
    _log_in(colour, sandbox, security)
    assert security.refresh_token is None
    assert sandbox.sandbox.roster.ids[0] == security.character_id


def test_a_wrong_secret_says_what_to_check(sandbox: RunningSandbox, colour: Colour) -> None:
    """``invalid_client`` is the application's fault, not the token's: the token stays."""
    security = colour.security(sandbox, secret_key="wrong")
    security.update_token(sandbox.login())
    kept = security.refresh_token
    with pytest.raises(SSOUnavailableError, match="check client_id and secret_key"):
        colour(security.refresh())
    assert kept == security.refresh_token


def test_refresh_by_hand_stores_the_rotated_token_and_sends_no_signal(sandbox: RunningSandbox, colour: Colour) -> None:
    """What `refresh` returns is the program's to store; the signal is for refreshes it did not ask for."""
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    old = security.refresh_token
    told: list[Any] = []
    with AFTER_TOKEN_REFRESH.connected_to(lambda **kwargs: told.append(kwargs)):
        answer = colour(security.refresh())
    assert old != security.refresh_token
    assert answer["refresh_token"] == security.refresh_token
    assert [] == told


def test_T46_refresh_sends_scopes_separated_by_spaces_encoded_once(sandbox: RunningSandbox, colour: Colour) -> None:
    """The SSO reads exactly the scopes that were asked for, and narrows the token to them."""
    security = colour.security(sandbox)
    mail = "esi-mail.read_mail.v1"
    security.update_token(sandbox.login(scopes=[WALLET, mail, "esi-skills.read_skills.v1"]))
    colour(security.refresh([WALLET, mail]))
    assert f"{WALLET} {mail}" == sandbox.received(TOKEN)[-1].form["scope"]
    assert {WALLET, mail} == set(colour(security.verify())["scp"])


def test_verify_refuses_what_the_sso_did_not_sign(sandbox: RunningSandbox, colour: Colour) -> None:
    """`verify` is about the token that is there, however it came there."""
    security = colour.security(sandbox)
    security.update_token({"access_token": sandbox.mint(algorithm="HS256"), "expires_in": 1199})
    with pytest.raises(TokenInvalidError):
        colour(security.verify())
    security.update_token({"access_token": sandbox.mint(), "expires_in": 1199})
    assert "EVE Online" in colour(security.verify())["aud"]


def test_verify_without_a_token_is_an_attribute_error_too(sandbox: RunningSandbox, colour: Colour) -> None:
    """As in version 1, and nothing is sent."""
    security = colour.security(sandbox)
    with pytest.raises(LoginRequiredError) as caught:
        colour(security.verify())
    assert isinstance(caught.value, AttributeError)
    assert [] == sandbox.received()


def test_revoke_ends_the_login_here_and_there(sandbox: RunningSandbox, colour: Colour) -> None:
    """The tokens are gone, and the SSO refuses the refresh token from then on."""
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    refresh_token = security.refresh_token
    colour(security.revoke())
    assert (None, None, None) == (security.access_token, security.refresh_token, security.token_expiry)
    assert "refresh_token" == sandbox.received(REVOKE)[0].form["token_type_hint"]
    security.refresh_token = refresh_token
    with pytest.raises(TokenRevokedError):
        colour(security.refresh())


def test_revoke_without_a_refresh_token_names_the_access_token(sandbox: RunningSandbox, colour: Colour) -> None:
    """A login without scopes can be ended too; and one without tokens is an error."""
    security = colour.security(sandbox)
    security.update_token({"access_token": sandbox.mint(), "expires_in": 1199})
    colour(security.revoke())
    assert "access_token" == sandbox.received(REVOKE)[0].form["token_type_hint"]
    with pytest.raises(LoginRequiredError):
        colour(security.revoke())


def test_revoke_that_the_sso_did_not_hear_keeps_the_tokens(sandbox: RunningSandbox, colour: Colour) -> None:
    """Otherwise a token would live on that nobody can revoke any more."""
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    kept = security.refresh_token
    sandbox.fail(REVOKE, status=503)
    with pytest.raises(SSOUnavailableError):
        colour(security.revoke())
    assert kept == security.refresh_token


def test_who_we_are_is_told_with_every_request(sandbox: RunningSandbox, colour: Colour) -> None:
    """The User-Agent is the program's, and ends with the library's."""
    security = colour.security(sandbox, headers={"user-agent": AGENT, "X-Own": "1"})
    _log_in(colour, sandbox, security, [WALLET])
    received = [entry for path in (METADATA, JWKS, TOKEN) for entry in sandbox.received(path)]
    assert 3 == len(received)
    for entry in received:
        assert f"{AGENT} EsiPy/2.0" == entry.headers["user-agent"]
        assert "1" == entry.headers["x-own"]


def test_making_an_object_reaches_no_network(sandbox: RunningSandbox, colour: Colour) -> None:
    """Nor does the address to log in at, nor putting tokens in."""
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    assert security.get_auth_uri("s", [WALLET]).startswith(sandbox.sso_url + "/v2/oauth/authorize?")
    assert security.principal
    assert not security.is_token_expired()
    assert [] == sandbox.received()
