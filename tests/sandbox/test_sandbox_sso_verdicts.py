"""What becomes of tokens: revoked, expired, forged, of old keys and owners; and what ESI makes of them."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import pytest
from joserfc.errors import BadSignatureError, UnsupportedAlgorithmError

from esipy.sandbox import RunningSandbox
from tests.sandbox.logins import (
    MAIL,
    PKCE,
    WALLET,
    WHO,
    auth_uri,
    basic,
    exchange,
    post,
    refresh,
    refused,
    verified,
    wallet,
)
from tests.sandbox.wire import ask


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
    server.advance(1140)  # and a minute for a slow machine
    assert wallet(server, answer["access_token"]) == 200
    server.advance(60)
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
