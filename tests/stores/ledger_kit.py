"""Buckets of different sizes, and what tests do with a ledger: let calls leave, have them wait, look at a bucket."""

from __future__ import annotations

from typing import Any

import pytest

from esipy.core.counts import RELEASE_MARGIN_SECONDS, SLOTS
from esipy.stores.base import Ask, BucketState, LedgerStore, Reservation, Wait

LEASE_SECONDS = 90.0
"""Of the ledgers in ``open_ledger``."""

GATE = "*"
WINDOW_SECONDS = 900.0
SMALL = Ask("char-notification app:1", GATE, 15, WINDOW_SECONDS, 5, 2)
LARGE = Ask("market-order app:1", GATE, 1200, WINDOW_SECONDS, 5, 2)
WHOLE_CALLS = 7
"""That fit into the small bucket."""

BACK_SECONDS = WINDOW_SECONDS + RELEASE_MARGIN_SECONDS + WINDOW_SECONDS / SLOTS
"""What was spent has come back by then."""


def leave(ledger: LedgerStore, ask: Ask = SMALL) -> Reservation:
    """A call that leaves."""
    got = ledger.reserve(ask)
    assert isinstance(got, Reservation), got
    assert got.ask == ask
    return got


def wait(ledger: LedgerStore, ask: Ask = SMALL) -> Wait:
    """The wait of a call that may not leave."""
    got = ledger.reserve(ask)
    assert isinstance(got, Wait), got
    assert got.seconds > 0
    return got


def spend(ledger: LedgerStore, ask: Ask = SMALL, spent: int = 2, calls: int = 1) -> None:
    """Calls that leave and are answered, one after the other."""
    for _ in range(calls):
        ledger.settle(leave(ledger, ask), spent)


def about(seconds: float) -> Any:
    """What equals these seconds, but for rounding."""
    return pytest.approx(seconds)


def calls_until_full(ledger: LedgerStore, ask: Ask = SMALL) -> int:
    """How many good calls leave, one after the other, until one has to wait."""
    calls = 0
    while isinstance(got := ledger.reserve(ask), Reservation):
        ledger.settle(got, 2)
        calls += 1
    return calls


def state(ledger: LedgerStore, name: str = SMALL.bucket) -> BucketState:
    """The bucket of this name."""
    (found,) = [each for each in ledger.states() if each.bucket == name]
    return found


def spent(state: BucketState) -> int:
    """What is believed to be spent of it, by whomever: what nobody answered for counts with what others spent."""
    return state.used + state.foreign
