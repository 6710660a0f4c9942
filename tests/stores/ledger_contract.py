"""What every ledger does, wherever it counts: a class of tests for each ledger to inherit.

A test class has the fixture ``ledger``, made with the clock of the fixture ``clock``. One for a ledger that processes
share inherits `SharedLedgerContract`, and has ``open_ledger`` instead: each call gives one more ledger on the same
store, as another process would have it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from esipy.core.counts import RELEASE_MARGIN_SECONDS, SLOTS
from esipy.stores.base import Ask, BucketState, LedgerStore, Reservation, SharedLedger, Told, Wait
from tests.stores.kit import Clock

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


class LedgerContract:
    """One process, one ledger."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    def test_a_bucket_is_used_to_the_last_whole_call(self, ledger: LedgerStore) -> None:
        """Fifteen tokens are seven good calls; the eighth waits for a window."""
        assert calls_until_full(ledger) == WHOLE_CALLS
        assert wait(ledger).seconds == pytest.approx(BACK_SECONDS, abs=WINDOW_SECONDS / SLOTS)

    def test_T24_the_next_call_leaves_when_the_oldest_spend_comes_back(self, ledger: LedgerStore, clock: Clock) -> None:
        """Not a whole window later, and not a moment earlier; then room is for one."""
        spend(ledger)
        clock.now += 400
        spend(ledger, calls=WHOLE_CALLS - 1)
        wait_seconds = wait(ledger).seconds
        assert wait_seconds == pytest.approx(BACK_SECONDS - 400, abs=WINDOW_SECONDS / SLOTS)
        clock.now += wait_seconds - 0.01
        assert wait(ledger).seconds == pytest.approx(0.01, abs=1e-3)
        clock.now += 0.011
        assert calls_until_full(ledger) == 1

    def test_T22_a_cold_small_bucket_is_tried_by_one_call(self, ledger: LedgerStore) -> None:
        """The others wait for its answer."""
        first = leave(ledger)
        wait(ledger)
        ledger.settle(first, 2)
        leave(ledger)

    def test_calls_under_way_never_cost_more_than_there_is(self, ledger: LedgerStore) -> None:
        """T31: a call leaves if it would not be refused even if all that are under way are answered 4xx."""
        spend(ledger)
        flying = [leave(ledger) for _ in range(3)]
        wait(ledger)
        for reservation in flying:
            ledger.settle(reservation, 5)
        assert state(ledger).used == 17

    def test_what_was_not_sent_costs_nothing(self, ledger: LedgerStore) -> None:
        """A call that is given back leaves no trace."""
        ledger.settle(leave(ledger), 0, answered=False)
        assert ledger.states() == []

    def test_buckets_are_counted_apart(self, ledger: LedgerStore) -> None:
        """One character's calls are not another's."""
        assert calls_until_full(ledger) == WHOLE_CALLS
        assert calls_until_full(ledger, SMALL._replace(bucket="char-notification app:2")) == WHOLE_CALLS

    def test_what_others_spend_is_seen_in_the_headers_and_comes_back(self, ledger: LedgerStore, clock: Clock) -> None:
        """Twelve used, two of them ours: ten are foreign, and leave room for one call until a window has passed."""
        ledger.settle(leave(ledger), 2, Told(12))
        assert (state(ledger).used, state(ledger).foreign) == (2, 10)
        assert calls_until_full(ledger) == 1
        clock.now += BACK_SECONDS
        assert calls_until_full(ledger) == WHOLE_CALLS

    def test_headers_change_the_size(self, ledger: LedgerStore) -> None:
        """What they tell counts, not what is asked with."""
        ledger.settle(leave(ledger), 2, Told(2, 30, 600.0))
        assert (state(ledger).limit, state(ledger).window_seconds) == (30, 600.0)
        assert calls_until_full(ledger) == 14

    def test_a_spend_can_come_back_earlier_than_a_window(self, ledger: LedgerStore, clock: Clock) -> None:
        """As errors do, at the end of their minute."""
        errors = Ask("errors", GATE, 4, 60.0, 1, 0)
        for _ in range(4):
            ledger.settle(leave(ledger, errors), 1, Told(None, returns_in=10.0))
        assert wait(ledger, errors).seconds == pytest.approx(10 + RELEASE_MARGIN_SECONDS, abs=0.1)
        clock.now += 10.1 + RELEASE_MARGIN_SECONDS
        leave(ledger, errors)

    def test_a_share_is_left_untouched(self, ledger: LedgerStore) -> None:
        """A tenth of 15 is less than a call, and two tenths are one."""
        assert calls_until_full(ledger, SMALL._replace(share=0.1)) == WHOLE_CALLS
        assert calls_until_full(ledger, SMALL._replace(bucket="b", share=0.2)) == WHOLE_CALLS - 1

    def test_spread_calls_wait_once_half_is_used(self, ledger: LedgerStore) -> None:
        """While there would be room for more of them at once."""
        spread = LARGE._replace(limit=100, spread=True)
        calls = calls_until_full(ledger, spread)
        assert 25 <= calls < 50
        leave(ledger, spread._replace(spread=False))

    def test_a_forced_call_leaves_and_is_counted(self, ledger: LedgerStore) -> None:
        """From a full bucket, and one that is blocked."""
        spend(ledger, calls=WHOLE_CALLS)
        ledger.block(SMALL.bucket, 10)
        ledger.settle(leave(ledger, SMALL._replace(forced=True)), 2)
        assert state(ledger).used == 16

    def test_T26_a_forced_call_waits_for_a_closed_gate(self, ledger: LedgerStore, clock: Clock) -> None:
        """But what was sent already is counted at once: it has no gate."""
        forced = SMALL._replace(forced=True)
        ledger.block(GATE, 10)
        assert wait(ledger, forced) == Wait(about(10), everyone=True)
        assert ledger.wait_for(forced, 100) == Wait(about(10), everyone=True)
        ledger.settle(leave(ledger, forced._replace(gate="")), 2)
        assert state(ledger).used == 2
        clock.now += 10
        leave(ledger, forced)

    def test_T26_a_closed_gate_stops_everyone(self, ledger: LedgerStore, clock: Clock) -> None:
        """Every bucket behind it, heard of or not, until its time is over."""
        spend(ledger)
        ledger.block(GATE, 30)
        assert wait(ledger) == Wait(about(30), everyone=True)
        assert wait(ledger, LARGE) == Wait(about(30), everyone=True)
        assert ledger.wait_for(LARGE, 2) == Wait(about(30), everyone=True)
        leave(ledger, LARGE._replace(gate="http://127.0.0.1 *"))
        clock.now += 30
        leave(ledger)

    def test_T26_a_blocked_bucket_stops_no_other(self, ledger: LedgerStore, clock: Clock) -> None:
        """One character's 429 is its own; afterwards one call finds out."""
        spend(ledger, LARGE)
        spend(ledger)
        ledger.block(LARGE.bucket, 30)
        assert wait(ledger, LARGE) == Wait(about(30))
        leave(ledger)
        clock.now += 30
        leave(ledger, LARGE)
        wait(ledger, LARGE)

    def test_a_bucket_is_blocked_before_anything_was_sent(self, ledger: LedgerStore, clock: Clock) -> None:
        """As when what it had counted was lost meanwhile."""
        ledger.block(SMALL.bucket, 30)
        assert wait(ledger) == Wait(about(30))
        clock.now += 30
        leave(ledger)

    @pytest.mark.parametrize("name", [GATE, SMALL.bucket])
    def test_T27_of_two_waits_the_later_end_counts(self, ledger: LedgerStore, clock: Clock, name: str) -> None:
        """Whichever came first."""
        spend(ledger)
        ledger.block(name, 30)
        ledger.block(name, 20)
        clock.now += 10
        ledger.block(name, 5)
        assert wait(ledger).seconds == pytest.approx(20)

    def test_a_bucket_takes_another_limit(self, ledger: LedgerStore) -> None:
        """Before its first call and after."""
        ledger.resize(SMALL, 9)
        assert calls_until_full(ledger) == 4
        ledger.resize(SMALL, 11)
        assert calls_until_full(ledger) == 1

    def test_a_limit_that_others_may_have_learned_too_only_falls(self, ledger: LedgerStore) -> None:
        """Of what is asked with, what is kept and what is given the smallest counts."""
        ledger.resize(SMALL, 30, at_most=True)
        ledger.resize(SMALL, 11, at_most=True)
        ledger.resize(SMALL, 13, at_most=True)
        assert calls_until_full(ledger) == 5
        assert state(ledger).limit == 11

    @pytest.mark.parametrize("name", [GATE, SMALL.bucket])
    def test_nothing_stops_for_more_than_a_day(self, ledger: LedgerStore, name: str) -> None:
        """Whatever an answer asks for."""
        spend(ledger)
        ledger.block(name, 1e9)
        assert wait(ledger).seconds == about(86400)

    def test_errors_that_are_only_possible_slow_nobody_down(self, ledger: LedgerStore) -> None:
        """Ninety calls of a hundred errors are under way at once; errors that were made do slow them down."""
        errors = Ask("errors", GATE, 100, 60.0, 1, 0, 0.1, spread=True)
        spend(ledger, errors, 0)
        flying = [leave(ledger, errors) for _ in range(90)]
        assert wait(ledger, errors).landing
        assert 0.0 == ledger.wait_for(errors, 0).seconds == ledger.wait_for(errors, 1).seconds
        ledger.settle(flying.pop(), 0)
        flying.append(leave(ledger, errors))
        for reservation in flying:
            ledger.settle(reservation, 1 if reservation in flying[:50] else 0)
        assert wait(ledger, errors).seconds == pytest.approx(61 / 40, abs=0.1)

    def test_a_bucket_says_when_a_whole_call_may_leave(self, ledger: LedgerStore) -> None:
        """One token that is left of fifteen is none."""
        spend(ledger, calls=WHOLE_CALLS)
        assert state(ledger).free_in == pytest.approx(BACK_SECONDS, abs=WINDOW_SECONDS / SLOTS)
        errors = Ask("errors", GATE, 4, 60.0, 1, 0)
        spend(ledger, errors, 1, calls=3)
        assert state(ledger, "errors").free_in == 0

    def test_how_long_until_so_many_tokens(self, ledger: LedgerStore) -> None:
        """Now, after what is spent has come back, or windows later."""
        assert ledger.wait_for(SMALL, 15) == Wait(0.0)
        assert ledger.wait_for(SMALL, 31) == Wait(2 * WINDOW_SECONDS)
        spend(ledger, calls=3)
        assert ledger.wait_for(SMALL, 9) == Wait(0.0)
        assert ledger.wait_for(SMALL, 10).seconds == pytest.approx(BACK_SECONDS, abs=WINDOW_SECONDS / SLOTS)

    def test_every_bucket_that_is_not_idle_can_be_seen(self, ledger: LedgerStore, clock: Clock) -> None:
        """Its size, what is used, reserved and foreign, and when a call may leave; after a window there is nothing."""
        assert ledger.states() == []
        spend(ledger)
        flying = leave(ledger)
        assert ledger.states() == [BucketState(SMALL.bucket, 15, WINDOW_SECONDS, 2, 2, 0, 0.0)]
        spend(ledger, LARGE, 5)
        assert {each.bucket: each.used for each in ledger.states()} == {SMALL.bucket: 2, LARGE.bucket: 5}
        ledger.settle(flying, 0)
        clock.now += BACK_SECONDS
        assert ledger.states() == []

    def test_it_can_be_used_after_closing(self, ledger: LedgerStore) -> None:
        """Closing twice is no error."""
        spend(ledger)
        ledger.close()
        ledger.close()
        spend(ledger)
        ledger.close()

    def test_threads_never_exceed_a_limit(self, ledger: LedgerStore) -> None:
        """Eight of them on one bucket, which they use to the last whole call."""
        ask = SMALL._replace(limit=200)
        spend(ledger, ask)
        starting = threading.Barrier(8)

        def work(_: int) -> int:
            starting.wait(10)
            return calls_until_full(ledger, ask)

        with ThreadPoolExecutor(8) as pool:
            calls = sum(pool.map(work, range(8)))
        # Who had to wait for a landing went away: the rest is for the last.
        calls += calls_until_full(ledger, ask)
        assert calls == 99
        assert state(ledger).used == 200


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
        reservation = leave(other, SMALL._replace(cost=5))
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

    def test_a_process_sees_how_many_there_are(self, ledger: SharedLedger, other: SharedLedger, clock: Clock) -> None:
        """Once both have asked for something; one that has closed its ledger is gone."""
        assert ledger.members() == 1
        spend(ledger)
        spend(other)
        assert other.members() == 2
        ledger.close()
        clock.now += 11
        spend(other)
        assert other.members() == 1
