"""The token endpoint, revoking, keys and metadata; and what ESI makes of the tokens."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError, UnsupportedAlgorithmError
from joserfc.jwk import KeySet

from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.characters import FIRST_CHARACTER
from esipy.sandbox.tokens import ISSUERS
from tests.sandbox.logins import MAIL, VERIFIER, WALLET, auth_uri, basic, code, pkce_uri, post, refused
from tests.sandbox.wire import ask

WHO = FIRST_CHARACTER
PKCE = {"client_id": "sandbox-demo-pkce"}


@pytest.fixture
def server() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


def exchange(server: RunningSandbox, **form: str) -> Any:
    """Log in with the code flow; gives the token answer."""
    got = post(server, "token", basic(server), grant_type="authorization_code", code=code(server), **form)
    assert got.status == 200
    return got.json()


def refresh(server: RunningSandbox, token: str, **form: str) -> Any:
    """Refresh with the secret; gives the raw answer."""
    return post(server, "token", basic(server), grant_type="refresh_token", refresh_token=token, **form)


def verified(server: RunningSandbox, token: str) -> Any:
    """The token as someone reads it who has only the published keys."""
    keys = KeySet.import_key_set(ask(server.url, "/oauth/jwks").json())
    return jwt.decode(token, keys, algorithms=["RS256"])


def wallet(server: RunningSandbox, token: str, character_id: int = WHO) -> int:
    """The status with which ESI answers for this character's wallet."""
    return ask(server.url, f"/characters/{character_id}/wallet", headers={"Authorization": f"Bearer {token}"}).status


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


def test_revoking_a_refresh_token_ends_the_login(server: RunningSandbox) -> None:
    """Afterwards neither it nor its access tokens are good; revoking nonsense is no error; other logins live on."""
    answer, other = server.login(), server.login()
    for token in (answer["refresh_token"], "nonsense"):
        assert post(server, "revoke", basic(server), token=token).status == 200
    assert refused(refresh(server, answer["refresh_token"])) == (400, "invalid_grant")
    assert wallet(server, answer["access_token"]) == 401
    assert server.received()[-1].token_error == "revoked"
    assert wallet(server, other["access_token"]) == 200


def test_revoking_an_access_token_leaves_the_login(server: RunningSandbox) -> None:
    """Only that token ends."""
    answer = server.login()
    post(server, "revoke", basic(server), token=answer["access_token"])
    assert wallet(server, answer["access_token"]) == 401
    assert refresh(server, answer["refresh_token"]).status == 200


def test_revoking_needs_a_client_and_its_own_token(server: RunningSandbox) -> None:
    """An unknown client is refused, and another's token is left alone."""
    token = server.login()["refresh_token"]
    assert refused(post(server, "revoke", token=token, client_id="nobody")) == (401, "invalid_client")
    assert post(server, "revoke", token=token, **PKCE).status == 200
    assert refresh(server, token).status == 200


def test_tokens_expire_by_the_sandbox_clock(server: RunningSandbox) -> None:
    """After its lifetime a token is refused by ESI, and a refresh helps."""
    answer = exchange(server)
    server.advance(1198)
    assert wallet(server, answer["access_token"]) == 200
    server.advance(2)
    assert wallet(server, answer["access_token"]) == 401
    assert server.received()[-1].token_error == "expired"
    assert wallet(server, refresh(server, answer["refresh_token"]).json()["access_token"]) == 200


def test_another_characters_wallet_is_closed(server: RunningSandbox) -> None:
    """A token speaks for one character and for its scopes only."""
    token = server.login(WHO, [WALLET])["access_token"]
    assert wallet(server, token, WHO + 1) in (401, 403)
    assert wallet(server, server.login(WHO, [MAIL])["access_token"]) == 403


def test_rotated_keys_are_served_side_by_side_for_a_while(server: RunningSandbox) -> None:
    """New tokens name the new key; old ones can be verified until the grace is over; a key set has no private half."""
    old = server.login()["access_token"]
    kid = server.rotate_keys(grace_seconds=60)
    new = server.login()["access_token"]
    assert verified(server, new).header["kid"] == kid
    assert verified(server, old).header["kid"] != kid
    server.advance(61)
    served = ask(server.url, "/oauth/jwks").json()["keys"]
    assert [key["kid"] for key in served] == [kid]
    assert not {"d", "p", "q"} & set(served[0])


def test_keys_can_be_withdrawn_at_once(server: RunningSandbox) -> None:
    """Without grace only the new key is served."""
    server.rotate_keys()
    kid = server.rotate_keys(grace_seconds=0)
    assert ask(server.url, "/oauth/jwks").json()["keys"][0]["kid"] == kid
    assert len(ask(server.url, "/oauth/jwks").json()["keys"]) == 2


def test_T41_forged_tokens_are_forged(server: RunningSandbox) -> None:
    """Unsigned and HS256 tokens say so in their header, fail an honest check, and are unknown to ESI."""
    for algorithm in ("none", "HS256"):
        token = server.mint(WHO, [WALLET], algorithm=algorithm)
        header = urlsafe_b64decode(token.partition(".")[0] + "===")
        assert f'"alg":"{algorithm}"'.encode() in header
        with pytest.raises((UnsupportedAlgorithmError, BadSignatureError)):
            verified(server, token)
        assert wallet(server, token) == 401
        assert server.received()[-1].token_error == "unknown"
    with pytest.raises(ValueError, match="ES256"):
        server.mint(WHO, algorithm="ES256")


def test_T41_odd_tokens_can_be_minted(server: RunningSandbox) -> None:
    """Audience, issuer, key id and time of a token can be wrong on purpose; its signature is right."""
    claims = {"aud": ["other"], "iss": "https://evil.example", "owner": None, "extra": 1}
    token = verified(server, server.mint(WHO, [WALLET], claims=claims, lifetime_seconds=-10))
    assert token.claims["aud"] == ["other"]
    assert token.claims["iss"] == "https://evil.example"
    assert token.claims["extra"] == 1
    assert "owner" not in token.claims
    assert token.claims["exp"] < server.sandbox.clock.now()
    kid = server.mint(WHO, kid="unknown-key").partition(".")[0]
    assert b'"kid":"unknown-key"' in urlsafe_b64decode(kid + "===")


def test_T47_a_sold_character_has_another_owner(server: RunningSandbox) -> None:
    """Selling changes the owner hash of later tokens and ends the refresh tokens of the old owner."""
    before = server.login(WHO)
    owner = server.sell(WHO)
    assert refused(refresh(server, before["refresh_token"])) == (400, "invalid_grant")
    after = verified(server, server.login(WHO)["access_token"]).claims["owner"]
    assert after == owner
    assert verified(server, before["access_token"]).claims["owner"] != owner


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("Bearer abc", "malformed"),
        ("Bearer a.b.c", "unknown"),
        ("Token a.b.c", "malformed"),
        ("Bearer ", "malformed"),
    ],
)
def test_bad_bearers_are_named(server: RunningSandbox, header: str, error: str) -> None:
    """What is wrong with a bearer token stands in the journal, and ESI refuses it."""
    assert ask(server.url, f"/characters/{WHO}/wallet", headers={"Authorization": header}).status == 401
    assert server.received()[-1].token_error == error


def test_old_access_tokens_are_forgotten(server: RunningSandbox) -> None:
    """Memory is bounded: tokens that expired long ago are dropped as new ones are made."""
    tokens = server.sandbox.tokens
    first = server.mint(WHO, lifetime_seconds=-4000)
    assert tokens.identify(first) == (None, "expired")
    for _ in range(1100):
        tokens.mint(WHO, client_id=server.client_id, lifetime_seconds=-4000)
    assert tokens.identify(first) == (None, "unknown")


def test_secrets_stay_out_of_reprs(server: RunningSandbox) -> None:
    """Neither clients, grants nor codes show what they guard."""
    grant = server.sandbox.tokens.grant(server.client_id, WHO, (WALLET,))
    shown = repr((server.sandbox.clients, grant, server.sandbox.tokens))
    assert grant.refresh_token not in shown
    assert server.secret_key is not None
    assert server.secret_key not in shown.replace(server.client_id, "")
    assert auth_uri(server) not in shown
