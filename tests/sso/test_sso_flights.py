"""One flight for all, and so many at once: what holds between threads, tasks, cancellations and forks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.aio import AioRuntime
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.security import EsiSecurity
from esipy.sso.flights import Flights, Slots
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport
from tests.forks import child, needs_fork
from tests.interrupts import interrupted_everywhere
from tests.sso.sso_kit import ScriptedSso

BLOCKING = BlockingRuntime(ScriptedTransport([]))
LIMIT = 30.0
"""Seconds after which a test that hangs gives up; none of them waits for it."""


def _tasks() -> AioRuntime:
    return AioRuntime(AsyncScriptedTransport([]))


def within(slots: Slots, runtime: Runtime, work: Callable[[], Coroutine[Any, Any, Any]]) -> Coroutine[Any, Any, Any]:
    """Work in a slot."""
    return slots.within(runtime, LIMIT, lambda: None, work)


def test_who_comes_after_the_landing_flies_again() -> None:
    """Only those who ask at the same time share; nothing is kept."""
    flights: Flights[int] = Flights()
    done: list[int] = []

    async def work() -> int:
        done.append(len(done))
        return len(done)

    assert [(1, True), (2, True)] == [run(flights.fly(BLOCKING, "key", LIMIT, work)) for _ in range(2)]


def test_other_keys_fly_apart() -> None:
    """A flight is for its key only."""
    flights: Flights[Any] = Flights()

    async def inner() -> str:
        return "inner"

    async def outer() -> Any:
        return await flights.fly(BLOCKING, "other", LIMIT, inner)

    assert ((("inner", True)), True) == run(flights.fly(BLOCKING, "key", LIMIT, outer))


def test_a_failure_is_everybodys_and_ends_the_flight() -> None:
    """Tasks that wait get the leader's exception; the next one tries anew."""
    flights: Flights[str] = Flights()

    async def scene() -> None:
        runtime, landing = _tasks(), asyncio.Event()

        async def fail() -> str:
            await landing.wait()
            raise ValueError("no")

        async def succeed() -> str:
            return "yes"

        asking = [asyncio.ensure_future(flights.fly(runtime, "key", LIMIT, fail)) for _ in range(3)]
        await asyncio.sleep(0)
        landing.set()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert ["no"] * 3 == [str(outcome) for outcome in outcomes]
        assert ("yes", True) == await flights.fly(runtime, "key", LIMIT, succeed)

    asyncio.run(scene())


def test_a_leader_that_is_stopped_is_followed_by_another() -> None:
    """The first of the others does the work for the rest."""
    flights: Flights[str] = Flights()

    async def scene() -> None:
        runtime, never, landing, second_leads = _tasks(), asyncio.Event(), asyncio.Event(), asyncio.Event()
        led: list[str] = []

        def work(name: str) -> Any:
            async def coroutine() -> str:
                led.append(name)
                if name == "first":
                    await never.wait()
                second_leads.set()
                await landing.wait()
                return name

            return coroutine

        first = asyncio.ensure_future(flights.fly(runtime, "key", LIMIT, work("first")))
        others = [asyncio.ensure_future(flights.fly(runtime, "key", LIMIT, work(name))) for name in ("second", "third")]
        await asyncio.sleep(0)
        assert ["first"] == led
        first.cancel()
        await second_leads.wait()
        await asyncio.sleep(0)  # the third has been told in the same turn as the second
        landing.set()
        assert {"second"} == {result for result, _ in await asyncio.gather(*others)}
        assert ["first", "second"] == led

    asyncio.run(scene())


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # it came before it was begun
def test_no_flight_is_left_whenever_its_leader_was_interrupted() -> None:
    """A refresh that Ctrl-C ended is begun anew by whoever comes next, the same thread too."""
    flights: Flights[int] = Flights()

    async def work() -> int:
        return 1

    moments = 0
    for moment in interrupted_everywhere(lambda: run(flights.fly(BLOCKING, "key", LIMIT, work))):
        assert (1, True) == run(flights.fly(BLOCKING, "key", LIMIT, work)), moment
        moments = moment + 1
    assert moments > 10


@given(count=st.integers(1, 4), tasks=st.integers(1, 12), cancelled=st.sets(st.integers(0, 11)))
def test_no_slot_is_lost_whoever_is_cancelled(count: int, tasks: int, cancelled: set[int]) -> None:
    """Never more than so many at once; after any cancellations all slots are free again."""
    slots = Slots(count)

    async def scene() -> None:
        runtime = _tasks()
        inside = most = 0

        async def work() -> None:
            nonlocal inside, most
            try:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
            finally:
                inside -= 1

        working = [asyncio.ensure_future(within(slots, runtime, work)) for _ in range(tasks)]
        await asyncio.sleep(0)
        for number in cancelled:
            if number < tasks:
                working[number].cancel()
        await asyncio.gather(*working, return_exceptions=True)
        assert most <= count
        together = asyncio.Barrier(count)
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*(within(slots, runtime, together.wait) for _ in range(count)))

    asyncio.run(scene())


def test_slots_are_handed_over_between_threads_and_tasks_in_order() -> None:
    """The longest waiting goes next, whatever it is."""
    slots = Slots(1)
    order: list[str] = []
    waits, let_go = threading.Semaphore(0), threading.Event()

    class Telling(BlockingRuntime):
        async def join(self, flight: Any, seconds: float | None = None) -> Any:
            waits.release()
            return await super().join(flight, seconds)

    async def note(who: str) -> None:
        order.append(who)

    async def task() -> None:
        entering = asyncio.ensure_future(within(slots, _tasks(), lambda: note("task")))
        await asyncio.sleep(0)
        waits.release()
        await entering

    async def hold() -> None:
        waits.release()
        assert await asyncio.to_thread(let_go.wait, LIMIT)

    with ThreadPoolExecutor(3) as pool:
        holding = pool.submit(asyncio.run, within(slots, _tasks(), hold))
        assert waits.acquire(timeout=10)
        first = pool.submit(run, within(slots, Telling(ScriptedTransport([])), lambda: note("thread")))
        assert waits.acquire(timeout=10)
        second = pool.submit(asyncio.run, task())
        assert waits.acquire(timeout=10)
        let_go.set()
        holding.result(10)
        first.result(10)
        second.result(10)
    assert ["thread", "task"] == order


@needs_fork
def test_a_child_does_not_wait_for_its_parents_flights() -> None:
    """In the parent a flight and all slots are taken by threads, which the child does not have."""
    flights: Flights[str] = Flights(Slots(1))
    flying, land = threading.Event(), threading.Event()

    async def parents() -> str:
        flying.set()
        assert land.wait(10)
        return "parent"

    async def childs() -> str:
        return "child"

    with ThreadPoolExecutor(1) as pool:
        flight = pool.submit(run, flights.fly(BLOCKING, "key", LIMIT, parents))
        assert flying.wait(10)
        assert child(lambda: run(flights.fly(BLOCKING, "key", LIMIT, childs)) == ("child", True))
        land.set()
        assert ("parent", True) == flight.result(10)


def test_a_transport_that_cannot_be_referred_to_weakly_will_do() -> None:
    """What is known of the SSO is then tied to the runtime."""

    class Slotted:
        __slots__ = ("sso",)

        def __init__(self) -> None:
            self.sso = ScriptedSso()

        def send(self, request: HttpRequest) -> HttpResponse:
            return self.sso(request)

        def close(self) -> None:
            """Nothing to close."""

    transport = Slotted()
    security = EsiSecurity("x", "app", "s", headers={"User-Agent": "Tests/1.0"}, transport=transport)
    security.refresh_token = "R"
    security.refresh()
    security.refresh()
    assert 4 == len(transport.sso.asked)
