"""Calls that need a token get one, others none; no token is ever told."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from esipy.engine.pipeline import MOST_REFUSED
from esipy.exceptions import BrokenAnswerError, UnauthorizedError
from tests.engine.kit import COLOURS, STATUS, WALLET, Bench, Login, Script, answer

SECRET = "s3cret-token-value"


@pytest.mark.parametrize("colour", COLOURS)
def test_a_call_with_a_scope_carries_the_token_a_public_one_does_not(colour: str) -> None:
    """The header goes to operations that need it only (T45)."""
    script = Script(answer(1.5), answer())
    bench = Bench(colour, script, signer=Login(token=SECRET))
    bench.perform(WALLET)
    bench.perform(STATUS)
    assert [script.header(place, "Authorization") for place in (0, 1)] == [f"Bearer {SECRET}", None]


def test_a_401_refreshes_once_and_sends_again() -> None:
    """A token that ESI refuses before its time is replaced, and the call succeeds."""
    login = Login()
    login.tokens = ["old", "new"]
    script = Script(answer({"error": "expired"}, 401), answer(1.5))
    assert Bench("blocking", script, signer=login).perform(WALLET).data == 1.5
    assert login.asked == [None, "old"]
    assert script.header(1, "Authorization") == "Bearer new"


def test_a_401_that_a_refresh_does_not_help_is_answered() -> None:
    """The second 401 stands, and the next call does not refresh for the same token again."""
    login = Login()
    login.tokens = ["old", "new"]
    bench = Bench("blocking", Script(answer({"error": "no"}, 401)), signer=login)
    assert [bench.perform(WALLET).status for _ in range(2)] == [401, 401]
    assert login.asked == [None, "old", None]


def test_few_refused_tokens_are_remembered() -> None:
    """However many characters ESI refuses, and the same one however often."""
    engine = Bench("blocking", Script(), signer=Login()).engine
    for number in range(MOST_REFUSED + 10):
        engine.remember_refused(f"app:{number}", "token")
        engine.remember_refused("app:0", "token")
    assert not engine.refused_again("app:1", "token")
    assert engine.refused_again("app:0", "token")
    assert MOST_REFUSED == len(engine._refused)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 500, 502])
def test_T44_no_token_is_told(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the signal, a log line, a repr nor an error shows the token, even if the answer's body repeats it."""
    caplog.set_level(logging.DEBUG)
    told: list[dict[str, Any]] = []
    bench = Bench("simulated", Script(answer({"error": f"bad {SECRET}"}, status)), signer=Login(token=SECRET))
    bench.stats.add_receiver(lambda **event: told.append(event))
    response = bench.perform(WALLET)
    texts = [repr(told), repr(response), caplog.text, response.url, repr(bench.cache), repr(bench.engine)]
    try:
        response.raise_for_status()
    except Exception as error:
        texts += [str(error), repr(error), repr(getattr(error, "request_param", None))]
    assert told
    assert [text for text in texts if SECRET in text] == []


@pytest.mark.parametrize("status", [201, 302, 304, 403])
def test_T44_a_header_that_repeats_the_token_is_cleaned(status: int) -> None:
    """``Location`` and ``WWW-Authenticate`` may repeat it; neither answer, signal nor error does."""
    told: list[dict[str, Any]] = []
    script = Script(answer({"token": SECRET}, status, location=f"https://x/?t={SECRET}", www_authenticate=SECRET))
    bench = Bench("blocking", script, signer=Login(token=SECRET))
    bench.stats.add_receiver(lambda **event: told.append(event))
    response = bench.perform(WALLET)
    shown = [repr(told), repr(response.headers.pairs()), repr(response.raw)]
    try:
        response.raise_for_status()
    except Exception as error:
        shown.append(repr(vars(error)))
    assert [text for text in shown if SECRET in text] == []


def test_T44_a_network_error_shows_no_token(caplog: pytest.LogCaptureFixture) -> None:
    """The error and the signal of a broken connection hold no header."""
    told: list[dict[str, Any]] = []
    script = Script(BrokenAnswerError("http://x", "reset"))
    bench = Bench("simulated", script, signer=Login(token=SECRET))
    bench.stats.add_receiver(lambda **event: told.append(event))
    with pytest.raises(BrokenAnswerError) as raised:
        bench.perform(WALLET)
    shown = [str(raised.value), repr(raised.value), repr(told), caplog.text, repr(script.requests)]
    assert [text for text in shown if SECRET in text] == []


def test_an_unauthorized_answer_raises_its_class() -> None:
    """``raise_for_status`` picks the class by the status."""
    response = Bench("blocking", Script(answer({"error": "no"}, 401)), signer=Login()).perform(WALLET)
    with pytest.raises(UnauthorizedError):
        response.raise_for_status()
