"""The arithmetic of one bucket: what leaves, what is counted, what comes back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.core.buckets import CALL_COST, UNTIL_LANDING, WORST_COST, Bucket, Mark
from esipy.core.counts import RELEASE_MARGIN_SECONDS

WINDOW = 900.0


class Sent:
    """A call under way: what the ledger keeps of it, and what ESI will have done with it."""

    def __init__(self, mark: Mark, cost: int | None) -> None:
        self.mark = mark
        self.cost = cost
        self.used = 0


class Esi:
    """One bucket as ESI counts it: a list of spends, each forgotten a window after it was counted."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.spends: list[tuple[float, int]] = []
        self.refused = 0

    def used(self, now: float) -> int:
        return sum(cost for moment, cost in self.spends if now < moment + WINDOW)

    def serve(self, now: float, cost: int) -> int | None:
        """Count a call; None: it was refused."""
        if self.used(now) + CALL_COST > self.limit:
            self.refused += 1
            return None
        self.spends.append((now, cost))
        return cost


_SENDS = [("send", cost) for cost in (0, 1, 2, 2, 5, 5)]
_SENDS_AGAIN = [("send again", cost) for cost in (0, 2, 5)]
_PROCESSES, _LANDS, _LOSSES = ([(step, which) for which in range(10)] for step in ("process", "land", "lose"))
_WAITS = [("wait", seconds) for seconds in (0.01, 0.3, 5.0, 60.0, 450.0, 899.0, 901.0)]
_KINDS: list[Sequence[tuple[str, float]]] = [
    _SENDS, _SENDS, _SENDS_AGAIN, _PROCESSES, _PROCESSES, _LANDS, _LOSSES, _WAITS, [("wait as told", 0)],
]  # fmt: skip


def _course(seed: int) -> list[tuple[str, float]]:
    """A long one, as chance has it: full buckets, many calls under way and the exact moment in a row are rare in lists
    that are made to be simple."""
    choose = Random(seed).choice
    return [choose(choose(_KINDS)) for _ in range(100)]


STEPS = st.lists(st.sampled_from(_KINDS).flatmap(st.sampled_from), max_size=120) | st.builds(
    _course, st.integers(0, 2**32 - 1)
)


@settings(max_examples=400, deadline=None)
@given(limit=st.sampled_from([4, 15, 30, 150]), steps=STEPS, share=st.sampled_from([0.0, 0.02, 0.1]))
def test_any_order_of_sends_answers_losses_and_times_never_sends_over_the_limit(
    limit: int, steps: list[tuple[str, float]], share: float
) -> None:
    """Whatever calls turn out to cost, in whatever order ESI gets them and answers come: none is refused."""
    now, bucket, esi = 1000.0, Bucket(limit, WINDOW), Esi(limit)
    upstream: deque[Sent] = deque()
    answered: list[Sent] = []
    wait_seconds = 0.0
    for step, value in steps:
        if step in ("send", "send again"):  # an operation that was answered 4xx lately
            reserved = CALL_COST if step == "send" else WORST_COST
            wait_seconds = bucket.reserve(now, reserved, share)
            if wait_seconds == 0:
                upstream.append(Sent(bucket.mark(reserved), int(value)))
        elif step == "process" and upstream:
            sent = upstream[int(value) % len(upstream)]
            upstream.remove(sent)
            sent.cost = esi.serve(now, sent.cost or 0)
            assert sent.cost is not None, "refused"
            sent.used = esi.used(now)
            answered.append(sent)
        elif step == "land" and answered:
            sent = answered.pop(int(value) % len(answered))
            bucket.settle(now, sent.mark, sent.cost or 0, used=sent.used)
        elif step == "lose" and (upstream or answered):
            sent = answered.pop(int(value) % len(answered)) if answered else upstream.popleft()
            bucket.settle(now, sent.mark, WORST_COST, answered=False)
        elif step == "wait":
            now += value
        elif step == "wait as told" and 0 < wait_seconds < UNTIL_LANDING:
            now += wait_seconds
    assert esi.used(now) <= limit + WORST_COST - CALL_COST
    assert bucket.flying == len(upstream) + len(answered)
    bucket.age(now + 2 * WINDOW + 10)
    assert (0, 0) == (bucket.own, bucket.foreign)


@given(limit=st.integers(2, 400), latency=st.floats(0.01, 2.0))
def test_any_bucket_is_used_to_the_last_whole_call(limit: int, latency: float) -> None:
    """With demand enough and nothing kept back, a window takes as many calls as it can."""
    now, bucket, sent = 1000.0, Bucket(limit, WINDOW), 0
    flying: list[Mark] = []
    while now < 1000.0 + WINDOW:
        if bucket.reserve(now, CALL_COST) == 0:
            flying.append(bucket.mark(CALL_COST))
            sent += 1
        elif flying:
            now += latency / 10
            bucket.settle(now, flying.pop(0), CALL_COST)
        else:
            break
    assert limit // CALL_COST == sent


def test_a_spend_comes_back_a_window_and_a_margin_after_it_was_booked() -> None:
    """Not before; and the wait that is told is the exact moment (T24)."""
    bucket = Bucket(2, WINDOW)
    assert 0.0 == bucket.reserve(1000.0, 2)
    bucket.settle(1000.4, bucket.mark(2), 2)
    wait_seconds = bucket.reserve(1100.0, 2)
    assert WINDOW + RELEASE_MARGIN_SECONDS <= 1100.0 + wait_seconds - 1000.4 <= WINDOW + RELEASE_MARGIN_SECONDS + 0.25
    assert 0 < bucket.reserve(1100.0 + wait_seconds - 0.01, 2)
    assert 0.0 == bucket.reserve(1100.0 + wait_seconds, 2)


def test_T23_an_old_header_that_comes_late_does_not_lower_what_others_spent() -> None:
    """The newer header says that others spent 20, or 22 if the older one is not in it; that one, from before, is not
    believed."""
    bucket = Bucket(150, WINDOW)
    marks = []
    for _ in range(2):
        bucket.reserve(1000.0, 2)
        marks.append(bucket.mark(2))
    older, newer = marks
    bucket.settle(1001.0, newer, 2, used=24)
    assert 22 == bucket.foreign
    bucket.settle(1002.0, older, 2, used=2)
    assert 20 == bucket.foreign
    bucket.reserve(1003.0, 2)
    bucket.settle(1003.0, bucket.mark(2), 2, used=6)
    assert 0 == bucket.foreign


def test_T22_what_is_under_way_is_not_also_taken_for_someone_elses() -> None:
    """Answers that cross: 12 used may mean that the call under way is in it. Its answer decides about the last call."""
    bucket = Bucket(15, WINDOW)
    bucket.reserve(1000.0, 2)
    bucket.settle(1000.0, bucket.mark(2), 2, used=2)
    for used in (4, 6, 8):
        bucket.reserve(1001.0, 2)
        bucket.settle(1001.0, bucket.mark(2), 2, used=used)
    marks = []
    for _ in range(2):
        assert 0.0 == bucket.reserve(1002.0, 2)
        marks.append(bucket.mark(2))
    earlier, later = marks
    bucket.settle(1003.0, later, 2, used=12)
    assert UNTIL_LANDING == bucket.reserve(1003.0, 2)
    assert 0.0 == bucket.wait_for(1003.0, 2)
    bucket.settle(1003.0, earlier, 2, used=10)
    assert 0.0 == bucket.reserve(1003.0, 2)


def test_what_a_header_proves_to_be_free_is_used_at_once() -> None:
    """After a refusal one call finds out; beside the next may leave what surely fits into what its header left."""
    bucket = Bucket(150, WINDOW)
    bucket.block(1000.0)
    assert 0.0 == bucket.reserve(1001.0, 2)
    first = bucket.mark(2)
    assert UNTIL_LANDING == bucket.reserve(1001.0, 2)
    bucket.settle(1001.1, first, 2, used=110)  # others spent: it is not trusted yet that nothing was missed
    left = 0
    while bucket.reserve(1001.2, 2) == 0.0:
        left += 1
    assert (150 - 110) // WORST_COST == left


def leaves_at(bucket: Bucket, now: float) -> float:
    """When the next call leaves."""
    while wait_seconds := bucket.reserve(now, 2):
        now += bucket.next_chance(now) if wait_seconds == UNTIL_LANDING else wait_seconds
    return now


def test_nobody_finds_out_in_the_midst_of_returns() -> None:
    """A header that came then could not tell what is others' of what came back: the bucket might seem full for a
    window. The one that finds out waits until the returns of one moment are over."""
    bucket = Bucket(15, WINDOW)
    for number in range(7):
        bucket.reserve(1000.0 + number * 0.2, 2)
        bucket.settle(1000.15 + number * 0.2, bucket.mark(2), 2, used=2 * number + 2)
    now = leaves_at(bucket, 1001.5)
    assert bucket.own + WORST_COST + CALL_COST <= 15
    bucket.settle(now + 0.1, bucket.mark(2), 5, used=15)  # as if others had taken all that came back
    assert leaves_at(bucket, now + 0.1) < now + 2


def test_a_call_that_may_cost_much_finds_out_what_others_have_spent_if_a_good_answer_fits_in_any_case() -> None:
    """What is only believed of others does not keep it back for a window when nothing is under way: it would not be
    refused, and its header tells. What is known keeps it back, and so does a call that is on its way."""
    bucket = Bucket(30, WINDOW)
    for lost in (False, True):
        bucket.reserve(1000.0, 2)
        bucket.settle(1000.1, bucket.mark(2), 5 if lost else 2, used=None if lost else 21, answered=not lost)
    assert (2, 24) == (bucket.own, bucket.foreign)
    assert 0.0 == bucket.wait_for(1001.0, 5, cost=5)
    assert 0.0 == bucket.reserve(1001.0, 5)
    assert 0.0 < bucket.reserve(1001.0, 5)
    assert UNTIL_LANDING == bucket.reserve(1001.0, 2)
    bucket.settle(1001.1, bucket.mark(5), 5, used=26)
    assert (7, 19) == (bucket.own, bucket.foreign)
    assert 0.0 < bucket.reserve(1002.0, 5) == bucket.wait_for(1002.0, 5, cost=5) < UNTIL_LANDING


def test_a_call_that_may_cost_much_finds_out_beside_one_that_is_overdue() -> None:
    """An answer that does not come keeps nobody back for a minute who would not be refused in any case; but who is to
    find out has the time that answers take, and is one at a time."""
    bucket = Bucket(1000, WINDOW)  # of which 900 may be spent
    for spent, used in ((2, 890), (5, None)):  # 888 of others' are certain, and 5 may not be there
        bucket.reserve(1000.0, 2, 0.1)
        bucket.settle(1000.1, bucket.mark(2), spent, used=used, answered=used is not None)
    assert 0.0 == bucket.reserve(1001.0, 2, 0.1)  # and is not answered
    assert (2, 893, 2) == (bucket.own, bucket.foreign, bucket.reserved)
    assert UNTIL_LANDING == bucket.reserve(1001.0, 5, 0.1)
    overdue = 1001.0 + bucket.next_chance(1001.0)
    assert 1001.1 < overdue < 1002.0
    assert 0.0 == bucket.reserve(overdue, 5, 0.1)
    assert 0.0 < bucket.reserve(overdue, 5, 0.1)


def test_what_others_spent_ages_out_within_a_window() -> None:
    """Nothing more is heard: a window later the bucket is believed to be empty."""
    bucket = Bucket(150, WINDOW)
    bucket.reserve(1000.0, 2)
    bucket.settle(1000.0, bucket.mark(2), 2, used=100)
    assert 98 == bucket.foreign
    bucket.age(1000.0 + WINDOW)
    assert 98 == bucket.foreign
    bucket.age(1002.0 + WINDOW)
    assert 0 == bucket.foreign


def test_a_surprise_is_not_taken_for_someone_elses() -> None:
    """A 4xx under way is in the header of an answer that comes first: when it lands, others have spent nothing."""
    bucket = Bucket(150, WINDOW)
    marks = []
    for _ in range(2):
        bucket.reserve(1000.0, 2)
        marks.append(bucket.mark(2))
    bucket.settle(1001.0, marks[1], 2, used=7)
    bucket.settle(1001.5, marks[0], 5, used=5)
    assert (7, 0) == (bucket.own, bucket.foreign)


def test_after_a_refusal_one_call_finds_out() -> None:
    """When the wait is over a single call leaves, and others when it has been answered."""
    bucket = Bucket(150, WINDOW)
    bucket.block(1060.0)
    bucket.block(1010.0)
    assert 55.0 == bucket.reserve(1005.0, 2)
    assert 0.0 == bucket.reserve(1060.0, 2)
    assert UNTIL_LANDING == bucket.reserve(1060.0, 2)
    bucket.settle(1060.1, bucket.mark(2), 2, used=2)
    assert 0.0 == bucket.reserve(1060.1, 2)


@pytest.mark.parametrize(("limit", "room"), [(15, 15), (30, 30), (99, 99), (100, 98), (150, 148), (12000, 11760)])
def test_the_headroom_is_in_whole_calls_so_small_buckets_lose_none(limit: int, room: int) -> None:
    """Two per cent of less than a hundred tokens is less than a call."""
    assert room == Bucket(limit, WINDOW).room(0.02)


@pytest.mark.parametrize(
    ("tokens", "windows"), [(1, 0), (14, 0), (16, 1), (30, 1), (31, 2)], ids=["one", "fits", "next", "two", "three"]
)
def test_a_job_larger_than_the_bucket_takes_as_many_windows(tokens: int, windows: int) -> None:
    """What the wait will be for the last of it is told before anything is sent."""
    assert windows * WINDOW == Bucket(15, WINDOW).wait_for(1000.0, tokens)


def test_a_call_that_is_larger_than_its_bucket_leaves_when_it_is_empty() -> None:
    """A limit that shrank below one call does not stop the program for ever."""
    bucket = Bucket(1, WINDOW)
    assert 0.0 == bucket.reserve(1000.0, 5)
    bucket.settle(1000.0, bucket.mark(5), 2)
    assert WINDOW < 1.0 + bucket.reserve(1001.0, 5) < 2 * WINDOW


def test_its_state_is_plain_data_and_makes_the_same_bucket() -> None:
    """For stores: what was packed goes on as if nothing had happened."""
    bucket = Bucket(30, WINDOW)
    for moment in (1000.0, 1001.0, 1900.0):
        bucket.reserve(moment, 2)
        bucket.settle(moment + 0.1, bucket.mark(2), 2, used=9)
    other = Bucket.of(bucket.state())
    assert bucket.state() == other.state()
    assert [bucket.reserve(1901.0, 2) for _ in range(20)] == [other.reserve(1901.0, 2) for _ in range(20)]


def test_an_idle_bucket_is_small() -> None:
    """No more than 400 bytes with its name, once its window has passed."""
    import tracemalloc

    buckets: dict[str, Bucket] = {}
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(2000):
            bucket = buckets[f"char-notification application-id:{2112000000 + number}"] = Bucket(15, WINDOW)
            bucket.reserve(1000.0 + number, 2)
            bucket.settle(1000.0 + number, bucket.mark(2), 2, used=2)
            bucket.age(2000.0 + number)
        each = (tracemalloc.get_traced_memory()[0] - before) / 2000
    finally:
        tracemalloc.stop()
    assert each <= 400


def test_what_is_evened_out_goes_on_when_less_than_half_is_used_again() -> None:
    """Four calls were made at once, one later: when the four are back nothing holds the next one up."""
    bucket = Bucket(15, WINDOW)
    for moment in (1000.0, 1000.0, 1000.0, 1000.0, 1880.0):
        assert 0.0 == bucket.reserve(moment, 2, 0.02)
        bucket.settle(moment, bucket.mark(2), 2, used=bucket.own + 2)
    wait_seconds = bucket.reserve(1881.0, 2, 0.02, spread=True)
    assert 1900.0 < 1881.0 + wait_seconds < 1901.0
