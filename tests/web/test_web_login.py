"""`WebLogin` and `AsyncWebLogin`, without a framework: the session is a dict, the browser is played at the sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.exceptions import (
    LoginFailedError,
    SettingError,
    SSOUnavailableError,
    TokenInvalidError,
    TokenStoreError,
)
from esipy.login import AsyncWebLogin, Claims, WebLogin
from esipy.sandbox import RunningSandbox, serve
from esipy.tokens import MemoryTokens
from esipy.utils import generate_code_challenge
from tests.web.web_kit import ME

WALLET = "esi-wallet.read_character_wallet.v1"
SKILLS = "esi-skills.read_skills.v1"
KEY = "esipy_logins"
TOKEN = "/v2/oauth/token"


@pytest.fixture
def eve() -> Iterator[RunningSandbox]:
    """A sandbox."""
    with serve() as running:
        yield running


class Colour:
    """A client and its `WebLogin` in one of the two colours; ``run`` gives what either returns."""

    def __init__(self, name: str, eve: RunningSandbox) -> None:
        self.name = name
        self.eve = eve
        self._runner = asyncio.Runner()
        self._clients: list[Any] = []

    def login(self, scopes: Any = (WALLET,), **given: Any) -> Any:
        """A `WebLogin` over a client of its own, with the sandbox's first application unless others are given."""
        settings = {"base_url": self.eve.url, "sso_url": self.eve.url, "headers": ME, "cache": None}
        application = {"client_id": self.eve.client_id, "secret_key": self.eve.secret_key, "tokens": MemoryTokens()}
        blocking = self.name == "blocking"
        client: Any = (EsiClient if blocking else AsyncEsiClient)(**settings | application | given)
        self._clients.append(client)
        return (WebLogin if blocking else AsyncWebLogin)(client, self.eve.redirect_uri, scopes)

    def run(self, result: Any) -> Any:
        """The result, awaited where that is needed."""
        return self._runner.run(result) if asyncio.iscoroutine(result) else result

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients:
            self.run(client.close())
        self._runner.close()


@pytest.fixture(params=["blocking", "asyncio"])
def colour(request: pytest.FixtureRequest, eve: RunningSandbox) -> Iterator[Colour]:
    """`WebLogin`, then `AsyncWebLogin`."""
    colour = Colour(request.param, eve)
    yield colour
    colour.close()


def query_of(url: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def exchanged(eve: RunningSandbox) -> list[dict[str, str]]:
    """The forms that codes were sent in."""
    forms = [dict(entry.form) for entry in eve.received(TOKEN, "POST")]
    return [form for form in forms if form["grant_type"] == "authorization_code"]


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


def failed(colour: Colour, login: Any, session: Any, query: Any) -> LoginFailedError:
    """The error of a login that comes to nothing; it holds none of what is secret in the callback."""
    with pytest.raises(LoginFailedError) as caught:
        colour.run(login.finish(session, query))
    error: BaseException | None = caught.value
    hidden = [value for name, value in query_of(query).items() if name in ("code", "state") and len(value) > 9]
    while error is not None:
        for text in (str(error), repr(error), repr(vars(error))):
            assert [] == [secret for secret in hidden if secret in text]
        error = error.__cause__
    return caught.value


def test_a_callback_in_another_session_is_refused(colour: Colour) -> None:
    """Whether that one has begun a login or not; the SSO is not shown the code, and the right session still works."""
    login, mine, other = colour.login(), {}, {}
    callback = colour.eve.approve(login.start(mine))
    assert "state" == failed(colour, login, other, callback).reason
    login.start(other)
    assert "state" == failed(colour, login, other, callback).reason
    assert ([], 1) == (exchanged(colour.eve), len(other[KEY]))
    assert colour.run(login.finish(mine, callback)).character_id


def test_a_login_is_over_after_ten_minutes(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock of the client; nothing is sent then."""
    login, session = colour.login(), {}
    runtime = login.client._engine.runtime
    began = runtime.now()
    monkeypatch.setattr(runtime, "now", lambda: began)
    callbacks = [colour.eve.approve(login.start(session)) for _ in range(2)]
    monkeypatch.setattr(runtime, "now", lambda: began + 590)
    assert colour.run(login.finish(session, callbacks[0])).character_id
    monkeypatch.setattr(runtime, "now", lambda: began + 601)
    error = failed(colour, login, session, callbacks[1])
    assert ("state", "took longer than 10 minutes") == (error.reason, str(error)[11:38])
    assert (1, {}) == (len(exchanged(colour.eve)), session)


def test_a_callback_is_used_once(colour: Colour) -> None:
    """The session forgets it; where an old copy of the session comes back, the SSO does not take the code again."""
    login, session = colour.login(), {}
    callback = colour.eve.approve(login.start(session))
    copy = json.loads(json.dumps(session))
    colour.run(login.finish(session, callback))
    assert "state" == failed(colour, login, session, callback).reason
    error = failed(colour, login, copy, callback)
    assert ("refused", "the SSO does not take the code") == (error.reason, str(error)[:30])
    assert {} == copy


@pytest.mark.parametrize(
    ("said", "reason", "text"),
    [
        ("error=access_denied", "denied", "the login was denied: nothing was allowed; begin anew to log in"),
        ("error=access_denied&code=c", "denied", "the login was denied"),
        ("error=invalid_scope&error_description=no+such+scope", "refused", r"\(invalid_scope: no such scope\)"),
        ("error=server_error&error_description=%3Cb%3E%0Abold", "refused", r"\(server_error: \?b\?\?bold\)"),
        ("", "callback", "the callback holds no code"),
        ("code=", "callback", "the callback holds no code"),
        ("code=%0a", "callback", "the callback holds no code"),
        ("code=a&code=b", "callback", "says code twice"),
    ],
)
def test_a_callback_without_a_code_says_why(colour: Colour, said: str, reason: str, text: str) -> None:
    """Denied, refused, or empty: each is one clear error, and nothing is sent."""
    login, session = colour.login(), {}
    state = query_of(login.start(session))["state"]
    with pytest.raises(LoginFailedError, match=text) as caught:
        colour.run(login.finish(session, f"state={state}&{said}"))
    assert (reason, []) == (caught.value.reason, exchanged(colour.eve))


def test_what_the_sso_cannot_do_now_is_told_apart(colour: Colour) -> None:
    """It is not the user's fault: try later, or mend the application's secret. A new login works afterwards."""
    login, session = colour.login(), {}
    callback = colour.eve.approve(login.start(session))
    colour.eve.fail(TOKEN, status=503)
    with pytest.raises(SSOUnavailableError):
        colour.run(login.finish(session, callback))
    wrong = colour.login(secret_key="wrong")
    with pytest.raises(SSOUnavailableError, match="check client_id and secret_key"):
        colour.run(wrong.finish(session, colour.eve.approve(wrong.start(session))))
    assert colour.run(login.finish(session, colour.eve.approve(login.start(session)))).character_id


def test_a_token_that_cannot_be_right_is_refused(colour: Colour) -> None:
    """Nobody is logged in by it, and nothing is kept."""
    login, session = colour.login(), {}
    callback = colour.eve.approve(login.start(session))
    forged = colour.eve.mint(scopes=[WALLET], algorithm="HS256")
    body = json.dumps({"access_token": forged, "expires_in": 1199, "token_type": "Bearer", "refresh_token": "r"})
    colour.eve.fail(TOKEN, status=200, body=body)
    with pytest.raises(TokenInvalidError):
        colour.run(login.finish(session, callback))
    assert [] == colour.run(login.client.characters())


def test_a_store_that_takes_nothing_is_told(colour: Colour) -> None:
    """Before the code is spent: the same error as everywhere."""

    class Full(MemoryTokens):
        def save(self, *_: Any) -> bool:
            raise TokenStoreError("the disk is full")

        def lease(self, *_: Any) -> bool:
            raise TokenStoreError("the disk is full")

    login, session = colour.login(tokens=Full()), {}
    callback = colour.eve.approve(login.start(session))
    with pytest.raises(TokenStoreError, match="the disk is full"):
        colour.run(login.finish(session, callback))
    assert [] == exchanged(colour.eve)


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
