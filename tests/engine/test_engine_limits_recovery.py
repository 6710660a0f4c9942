"""A shared ledger that is back: who waits looks again at once; what belongs to a store goes with it."""

from __future__ import annotations

import gc
import weakref
from contextlib import suppress
from pathlib import Path

import pytest

from esipy.engine.ledger import ledger_for
from esipy.exceptions import RateLimitedError
from esipy.stores.memory_ledger import MemoryLedger
from tests.engine.limits_kit import HERO, OTHER, PATIENT, Town, notifications, wallet
from tests.stores.house import House
from tests.stores.kit import Clock


class Ahead(Clock):
    """A town's clock, ahead by so many seconds as ``now`` says."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.now = 0.0

    def __call__(self) -> float:
        return self.town.runtime.now() + self.now


def test_T29_who_waits_is_woken_when_the_store_is_back(tmp_path: Path) -> None:
    """Half of a small bucket was this process's while the store was down; the rest is there when somebody has found
    it back, though who waits was told to look half a minute later."""
    town = Town(settings=PATIENT, latency=(0.05, 0.05))
    house = House(tmp_path / "ledger.sqlite3")
    house.clock = Ahead(town)
    store = house.open()
    for character_id in (HERO, OTHER):
        town.bench(character_id, ledger=store)

    async def story() -> tuple[bool, float]:
        await town.call(wallet(OTHER), OTHER)
        with house.down():
            for _ in range(63):  # tried again after 1, 2, 4, 8, 16 and 30 s
                await town.call(wallet(OTHER), OTHER)
                await town.runtime.sleep(1.0)
            for _ in range(3):
                await town.call(notifications(), HERO)
            waiting = town.begin(notifications(), HERO)
            await town.runtime.sleep(0.5)
        waited = not waiting.done()
        house.clock.now += 30.0
        back_at = town.passed
        await town.call(wallet(OTHER), OTHER)
        await town.runtime.join(waiting)
        return waited, town.passed - back_at

    waited, seconds = town.run(story())
    for each in house.stores:
        each.close()
    assert waited
    assert 0.1 == pytest.approx(seconds, abs=0.01)  # its exchange began when the other's did


def test_T29_who_waits_finds_out_alone_that_the_store_is_back(tmp_path: Path) -> None:
    """Nobody else calls. A batch call is held back by what it leaves to interactive calls, for which there is room: it
    rests, and asks the store again all the same."""
    town = Town(settings=PATIENT, latency=(0.05, 0.05))
    house = House(tmp_path / "ledger.sqlite3")
    house.clock = Ahead(town)
    town.bench(HERO, ledger=house.open())

    async def story() -> tuple[bool, float]:
        await town.call(wallet(), HERO)
        with house.down():
            with suppress(RateLimitedError):  # until its part is spent, but for what is left to interactive calls
                while True:
                    await town.call(wallet(), HERO, priority="batch", max_wait=0)
            waiting = town.begin(wallet(), HERO, priority="batch")
            await town.runtime.sleep(20.0)
        waited = not waiting.done()
        back_at = town.passed
        await town.runtime.join(waiting)
        return waited, town.passed - back_at

    waited, seconds = town.run(story())
    for each in house.stores:
        each.close()
    assert waited
    assert seconds < 30.0


def test_clients_of_two_apis_are_woken_by_one_store(tmp_path: Path) -> None:
    """Each has its own lines, and the store knows both."""
    town, house = Town(), House(tmp_path / "ledger.sqlite3")
    store = house.open()
    ledgers = [ledger_for(town.runtime, url, store) for url in ("http://127.0.0.1:1", "http://127.0.0.1:2")]
    assert ledgers[0] is not ledgers[1]
    assert ledgers == [ledger_for(town.runtime, url, store) for url in ("http://127.0.0.1:1", "http://127.0.0.1:2")]
    woken: list[int] = []
    for number, ledger in enumerate(ledgers):
        ledger.lines.wake_all = lambda number=number: woken.append(number)  # type: ignore[method-assign, misc]
    store.states()
    with house.down():
        store.states()
        house.clock.now += 1
    store.states()
    store.close()
    assert [0, 1] == sorted(woken)


def test_what_was_learned_belongs_to_the_store() -> None:
    """As long as it lives, and no longer: nothing is kept of stores that are gone, and a new one begins anew."""
    town = Town()
    store = MemoryLedger(town.runtime.now)
    learned = weakref.ref(ledger_for(town.runtime, "http://127.0.0.1:1", store))
    known = dict(town.runtime.shared)
    gc.collect()
    assert ledger_for(town.runtime, "http://127.0.0.1:1", store) is learned()
    store_gone = weakref.ref(store)
    del store
    gc.collect()
    assert (None, None) == (store_gone(), learned())
    for _ in range(10):
        ledger_for(town.runtime, "http://127.0.0.1:1", MemoryLedger(town.runtime.now))
    assert known == town.runtime.shared
