"""The SSO's keys change (T41): which are fetched when, which stay, and who shares them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from esipy import AsyncEsiClient, AsyncEsiSecurity, EsiClient, EsiSecurity
from esipy.core.claims import LEEWAY_SECONDS
from esipy.exceptions import SSOUnavailableError, TokenInvalidError
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox
from esipy.sso.keys import MOST_OLD, TOKEN_SECONDS, Keys
from esipy.sso.metadata import PAUSE_SECONDS
from esipy.sso.wire import Asker
from esipy.transport.curl import CurlTransport
from esipy.transport.scripted import ScriptedTransport
from tests.sso.sso_kit import AGENT, JWKS, KEY, METADATA, OTHER_KEY, Colour, ScriptedSso, reply, signed

ASKER = Asker((("User-Agent", AGENT),), 60, 10)
URL = "https://login.eveonline.com" + JWKS
THIRD_KEY = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"})
THIRD_KEY.ensure_kid()


class _Scene:
    """An SSO whose keys change, and keys that were fetched there, in a time that the test sets."""

    def __init__(self) -> None:
        self.sso = ScriptedSso()
        self.keys = Keys()
        self.runtime = BlockingRuntime(ScriptedTransport(self.sso))
        self.time = time.time()
        self.runtime.now = lambda: self.time

    def serve(self, *keys: RSAKey, seconds_later: float = PAUSE_SECONDS) -> None:
        self.time += seconds_later
        self.sso.keys = {"keys": [key.as_dict(private=False) for key in keys]}

    def verify(self, token: str) -> dict[str, Any]:
        return run(self.keys.verify(self.runtime, ASKER, URL, token))

    @property
    def fetches(self) -> int:
        return len(self.sso.asked)


# -- which stay ------------------------------------------------------------------------------------------------


def test_T41_old_keys_stay_through_two_rotations() -> None:
    """Tokens of all three keys are good, although one key is served."""
    scene = _Scene()
    tokens = [signed(key) for key in (KEY, OTHER_KEY, THIRD_KEY)]
    for key, token in zip((KEY, OTHER_KEY, THIRD_KEY), tokens, strict=True):
        scene.serve(key)
        scene.verify(token)
    assert 3 == scene.fetches
    assert ["One"] * 3 == [scene.verify(token)["name"] for token in tokens]
    assert ([THIRD_KEY.kid], 3) == ([key["kid"] for key in scene.keys.shown()], scene.fetches)


@pytest.mark.parametrize("life", [1200, TOKEN_SECONDS, 4 * TOKEN_SECONDS])
def test_T41_an_old_key_goes_when_its_tokens_are_over(life: float) -> None:
    """An hour after it was found gone, or later where tokens live longer: then nobody may have signed with it."""
    scene = _Scene()
    made_at = int(scene.time)
    token = signed(iat=made_at, exp=made_at + int(life))
    scene.verify(token)
    scene.serve(OTHER_KEY)
    scene.verify(signed(OTHER_KEY))
    scene.time += max(life, TOKEN_SECONDS) + LEEWAY_SECONDS - 1
    assert "One" == scene.verify(token)["name"]
    scene.time += 1
    with pytest.raises(TokenInvalidError, match="not of any key of the SSO"):
        scene.verify(token)


def test_T41_a_key_that_comes_back_is_served_again() -> None:
    """Two servers that do not agree for a while: nothing is lost, and nothing is kept twice."""
    scene = _Scene()
    for _ in range(3):
        for key in (KEY, OTHER_KEY):
            scene.serve(key, seconds_later=86400)
            scene.verify(signed(key))
    assert [OTHER_KEY.kid] == [key["kid"] for key in scene.keys.shown()]
    scene.serve(KEY, OTHER_KEY, seconds_later=86400)
    assert ["One"] * 2 == [scene.verify(signed(key))["name"] for key in (KEY, OTHER_KEY)]
    assert {KEY.kid, OTHER_KEY.kid} == {key["kid"] for key in scene.keys.shown()}
    assert 2 == len(scene.keys._known)


def test_T41_an_sso_that_never_keeps_a_key_fills_no_memory() -> None:
    """Another key each minute: the last ones are kept."""
    scene = _Scene()
    facts = KEY.as_dict(private=False)
    for number in range(MOST_OLD + 30):
        scene.time += PAUSE_SECONDS
        scene.sso.keys = {"keys": [{**facts, "kid": f"key {number}"}]}
        scene.verify(signed(header={"kid": f"key {number}"}))
    assert 1 + MOST_OLD == len(scene.keys._known)
    assert "One" == scene.verify(signed(header={"kid": "key 48"}))["name"]


# -- when they are fetched -------------------------------------------------------------------------------------


def test_T41_a_rotation_right_after_the_keys_were_fetched_is_met() -> None:
    """The pause is between fetches for unknown keys: the first one is made at once, the second a minute later."""
    scene = _Scene()
    scene.verify(signed())
    scene.serve(OTHER_KEY, seconds_later=1)
    assert "One" == scene.verify(signed(OTHER_KEY))["name"]
    scene.serve(THIRD_KEY, seconds_later=1)
    for _ in range(2):
        with pytest.raises(TokenInvalidError):
            scene.verify(signed(THIRD_KEY))
    assert 2 == scene.fetches
    scene.time += PAUSE_SECONDS
    assert "One" == scene.verify(signed(THIRD_KEY))["name"]
    assert 3 == scene.fetches


def test_T41_keys_that_came_after_the_token_are_not_fetched_twice_for_it() -> None:
    """The first token that is verified is of nobody: one fetch tells."""
    scene = _Scene()
    with pytest.raises(TokenInvalidError):
        scene.verify(signed(OTHER_KEY))
    assert 1 == scene.fetches


def test_T41_while_the_keys_cannot_be_had_no_token_is_called_wrong() -> None:
    """They are asked for once a minute; until they come a token of an unknown key may be good."""
    scene = _Scene()
    scene.verify(signed())
    good, scene.sso.keys = scene.sso.keys, reply(503)
    for _ in range(3):
        with pytest.raises(SSOUnavailableError):
            scene.verify(signed(OTHER_KEY))
        assert "One" == scene.verify(signed())["name"]
    assert 2 == scene.fetches
    scene.sso.keys = good
    scene.time += PAUSE_SECONDS
    with pytest.raises(TokenInvalidError):
        scene.verify(signed(OTHER_KEY))
    assert 3 == scene.fetches


@pytest.mark.parametrize("hours", [-1, 1, 24 * 365])
def test_a_clock_that_was_set_between_two_clients_stops_no_fetch(hours: float) -> None:
    """Clients whose clocks differ share what was fetched: neither that nor the pause lasts longer for it."""
    scene = _Scene()
    scene.verify(signed())
    scene.serve(OTHER_KEY, seconds_later=1)
    scene.verify(signed(OTHER_KEY))
    scene.time += hours * 3600
    scene.serve(THIRD_KEY)
    assert "One" == scene.verify(signed(THIRD_KEY))["name"]


# -- at a real SSO ---------------------------------------------------------------------------------------------


def test_T41_an_unknown_key_is_looked_for_once(sandbox: RunningSandbox, colour: Colour) -> None:
    """Over HTTP: the keys, then the keys again for the first odd token, and no more for the next ones."""
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    assert colour(security.verify())["sub"]
    for number in range(3):
        security.update_token({"access_token": sandbox.mint(kid=f"unknown {number}"), "expires_in": 1199})
        with pytest.raises(TokenInvalidError, match="not of any key of the SSO"):
            colour(security.verify())
    assert 2 == len(sandbox.received(JWKS))


def test_T41_two_rotations_between_refreshes(
    sandbox: RunningSandbox, colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key changes twice, at once and without grace: each refresh fetches it; all three tokens stay good."""
    security = colour.security(sandbox)
    runtime = security._over()
    began, minutes = runtime.now, [0]
    # All blocking logins of the process share this runtime: it gets its clock back.
    monkeypatch.setattr(runtime, "now", lambda: began() + 60 * minutes[0])
    security.update_token(sandbox.login())
    tokens: list[str] = []
    for _ in range(3):
        colour(security.refresh())
        tokens.append(security.access_token)
        sandbox.rotate_keys(grace_seconds=0)
        minutes[0] += 1
    assert 3 == len(sandbox.received(JWKS))
    for token in tokens:
        security.access_token = token
        assert colour(security.verify())["sub"]
    assert 3 == len(sandbox.received(JWKS))


@pytest.mark.parametrize("how", ["metadata", "given endpoints"])
@pytest.mark.parametrize("hours", [1, -1])
def test_T41_a_clock_that_is_an_hour_off_is_no_matter(
    sandbox: RunningSandbox, colour: Colour, hours: float, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the ``Date`` of whatever the SSO answered first: a token put in by hand, too, and one that is over is over."""
    if hours > 0:
        sandbox.advance(hours * 3600)
    url = sandbox.sso_url
    given = {
        "issuer": "https://login.eveonline.com",
        "authorization_endpoint": url,
        "token_endpoint": url,
        "revocation_endpoint": url,
        "jwks_uri": url + JWKS,
    }
    security = colour.security(sandbox, **({} if how == "metadata" else {"sso_endpoints": given}))
    runtime = security._over()
    if hours < 0:
        now = runtime.now
        monkeypatch.setattr(runtime, "now", lambda: now() - hours * 3600)
    security.update_token({"access_token": sandbox.mint(), "expires_in": 1199})
    assert colour(security.verify())["sub"]
    security.update_token({"access_token": sandbox.mint(lifetime_seconds=-40), "expires_in": 1199})
    with pytest.raises(TokenInvalidError, match="expired"):
        colour(security.verify())


# -- who shares them -------------------------------------------------------------------------------------------


def _login(sandbox: RunningSandbox, kind: Any = EsiSecurity, **keywords: Any) -> Any:
    names = (sandbox.redirect_uri, sandbox.client_id, sandbox.secret_key)
    security = kind(*names, headers={"User-Agent": AGENT}, sso_url=sandbox.sso_url, **keywords)
    security.update_token({"access_token": sandbox.mint(), "expires_in": 1199})
    return security


def test_all_of_a_process_fetch_keys_and_metadata_once(sandbox: RunningSandbox) -> None:
    """Five hundred logins, clients of both colours, and stored logins, at one SSO."""
    for _ in range(500):
        assert _login(sandbox).verify()["sub"]
    app: dict[str, Any] = {
        "base_url": sandbox.url,
        "sso_url": sandbox.sso_url,
        "client_id": sandbox.client_id,
        "secret_key": sandbox.secret_key,
        "tokens": "memory",
        "headers": {"User-Agent": AGENT},
    }
    for _ in range(3):
        with EsiClient(**app) as client:
            assert client.add_character(sandbox.login()["refresh_token"]).name

    async def without_threads() -> None:
        for _ in range(3):
            async with _login(sandbox, AsyncEsiSecurity) as security:
                assert (await security.verify())["sub"]
            async with AsyncEsiClient(**app) as client:
                assert (await client.add_character(sandbox.login()["refresh_token"])).name

    colour = Colour("asyncio")
    colour(without_threads())
    colour.close()
    assert (1, 1) == (len(sandbox.received(JWKS)), len(sandbox.received(METADATA)))


def test_logins_with_keys_of_their_own_share_those_of_the_sso(sandbox: RunningSandbox) -> None:
    """Version 1's ``jwks_key``, kept in a file since before the SSO changed its key: one fetch for all."""
    for given in ({"keys": [KEY.as_dict(private=False)]}, KEY.as_dict(private=False)):
        security = _login(sandbox, jwks_key=given)
        assert security.verify()["sub"]
        assert str(KEY.kid) in str(security.jwks_key or security.jwks_key_set)
    assert 1 == len(sandbox.received(JWKS))


def test_a_transport_of_ones_own_is_believed_by_nobody_else(sandbox: RunningSandbox, tmp_path: Any) -> None:
    """What a script says, or who trusts other certificates, hears from an SSO is not what others believe of it."""
    assert _login(sandbox).verify()["sub"]
    (tmp_path / "ca.pem").write_text("")
    for transport in (CurlTransport(ca_file=str(tmp_path / "ca.pem")), CurlTransport()):
        assert _login(sandbox, transport=transport).verify()["sub"]
        transport.close()
    assert 2 == len(sandbox.received(JWKS))
    lying = ScriptedSso()
    security = _login(sandbox, transport=ScriptedTransport(lying))
    with pytest.raises(TokenInvalidError):
        security.verify()
    assert {METADATA, JWKS} == set(lying.asked)
    assert _login(sandbox).verify()["sub"]
    assert 2 == len(sandbox.received(JWKS))
