"""The simulated day in short: five characters, an hour and a half. ``python -m benchmarks politeness`` plays it all."""

from __future__ import annotations

import pytest

from benchmarks.politeness.day import Day, play


@pytest.fixture(scope="module")
def day() -> Day:
    return play(5, 1.5, seed=4)


def test_every_group_is_called_and_everything_happens(day: Day) -> None:
    """All 42 groups, others who spend, lost answers, 4xx, and limiters inside the game server: the zeros are earned."""
    assert (42, 5) == (day.groups, day.characters)
    assert {15, 30, 150, 300, 600, 900, 1200, 1800, 3600, 12000} == {size.limit for size in day.sizes}
    assert min(day.foreign, day.lost, day.client_errors, day.waited, sum(day.injected.values())) > 50


def test_no_420_though_a_client_asks_for_what_is_gone(day: Day) -> None:
    """Hundreds of 404s without a group never exceed the error limit."""
    assert 0 == day.error_limited


def test_T27_a_limiter_that_is_known_is_never_met(day: Day) -> None:
    """Only the one that nobody knows of refuses, without a header."""
    assert ["get_universe_types_type_id"] == list(day.injected)


def test_no_429_that_nothing_excuses(day: Day) -> None:
    """But for others' spends that no header had told of, one for each, ESI refuses nothing."""
    assert [] == day.guilty


def test_nearly_all_tokens_are_used_while_calls_wait(day: Day) -> None:
    """95 % of the whole calls that the hungry buckets allow together, and 90 % of each size."""
    assert day.used >= 0.95
    assert min(size.used for size in day.sizes) >= 0.9


def test_no_call_is_much_later_than_in_the_ideal_schedule(day: Day) -> None:
    """Of thousands that waited, none by more than 2 s."""
    assert [] == [late for late in day.late if late.seconds > 2.0]


def test_calls_fail_by_lost_answers_alone(day: Day) -> None:
    """What waits for a limit in the end succeeds."""
    assert {"BrokenAnswerError", "AnswerTimeoutError"} >= set(day.failed)
