"""The laws of the sliding window, against a count that looks at every spend there ever was."""

from __future__ import annotations

from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.operation import RateGroup
from esipy.sandbox.esi_window import GOOD_COST, Bucket, cost_of

START = 1_790_000_000
GROUP = RateGroup("group", 15, 900)

Step = tuple[int, int, bool]
steps = st.lists(st.tuples(st.integers(0, 500), st.sampled_from([0, 1, 2, 5]), st.booleans()), max_size=40)
"""Pauses in seconds, costs, and whether somebody else spends."""


def spent(steps: list[Step], slot_seconds: float = 0.0) -> tuple[Bucket, list[tuple[int, float, int]], int]:
    """A bucket after these steps; for each spend its moment, when it comes back, its cost; and the time it is."""
    bucket, now, ledger = Bucket("group who", GROUP, slot_seconds), START, list[tuple[int, float, int]]()
    for pause, cost, foreign in steps:
        now += pause
        bucket.turn(now)
        if foreign:
            bucket.spend_foreign(now, cost)
        else:
            bucket.spend(now, cost)
        counted = (floor(now / slot_seconds) + 1) * slot_seconds if slot_seconds else now
        ledger.append((now, counted + GROUP.window_seconds, cost))
    return bucket, ledger, now


def in_window(ledger: list[tuple[int, float, int]], now: float) -> int:
    """What is used at a moment: all that was spent by then and has not come back."""
    return sum(cost for moment, returns, cost in ledger if moment <= now < returns)


@settings(deadline=None)
@given(steps, st.sampled_from([0.0, 7.0, 60.0]), st.integers(0, 2000))
def test_what_is_used_is_what_was_spent_and_has_not_come_back(steps: list[Step], slot: float, later: int) -> None:
    """Whatever is spent, by whom, when and in which slots; now and at any later moment."""
    bucket, ledger, now = spent(steps, slot)
    bucket.turn(now)
    assert in_window(ledger, now) == bucket.used
    bucket.turn(now + later)
    assert in_window(ledger, now + later) == bucket.used


@settings(deadline=None)
@given(steps, st.sampled_from([0.0, 60.0]))
def test_the_record_holds_the_most_and_who_spent_it(steps: list[Step], slot: float) -> None:
    """The most in any window is reached when something is spent; own and foreign are told apart."""
    bucket, ledger, _ = spent(steps, slot)
    assert max([0, *(in_window(ledger, moment) for moment, _, _ in ledger)]) == bucket.most_used
    assert sum(cost for _, cost, foreign in steps if not foreign) == bucket.own
    assert sum(cost for _, cost, foreign in steps if foreign) == bucket.foreign


@settings(deadline=None)
@given(steps, st.sampled_from([0.0, 60.0]))
def test_retry_after_is_the_first_whole_second_with_room(steps: list[Step], slot: float) -> None:
    """A second before there is no room; when it is over there is."""
    bucket, ledger, now = spent(steps, slot)
    bucket.turn(now)
    if bucket.has_room():
        assert in_window(ledger, now) + GOOD_COST <= GROUP.max_tokens
        return
    wait = bucket.retry_after(now)
    assert in_window(ledger, now + wait) + GOOD_COST <= GROUP.max_tokens
    assert 1 == wait or in_window(ledger, now + wait - 1) + GOOD_COST > GROUP.max_tokens


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from([200, 304, 503])), max_size=60))
def test_calls_one_by_one_never_overspend(calls: list[tuple[int, int]]) -> None:
    """Who is let in only when there is room, and is answered before the next comes, stays within the limit."""
    bucket, now = Bucket("group who", GROUP), float(START)
    for pause, status in calls:
        now += pause
        bucket.turn(now)
        if bucket.has_room():
            bucket.spend(now, cost_of(status))
    assert bucket.most_used <= GROUP.max_tokens


def test_T24_a_spend_comes_back_exactly_one_window_after_it_was_counted() -> None:
    """Not a hundredth of a second before, and not after; each on its own."""
    bucket, moment = Bucket("group who", GROUP), START + 0.123456
    bucket.spend(moment, 2)
    bucket.spend(moment + 0.001, 5)
    used = []
    for later in (899.999, 900.0, 900.0005, 900.001):
        bucket.turn(moment + later)
        used.append(bucket.used)
    assert [7, 5, 5, 0] == used


def test_slots_make_spends_late_never_early() -> None:
    """Counted in slots of ten seconds, a spend comes back between nothing and ten seconds late."""
    bucket = Bucket("group who", GROUP, 10.0)
    bucket.spend(START + 3, 2)
    bucket.turn(START + 909.9)
    assert 2 == bucket.used
    bucket.turn(START + 910)
    assert 0 == bucket.used


@pytest.mark.parametrize(
    ("status", "cost"), [(200, 2), (204, 2), (304, 1), (400, 5), (404, 5), (420, 5), (429, 0), (500, 0), (520, 0)]
)
def test_what_an_answer_costs(status: int, cost: int) -> None:
    """By its class; a 429 costs nothing."""
    assert cost == cost_of(status)


def test_memory_is_bounded_where_nothing_is_enforced() -> None:
    """A million calls a second are kept by hundredths of a second, and still counted."""
    bucket = Bucket("group who", RateGroup("group", 15, 900))
    for call in range(30_000):
        bucket.spend(START + call / 1_000_000, 2)
    assert 60_000 == bucket.used
    assert len(bucket._spends) <= 20_002
    bucket.turn(START + 901)
    assert 0 == bucket.used


def test_the_record_can_begin_anew_without_the_window() -> None:
    """What is in the window stays, and is the most from then on."""
    bucket = Bucket("group who", GROUP)
    bucket.spend(START, 5)
    bucket.spend(START + 600, 2)
    bucket.turn(START + 900)
    bucket.refusals = 3
    bucket.forget()
    assert (2, 2, 0, 0) == (bucket.used, bucket.most_used, bucket.own, bucket.refusals)
