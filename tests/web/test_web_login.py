"""`WebLogin` and `AsyncWebLogin`, without a framework: the session is a dict, the browser is played at the sandbox."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import pytest

from esipy import EsiClient, ops
from esipy.exceptions import SettingError
from esipy.login import AsyncWebLogin, Claims, WebLogin
from esipy.sandbox import RunningSandbox
from esipy.tokens import MemoryTokens
from esipy.utils import generate_code_challenge
from tests.urls import query_of
from tests.web.web_colour import KEY, SKILLS, WALLET, Colour, exchanged
from tests.web.web_kit import ME


def test_a_login_begins_at_the_sso(colour: Colour) -> None:
    """The address says who asks for what; its state is long, new each time, and kept in the session as JSON."""
    login, session = colour.login([WALLET, SKILLS]), {"mine": 1}
    asked = query_of(login.start(session))
    state = asked.pop("state")
    assert {
        "response_type": "code",
        "client_id": colour.eve.client_id,
        "redirect_uri": colour.eve.redirect_uri,
        "scope": f"{WALLET} {SKILLS}",
    } == asked
    assert len(state) >= 43
    assert [state] == [entry[0] for entry in json.loads(json.dumps(session))[KEY]]
    assert state != query_of(login.start(session))["state"]
    assert 1 == session["mine"]
    assert [] == colour.eve.received()


def test_a_login_may_ask_for_other_scopes(colour: Colour) -> None:
    """As a list or as one text; none asks only who the user is."""
    login = colour.login(WALLET)
    assert WALLET == query_of(login.start({}))["scope"]
    assert f"{SKILLS} {WALLET}" == query_of(login.start({}, f"{SKILLS} {WALLET}"))["scope"]
    assert "scope" not in query_of(login.start({}, []))


def test_a_login_ends_with_claims_and_kept_tokens(colour: Colour) -> None:
    """Who it is, verified; nothing stays in the session, and the client can call as the character."""
    login, session = colour.login(), {"mine": 1}
    callback = colour.eve.approve(login.start(session))
    claims = colour.run(login.finish(session, callback))
    character = colour.eve.sandbox.roster.get(colour.eve.sandbox.roster.ids[0])
    assert isinstance(claims, Claims)
    assert (character.character_id, character.name, character.owner, {WALLET}) == (
        claims.character_id, claims.name, claims.owner, claims.scopes,
    )  # fmt: skip
    assert {"mine": 1} == session
    call = ops.wallet.get_characters_character_id_wallet(character_id=claims.character_id)
    assert colour.run(login.client.as_character(claims.character_id).fetch(call)) > 0
    form = exchanged(colour.eve)[0]
    assert "code_verifier" not in form
    assert colour.eve.redirect_uri == form.get("redirect_uri", colour.eve.redirect_uri)


def test_without_a_secret_it_is_pkce(colour: Colour) -> None:
    """Each login has a verifier of its own, which the address does not show; the SSO is shown the one that fits."""
    login, session = colour.login(client_id="sandbox-demo-pkce", secret_key=None), {}
    urls = [login.start(session) for _ in range(2)]
    verifiers = [entry[2] for entry in session[KEY]]
    assert 2 == len(set(verifiers))
    for url, verifier in zip(urls, verifiers, strict=True):
        asked = query_of(url)
        assert ("S256", generate_code_challenge(verifier)) == (asked["code_challenge_method"], asked["code_challenge"])
        assert verifier not in url
    for url in urls:
        assert colour.run(login.finish(session, colour.eve.approve(url))).character_id
    assert 2 == len([form for form in exchanged(colour.eve) if "code_verifier" in form])


def test_logins_of_several_tabs_all_work(colour: Colour) -> None:
    """In whichever order they come back."""
    login, session = colour.login(), {}
    ids = colour.eve.sandbox.roster.ids[:3]
    callbacks = [colour.eve.approve(login.start(session), character_id) for character_id in ids]
    for number in (1, 0, 2):
        assert ids[number] == colour.run(login.finish(session, query_of(callbacks[number]))).character_id
    assert {} == session


class Djangos:
    """A session as Django has it: it is no `MutableMapping`."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return self._values.get(key, default)

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]


def test_any_session_will_do(colour: Colour) -> None:
    """What can get, set and delete."""
    login, session = colour.login(), Djangos()
    assert colour.run(login.finish(session, colour.eve.approve(login.start(session)))).character_id
    assert {} == session._values


@pytest.mark.parametrize("session", [None, "session", 1, MappingProxyType({})], ids=str)
def test_what_is_no_session_is_told_before_anything(colour: Colour, session: Any) -> None:
    """At the start and at the end: it is a mistake of the program."""
    login = colour.login()
    with pytest.raises(TypeError, match="session: has to be"):
        login.start(session)
    with pytest.raises(TypeError, match="session: has to be"):
        colour.run(login.finish(session, "state=s&code=c"))


@pytest.mark.parametrize("address", ["", "/callback", "example.com/callback", "https://", "https://e.com/c#top"])
def test_an_address_that_cannot_be_registered_is_a_setting_error(address: str, eve: RunningSandbox) -> None:
    """It is told when the object is made."""
    with EsiClient(base_url=eve.url, headers=ME) as client, pytest.raises(SettingError, match="redirect_uri="):
        WebLogin(client, address)


def test_without_an_application_a_login_cannot_begin(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the setting; the session stays as it was."""
    monkeypatch.delenv("ESI_CLIENT_ID", raising=False)
    login, session = colour.login(client_id=None, secret_key=None), {}
    with pytest.raises((SettingError, LookupError, ValueError), match="client_id"):
        login.start(session)
    assert {} == session


def test_many_users_at_once_are_never_mixed(eve: RunningSandbox) -> None:
    """Sixteen threads over one object: each session gets the character that logged in at its own callback."""
    with EsiClient(
        client_id=eve.client_id, secret_key=eve.secret_key, tokens=MemoryTokens(), base_url=eve.url, sso_url=eve.url,
        headers=ME,
    ) as client:  # fmt: skip
        login = WebLogin(client, eve.redirect_uri, [WALLET])

        def user(number: int) -> tuple[int, int]:
            character_id, session = eve.sandbox.roster.ids[number % 10], {}
            return character_id, login.finish(session, eve.approve(login.start(session), character_id)).character_id

        with ThreadPoolExecutor(16) as threads:
            for expected, actual in threads.map(user, range(32)):
                assert expected == actual


def test_its_repr_shows_no_secret(colour: Colour) -> None:
    """Only where browsers come back to."""
    login = colour.login()
    assert f"<{type(login).__name__} to {colour.eve.redirect_uri}>" == repr(login)


def test_a_client_of_the_other_colour_is_refused() -> None:
    """When it is made, not when the first user comes back."""
    anything: Any = None
    with EsiClient(headers=ME) as client:
        for kind, given, said in (
            (AsyncWebLogin, client, "client=EsiClient: AsyncWebLogin takes an AsyncEsiClient"),
            (WebLogin, anything, "client=NoneType: WebLogin takes an EsiClient"),
        ):
            with pytest.raises(SettingError, match=said):
                kind(given, "https://example.com/callback")
