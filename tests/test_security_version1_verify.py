"""`verify`, the request protocol and the keys, as version 1's programs use them."""

from __future__ import annotations

import json
import logging
import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from esipy import AsyncEsiSecurity, EsiSecurity
from esipy.exceptions import InvalidCallError, LoginRequiredError, TokenInvalidError
from esipy.sso.verified import Verified, read_options
from esipy.transport.scripted import ScriptedTransport
from tests.sso.sso_kit import JWKS, KEY, OTHER_KEY, TOKEN, ScriptedSso, recorded, reply, signed, tokens
from tests.urls import query_of

AGENT = {"User-Agent": "Tests/1.0 (tests@example.com)"}
PUBLIC = KEY.as_dict(private=False)
BOTH = {"keys": [PUBLIC, OTHER_KEY.as_dict(private=False)]}


def _login(sso: ScriptedSso | None = None, access_token: str = "", **keywords: Any) -> EsiSecurity:
    security = EsiSecurity(
        "", "app", "secret", headers=AGENT, transport=ScriptedTransport(sso or ScriptedSso()), **keywords
    )
    security.update_token({"access_token": access_token or signed(), "expires_in": 1199, "refresh_token": "r"})
    return security


# -- what verify gives -----------------------------------------------------------------------------------------


def test_the_claims_also_answer_the_old_names() -> None:
    """By ``[]``, `get` and `in`; the dict itself is the claims alone, as version 1 gave them."""
    exp = int(time.time()) + 1000
    claims = _login(access_token=signed(exp=exp, scp=["esi-b.v1", "esi-a.v1"])).verify()
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
    security = _login(access_token=signed(**claims))
    assert 90000001 == security.verify(options=option)["CharacterID"]
    for other in (None, {}, dict.fromkeys(option, True), {"verify_iat": False, "verify_at_hash": False}):
        with pytest.raises(TokenInvalidError):
            security.verify(options=other)


def test_T41_leeway_may_be_less() -> None:
    """None at all: over is over."""
    security = _login(access_token=signed(exp=int(time.time()) - 10))
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
        _login(access_token=forged).verify(options={option: False})
    assert __file__ == caught[0].filename
    assert 90000001 == _login().verify(options={option: True})["CharacterID"]


def test_claims_may_be_required() -> None:
    """The error names the one that is missing; False requires nothing."""
    security = _login()
    assert "hash" == security.verify(options={"require_exp": True, "require_jti": False})["owner"]
    with pytest.raises(TokenInvalidError, match=r"required \(jti\)"):
        security.verify(options={"require_jti": True})


def test_an_option_that_nobody_knows_warns() -> None:
    """A misspelt one must not be lost."""
    with pytest.warns(UserWarning, match="ignores the option verfy_exp"):
        read_options({"verfy_exp": False}, stacklevel=1)


def test_T41_a_key_may_be_named() -> None:
    """Only that one may have signed the token then; by default it is whichever the token names."""
    security = _login(jwks_key=BOTH)
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
    one, several = _login(jwks_key=PUBLIC), _login(jwks_key=BOTH)
    assert (KEY.kid, None) == ((one.jwks_key or {})["kid"], one.jwks_key_set)
    assert several.jwks_key is None
    assert {KEY.kid, OTHER_KEY.kid} == set(several.jwks_key_set or {})
    assert all(PUBLIC["n"] in str(security.jwks_key or security.jwks_key_set) for security in (one, several))


def test_keys_are_known_once_they_were_fetched() -> None:
    """Asking for the attribute reaches no network, as making the object reaches none."""
    sso = ScriptedSso()
    security = _login(sso)
    assert (None, {}, []) == (security.jwks_key, security.jwks_key_set, sso.asked)
    security.verify()
    assert [KEY.kid] == list(security.jwks_key_set or {})
    assert 1 == sso.asked.count(JWKS)


# -- the request protocol --------------------------------------------------------------------------------------


class Request:
    """What pyswagger's requests had of it."""

    def __init__(self, *security: dict[str, Any]) -> None:
        self._security = list(security)
        self._p: dict[str, dict[str, str]] = {"header": {"Accept": "x"}, "path": {}, "query": {}}


def test_a_request_that_asks_for_this_login_gets_the_token() -> None:
    """And is given back, edited."""
    security, request = _login(), Request({"evesso": ["esi-a.v1"]})
    assert request is security(request)
    assert {"Accept": "x", "Authorization": f"Bearer {security.access_token}"} == request._p["header"]


def test_a_public_request_gets_none() -> None:
    """Not even the SSO is asked, although there is no token."""
    sso = ScriptedSso()
    security, request = _login(sso), Request()
    security.token_expiry = 0
    assert {"Accept": "x"} == security(request)._p["header"]
    request._security = None  # type: ignore[assignment]
    assert {"Accept": "x"} == security(request)._p["header"]
    assert [] == sso.asked


def test_a_request_for_another_login_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """By version 1's words and logger; the one that fits gets its token all the same."""
    security = _login(security_name="mine")
    with caplog.at_level(logging.WARNING, "esipy.security"):
        request = security(Request({"evesso": [], "other": []}, {"mine": []}))
    assert ["Missing Securities: [evesso, other]"] == caplog.messages
    assert "Authorization" in request._p["header"]


def test_a_token_that_is_over_is_refreshed_and_told() -> None:
    """Once, by the signal with the identifier, as version 1 did."""
    sso, fresh = ScriptedSso(), signed(name="New")
    sso.grant = lambda form: reply(200, tokens(fresh, refresh_token="r2"))
    with recorded() as (signal, told):
        security = _login(sso, signal_token_updated=signal, token_identifier=7)
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
    security = _login()
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
    security = _login()
    for url in (security.get_auth_uri(["esi-a.v1"], "mine"), security.get_auth_uri("mine", ["esi-a.v1"])):  # type: ignore[arg-type]
        assert ("mine", "esi-a.v1") == (query_of(url)["state"], query_of(url)["scope"])
    assert security.state is None


def test_the_implicit_flow_is_gone() -> None:
    """The error says what takes its place."""
    with pytest.raises(InvalidCallError, match="code_verifier"):
        _login().get_auth_uri("state", implicit=True)


def test_an_empty_redirect_uri_is_taken() -> None:
    """Programs that only ever refresh have none."""
    assert "" == query_of(_login().get_auth_uri("state"))["redirect_uri"]


# -- refreshing ------------------------------------------------------------------------------------------------


def test_T46_refresh_takes_a_list_of_scopes() -> None:
    """They go out separated by spaces, encoded once; an empty list asks for all that were allowed."""
    sso = ScriptedSso()
    security = _login(sso)
    security.refresh(["esi-a.v1", "esi-b.v1"])
    security.refresh([])
    assert ["esi-a.v1 esi-b.v1", None] == [form.get("scope") for form in sso.forms]
    raw = next(request.body for request in sso.requests if request.body)
    assert b"scope=esi-a.v1+esi-b.v1" in raw


@pytest.mark.parametrize("scopes", ["esi-a.v1", "a b", 5, True])
def test_T46_what_is_no_list_is_an_attribute_error(scopes: Any) -> None:
    """As in version 1, and nothing is sent."""
    sso = ScriptedSso()
    security = _login(sso)
    for ask in (security.refresh, security.get_refresh_token_params):
        with pytest.raises(AttributeError, match=r"scope_list must be a list of scope\."):
            ask(scopes)
    assert [] == sso.asked
