"""The ledger of one process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from esipy.stores.base import Told
from esipy.stores.memory_ledger import SWEEP_AT, MemoryLedger
from tests.stores.kit import Clock
from tests.stores.ledger_contract import LedgerContract
from tests.stores.ledger_kit import (
    BACK_SECONDS,
    LARGE,
    SMALL,
    WHOLE_CALLS,
    WINDOW_SECONDS,
    calls_until_full,
    leave,
    spend,
    state,
    wait,
)

LOST_SECONDS = 300.0


@pytest.fixture
def clock() -> Clock:
    """Of the ledger."""
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> MemoryLedger:
    """One that gives calls up after five minutes."""
    return MemoryLedger(clock, lease_seconds=LOST_SECONDS)


class TestMemoryLedger(LedgerContract):
    """In a dict."""

    @pytest.fixture
    def ledger(self, clock: Clock) -> MemoryLedger:
        return MemoryLedger(clock)


def test_calls_that_nobody_settles_are_given_up(ledger: MemoryLedger, clock: Clock) -> None:
    """Two of them fill a small bucket: it goes on when nothing has left for so long, and they count the most."""
    spend(ledger)
    for _ in range(2):
        leave(ledger)
        clock.now += 2
    leave(ledger)
    clock.now += 50
    got = wait(ledger)
    assert (got.seconds, got.landing) == (pytest.approx(LOST_SECONDS - 50), True)
    clock.now += got.seconds
    assert wait(ledger).landing is False
    assert state(ledger)[3:6] == (2, 0, 15)
    clock.now += BACK_SECONDS
    assert calls_until_full(ledger) == WHOLE_CALLS


def test_an_answer_that_comes_after_it_was_given_up_is_not_counted_again(ledger: MemoryLedger, clock: Clock) -> None:
    """Only its headers are; what is under way meanwhile stays reserved."""
    reservation, silent = leave(ledger, LARGE), leave(ledger, LARGE)
    clock.now += LOST_SECONDS
    flying = leave(ledger, LARGE)
    assert state(ledger, LARGE.bucket)[3:6] == (0, 2, 10)
    ledger.settle(silent, 2)
    assert state(ledger, LARGE.bucket)[3:6] == (0, 2, 10)
    ledger.settle(reservation, 2, Told(31, 1000, WINDOW_SECONDS))
    assert state(ledger, LARGE.bucket)[1:6] == (1000, WINDOW_SECONDS, 0, 2, 31)
    ledger.settle(flying, 2)
    assert state(ledger, LARGE.bucket)[3:6] == (2, 0, 31)


def test_buckets_with_calls_that_were_given_up_are_forgotten(ledger: MemoryLedger, clock: Clock) -> None:
    """A window later; an answer that comes even then changes nothing, though the bucket is used again."""
    reservation = leave(ledger)
    clock.now += LOST_SECONDS
    assert state(ledger).foreign == 5
    clock.now += BACK_SECONDS
    assert ledger.states() == []
    for number in range(SWEEP_AT):
        spend(ledger, replace(SMALL, bucket=f"b app:{number}"))
    flying = leave(ledger)
    ledger.settle(reservation, 5, Told(15))
    assert state(ledger)[3:6] == (0, 2, 0)
    ledger.settle(flying, 2)
    assert state(ledger)[3:6] == (2, 0, 0)


def test_a_call_asks_of_a_bucket_that_was_forgotten_meanwhile(ledger: MemoryLedger, clock: Clock) -> None:
    """What found the bucket once finds the new one, which all others find, too."""
    ask, again = replace(SMALL), replace(SMALL)
    spend(ledger, ask)
    clock.now += BACK_SECONDS
    for number in range(SWEEP_AT):
        spend(ledger, replace(SMALL, bucket=f"b app:{number}"))
    flying = leave(ledger, ask)
    assert state(ledger).reserved == 2
    ledger.settle(flying, 2)
    assert calls_until_full(ledger, again) == WHOLE_CALLS - 1
    assert wait(ledger, ask).seconds > 0


def test_ledgers_that_are_asked_with_the_same_object_count_apart(clock: Clock) -> None:
    """Each finds its own bucket, turn by turn."""
    one, two, ask = MemoryLedger(clock), MemoryLedger(clock), replace(SMALL)
    for turn in range(1, 4):
        for ledger in (one, two):
            ledger.settle(leave(ledger, ask), 2)
            assert state(ledger).used == 2 * turn
