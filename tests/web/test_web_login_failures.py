"""Logins that come to nothing: each is one clear error, which holds nothing secret; nothing is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from esipy.exceptions import LoginFailedError, SSOUnavailableError, TokenInvalidError, TokenStoreError
from esipy.tokens import MemoryTokens
from tests.urls import query_of
from tests.web.web_colour import KEY, TOKEN, WALLET, Colour, exchanged


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
