"""Downtime: when the game is down, what is answered then, and what /status says afterwards."""

from __future__ import annotations

import pytest

from esipy.sandbox.esi_downtime import Downtime
from tests.sandbox.sandbox_esi_caller import START, Caller, data, header

DAY = 86_400
ELEVEN = START // DAY * DAY + 11 * 3600
"""11:00 UTC of the day on which the caller's clock stands: three hours before it."""


def test_the_daily_one_begins_at_eleven() -> None:
    """From 11:00:00 UTC for so many seconds, each day; not at all unless asked for."""
    downtime = Downtime(600)
    moments = [ELEVEN - 0.1, ELEVEN, ELEVEN + 599.9, ELEVEN + 600, ELEVEN + DAY + 10, ELEVEN + DAY + 700]
    assert [False, True, True, False, True, False] == [downtime.is_on(moment) for moment in moments]
    assert not Downtime().is_on(ELEVEN)


def test_one_can_be_begun_and_ended() -> None:
    """For so many seconds from now; 0 ends it."""
    downtime = Downtime()
    assert START + 30 == downtime.begin(START, 30)
    assert [True, False] == [downtime.is_on(START + 29), downtime.is_on(START + 30)]
    downtime.begin(START, 30)
    downtime.begin(START + 5, 0)
    assert not downtime.is_on(START + 5)
    assert START + 5 == downtime.started(START + 6)


def test_when_the_game_was_started_again() -> None:
    """At the end of the last downtime of either kind; None when there was none."""
    assert None is Downtime().started(START)
    downtime = Downtime(600)
    assert ELEVEN + 600 == downtime.started(START)
    assert ELEVEN + 600 == downtime.started(ELEVEN + DAY + 599)
    downtime.begin(START, 60)
    assert ELEVEN + 600 == downtime.started(START + 59)
    assert START + 60 == downtime.started(START + 60)
    assert ELEVEN + DAY + 600 == downtime.started(ELEVEN + DAY + 600)


@pytest.mark.parametrize("seconds", [-1, DAY, float("nan")])
def test_what_cannot_be_meant_is_refused(seconds: float) -> None:
    """A day has 86,400 seconds, and time goes forward."""
    with pytest.raises(ValueError, match="daily downtime takes"):
        Downtime(seconds)
    if not seconds > 0:
        with pytest.raises(ValueError, match="takes some seconds"):
            Downtime().begin(START, seconds)


def test_every_route_is_down_and_nothing_is_counted() -> None:
    """502, 503 and 504, HTML and JSON, with no header of a limit; wrong calls too, and they cost nothing."""
    caller = Caller()
    caller.api.downtime.begin(START, 60)
    answers = [caller.mine(path) for path in ("/status", "/characters/{me}/notifications", "/nothing") * 4]
    assert {502, 503, 504} == {answer.status for answer in answers}
    assert {"text/html", "application/json; charset=utf-8"} == {header(answer, "Content-Type") for answer in answers}
    assert [] == [name for answer in answers for name, _ in answer.headers if "Limit" in name]
    assert 12 == caller.api.downtime.answers
    caller.clock.advance(60)
    assert "2" == header(caller.mine("/characters/{me}/notifications"), "X-Ratelimit-Used")
    assert "100" == header(caller.mine("/characters/{me}/orders"), "X-ESI-Error-Limit-Remain")


def test_status_says_when_the_game_was_started() -> None:
    """Before any downtime an ordinary morning; after one its end, at once, though the last answer is still fresh."""
    caller = Caller()
    before = caller.send("/status")
    assert "2026-09-21T11:05:00Z" == data(before)["start_time"]
    caller.api.downtime.begin(START, 5)
    caller.clock.advance(5)
    after = caller.send("/status", headers={"if-none-match": header(before, "ETag") or ""})
    assert (200, "2026-09-21T14:13:25Z") == (after.status, data(after)["start_time"])
