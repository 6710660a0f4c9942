"""When a call that may cost much may find out what others have spent: it is told that moment, not a later one."""

from __future__ import annotations

import pytest

from esipy.core.buckets import CALL_COST, WORST_COST, Bucket

WINDOW = 900.0


def full_bucket() -> Bucket:
    """15 tokens: 5 were spent at 1000, 2 at 1200, 1300 and 1400 each; a call of 1500 was lost, and may have cost 5."""
    bucket = Bucket(15, WINDOW)
    used = 0
    for moment, spent in ((1000.0, 5), (1200.0, 2), (1300.0, 2), (1400.0, 2)):
        assert 0.0 == bucket.reserve(moment, CALL_COST)
        used += spent
        bucket.settle(moment, bucket.mark(CALL_COST), spent, used=used)
    assert 0.0 == bucket.reserve(1500.0, CALL_COST)
    bucket.settle(1500.0, bucket.mark(CALL_COST), WORST_COST, answered=False)
    assert (11, 5) == (bucket.own, bucket.foreign)
    return bucket


@pytest.mark.parametrize("asked_at", [1501.0, 1700.0, 1899.0])
def test_a_call_that_may_cost_much_is_told_the_moment_at_which_it_may_find_out(asked_at: float) -> None:
    """As soon as what is known to be spent leaves room for it, it leaves: it waited for what may never have been spent,
    and whoever stood behind it too."""
    bucket = full_bucket()
    wait_seconds = bucket.wait_for(asked_at, WORST_COST, cost=WORST_COST)
    assert wait_seconds == bucket.reserve(asked_at, WORST_COST)
    assert 1900.0 < asked_at + wait_seconds < 1901.0
    assert 0.0 < bucket.reserve(asked_at + wait_seconds - 0.1, WORST_COST) <= 0.1 + 1e-6
    assert 0.0 == bucket.reserve(1901.0, WORST_COST)


def test_it_does_not_find_out_while_esi_asks_to_wait() -> None:
    """A refusal that blocks the bucket for longer holds it back until then."""
    bucket = full_bucket()
    bucket.block(1950.0)
    assert 449.0 == bucket.wait_for(1501.0, WORST_COST, cost=WORST_COST)
    assert 50.0 == bucket.reserve(1900.0, WORST_COST)
    assert 0.0 == bucket.reserve(1950.0, WORST_COST)
