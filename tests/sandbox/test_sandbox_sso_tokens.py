"""The token endpoint and the metadata that lead to it: what buys tokens, what renews them, and what is refused."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.tokens import ISSUERS
from tests.sandbox.logins import (
    MAIL,
    PKCE,
    VERIFIER,
    WALLET,
    WHO,
    basic,
    code,
    exchange,
    pkce_uri,
    post,
    refresh,
    refused,
    verified,
    wallet,
)
from tests.sandbox.wire import ask


def test_metadata_leads_to_the_sandbox(server: RunningSandbox) -> None:
    """The issuer is the real one, the endpoints are the sandbox's, and each of them answers."""
    metadata = ask(server.url, "/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == "https://login.eveonline.com"
    for name in ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"):
        assert metadata[name].startswith(server.url)
        assert ask(server.url, metadata[name].removeprefix(server.url), "OPTIONS").status == 405
    assert metadata["code_challenge_methods_supported"] == ["S256"]


def test_a_code_buys_tokens(server: RunningSandbox) -> None:
    """The answer has an access token, its life in seconds, its type and a refresh token; it may not be stored."""
    got = post(server, "token", basic(server), grant_type="authorization_code", code=code(server))
    answer = got.json()
    assert got.headers["cache-control"] == "no-store"
    assert set(answer) == {"access_token", "expires_in", "token_type", "refresh_token"}
    assert (answer["expires_in"], answer["token_type"]) == (1199, "Bearer")
    assert wallet(server, answer["access_token"]) == 200


def test_the_access_token_is_a_signed_jwt_like_the_real_one(server: RunningSandbox) -> None:
    """RS256, the key named, every claim where the real SSO has it."""
    token = verified(server, exchange(server)["access_token"])
    character = server.sandbox.roster.get(WHO)
    claims = token.claims
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": server.sandbox.keys.kid}
    assert claims["sub"] == f"CHARACTER:EVE:{WHO}"
    assert (claims["name"], claims["owner"]) == (character.name, character.owner)
    assert claims["aud"] == [server.client_id, "EVE Online"]
    assert claims["azp"] == server.client_id
    assert claims["iss"] == "https://login.eveonline.com"
    assert claims["scp"] == [WALLET, MAIL]
    assert claims["exp"] - claims["iat"] == 1199
    assert claims["iat"] == pytest.approx(server.sandbox.clock.now(), abs=60)
    assert claims["jti"]


@pytest.mark.parametrize(("scopes", "claim"), [([WALLET, MAIL], [WALLET, MAIL]), ([WALLET], WALLET), ([], None)])
def test_scp_is_a_list_a_text_or_missing(server: RunningSandbox, scopes: list[str], claim: Any) -> None:
    """Several scopes are a list, one is a text, none is no claim: as the real SSO does."""
    assert verified(server, server.login(WHO, scopes)["access_token"]).claims.get("scp") == claim


def test_without_scopes_there_is_no_refresh_token(server: RunningSandbox) -> None:
    """A login that allows nothing cannot be refreshed."""
    assert "refresh_token" not in server.login(WHO, [])


@pytest.mark.parametrize("issuer", ISSUERS)
def test_three_issuers(issuer: str) -> None:
    """Tokens and metadata name the issuer in the spelling that was chosen."""
    with serve(issuer=issuer) as server:
        assert verified(server, server.login()["access_token"]).claims["iss"] == issuer
        assert ask(server.url, "/.well-known/oauth-authorization-server").json()["issuer"] == issuer


def test_a_code_is_used_once(server: RunningSandbox) -> None:
    """The second use of a code is refused."""
    once = code(server)
    form = {"grant_type": "authorization_code", "code": once}
    assert post(server, "token", basic(server), **form).status == 200
    assert refused(post(server, "token", basic(server), **form)) == (400, "invalid_grant")


def test_a_code_expires(server: RunningSandbox) -> None:
    """A code is good for five minutes."""
    late = code(server)
    server.advance(301)
    got = post(server, "token", basic(server), grant_type="authorization_code", code=late)
    assert refused(got) == (400, "invalid_grant")


def test_a_code_belongs_to_its_client(server: RunningSandbox) -> None:
    """Another application cannot use it, nor may the redirect address differ."""
    stolen = post(server, "token", grant_type="authorization_code", code=code(server), code_verifier=VERIFIER, **PKCE)
    assert refused(stolen) == (400, "invalid_grant")
    other = post(
        server, "token", basic(server), grant_type="authorization_code", code=code(server), redirect_uri="http://x/"
    )
    assert refused(other) == (400, "invalid_grant")
    same = {"redirect_uri": server.redirect_uri}
    assert "access_token" in exchange(server, **same)


def test_pkce(server: RunningSandbox) -> None:
    """Without a secret, the verifier proves who asks; it refreshes by naming itself."""
    form = {"grant_type": "authorization_code", "code_verifier": VERIFIER, **PKCE}
    got = post(server, "token", code=code(server, pkce_uri(server)), **form)
    assert got.status == 200
    again = post(server, "token", grant_type="refresh_token", refresh_token=got.json()["refresh_token"], **PKCE)
    assert again.status == 200
    assert wallet(server, again.json()["access_token"]) == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [({"code_verifier": "w" * 43}, "invalid_grant"), ({}, "invalid_request")],
)
def test_pkce_needs_the_verifier(server: RunningSandbox, form: dict[str, str], error: str) -> None:
    """A wrong verifier, or none, buys nothing."""
    got = post(server, "token", grant_type="authorization_code", code=code(server, pkce_uri(server)), **PKCE, **form)
    assert refused(got) == (400, error)


def test_a_secret_has_to_be_shown(server: RunningSandbox) -> None:
    """An application with a secret gets nothing by naming itself alone, for a code or a refresh token."""
    named = {"client_id": server.client_id}
    got = post(server, "token", grant_type="authorization_code", code=code(server), **named)
    assert refused(got) == (401, "invalid_client")
    token = server.login()["refresh_token"]
    assert refused(post(server, "token", grant_type="refresh_token", refresh_token=token, **named)) == (
        401,
        "invalid_client",
    )


@pytest.mark.parametrize(
    "header",
    [
        "Basic " + b64encode(b"sandbox-demo:wrong").decode(),
        "Basic " + b64encode(b"nobody:sandbox-demo-secret").decode(),
        "Basic " + b64encode(b"sandbox-demo-pkce:").decode(),
        "Basic " + b64encode(b"no colon").decode(),
        "Basic !!!",
        "Bearer abc",
    ],
)
def test_a_wrong_client_is_refused(server: RunningSandbox, header: str) -> None:
    """Anything but the right id and secret is 401 ``invalid_client``, and the code stays good."""
    fresh = code(server)
    got = post(server, "token", {"Authorization": header}, grant_type="authorization_code", code=fresh)
    assert refused(got) == (401, "invalid_client")
    assert got.headers["www-authenticate"] == "Basic"
    assert post(server, "token", basic(server), grant_type="authorization_code", code=fresh).status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "unknown"}, "invalid_grant"),
    ],
)
def test_a_malformed_question_is_refused(server: RunningSandbox, form: dict[str, str], error: str) -> None:
    """Missing or unknown parameters get the error that OAuth has for them."""
    assert refused(post(server, "token", basic(server), **form)) == (400, error)


def test_only_forms_are_read(server: RunningSandbox) -> None:
    """JSON, and a parameter that stands there twice, are malformed."""
    got = ask(server.url, "/v2/oauth/token", "POST", '{"grant_type": "refresh_token"}', basic(server))
    assert refused(got) == (400, "invalid_request")
    form = {"Content-Type": "application/x-www-form-urlencoded", **basic(server)}
    twice = ask(server.url, "/v2/oauth/token", "POST", "grant_type=refresh_token&grant_type=refresh_token", form)
    assert refused(twice) == (400, "invalid_request")


def test_refreshing_gives_a_new_access_token(server: RunningSandbox) -> None:
    """Without rotation the refresh token stays; the old access token lives on until it expires."""
    first = exchange(server)
    second = refresh(server, first["refresh_token"]).json()
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert [wallet(server, answer["access_token"]) for answer in (first, second)] == [200, 200]


def test_rotation_refuses_the_old_refresh_token(server: RunningSandbox) -> None:
    """With rotation each refresh replaces the token: the old one is ``invalid_grant``, the new one works."""
    server.set_tokens(rotate_refresh_tokens=True)
    first = exchange(server)["refresh_token"]
    second = refresh(server, first).json()["refresh_token"]
    assert first != second
    assert refused(refresh(server, first)) == (400, "invalid_grant")
    assert refresh(server, second).status == 200


@pytest.mark.parametrize("used", ["the new refresh token", "the new access token"])
def test_rotation_with_overlap_refuses_the_old_one_when_the_new_one_is_used(server: RunningSandbox, used: str) -> None:
    """Who lost the answer may ask again with the old token; who uses the new tokens has had the answer."""
    server.set_tokens(rotate_refresh_tokens=True, overlap=True)
    first = exchange(server)["refresh_token"]
    lost = refresh(server, first).json()
    second = refresh(server, first).json()
    tokens = first, lost["refresh_token"], second["refresh_token"]
    assert [server.is_good(token) for token in tokens] == [True, False, True]
    assert wallet(server, lost["access_token"]) == 200  # it proves nothing: the answer that counts is the second
    assert server.is_good(first)
    if used == "the new refresh token":
        assert refresh(server, tokens[2]).status == 200
    else:
        assert wallet(server, second["access_token"]) == 200
    assert [server.is_good(token) for token in tokens] == [False, False, True]
    assert refused(refresh(server, first)) == (400, "invalid_grant")


def test_T46_a_refresh_may_narrow_the_scopes(server: RunningSandbox) -> None:
    """Scopes separated by spaces narrow the access token alone; what was not granted, or a comma, is refused."""
    token = exchange(server)["refresh_token"]
    narrow = refresh(server, token, scope=WALLET).json()["access_token"]
    assert verified(server, narrow).claims["scp"] == WALLET
    both = refresh(server, token, scope=f"{MAIL} {WALLET}").json()["access_token"]
    assert verified(server, both).claims["scp"] == [MAIL, WALLET]
    assert refused(refresh(server, token, scope="esi-skills.read_skills.v1")) == (400, "invalid_scope")
    assert refused(refresh(server, token, scope=f"{MAIL},{WALLET}")) == (400, "invalid_scope")
    assert refused(refresh(server, token, scope=f"{MAIL}%20{WALLET}")) == (400, "invalid_scope")


def test_a_refresh_token_belongs_to_its_client(server: RunningSandbox) -> None:
    """Another application cannot refresh with it."""
    token = server.login()["refresh_token"]
    got = post(server, "token", grant_type="refresh_token", refresh_token=token, **PKCE)
    assert refused(got) == (400, "invalid_grant")
