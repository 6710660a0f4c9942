"""The SSO's keys and the tokens they sign (T41)."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from hmac import digest
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import SSOUnavailableError, TokenInvalidError
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox
from esipy.security import EsiSecurity
from esipy.sso.keys import GivenKeys, Keys
from esipy.sso.metadata import PAUSE_SECONDS
from esipy.sso.wire import Asker
from esipy.transport.scripted import ScriptedTransport
from tests.sso.sso_kit import AGENT, JWKS, KEY, METADATA, OTHER_KEY, Colour, ScriptedSso, reply, signed

ASKER = Asker((("User-Agent", AGENT),), 60, 10)
URL = "https://login.eveonline.com" + JWKS


class _Clocked(BlockingRuntime):
    """A runtime whose time is set by the test."""

    def __init__(self, sso: ScriptedSso) -> None:
        super().__init__(ScriptedTransport(sso))
        self.time = time.time()
        self.now = lambda: self.time


def _verify(keys: Keys, runtime: Runtime, token: str) -> dict[str, Any]:
    return run(keys.verify(runtime, ASKER, URL, token))


def _set(*keys: Any, **changes: Any) -> dict[str, Any]:
    return {"keys": [{**key.as_dict(private=False), **changes} for key in keys]}


def _part(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def test_T41_an_unknown_key_refetches_once_and_then_pauses() -> None:
    """After a rotation the first token with the new key fetches the keys; odd tokens fetch once a minute."""
    sso = ScriptedSso()
    runtime, keys = _Clocked(sso), Keys()
    assert "One" == _verify(keys, runtime, signed())["name"]
    sso.keys = _set(OTHER_KEY)
    runtime.time += PAUSE_SECONDS
    assert "One" == _verify(keys, runtime, signed(OTHER_KEY))["name"]
    assert 2 == len(sso.asked)
    for _ in range(10):
        with pytest.raises(TokenInvalidError):
            _verify(keys, runtime, signed(header={"kid": "nobody's"}))
    assert 2 == len(sso.asked)
    runtime.time += PAUSE_SECONDS
    with pytest.raises(TokenInvalidError):
        _verify(keys, runtime, signed(header={"kid": "nobody's"}))
    assert 3 == len(sso.asked)


def test_T41_a_key_replaced_under_its_old_name_is_found() -> None:
    """The SSO has used one constant name for its key: then a signature that does not fit refetches."""
    sso = ScriptedSso()
    sso.keys = _set(KEY, kid="JWT-Signature-Key")
    runtime, keys = _Clocked(sso), Keys()
    name = {"kid": "JWT-Signature-Key"}
    _verify(keys, runtime, signed(header=name))
    sso.keys = _set(OTHER_KEY, kid="JWT-Signature-Key")
    runtime.time += PAUSE_SECONDS
    assert "One" == _verify(keys, runtime, signed(OTHER_KEY, header=name))["name"]
    assert "One" == _verify(keys, runtime, signed(header=name))["name"]


def test_T41_the_algorithm_is_ours_to_name() -> None:
    """Unsigned, signed with the public key as a shared secret, or by a better algorithm: all refused."""
    sso = ScriptedSso()
    runtime, keys = _Clocked(sso), Keys()
    _, payload, signature = signed().split(".")
    header = _part(b'{"alg":"none","typ":"JWT"}')
    forged = [f"{header}.{payload}.", f"{header}.{payload}.{signature}"]
    header = _part(json.dumps({"alg": "HS256", "kid": KEY.kid}).encode())
    for secret in (KEY.as_pem(private=False), json.dumps(KEY.as_dict(private=False)).encode()):
        signature = _part(digest(secret, f"{header}.{payload}".encode(), sha256))
        forged += [f"{header}.{payload}.{signature}"]
    willing = RSAKey.import_key({name: value for name, value in KEY.as_dict(private=True).items() if name != "alg"})
    for algorithm in ("RS512", "PS256"):
        claims = {"name": "One"}
        forged += [jwt.encode({"alg": algorithm, "kid": KEY.kid}, claims, willing, algorithms=[algorithm])]
    for token in forged:
        with pytest.raises(TokenInvalidError):
            _verify(keys, runtime, token)


def test_T41_at_a_real_sso(sandbox: RunningSandbox, colour: Colour) -> None:
    """Forged algorithms, both audiences, three issuers, leeway, and a rotation, over HTTP."""
    security = colour.security(sandbox)

    def accepts(**odd: Any) -> bool:
        security.update_token({"access_token": sandbox.mint(**odd), "expires_in": 1199})
        try:
            colour(security.verify())
        except TokenInvalidError:
            return False
        return True

    client = sandbox.client_id
    assert accepts()
    assert not accepts(algorithm="none")
    assert not accepts(algorithm="HS256")
    assert not accepts(claims={"aud": [client]})
    assert not accepts(claims={"aud": ["EVE Online"]})
    assert not accepts(claims={"aud": "EVE Online"})
    assert not accepts(claims={"iss": "login.eveonline.com.example"})
    for issuer in ("login.eveonline.com", "https://login.eveonline.com", "https://login.eveonline.com/"):
        assert accepts(claims={"iss": issuer})
    assert accepts(lifetime_seconds=-20)
    assert not accepts(lifetime_seconds=-40)
    assert not accepts(kid="unknown")


def test_many_who_need_the_keys_at_once_fetch_them_once() -> None:
    """Threads meet in one flight; nobody has to be told that a key is unknown while it is being fetched."""
    sso = ScriptedSso()
    waiting, go_on = threading.Event(), threading.Event()
    joined = threading.Semaphore(0)

    def slow(request: HttpRequest) -> HttpResponse:
        waiting.set()
        assert go_on.wait(10)
        return sso(request)

    class Telling(BlockingRuntime):
        async def join(self, flight: Any, seconds: float | None = None) -> Any:
            joined.release()
            return await super().join(flight, seconds)

    runtime, keys, token = Telling(ScriptedTransport(slow)), Keys(), signed()
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(_verify, keys, runtime, token)
        assert waiting.wait(10)
        others = [pool.submit(_verify, keys, runtime, token) for _ in range(4)]
        assert all(joined.acquire(timeout=10) for _ in others)
        go_on.set()
        assert {"One"} == {flight.result(10)["name"] for flight in (first, *others)}
    assert 1 == len(sso.asked)


@pytest.mark.parametrize(
    "served",
    [
        reply(503),
        reply(200, b"<html>"),
        {"keys": []},
        {"keys": "none"},
        {},
        {"keys": [5, {"kty": "RSA"}, {"kty": "EC"}, {"kty": "RSA", "n": 1, "e": 2}]},
        _set(KEY, use="enc"),
        _set(KEY, alg="RS512"),
    ],
    ids=[
        "503",
        "no JSON",
        "no keys",
        "keys that are no list",
        "an empty object",
        "keys that are none",
        "a key to encrypt with",
        "a key of another algorithm",
    ],
)
def test_without_keys_nothing_is_believed(served: Any) -> None:
    """Keys that cannot be had, or not be used for our algorithm: try later. Then they are asked for again at once."""
    sso = ScriptedSso()
    sso.keys = served
    runtime, keys = _Clocked(sso), Keys()
    for _ in range(2):
        with pytest.raises(SSOUnavailableError):
            _verify(keys, runtime, signed())
    assert 2 == len(sso.asked)
    sso.keys = _set(KEY)
    assert "One" == _verify(keys, runtime, signed())["name"]


def test_keys_that_are_old_are_fetched_again_and_serve_until_then() -> None:
    """After their lifetime the keys are renewed; while they cannot be, the ones there are will do."""
    sso = ScriptedSso()
    sso.keys = reply(200, _set(KEY), Cache_Control="max-age=300")
    runtime, keys = _Clocked(sso), Keys()
    for seconds, fetches in ((0, 1), (299, 1), (1, 2)):
        runtime.time += seconds
        _verify(keys, runtime, signed())
        assert fetches == len(sso.asked)
    sso.keys = reply(503)
    runtime.time += 301
    for _ in range(3):
        assert "One" == _verify(keys, runtime, signed())["name"]
    assert 3 == len(sso.asked)


def test_an_unknown_key_while_the_keys_cannot_be_had_is_not_the_tokens_fault() -> None:
    """It may be good: try later."""
    sso = ScriptedSso()
    runtime, keys = _Clocked(sso), Keys()
    _verify(keys, runtime, signed())
    sso.keys = reply(503)
    runtime.time += PAUSE_SECONDS
    with pytest.raises(SSOUnavailableError):
        _verify(keys, runtime, signed(OTHER_KEY))


@pytest.mark.parametrize("given", [_set(KEY), KEY.as_dict(private=False), {**KEY.as_dict(private=False), "kid": None}])
def test_given_keys_are_used_and_not_asked_for(given: dict[str, Any]) -> None:
    """Version 1's ``jwks_key``: a set, or one key, with a name or without."""
    sso = ScriptedSso()
    given = {name: value for name, value in given.items() if value is not None}
    security = EsiSecurity(
        "", "app", "s", jwks_key=given, headers={"User-Agent": AGENT}, transport=ScriptedTransport(sso)
    )
    security.update_token({"access_token": signed(), "expires_in": 1199})
    assert "One" == security.verify()["name"]
    assert [METADATA] == sso.asked


def test_keys_survive_a_pickle() -> None:
    """What a program gave stays; what was fetched is fetched again."""
    sso = ScriptedSso()
    runtime = _Clocked(sso)
    given = pickle.loads(pickle.dumps(GivenKeys(_set(KEY))))
    assert "One" == (given.payload(signed(), None) or {})["name"]
    assert [] == sso.asked
    assert "One" == _verify(pickle.loads(pickle.dumps(Keys())), runtime, signed())["name"]


def test_a_token_with_all_scopes_fits(sandbox: RunningSandbox) -> None:
    """A character who allowed everything has a token of several thousand bytes."""
    security = EsiSecurity(
        sandbox.redirect_uri,
        sandbox.client_id,
        sandbox.secret_key,
        headers={"User-Agent": AGENT},
        sso_url=sandbox.sso_url,
    )
    security.update_token(sandbox.login())
    assert sandbox.sandbox.scopes == set(security.verify()["scp"])


def test_verifying_does_not_stop_a_loop_for_long(sandbox: RunningSandbox) -> None:
    """The blocking and the asyncio verification are one text; the loop's own runs without threads."""
    colour = Colour("asyncio")
    security = colour.security(sandbox)
    security.update_token(sandbox.login())

    async def both() -> tuple[Any, Any]:
        return await asyncio.gather(security.verify(), security.verify())

    first, second = colour(both())
    colour.close()
    assert first == second
    assert 1 == len(sandbox.received(JWKS))
