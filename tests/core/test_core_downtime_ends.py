"""What questions, answers and failures do to a downtime: it ends, begins again, and ends for good."""

from __future__ import annotations

import pytest

from esipy.core.downtime import News
from tests.core.downtime_kit import DAY, ELEVEN, NOON, begun, known


def test_who_comes_late_asks_at_once_and_tells_when_it_fails() -> None:
    """A program that is started at twenty past eleven knows nothing; mostly ESI is up."""
    downtime = known()
    downtime.look(ELEVEN + 1200, 0.5)
    assert (True, []) == (downtime.is_on, downtime.news)
    assert downtime.claim(ELEVEN + 1200, 90)
    downtime.told(503, None, ELEVEN + 1201, 0.5)
    assert [News(ended=False, at=ELEVEN + 1201)] == downtime.news


def test_who_comes_late_and_finds_it_up_tells_nothing_and_waits_no_longer() -> None:
    """There is no storm of those who were not there at the beginning."""
    downtime = known(waiting=100)
    downtime.look(ELEVEN + 1200, 0.5)
    downtime.told(200, ELEVEN + 300, ELEVEN + 1201, 0.5)
    assert (False, [], 0.0) == (downtime.is_on, downtime.news, downtime.spread_seconds)


def test_one_asks_at_a_time() -> None:
    """A claim holds for a while; then another may ask, should the first stand still."""
    downtime = begun()
    assert not downtime.claim(downtime.ask_at - 1, 90)
    asked_at = downtime.ask_at
    assert downtime.claim(asked_at, 90)
    assert not downtime.claim(asked_at + 89, 90)
    assert downtime.claim(asked_at + 90, 90)


def test_a_question_that_is_given_up_may_be_asked_again_at_once() -> None:
    """Whoever asked was cancelled; without a question there is nothing to give up."""
    downtime = begun()
    asked_at = downtime.ask_at
    downtime.unasked()
    assert asked_at == downtime.ask_at
    assert downtime.claim(asked_at, 90)
    downtime.unasked()
    assert downtime.claim(asked_at, 90)


@pytest.mark.parametrize("status", [0, 500, 502, 503, 504, 520])
def test_a_question_that_fails_is_asked_again_after_half_a_minute(status: int) -> None:
    """Less or more by a quarter."""
    for random, seconds in ((0.0, 22.5), (0.5, 30.0), (1.0, 37.5)):
        downtime = begun()
        downtime.told(status, None, ELEVEN + 100, random)
        assert (True, ELEVEN + 100 + seconds) == (downtime.is_on, downtime.ask_at)


@pytest.mark.parametrize("status", [200, 304, 404, 429])
def test_an_answer_ends_it(status: int) -> None:
    """Whoever refuses a question is there."""
    downtime = begun(waiting=100)
    downtime.told(status, None, ELEVEN + 700, 0.5)
    assert (False, 20.0) == (downtime.is_on, downtime.spread_seconds)
    assert [News(ended=True, at=ELEVEN + 700, down_seconds=700)] == downtime.news


def test_a_late_answer_to_a_question_says_nothing_new() -> None:
    """It has ended meanwhile; a failure from before does not begin it again."""
    downtime = begun()
    downtime.told(200, None, ELEVEN + 700, 0.5)
    downtime.news.clear()
    downtime.told(503, None, ELEVEN + 701, 0.5)
    assert (False, []) == (downtime.is_on, downtime.news)


def test_calls_that_are_answered_end_it_if_nobody_asks() -> None:
    """A question that is overdue by five seconds is asked by nobody."""
    downtime = begun()
    downtime.answered(200, ELEVEN, downtime.ask_at + 4, 0.5)
    downtime.answered(500, ELEVEN, downtime.ask_at + 6, 0.5)
    assert downtime.is_on
    downtime.answered(404, ELEVEN, downtime.ask_at + 6, 0.5)
    assert not downtime.is_on


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_failure_begins_it_again(status: int) -> None:
    """It is not told to have begun again, but to have ended, with all the time since the first."""
    downtime = begun()
    downtime.told(200, None, ELEVEN + 700, 0.5)
    downtime.answered(status, ELEVEN + 701, ELEVEN + 702, 0.5)
    assert (True, ELEVEN + 732) == (downtime.is_on, downtime.ask_at)
    downtime.told(200, None, ELEVEN + 740, 0.5)
    assert [700.0, 740.0] == [news.down_seconds for news in downtime.news if news.ended]
    assert [] == [news for news in downtime.news if not news.ended]


def test_a_failure_of_a_call_from_before_the_end_does_not_begin_it_again() -> None:
    """It was sent while ESI was down."""
    downtime = begun()
    downtime.told(200, None, ELEVEN + 700, 0.5)
    downtime.answered(503, ELEVEN + 699, ELEVEN + 702, 0.5)
    assert not downtime.is_on


def test_a_route_that_stays_broken_is_no_downtime() -> None:
    """It begins again three times at the most."""
    downtime = begun()
    for minute in range(12, 30):
        downtime.told(200, None, ELEVEN + 60 * minute, 0.5)
        downtime.answered(502, ELEVEN + 60 * minute, ELEVEN + 60 * minute + 1, 0.5)
    assert (False, 4) == (downtime.is_on, sum(news.ended for news in downtime.news))


@pytest.mark.parametrize("moment", [ELEVEN - 60, NOON, NOON + 3600])
def test_outside_of_the_hour_a_failure_is_a_failure(moment: float) -> None:
    """It begins nothing."""
    downtime = known()
    downtime.look(moment, 0.5)
    downtime.answered(503, moment, moment + 1, 0.5)
    assert not downtime.is_on


def test_a_failure_tells_of_what_nobody_knew() -> None:
    """Who came late, and was not told: the first failure is news."""
    downtime = known()
    downtime.look(ELEVEN + 1200, 0.5)
    downtime.answered(503, ELEVEN + 1200, ELEVEN + 1201, 0.5)
    assert [News(ended=False, at=ELEVEN + 1201)] == downtime.news


def test_after_an_hour_nobody_waits() -> None:
    """It is told to have ended, and is quiet until the next day."""
    downtime = begun()
    assert NOON == downtime.gives_up_at
    downtime.look(NOON, 0.5)
    assert (False, [News(ended=True, at=NOON, down_seconds=3600)]) == (downtime.is_on, downtime.news)
    downtime.dated(None, NOON, 0.5)
    downtime.dated(None, ELEVEN + DAY - 30, 0.5)
    assert ELEVEN + DAY == downtime.quiet_until
