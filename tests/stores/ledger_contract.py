"""What every ledger does, wherever it counts: a class of tests for each ledger to inherit.

A test class has the fixture ``ledger``, made with the clock of the fixture ``clock``.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from esipy.core.counts import RELEASE_MARGIN_SECONDS, SLOTS
from esipy.stores.base import Ask, BucketState, LedgerStore, Told, Wait
from tests.stores.kit import Clock
from tests.stores.ledger_kit import (
    BACK_SECONDS,
    GATE,
    LARGE,
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
        assert calls_until_full(ledger, replace(SMALL, bucket="char-notification app:2")) == WHOLE_CALLS

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
        assert calls_until_full(ledger, replace(SMALL, share=0.1)) == WHOLE_CALLS
        assert calls_until_full(ledger, replace(SMALL, bucket="b", share=0.2)) == WHOLE_CALLS - 1

    def test_spread_calls_wait_once_half_is_used(self, ledger: LedgerStore) -> None:
        """While there would be room for more of them at once."""
        spread = replace(LARGE, limit=100, spread=True)
        calls = calls_until_full(ledger, spread)
        assert 25 <= calls < 50
        leave(ledger, replace(spread, spread=False))

    def test_a_forced_call_leaves_and_is_counted(self, ledger: LedgerStore) -> None:
        """From a full bucket, and one that is blocked."""
        spend(ledger, calls=WHOLE_CALLS)
        ledger.block(SMALL.bucket, 10)
        ledger.settle(leave(ledger, replace(SMALL, forced=True)), 2)
        assert state(ledger).used == 16

    def test_T26_a_forced_call_waits_for_a_closed_gate(self, ledger: LedgerStore, clock: Clock) -> None:
        """But what was sent already is counted at once: it has no gate."""
        forced = replace(SMALL, forced=True)
        ledger.block(GATE, 10)
        assert wait(ledger, forced) == Wait(about(10), everyone=True)
        assert ledger.wait_for(forced, 100) == Wait(about(10), everyone=True)
        ledger.settle(leave(ledger, replace(forced, gate="")), 2)
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
        leave(ledger, replace(LARGE, gate="http://127.0.0.1 *"))
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
        ask = replace(SMALL, limit=200)
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
