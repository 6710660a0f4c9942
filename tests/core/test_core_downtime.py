"""When ESI is taken to be down: what time and dates do to it, and a game that was or was not started since."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.downtime import Downtime, News, game_started_at, last_start, spread_over
from tests.core.downtime_kit import DAY, ELEVEN, NOON, begun, known


@given(st.floats(0, 4e9))
def test_the_last_start_is_eleven_oclock(moment: float) -> None:
    """It is 11:00:00 UTC, at most a day before."""
    start = last_start(moment)
    assert 0 == (start - 39600) % DAY
    assert 0 <= moment - start < DAY


def test_before_eleven_it_is_quiet() -> None:
    """Nothing is to be done before eleven, but to read a date once a minute."""
    downtime = known()
    assert ELEVEN - 1800 + 60 == downtime.quiet_until
    downtime.dated(None, ELEVEN - 10, 0.5)
    assert ELEVEN == downtime.quiet_until
    assert not downtime.is_on


def test_at_eleven_it_begins_and_is_told_once() -> None:
    """The first question comes after a minute or two."""
    downtime = known()
    downtime.look(ELEVEN, 0.25)
    downtime.look(ELEVEN + 1, 0.75)
    assert downtime.is_on
    assert [News(ended=False, at=ELEVEN)] == downtime.news
    assert ELEVEN + 75 == downtime.ask_at


@pytest.mark.parametrize("offset", [-3600.0, 3600.0, -40.0])
def test_T06_eleven_is_by_the_servers_clock(offset: float) -> None:
    """Whatever the local clock says."""
    downtime = known(offset)
    downtime.look(ELEVEN - offset - 1, 0.5)
    assert not downtime.is_on
    downtime.look(ELEVEN - offset, 0.5)
    assert downtime.is_on


def test_T06_the_newest_date_counts() -> None:
    """A cache on the way gives an old ``Date``: it does not set the clock back."""
    downtime = known()
    downtime.dated(formatdate(ELEVEN - 1000, usegmt=True), ELEVEN - 300, 0.5)
    downtime.look(ELEVEN, 0.5)
    assert downtime.is_on


def test_T06_a_date_is_read_once_a_minute() -> None:
    """Also when it is missing, or unreadable."""
    downtime = Downtime()
    assert downtime.wants_date(ELEVEN - 600)
    for date in (None, "yesterday"):
        downtime.dated(date, ELEVEN - 600, 0.5)
        assert not downtime.wants_date(ELEVEN - 541)
        assert downtime.wants_date(ELEVEN - 540)


def test_T06_a_clock_that_is_set_back_a_little_does_not_begin_it_twice() -> None:
    """Dates have whole seconds, and older ones are forgotten: eleven may come twice."""
    downtime = begun()
    for second in range(1, 6):
        downtime.dated(formatdate(ELEVEN - 20, usegmt=True), ELEVEN + second, 0.5)
    assert downtime.is_on
    downtime.look(ELEVEN + 60, 0.5)
    assert [] == downtime.news


def test_T06_a_clock_that_was_an_hour_ahead_ends_it_without_a_word() -> None:
    """Who has heard nothing yet takes eleven for eleven; the first answer says better, and eleven comes later."""
    downtime = Downtime()
    downtime.look(ELEVEN + 30, 0.5)
    assert (True, ELEVEN + 30, []) == (downtime.is_on, downtime.ask_at, downtime.news)
    downtime.dated(formatdate(ELEVEN - 3570, usegmt=True), ELEVEN + 30, 0.5)
    assert (False, []) == (downtime.is_on, downtime.news)
    downtime.look(ELEVEN + 3600, 0.5)
    assert (True, [News(ended=False, at=ELEVEN + 3600)]) == (downtime.is_on, downtime.news)


def test_a_game_that_was_not_started_since_eleven_has_yet_to_go_down() -> None:
    """Until ten past eleven: then there was no downtime today."""
    downtime = begun()
    downtime.told(200, ELEVEN - DAY + 300, ELEVEN + 599, 0.5)
    assert downtime.is_on
    downtime.told(200, ELEVEN - DAY + 300, ELEVEN + 600, 0.5)
    assert not downtime.is_on


def test_a_game_that_was_started_since_eleven_is_up() -> None:
    """However early."""
    downtime = begun()
    downtime.told(200, ELEVEN + 40.0, ELEVEN + 80, 0.5)
    assert not downtime.is_on


def test_every_day_has_its_downtime() -> None:
    """Told anew, and with three new chances to begin again."""
    downtime = begun()
    downtime.look(NOON, 0.5)
    downtime.news.clear()
    downtime.look(ELEVEN + DAY, 0.5)
    assert [News(ended=False, at=ELEVEN + DAY)] == downtime.news


def test_the_next_look_is_when_more_may_be_known() -> None:
    """The next question, or a moment later while one is under way; the end of the hour at the latest."""
    downtime = begun()
    asked_at = downtime.ask_at
    assert asked_at == downtime.next_look(ELEVEN)
    downtime.claim(asked_at, 90)
    assert asked_at + 6 == downtime.next_look(asked_at + 1)
    downtime.told(503, None, NOON - 1, 0.5)
    assert NOON == downtime.next_look(NOON - 1)


@given(st.integers(0, 10**9))
def test_the_spread_grows_with_those_who_wait(waiting: int) -> None:
    """From ten seconds to a minute, so that a thousand calls are seventeen a second."""
    assert 10 <= spread_over(waiting) <= spread_over(waiting + 1) <= 60


@pytest.mark.parametrize(
    ("body", "moment"),
    [
        (b'{"players": 1, "start_time": "2026-08-04T11:05:00Z", "new": []}', ELEVEN + 300),
        (b'{"start_time": "2026-08-04T11:05:00"}', None),
        (b'{"start_time": 5}', None),
        (b"{}", None),
        (b"[]", None),
        (b"<html>", None),
        (b'{"start_time": "\xff"}', None),
        (b"", None),
    ],
)
def test_the_start_of_the_game_is_read_from_any_body(body: bytes, moment: float | None) -> None:
    """None where it does not say."""
    assert moment == game_started_at(body)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["look", "told", "answered", "claim", "unasked", "dated"]),
            st.floats(0, 500),
            st.sampled_from([0, 200, 404, 500, 503]),
            st.sampled_from([-3600.0, -5.0, 0.0, 5.0, 3600.0]),
        ),
        max_size=60,
    )
)
def test_news_take_turns_and_outside_of_the_hour_nothing_is_down(
    steps: list[tuple[str, float, int, float]],
) -> None:
    """Whatever happens in whatever order: it is told to end only after it was told to begin, and ends by noon."""
    downtime, now = Downtime(), ELEVEN - 1000
    for step, seconds, status, wrong in steps:
        now += seconds
        downtime.look(now, 0.5)
        if step == "told":
            downtime.told(status, None, now, 0.5)
        elif step == "answered":
            downtime.answered(status, now, now, 0.5)
        elif step == "claim":
            downtime.claim(now, 90)
        elif step == "unasked":
            downtime.unasked()
        elif step == "dated":
            downtime.dated(formatdate(now + wrong, usegmt=True), now, 0.5)
        if downtime.is_on:
            assert now < downtime.gives_up_at
    assert not downtime.news or not downtime.news[0].ended
    assert all(
        not (one.ended is two.ended is False) for one, two in zip(downtime.news, downtime.news[1:], strict=False)
    )
    assert all(news.down_seconds >= 0 for news in downtime.news)
