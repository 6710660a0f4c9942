"""T29: the store of the ledger is down: a fair share of the limits, never unlimited, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from esipy.stores.base import Told, Wait
from esipy.stores.degrading import DegradingLedger
from tests.stores.house import House
from tests.stores.kit import Clock
from tests.stores.ledger_contract import LedgerContract
from tests.stores.ledger_kit import (
    BACK_SECONDS,
    GATE,
    LARGE,
    SMALL,
    WINDOW_SECONDS,
    about,
    calls_until_full,
    leave,
    spend,
    state,
    wait,
)


class TestWhileTheStoreAnswers(LedgerContract):
    """It is the store's ledger."""

    @pytest.fixture
    def house(self, tmp_path: Path, clock: Clock) -> Iterator[House]:
        house = House(tmp_path / "ledger.sqlite3")
        house.clock = clock
        yield house
        for each in house.stores:
            each.close()
        assert house.told == []

    @pytest.fixture
    def ledger(self, house: House) -> DegradingLedger:
        return house.open()


def test_T29_a_share_of_the_limit_is_left_when_the_store_is_down(house: House, ledger: DegradingLedger) -> None:
    """Half of it for a process that knew of no other; it is told once, with the reason."""
    spend(ledger, LARGE)
    with house.down():
        assert calls_until_full(ledger, LARGE) == 299
        assert wait(ledger, LARGE).seconds == pytest.approx(BACK_SECONDS, abs=1)
    assert house.told == [f"{house.path}: database is locked"]


def test_a_share_that_is_spent_is_not_shown_as_free(house: House, ledger: DegradingLedger) -> None:
    """Of the whole limit there is half left, but nothing may leave until this process's own spends are back."""
    spend(ledger, LARGE)
    with house.down():
        calls_until_full(ledger, LARGE)
        (state,) = ledger.states()
        assert (1200, 600) == (state.limit, state.used)
        assert state.free_in == pytest.approx(BACK_SECONDS, abs=1)


def test_T29_the_share_is_by_the_processes_there_were(house: House) -> None:
    """Four: a quarter each, together the limit and no more."""
    ledgers = [house.open() for _ in range(4)]
    house.clock.now += 1
    for each in ledgers:
        spend(each, LARGE)
    house.clock.now += 11
    for each in ledgers:
        spend(each, LARGE)
    with house.down():
        assert [calls_until_full(each, LARGE) for each in ledgers] == [148] * 4


def test_T29_one_whole_call_always_fits_into_a_share(house: House) -> None:
    """Twenty processes on 15 tokens: each may find out by itself, one call at a time."""
    ledgers = [house.open() for _ in range(20)]
    for each in ledgers:
        each.reserve(LARGE)
    house.clock.now += 11
    ledgers[0].settle(leave(ledgers[0], replace(LARGE, forced=True)), 2)
    with house.down():
        assert calls_until_full(ledgers[0]) == 1


def test_T29_a_process_that_starts_while_the_store_is_down(house: House, ledger: DegradingLedger) -> None:
    """Half of what the catalogue says."""
    house.kept().states()  # makes the file
    with house.down():
        assert calls_until_full(house.open()) == 3
        assert calls_until_full(ledger) == 3


def test_what_headers_tell_counts_against_the_whole_limit(house: House, ledger: DegradingLedger) -> None:
    """Others, who keep to their shares or do not, have used 1100 of 1200: there is no room for a half."""
    spend(ledger, LARGE)
    with house.down():
        ledger.settle(leave(ledger, LARGE), 2, Told(1104, 1200, WINDOW_SECONDS))
        assert calls_until_full(ledger, LARGE) == 48
        assert state(ledger, LARGE.bucket)[3:6] == (100, 0, 1100)


def test_headers_change_the_size_of_the_share(house: House, ledger: DegradingLedger) -> None:
    """Both while the store answers and while it does not."""
    ledger.settle(leave(ledger), 2, Told(2, 100, WINDOW_SECONDS))
    with house.down():
        ledger.settle(leave(ledger), 2, Told(4))
        assert calls_until_full(ledger) == 23
        ledger.settle(leave(ledger, replace(SMALL, forced=True)), 2, Told(52, 200, WINDOW_SECONDS))
        assert calls_until_full(ledger) == 24
        ledger.resize(SMALL, 15)
        wait(ledger)


def test_a_limit_that_was_learned_meanwhile_only_falls(house: House, ledger: DegradingLedger) -> None:
    """Where others may have learned one too: here and, when it is back, in the store."""
    spend(ledger, replace(LARGE, bucket="other"))
    with house.down():
        ledger.resize(LARGE, 100, at_most=True)
        ledger.resize(LARGE, 400, at_most=True)
        assert calls_until_full(ledger, LARGE) == 25
        house.clock.now += 1
    spend(ledger, LARGE)
    assert state(house.kept(), LARGE.bucket).limit == 100


def test_what_was_spent_before_is_known(house: House, ledger: DegradingLedger) -> None:
    """And comes back a window after it was spent."""
    spend(ledger, calls=3)
    house.clock.now += 100
    with house.down():
        assert calls_until_full(ledger) == 0
        house.clock.now += BACK_SECONDS - 99
        assert calls_until_full(ledger) == 3


def test_T26_a_gate_that_another_closed_stays_closed(house: House, ledger: DegradingLedger) -> None:
    """Who was told of a 420 while the store answered waits for its end without it; then calls leave again."""
    other = house.open()
    other.block(GATE, 30)
    wait(ledger)
    house.clock.now += 10
    with house.down():
        assert wait(ledger)[:2] == (about(20), True)
        assert wait(ledger, LARGE)[:2] == (about(20), True)
        house.clock.now += 20
        leave(ledger)


def test_T26_a_gate_stays_closed_when_the_store_has_forgotten_it(house: House, ledger: DegradingLedger) -> None:
    """Its file was deleted, or its server begun anew without what it had in memory."""
    ledger.block(GATE, 30)
    assert wait(ledger)[:2] == (about(30), True)
    for each in house.path.parent.iterdir():
        each.unlink()
    house.clock.now += 10
    assert wait(ledger)[:2] == (about(20), True)
    assert ledger.wait_for(SMALL, 2)[:2] == (about(20), True)
    house.clock.now += 20
    leave(ledger)
    assert house.told == []


def test_calls_under_way_are_known(house: House, ledger: DegradingLedger) -> None:
    """Those that the store let leave, and their answers."""
    flying = leave(ledger)
    with house.down():
        wait(ledger)
        ledger.settle(flying, 2)
        assert calls_until_full(ledger) == 2


def test_calls_may_take_as_long_as_the_store_would_wait(house: House, ledger: DegradingLedger) -> None:
    """Where exchanges are slow, they are not given up here earlier."""
    ledger.lease_seconds = 2000.0
    assert house.kept().lease_seconds == 2000.0
    spend(ledger, LARGE)
    with house.down():
        leave(ledger)
        house.clock.now += 1999
        assert state(ledger)[3:6] == (0, 2, 0)
        house.clock.now += 2
        assert state(ledger)[3:6] == (0, 0, 5)


def test_the_store_is_tried_again_rarely(
    house: House, ledger: DegradingLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 1, 2, 4 ... 30 s, by a call that asks anyway; one that waits is told when that is."""
    store = house.kept()
    spend(ledger, LARGE)
    tried: list[float] = []
    block = store.block

    def counted(name: str, seconds: float) -> None:
        tried.append(house.clock.now)
        block(name, seconds)

    monkeypatch.setattr(store, "block", counted)
    started = house.clock.now
    with house.down():
        told: list[float | None] = []
        for number in range(1000):
            verbs: list[Callable[[], object]] = [partial(ledger.reserve, LARGE), partial(ledger.wait_for, LARGE, 2)]
            got = [*verbs, ledger.states][number % 3]()
            if isinstance(got, Wait):
                told.append(got.ask_again_in)
            house.clock.now += 0.125
    assert [moment - started for moment in tried] == [1, 3, 7, 15, 31, 61, 91, 121]
    assert (told[0], min(filter(None, told)), max(filter(None, told))) == (0.875, 0.125, 29.875)
    assert len(house.told) == 1
