"""How long one waits for another: loops that stand still or are closed, leaders that are late, queues."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from esipy.exceptions import SSOUnavailableError
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.runtime.simulated import SimulatedRuntime
from esipy.sso.flights import Flights, Slots
from esipy.transport.scripted import ScriptedTransport, answer
from tests.sso.waiting_kit import BLOCKING, LIMIT, ask, end, giving, stopped_loop, tasks


def test_a_loop_that_stands_still_is_not_waited_for_in_its_thread() -> None:
    """It may have spent the refresh token, so the work is not done twice; closing the loop is the way out."""
    flights: Flights[str] = Flights(Slots(1))
    loop = stopped_loop(flights)
    with pytest.raises(RuntimeError, match="has to be closed"):
        run(flights.fly(BLOCKING, "key", LIMIT, giving("twice")))
    end(loop)
    assert ("again", True) == run(flights.fly(BLOCKING, "key", LIMIT, giving("again")))


def test_the_flight_of_a_closed_loop_has_crashed() -> None:
    """Whoever comes next leads, in the slot that the loop held."""
    slots = Slots(1)
    flights: Flights[str] = Flights(slots)
    loop = stopped_loop(flights)
    loop.close()
    assert ("again", True) == run(flights.fly(BLOCKING, "key", LIMIT, giving("again")))
    left: Any = loop
    left.flying.get_coro().close()
    left.flying._log_destroy_pending = False
    # What was taken back once is not taken back twice: two would be at work at once.
    runtime = tasks()
    at_work: list[int] = []

    async def work() -> None:
        at_work.append(1)
        assert [1] == at_work
        await asyncio.sleep(0)
        at_work.pop()

    async def scene() -> None:
        await asyncio.gather(*(slots.within(runtime, LIMIT, lambda: None, work) for _ in range(3)))

    asyncio.run(scene())


@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
def test_a_wait_for_a_loop_that_stands_still_ends(colour: str) -> None:
    """Another thread, or a loop in another thread, waits for the time limit and then does the work itself."""
    flights: Flights[str] = Flights(Slots(1))
    loop = stopped_loop(flights)

    with ThreadPoolExecutor(1) as pool:
        assert ("own", True) == pool.submit(ask, colour, flights, 0.05).result(LIMIT)
    end(loop)


@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
def test_a_wait_for_one_who_is_not_done_in_time_ends(colour: str) -> None:
    """The leader is at work, so a token may be on its way: an error that says "later", and the flight goes on."""
    flights: Flights[str] = Flights()
    flying, landing = threading.Event(), threading.Event()

    async def work() -> str:
        flying.set()
        assert landing.wait(LIMIT)
        return "landed"

    with ThreadPoolExecutor(1) as pool:
        leading = pool.submit(run, flights.fly(BLOCKING, "key", LIMIT, work))
        assert flying.wait(LIMIT)
        with pytest.raises(SSOUnavailableError, match="try later, the token is kept"):
            ask(colour, flights, 0.02)
        landing.set()
        assert ("landed", True) == leading.result(LIMIT)


def test_clients_whose_clocks_differ_wait_for_each_other_no_longer() -> None:
    """The machine's clock was set back by an hour before the second one was made."""
    flights: Flights[str] = Flights(Slots(1))
    loop = stopped_loop(flights)
    later = BlockingRuntime(ScriptedTransport([]))
    later.now = lambda: BLOCKING.now() - 3600.0

    with ThreadPoolExecutor(1) as pool:
        assert ("own", True) == pool.submit(run, flights.fly(later, "key", 0.05, giving("own"))).result(LIMIT)
    end(loop)


def test_a_queue_that_moves_is_waited_for() -> None:
    """A flight far back in the queue is not late: its time begins with its slot."""
    runtime = SimulatedRuntime(lambda _: answer(200))
    flights: Flights[str] = Flights(Slots(1))
    led: list[str] = []

    async def work() -> str:
        led.append("x")
        await runtime.sleep(9.0)
        return "done"

    async def ask(item: int) -> str:
        return (await flights.fly(runtime, item // 2, 10.0, work))[0]

    assert ["done"] * 40 == runtime.run(runtime.gather(ask, range(40), 40))
    assert 20 == len(led)


def test_a_queue_that_does_not_move_is_passed_by() -> None:
    """Who holds the slots stands still: one after the other goes without, a time limit apart."""
    runtime = SimulatedRuntime(lambda _: answer(200))
    flights: Flights[float] = Flights(Slots(1))
    start = runtime.now()

    async def work() -> float:
        return runtime.now() - start

    async def stuck() -> float:
        await runtime.sleep(1000.0)
        return 0.0

    async def ask(item: int) -> float:
        return (await flights.fly(runtime, item, 10.0, work if item else stuck))[0]

    assert [0.0, 10.0, 20.0, 30.0] == runtime.run(runtime.gather(ask, range(4), 4))


def test_a_closed_client_takes_no_other_down() -> None:
    """The leader hears that its client was closed; who waited for it does the work."""
    flights: Flights[str] = Flights()

    async def scene() -> tuple[str, bool]:
        runtime, closed = tasks(), asyncio.Event()

        async def work() -> str:
            await closed.wait()
            raise RuntimeError("the client was closed")

        leading = asyncio.ensure_future(flights.fly(runtime, "key", LIMIT, work))
        waiting = asyncio.ensure_future(flights.fly(runtime, "key", LIMIT, giving("own")))
        await asyncio.sleep(0)
        closed.set()
        with pytest.raises(RuntimeError, match="the client was closed"):
            await leading
        return await waiting

    assert ("own", True) == asyncio.run(scene())
