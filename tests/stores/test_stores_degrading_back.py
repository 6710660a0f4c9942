"""T29: a store that comes back is told what it missed, once, whatever failed meanwhile."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.stores.base import Reservation, StoreUnavailable, Told, Wait
from esipy.stores.degrading import DegradingLedger
from tests.stores.house import House
from tests.stores.ledger_kit import (
    GATE,
    LARGE,
    SMALL,
    WINDOW_SECONDS,
    about,
    calls_until_full,
    leave,
    spend,
    spent,
    state,
    wait,
)


def test_a_store_that_is_back_is_told_what_it_missed(house: House, ledger: DegradingLedger) -> None:
    """What was spent within the last window, in one sum for each bucket; then it decides again."""
    spend(ledger)
    with house.down():
        spend(ledger)
        spend(ledger, LARGE, calls=10)
        house.clock.now += 500
        spend(ledger, LARGE, calls=20)
        assert state(ledger, LARGE.bucket).used == 60
        house.clock.now += 500
    spend(ledger)
    assert house.told == [f"{house.path}: database is locked", None]
    assert state(house.kept()).used == 2  # the others are a window ago
    assert spent(state(house.kept(), LARGE.bucket)) == 40
    assert ledger.states() == house.kept().states()


def test_a_settle_that_the_store_did_not_take_is_booked_later(house: House, ledger: DegradingLedger) -> None:
    """What it let leave is under way there until then."""
    spend(ledger)
    flying = leave(ledger)
    with house.down():
        ledger.settle(flying, 5)
        house.clock.now += 1
    assert state(house.kept())[3:5] == (2, 2)
    spend(ledger)
    assert state(house.kept())[3:5] == (9, 0)


def test_a_call_that_left_without_the_store_is_booked_when_it_lands(house: House, ledger: DegradingLedger) -> None:
    """Though the store is back by then, and was told that it is under way."""
    spend(ledger)
    with house.down():
        flying = leave(ledger)
        house.clock.now += 1
    spend(ledger, LARGE)
    assert state(house.kept())[3:5] == (2, 2)
    ledger.settle(flying, 5)
    assert state(house.kept())[3:5] == (7, 0)
    with house.down():
        ledger.settle(leave(ledger, replace(SMALL, forced=True)), 0, answered=False)
        house.clock.now += 1
    spend(ledger)
    assert state(house.kept())[3:5] == (9, 0)


def test_T26_blocks_and_sizes_reach_the_store_later(house: House, ledger: DegradingLedger) -> None:
    """As long as they still are to come."""
    spend(ledger)
    with house.down():
        ledger.block(GATE, 30)
        ledger.block(SMALL.bucket, 0.5)
        ledger.resize(LARGE, 100)
        assert wait(ledger, LARGE)[:2] == (about(30), True)
        assert ledger.wait_for(LARGE, 2)[:2] == (about(30), True)
        house.clock.now += 10
    wait(ledger, LARGE)
    assert wait(house.kept(), LARGE) == Wait(about(20), everyone=True)
    house.clock.now += 20
    assert calls_until_full(house.open(), LARGE) == 50
    leave(ledger)


def test_T26_what_was_sent_reaches_a_store_whose_gate_is_closed(house: House, ledger: DegradingLedger) -> None:
    """The gate stops those who would send; also calls that are forced, whether the store answers or not."""
    spend(ledger)
    with house.down():
        spend(ledger)
        flying = leave(ledger)
        ledger.block(GATE, 30)
        assert wait(ledger, replace(SMALL, forced=True)).everyone
        house.clock.now += 1
    assert wait(ledger, replace(SMALL, forced=True)) == Wait(about(29), everyone=True)
    assert (spent(state(house.kept())), state(house.kept()).reserved) == (4, 2)
    ledger.settle(flying, 2)
    assert spent(state(house.kept())) == 6


@pytest.mark.parametrize("verb", ["reserve", "wait_for", "states"])
def test_who_waits_is_woken_when_the_store_is_back(house: House, ledger: DegradingLedger, verb: str) -> None:
    """Each verb tries it, once the moment has come that each wait names; it is told what it missed before."""
    woken: list[float] = []

    class Waiting:
        def wake_all(self) -> None:
            woken.append(house.clock.now)

    waiting, gone = Waiting(), Waiting()
    ledger.wake_when_back(waiting)
    ledger.wake_when_back(gone)
    del gone  # it is not kept for this
    arguments = {"reserve": (LARGE,), "wait_for": (LARGE, 2), "states": ()}[verb]
    spend(ledger)
    with house.down():
        calls_until_full(ledger)
        got = wait(ledger)
        assert got.ask_again_in == 1.0 < got.seconds
        assert ledger.wait_for(SMALL, 8).ask_again_in == 1.0
        house.clock.now += 1
        wait(ledger)
    assert got.ask_again_in is not None
    house.clock.now += 1.9
    getattr(ledger, verb)(*arguments)
    assert (woken, state(house.kept()).used) == ([], 2)
    house.clock.now += 0.2
    getattr(ledger, verb)(*arguments)
    assert woken == [house.clock.now]
    assert spent(state(house.kept())) == 6
    leave(ledger)


def test_a_store_that_fails_while_it_is_told_is_told_the_rest_later(
    house: House, ledger: DegradingLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing twice, nothing never."""
    store = house.kept()
    settle, settled = store.settle, list[str]()

    def fails_at_the_last(reservation: Reservation, *arguments: Any) -> None:
        if reservation.ask.bucket != SMALL.bucket and house.told:
            settled.append(reservation.ask.bucket)
            if len(settled) == 4:
                raise StoreUnavailable("gone again")
        settle(reservation, *arguments)

    monkeypatch.setattr(store, "settle", fails_at_the_last)
    spend(ledger)
    names = [f"b {number}" for number in range(4)]
    flights = [leave(ledger, replace(LARGE, bucket=name, forced=True)) for name in names]
    with house.down():
        spend(ledger)
        for each in flights:
            ledger.settle(each, 2)
        house.clock.now += 1
    leave(ledger)
    assert [each.reserved for each in store.states() if each.bucket in names] == [0, 0, 0, 2]
    house.clock.now += 2
    leave(ledger)
    assert [each.used for each in store.states() if each.bucket in names] == [2] * 4
    assert settled == [*names, names[-1]]
    assert house.told == [f"{house.path}: database is locked", None]


def test_a_file_that_is_replaced_knows_what_comes_then(house: House, ledger: DegradingLedger) -> None:
    """The headers of the next answer tell the rest."""
    spend(ledger, calls=3)
    ledger.close()
    for each in house.path.parent.iterdir():
        each.unlink()
    ledger.settle(leave(ledger), 2, Told(8))
    assert state(ledger)[3:6] == (2, 0, 6)
    assert house.told == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("rrrrsssdu"), st.integers(0, 5), st.sampled_from([0, 1, 5])), min_size=60, max_size=60
    )
)
def test_no_order_of_failures_sends_over_the_limit(happening: list[tuple[str, int, int]]) -> None:
    """However the store comes and goes between a process's calls and their answers, whichever it misses."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        house = House(Path(folder) / "ledger.sqlite3")
        ledger = house.open()
        stack.callback(house.kept().close)
        ledger.states()  # makes the file
        flying: list[tuple[float, Reservation]] = []
        spent: list[tuple[float, int]] = []
        down = stack.enter_context(ExitStack())
        is_down = False

        def land(number: int, cost: int) -> None:
            ledger.settle(flying.pop(number)[1], cost)
            spent.append((house.clock.now, cost))

        for what, number, passed in happening:
            house.clock.now += passed
            while flying and flying[0][0] < house.clock.now - 60:  # no exchange takes longer
                land(0, 5)
            if what in "du" and is_down != (what == "d"):
                is_down = not is_down
                down.enter_context(house.down()) if is_down else down.close()
            elif what == "s" and flying:
                land(number % len(flying), 5 if number == 5 else 2)
            elif what == "r" and isinstance(got := ledger.reserve(SMALL), Reservation):
                within = sum(tokens for moment, tokens in spent if moment > house.clock.now - WINDOW_SECONDS)
                assert within + 5 * len(flying) + SMALL.cost <= SMALL.limit
                flying.append((house.clock.now, got))
