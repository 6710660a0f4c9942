"""What a child of a fork begins with: no lock of its parent's threads is held, and nothing is half changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from esipy._forks import fork_lock
from esipy.cache import DictCache
from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.engine.lines import Lines
from esipy.engine.queues import Place
from esipy.events import Signal
from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.stores.base import Ask, Reservation
from esipy.stores.memory import MemoryCache
from esipy.stores.memory_ledger import MemoryLedger
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport
from tests.forks import another_thread, child, needs_fork
from tests.interrupts import interrupted_everywhere

pytestmark = needs_fork


def child_while_held(lock: Any, work: Callable[[], bool]) -> bool:
    """What this gives in a child, forked while another thread holds this lock."""

    def within(stay: Callable[[], None]) -> None:
        with lock:
            stay()

    with another_thread(within):
        return child(work)


def lock_of(holder: Any) -> Any:
    """The lock that it holds while it changes."""
    return holder._lock


def kept(cache: MemoryCache) -> bool:
    """Whether it has the answer ``a``."""
    return run(cache.get("a")) is not None


def memory_cache() -> MemoryCache:
    """With the answer ``a``."""
    cache = MemoryCache()
    run(cache.put("a", Answer(200, Headers(), b"1"), "/p"))
    return cache


def test_a_memory_cache_serves_a_child() -> None:
    """What the parent kept is still there."""
    cache = memory_cache()
    assert child(lambda: kept(cache))


def test_a_memory_cache_that_was_being_changed_begins_anew_in_a_child() -> None:
    """It does not wait for the thread that changed it, and trusts nothing of it; the parent keeps all."""
    cache = memory_cache()

    def work() -> bool:
        empty = not kept(cache) and len(cache) == 0
        run(cache.put("a", Answer(200, Headers(), b"1"), "/p"))
        return empty and kept(cache)

    assert child_while_held(lock_of(cache), work)
    assert kept(cache)


def test_a_dict_cache_serves_a_child() -> None:
    """It keeps what it had, unless another thread was changing it."""
    cache = DictCache()
    cache.set("a", 1)

    def has_it() -> bool:
        return bool(cache.get("a") == 1)

    assert child(has_it)

    def work() -> bool:
        empty = cache.get("a") is None
        cache.set("a", 2)
        return bool(empty and cache.get("a") == 2)

    assert child_while_held(lock_of(cache), work)
    assert 1 == cache.get("a")


def test_a_signal_can_be_changed_in_a_child() -> None:
    """Its receivers are those of the parent, and more can be added although a thread was adding one."""
    told: list[str] = []
    happened: Signal[...] = Signal("HAPPENED")
    happened.add_receiver(partial(told.append, "parent's"))

    def work() -> bool:
        happened.add_receiver(partial(told.append, "child's"))
        happened.send()
        return told == ["parent's", "child's"]

    assert child_while_held(lock_of(happened), work)


@pytest.mark.parametrize(
    "runtime", [BlockingRuntime(ScriptedTransport([])), AioRuntime(AsyncScriptedTransport([]))], ids=["blocking", "aio"]
)
def test_the_lock_that_a_runtime_gives_is_free_in_a_child(runtime: Any) -> None:
    """Whoever held it is not there."""
    lock = runtime.lock()

    def work() -> bool:
        with lock:
            return True

    assert child_while_held(lock, work)


def test_what_a_ledger_has_under_way_is_the_parents() -> None:
    """In the child it is believed to have cost the most; nobody there waits for its answers, nor in line."""
    ledger, lines = MemoryLedger(lambda: 1000.0), Lines()
    ask = Ask("char-wallet app:1", "*", 150, 900.0, 5, 2)
    assert isinstance(ledger.reserve(ask), Reservation)
    lines.join(ask.bucket, None, Place(2, (False, False, 0.0)))

    def work() -> bool:
        (state,) = ledger.states()
        return (state.used + state.foreign, state.reserved) == (5, 0) and not lines

    assert child(work)
    assert [2] == [state.reserved for state in ledger.states()]

    def begun_anew() -> bool:
        before = ledger.states()
        return (before, isinstance(ledger.reserve(ask), Reservation), len(ledger.states())) == ([], True, 1)

    assert child_while_held(lock_of(ledger), begun_anew)


@pytest.mark.parametrize("make", [fork_lock, BlockingRuntime(ScriptedTransport([])).lock])
def test_a_lock_is_free_whenever_its_holder_was_interrupted(make: Callable[[], Any]) -> None:
    """Ctrl-C finds no moment between taking it and being in the with-block that gives it back."""
    lock = make()

    def work() -> None:
        with lock:
            len("")  # a moment within

    moments = 0
    for moment in interrupted_everywhere(work):
        assert lock.acquire(blocking=False), moment
        lock.release()
        moments = moment + 1
    assert moments > 1
