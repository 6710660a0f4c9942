"""`verify` and the keys, as version 1's programs use them."""

from __future__ import annotations

import json
import pickle
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from esipy import AsyncEsiSecurity
from esipy.exceptions import TokenInvalidError
from esipy.sso.verified import Verified, read_options
from tests.security_kit import AGENT, logged_in
from tests.sso.sso_kit import JWKS, KEY, OTHER_KEY, ScriptedSso, signed

PUBLIC = KEY.as_dict(private=False)
BOTH = {"keys": [PUBLIC, OTHER_KEY.as_dict(private=False)]}


# -- what verify gives -----------------------------------------------------------------------------------------


def test_the_claims_also_answer_the_old_names() -> None:
    """By ``[]``, `get` and `in`; the dict itself is the claims alone, as version 1 gave them."""
    exp = int(time.time()) + 1000
    claims = logged_in(access_token=signed(exp=exp, scp=["esi-b.v1", "esi-a.v1"])).verify()
    old = [claims[name] for name in ("CharacterID", "CharacterName", "CharacterOwnerHash", "Scopes", "ExpiresOn")]
    ends = datetime.fromtimestamp(exp, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    assert [90000001, "One", "hash", "esi-a.v1 esi-b.v1", ends] == old
    assert (90000001, "One", "default", None) == (
        claims.get("CharacterID"),
        claims.get("name"),
        claims.get("other", "default"),
        claims.get("other"),
    )
    assert [True, True, False] == [name in claims for name in ("sub", "CharacterName", "other")]
    assert 5 not in claims
    assert {"iss", "aud", "sub", "name", "owner", "exp", "scp"} == set(claims)
    assert json.loads(json.dumps(claims)) == claims == pickle.loads(pickle.dumps(claims))
    with pytest.raises(KeyError, match="other"):
        claims["other"]


@pytest.mark.parametrize(
    ("scp", "text"), [(None, ""), ("esi-a.v1", "esi-a.v1"), ([], ""), (["a", "b"], "a b"), (5, "")]
)
def test_scopes_are_one_text(scp: object, text: str) -> None:
    """However the claim tells them."""
    assert text == Verified(scp=scp)["Scopes"]


@pytest.mark.parametrize("name", ["CharacterID", "CharacterName", "CharacterOwnerHash", "ExpiresOn"])
@pytest.mark.parametrize("claims", [{}, {"sub": "x", "exp": "soon"}, {"exp": 1e300}, {"exp": None}], ids=str)
def test_an_old_name_that_the_token_does_not_tell_is_missing(name: str, claims: dict[str, Any]) -> None:
    """As any other key."""
    assert name not in Verified(claims)
    assert Verified(claims).get(name) is None


# -- what verify is asked --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "option"),
    [
        ({"exp": 1}, {"verify_exp": False}),
        ({"exp": None}, {"verify_exp": False}),
        ({"exp": int(time.time()) - 300}, {"leeway": 3600}),
        ({"exp": int(time.time()) - 300}, {"leeway": timedelta(hours=1)}),
        ({"aud": "other"}, {"verify_aud": False}),
        ({"iss": "other"}, {"verify_iss": False}),
    ],
)
def test_T41_what_is_skipped_was_asked_for_by_name(claims: dict[str, Any], option: dict[str, Any]) -> None:
    """Without the option, and with any other, the same token is refused."""
    security = logged_in(access_token=signed(**claims))
    assert 90000001 == security.verify(options=option)["CharacterID"]
    for other in (None, {}, dict.fromkeys(option, True), {"verify_iat": False, "verify_at_hash": False}):
        with pytest.raises(TokenInvalidError):
            security.verify(options=other)


def test_T41_leeway_may_be_less() -> None:
    """None at all: over is over."""
    security = logged_in(access_token=signed(exp=int(time.time()) - 10))
    assert 90000001 == security.verify()["CharacterID"]
    with pytest.raises(TokenInvalidError, match="expired"):
        security.verify(options={"leeway": 0})


@pytest.mark.parametrize("option", ["verify_signature", "verify_sub"])
def test_T41_the_signature_is_never_skipped(option: str) -> None:
    """Who asks to is warned, at the line that asked, and the token is checked all the same."""
    forged = signed(OTHER_KEY, header={"kid": KEY.kid})
    with (
        pytest.warns(UserWarning, match=f"checks all the same what {option}=False") as caught,
        pytest.raises(TokenInvalidError),
    ):
        logged_in(access_token=forged).verify(options={option: False})
    assert __file__ == caught[0].filename
    assert 90000001 == logged_in().verify(options={option: True})["CharacterID"]


def test_claims_may_be_required() -> None:
    """The error names the one that is missing; False requires nothing."""
    security = logged_in()
    assert "hash" == security.verify(options={"require_exp": True, "require_jti": False})["owner"]
    with pytest.raises(TokenInvalidError, match=r"required \(jti\)"):
        security.verify(options={"require_jti": True})


def test_an_option_that_nobody_knows_warns() -> None:
    """A misspelt one must not be lost."""
    with pytest.warns(UserWarning, match="ignores the option verfy_exp"):
        read_options({"verfy_exp": False}, stacklevel=1)


def test_T41_a_key_may_be_named() -> None:
    """Only that one may have signed the token then; by default it is whichever the token names."""
    security = logged_in(jwks_key=BOTH)
    assert (
        "One" == security.verify(kid=KEY.kid)["name"] == security.verify(KEY.kid)["name"] == security.verify()["name"]
    )
    for other in (OTHER_KEY.kid, "JWT-Signature-Key"):
        with pytest.raises(TokenInvalidError, match=f"not of the SSO's key {other}"):
            security.verify(kid=other)


def test_verify_with_asyncio_is_the_same() -> None:
    """Arguments, claims and warnings."""
    import asyncio

    from esipy.runtime.aio import AioRuntime

    class Scripted:
        async def send(self, request: Any) -> Any:
            return ScriptedSso()(request)

        async def aclose(self) -> None: ...

    async def ask() -> dict[str, Any]:
        security = AsyncEsiSecurity("", "app", "secret", headers=AGENT, transport=Scripted())
        assert isinstance(security._over(), AioRuntime)
        security.update_token({"access_token": signed(exp=1), "expires_in": -1})
        with pytest.warns(UserWarning, match="verify_signature") as caught:
            claims = await security.verify(KEY.kid, {"verify_exp": False, "verify_signature": False})
        assert __file__ == caught[0].filename
        return claims

    assert 90000001 == asyncio.run(ask())["CharacterID"]


# -- keys ------------------------------------------------------------------------------------------------------


def test_a_single_key_is_an_attribute() -> None:
    """As in version 1: one JWK, or a set of them by name; the other is None."""
    one, several = logged_in(jwks_key=PUBLIC), logged_in(jwks_key=BOTH)
    assert (KEY.kid, None) == ((one.jwks_key or {})["kid"], one.jwks_key_set)
    assert several.jwks_key is None
    assert {KEY.kid, OTHER_KEY.kid} == set(several.jwks_key_set or {})
    assert all(PUBLIC["n"] in str(security.jwks_key or security.jwks_key_set) for security in (one, several))


def test_keys_are_known_once_they_were_fetched() -> None:
    """Asking for the attribute reaches no network, as making the object reaches none."""
    sso = ScriptedSso()
    security = logged_in(sso)
    assert (None, {}, []) == (security.jwks_key, security.jwks_key_set, sso.asked)
    security.verify()
    assert [KEY.kid] == list(security.jwks_key_set or {})
    assert 1 == sso.asked.count(JWKS)
