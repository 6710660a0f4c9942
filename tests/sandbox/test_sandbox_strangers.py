"""Other programs that spend: how much, when, and that they are refused like everyone."""

from __future__ import annotations

from itertools import islice, pairwise, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.operation import RateGroup
from esipy.sandbox.esi_buckets import Buckets
from esipy.sandbox.esi_foreign import Manner, Strangers
from esipy.sandbox.esi_window import Bucket

START = 1_790_000_000.0
DAY = 86_400
GROUP = RateGroup("group", 600, 900)


def visits(share: float, manner: Manner = "even", seed: int = 1, name: str = "group a") -> list[tuple[float, int]]:
    """A day of visits to a bucket of 600 tokens."""
    found = Strangers(share, manner).visits(seed, name, 600, 900, START)
    return list(takewhile(lambda visit: visit[0] < START + DAY, found))


@pytest.mark.parametrize("manner", ["even", "bursts"])
def test_in_no_window_more_than_the_share_is_spent(manner: Manner) -> None:
    """20 % of 600 tokens are 60 calls: never more in 900 seconds, and exactly as many while somebody is there."""
    found = visits(0.2, manner)
    within = [sum(calls for moment, calls in found if at - 900 < moment <= at) for at, _ in found]
    assert 60 == max(within)


def test_they_come_and_go() -> None:
    """In some stretches of two windows nobody is there, in others all the time; which differs by bucket and seed."""
    found = visits(0.2)
    pauses = [later - before for (before, _), (later, _) in pairwise(found)]
    assert 30.0 == min(pauses)  # evenly: thirty visits in 900 seconds
    assert {2} == {calls for _, calls in found}
    assert max(pauses) >= 1800.0
    assert found != visits(0.2, name="group b")
    assert found != visits(0.2, seed=2)
    assert found == visits(0.2)


def test_bursts_are_all_at_once() -> None:
    """Each visit makes all the calls of a window."""
    assert {60} == {calls for _, calls in visits(0.2, "bursts")}


def test_few_calls_are_visits_of_their_own() -> None:
    """Of 150 tokens 20 % are fifteen calls, a minute apart; 100 calls are thirty visits of three or four."""
    few = list(islice(Strangers(0.2).visits(1, "group a", 150, 900, START), 20))
    assert {1} == {calls for _, calls in few}
    assert 60.0 == min(later - before for (before, _), (later, _) in pairwise(few))
    many = list(islice(Strangers(0.2).visits(1, "group a", 1000, 900, few[0][0] - 1e6), 30))
    assert (100, {3, 4}) == (sum(calls for _, calls in many), {calls for _, calls in many})


def test_a_share_that_is_no_whole_call_is_nobody() -> None:
    """10 % of 15 tokens buy no call; 20 % buy one."""
    assert [] == list(Strangers(0.1).visits(1, "group a", 15, 900, START))
    assert 1 == next(Strangers(0.2, "bursts").visits(1, "group a", 15, 900, START))[1]


pauses = st.floats(0, 400) | st.floats(1700, 5000)


@settings(deadline=None)
@given(
    st.lists(st.tuples(pauses, st.booleans()), max_size=40),
    st.sampled_from(["even", "bursts"]),
    st.sampled_from([0.0, 30.0]),
)
def test_how_often_one_looks_changes_nothing(
    looks: list[tuple[float, bool]], manner: Manner, slot_seconds: float
) -> None:
    """What others spent is the same whether it is booked at once or much later, and never beyond the limit."""
    told: list[tuple[float, int]] = []
    often = Buckets(3, lambda bucket, moment, cost: told.append((moment, cost)))
    seldom = Buckets(3)
    for buckets in (often, seldom):
        buckets.share(START, 0.45, manner)
        buckets.count_in_slots(slot_seconds)
        buckets.at(GROUP, "who", START)
    now = START
    for pause, own in looks:
        now += pause
        looked = often.at(GROUP, "who", now)
        if own:
            looked.spend(now, 5)
            seldom.at(GROUP, "who", now).spend(now, 5)
    one, other = often.at(GROUP, "who", now + 1), seldom.at(GROUP, "who", now + 1)
    assert other.used == one.used
    assert one.foreign == sum(cost for _, cost in told)
    assert [moment for moment, _ in told] == sorted(moment for moment, _ in told)
    assert one.used - 5 * sum(own for _, own in looks) <= GROUP.max_tokens


def test_others_are_refused_when_nothing_is_left() -> None:
    """They spend what room there is, in whole calls, and being refused costs them nothing."""
    bucket = Bucket("group a", RateGroup("group", 15, 900))
    bucket.visited_by(lambda _: iter([(START + 1, 7), (START + 2, 1), (START + 901, 1)]), START, None)
    bucket.spend(START, 10)
    bucket.turn(START + 3)
    assert (14, 4) == (bucket.used, bucket.foreign)
    bucket.turn(START + 901)
    assert (2, 6) == (bucket.used, bucket.foreign)


def test_who_is_there_was_there_before_the_first_call() -> None:
    """The first look at a bucket finds what others spent in the window before it."""
    buckets = Buckets(1)
    buckets.share(START, 0.2, "even")
    used = [buckets.at(GROUP, f"who {number}", START).used for number in range(40)]
    assert 0 in used
    assert 120 in used
    assert max(used) <= 120


@pytest.mark.parametrize(
    ("share", "manner", "text"), [(1.5, "even", "between 0 and 1"), (0.1, "odd", "even or bursts")]
)
def test_what_cannot_be_meant_is_refused(share: float, manner: Manner, text: str) -> None:
    """A share is a share, and there are two manners."""
    with pytest.raises(ValueError, match=text):
        Strangers(share, manner)
