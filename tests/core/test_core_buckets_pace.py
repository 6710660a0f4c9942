"""The pace of ``spread``: a call is told the moment at which it leaves, also while its bucket is full."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esipy.core.buckets import CALL_COST, UNTIL_LANDING, Bucket

WINDOW = 900.0


@given(
    st.sampled_from([15, 40, 150]),
    st.lists(st.tuples(st.floats(0.0, 200.0), st.sampled_from([1, 2, 5])), max_size=60),
    st.floats(0.0, 900.0),
    st.sampled_from([0.0, 0.02, 0.2]),
)
def test_a_paced_call_leaves_when_it_was_told_that_it_may(
    limit: int, spends: list[tuple[float, int]], pause_seconds: float, share: float
) -> None:
    """If nothing else happens: it is not told to wait again when that moment comes."""
    bucket, now = Bucket(limit, WINDOW), 1000.0
    for gap_seconds, spent in spends:
        now += gap_seconds
        if bucket.reserve(now, CALL_COST) == 0:
            bucket.settle(now, bucket.mark(CALL_COST), spent, used=bucket.own + spent)
    now += pause_seconds
    told_seconds = bucket.reserve(now, CALL_COST, share, spread=True)
    if 0 < told_seconds < UNTIL_LANDING:
        again_seconds = bucket.reserve(now + told_seconds + 0.01, CALL_COST, share, spread=True)
        assert again_seconds in (0.0, UNTIL_LANDING)  # or what just comes back has to be back first


def test_what_is_told_while_the_bucket_is_full_has_the_pace_in_it() -> None:
    """When the next two tokens are back, there is room for a call; but the one after them comes back much later."""
    bucket = Bucket(15, WINDOW)
    for moment in (1000.0, 1001.0, 1002.0, 1003.0, 1260.0, 1516.0, 1772.0):
        assert 0.0 == bucket.reserve(moment, CALL_COST)
        bucket.settle(moment, bucket.mark(CALL_COST), CALL_COST, used=bucket.own + CALL_COST)
    bucket.age(1900.7)
    assert 0.0 == bucket.reserve(1900.8, CALL_COST)
    bucket.settle(1900.8, bucket.mark(CALL_COST), CALL_COST, used=bucket.own + CALL_COST)
    assert 14 == bucket.own
    told_seconds = bucket.reserve(1900.9, CALL_COST, spread=True)
    assert 100.0 < told_seconds < 200.0
    assert bucket.wait_for(1900.9, CALL_COST, cost=CALL_COST) < 1.0
    assert told_seconds == bucket.wait_for(1900.9, CALL_COST, cost=CALL_COST, paced=True)
