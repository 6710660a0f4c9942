"""What every ledger does that processes share: a class of tests for each such ledger to inherit.

A test class has the fixture ``open_ledger``, made with the clock of the fixture ``clock``: each call gives one more
ledger on the same store, as another process would have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from esipy.stores.base import MEMBER_SECONDS, LedgerStore, SharedLedger, Told, Wait
from tests.stores.kit import Clock
from tests.stores.ledger_contract import LedgerContract
from tests.stores.ledger_kit import (
    BACK_SECONDS,
    GATE,
    LARGE,
    LEASE_SECONDS,
    SMALL,
    WHOLE_CALLS,
    WINDOW_SECONDS,
    about,
    calls_until_full,
    leave,
    spend,
    state,
    wait,
)


class SharedLedgerContract(LedgerContract):
    """Several processes, one store."""

    @pytest.fixture
    def ledger(self, open_ledger: Callable[[], SharedLedger]) -> SharedLedger:
        return open_ledger()

    @pytest.fixture
    def other(self, ledger: LedgerStore, open_ledger: Callable[[], SharedLedger]) -> SharedLedger:
        """Another process."""
        return open_ledger()

    def test_T28_processes_spend_from_one_bucket(self, ledger: SharedLedger, other: SharedLedger) -> None:
        """What one has spent the other has not, and both see it."""
        spend(ledger, calls=3)
        assert calls_until_full(other) == WHOLE_CALLS - 3
        wait(ledger)
        assert ledger.states() == other.states()

    def test_T26_a_420_stops_the_other_processes(self, ledger: SharedLedger, other: SharedLedger) -> None:
        """And a 429 stops its bucket there."""
        spend(ledger)
        ledger.block(SMALL.bucket, 20)
        assert wait(other) == Wait(about(20))
        ledger.block(GATE, 30)
        assert wait(other, LARGE) == Wait(about(30), everyone=True)

    def test_one_waits_for_anothers_call_until_its_lease_ends(
        self, ledger: SharedLedger, other: SharedLedger, clock: Clock
    ) -> None:
        """Its answer may come earlier, which no one tells."""
        spend(ledger, calls=5)
        reservation = leave(ledger)
        clock.now += 10
        assert wait(other) == Wait(about(LEASE_SECONDS - 10), landing=True, others=True)
        ledger.settle(reservation, 2)
        leave(other)

    def test_one_looks_again_while_others_may_give_back(
        self, ledger: SharedLedger, other: SharedLedger, clock: Clock
    ) -> None:
        """A call of another process may cost less than is reserved for it; not during a wait that ESI asked for."""
        spend(ledger, calls=5)
        reservation = leave(other, replace(SMALL, cost=5))
        got = wait(ledger)
        assert (got.landing, got.others) == (False, True)
        assert wait(other).others is False
        ledger.block(SMALL.bucket, 10)
        assert wait(ledger) == Wait(about(10))
        clock.now += 10
        other.settle(reservation, 2)
        leave(ledger)

    def test_the_calls_of_a_dead_process_cost_the_most_after_their_lease(
        self, ledger: SharedLedger, other: SharedLedger, clock: Clock
    ) -> None:
        """The others go on with what is left, and a window later with everything."""
        leave(ledger)
        clock.now += LEASE_SECONDS
        assert calls_until_full(other) == 5
        assert (state(other).used, state(other).foreign) == (10, 5)
        clock.now += BACK_SECONDS
        assert calls_until_full(other) == WHOLE_CALLS

    def test_of_an_answer_after_its_lease_only_the_headers_count(
        self, ledger: SharedLedger, other: SharedLedger, clock: Clock
    ) -> None:
        """It has been counted; but what others spent is news."""
        reservation = leave(ledger)
        clock.now += LEASE_SECONDS + 1
        assert (state(other).foreign, state(other).reserved) == (5, 0)
        ledger.settle(reservation, 2, Told(11, 20, WINDOW_SECONDS))
        assert state(other)[1:6] == (20, WINDOW_SECONDS, 0, 0, 11)
        ledger.settle(reservation, 2)
        assert state(other)[3:6] == (0, 0, 11)

    def test_a_process_sees_how_many_there_are(self, ledger: SharedLedger, other: SharedLedger) -> None:
        """Once both have asked for something; one that has closed its ledger is gone."""
        assert ledger.members() == 1
        spend(ledger)
        spend(other)
        assert other.members() == 2
        ledger.close()
        spend(other)
        assert other.members() == 1

    @pytest.mark.parametrize("count", [2, 6])
    def test_all_know_each_other_from_the_first_answers(
        self, open_ledger: Callable[[], SharedLedger], count: int
    ) -> None:
        """Those who began in the same moment: the first saw only themselves when they asked. With the next call too."""
        ledgers = [open_ledger() for _ in range(count)]
        reservations = [leave(each, LARGE) for each in ledgers]
        assert list(range(1, count + 1)) == [each.members() for each in ledgers]
        for each, reservation in zip(ledgers, reservations, strict=True):
            each.settle(reservation, 2)
        assert [count] * count == [each.members() for each in ledgers]
        newcomer = open_ledger()
        leave(newcomer, LARGE)
        leave(ledgers[0], LARGE)
        assert [count + 1] * 2 == [each.members() for each in (newcomer, ledgers[0])]

    def test_who_is_silent_for_long_is_forgotten(self, ledger: SharedLedger, other: SharedLedger, clock: Clock) -> None:
        """After five minutes, and known again with its next call."""
        spend(ledger, LARGE)
        spend(other, LARGE)
        for _ in range(2):
            clock.now += MEMBER_SECONDS / 2 + 1
            spend(ledger, LARGE)
        assert ledger.members() == 1
        spend(other, LARGE)
        assert other.members() == 2
