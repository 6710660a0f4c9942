"""The retries that a client has left."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.engine.quota import MOST, RetryQuota


@given(st.lists(st.booleans(), max_size=2000))
def test_the_books_are_kept_to_a_tenth(spendings: list[bool]) -> None:
    """In any order: what is spent was there, what comes back is a tenth each, and it is never above the start."""
    quota, tenths = RetryQuota(nullcontext()), MOST * 10
    for spends in spendings:
        if spends:
            assert (tenths >= 10) == quota.spend()
            tenths -= 10 if tenths >= 10 else 0
        else:
            quota.refill()
            tenths = min(tenths + 1, MOST * 10)
        assert tenths / 10 == quota.left


@pytest.mark.parametrize("refills", [0, 3_000])
def test_threads_share_it(refills: int) -> None:
    """Eight threads that spend while others refill take no more than there is, and lose nothing."""
    quota = RetryQuota(threading.Lock())
    start = threading.Barrier(8)
    for _ in range(MOST):
        quota.spend()

    def work(_: int) -> int:
        start.wait(10)
        spent = 0
        for _ in range(refills // 8):
            quota.refill()
            spent += quota.spend()
        return spent

    with ThreadPoolExecutor(8) as pool:
        spent = sum(pool.map(work, range(8)))
    assert (refills // 8 * 8) / 10 == spent + quota.left
