"""T29: what happens while a store comes back: calls that land, threads and processes side by side, an interrupt."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from esipy.stores.base import Ask, Reservation, StoreUnavailable, Wait
from esipy.stores.degrading import DegradingLedger
from tests.forks import child, needs_fork
from tests.stores.house import House
from tests.stores.ledger_kit import LARGE, SMALL, calls_until_full, leave, spend, spent, state, wait


@pytest.mark.parametrize("fails_again", [False, True])
@pytest.mark.parametrize("asked_for", [SMALL, LARGE])
def test_a_call_that_lands_while_the_store_comes_back_is_booked(
    house: House, ledger: DegradingLedger, monkeypatch: pytest.MonkeyPatch, asked_for: Ask, fails_again: bool
) -> None:
    """While the store is told of this very call, or of everything; or the next time, if the store fails once more."""
    store = house.kept()
    spend(ledger)
    with house.down():
        flying = [leave(ledger)]
        house.clock.now += 1
    reserve, settle, failures = store.reserve, store.settle, [StoreUnavailable("gone again")] * fails_again

    def lands_meanwhile(ask: Ask) -> Reservation | Wait:
        got = reserve(ask)
        if flying and (ask.bucket, ask.cost) == (asked_for.bucket, asked_for.cost):
            ledger.settle(flying.pop(), 5)
        return got

    def fails_once(reservation: Reservation, spent: int, *rest: Any) -> None:
        if spent == 5 and failures:
            raise failures.pop()
        settle(reservation, spent, *rest)

    monkeypatch.setattr(store, "reserve", lands_meanwhile)
    monkeypatch.setattr(store, "settle", fails_once)
    spend(ledger, LARGE)
    if fails_again:
        assert state(store).used == 2
        assert house.told[1:] == [None, "gone again"]
        house.clock.now += 1
        spend(ledger, LARGE)
    assert spent(state(store)) == 7
    assert state(store, LARGE.bucket).used == (4 if fails_again else 2)


def test_others_are_asked_again_while_one_thread_tries(
    house: House, ledger: DegradingLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a second: should the store be back before, they are woken."""
    store, got = house.kept(), list[float | None]()
    spend(ledger)

    def fails_later(*_: Any) -> None:
        got.append(wait(ledger).ask_again_in)
        raise StoreUnavailable("gone still")

    with house.down():
        calls_until_full(ledger)
        house.clock.now += 1.5
        monkeypatch.setattr(store, "block", fails_later)
        assert wait(ledger).ask_again_in == 2.0
    assert got == [1.0]


@pytest.mark.parametrize("step", ["_may_retry", "_is_back"])
def test_threads_that_find_it_back_together_tell_it_once(
    house: House, ledger: DegradingLedger, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whether the other one comes before this one tries the store, or after: news are news once, what it missed too."""
    store, original, others = house.kept(), getattr(ledger, step), list[object]()

    def another_comes_first(*arguments: Any) -> Any:
        monkeypatch.setattr(ledger, step, original)
        others.append(ledger.reserve(LARGE))
        return original(*arguments)

    spend(ledger, LARGE)
    with house.down():
        spend(ledger, LARGE, calls=3)
        house.clock.now += 1
    monkeypatch.setattr(ledger, step, another_comes_first)
    got = leave(ledger, LARGE)
    assert [True] == [isinstance(other, Reservation) for other in others]
    assert house.told == [f"{house.path}: database is locked", None]
    assert (spent(state(store, LARGE.bucket)), state(store, LARGE.bucket).reserved) == (8, 4)
    for reservation in (got, *others):
        assert isinstance(reservation, Reservation)
        ledger.settle(reservation, 2)
    assert spent(state(store, LARGE.bucket)) == 12


@pytest.mark.parametrize("stopped_at", range(1, 6))
def test_what_it_missed_is_not_lost_by_an_interrupt(
    house: House, ledger: DegradingLedger, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    """Ctrl-C while the store is being told: the next call tells the rest."""
    store, settle, settled = house.kept(), house.kept().settle, list[int]()
    names = [f"b {number}" for number in range(5)]
    flights = [leave(ledger, replace(LARGE, bucket=name)) for name in names]

    def interrupted(*arguments: Any) -> None:
        if house.told:
            settled.append(1)
            if len(settled) == stopped_at:
                raise KeyboardInterrupt
        settle(*arguments)

    monkeypatch.setattr(store, "settle", interrupted)
    with house.down():
        for each in flights:
            ledger.settle(each, 2)
        house.clock.now += 1
    with pytest.raises(KeyboardInterrupt):
        leave(ledger)
    leave(ledger)
    assert [2] * 5 == [state(store, name).used for name in names]
    assert house.told[-1] is None


def test_one_thread_tries_the_store_and_the_others_go_on(
    house: House, ledger: DegradingLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that takes its time to fail holds up one call."""
    store = house.kept()
    with house.down():
        spend(ledger, LARGE)
        house.clock.now += 1
        asked, let_go = threading.Event(), threading.Event()

        def hang(*_: Any) -> None:
            asked.set()
            assert let_go.wait(10)
            raise StoreUnavailable("no answer in 2 s")

        monkeypatch.setattr(store, "block", hang)
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(ledger.reserve, LARGE)
            assert asked.wait(10)
            spend(ledger, LARGE, calls=10)
            let_go.set()
            assert isinstance(hanging.result(10), Reservation)


def test_threads_never_exceed_the_share(house: House, ledger: DegradingLedger) -> None:
    """While the store comes and goes."""
    spend(ledger, LARGE)
    starting = threading.Barrier(8)

    def work(_: int) -> int:
        starting.wait(10)
        return calls_until_full(ledger, LARGE)

    with house.down(), ThreadPoolExecutor(8) as pool:
        calls = sum(pool.map(work, range(8))) + calls_until_full(ledger, LARGE)
    assert calls == 299
    house.clock.now += 1
    calls += calls_until_full(ledger, LARGE)
    assert (calls, spent(state(house.kept(), LARGE.bucket))) == (599, 1200)


@needs_fork
def test_a_child_does_not_say_what_its_parent_has_spent(house: House, ledger: DegradingLedger) -> None:
    """The parent does."""
    spend(ledger)
    with house.down():
        spend(ledger)
        house.clock.now += 1

    def work() -> bool:
        spend(ledger)
        return state(ledger).used == 4

    assert child(work)
    spend(ledger)
    assert spent(state(house.kept())) == 8
