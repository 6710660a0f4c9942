"""Who may wait for whom, and how long: blocking callers, loops in the same thread, loops that stand still."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.exceptions import SSOUnavailableError
from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.runtime.simulated import SimulatedRuntime
from esipy.sandbox import RunningSandbox
from esipy.sso.flights import Flights, Slots
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport, answer
from tests.sso.sso_kit import AGENT, TOKEN, expired_login

BLOCKING = BlockingRuntime(ScriptedTransport([]))
LIMIT = 30.0
"""Seconds after which a test that hangs gives up; none of them waits for it."""

Work = Callable[[], Coroutine[Any, Any, str]]


def tasks() -> AioRuntime:
    """A runtime for the running loop."""
    return AioRuntime(AsyncScriptedTransport([]))


def giving(text: str) -> Work:
    """Work that is done at once."""

    async def work() -> str:
        return text

    return work


def never() -> Work:
    """Work that waits for its loop for ever."""

    async def work() -> str:
        nothing: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await nothing

    return work


def stopped_loop(flights: Flights[str]) -> asyncio.AbstractEventLoop:
    """A loop that leads the flight ``key`` and is not run any more."""
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        task = asyncio.ensure_future(flights.fly(tasks(), "key", LIMIT, never()))
        loop.flying = task  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    loop.run_until_complete(begin())
    return loop


def ask(colour: str, flights: Flights[str], limit_seconds: float) -> tuple[str, bool]:
    """Take part in the flight ``key``, or lead it, in this colour."""
    if colour == "blocking":
        return run(flights.fly(BLOCKING, "key", limit_seconds, giving("own")))
    return asyncio.run(flights.fly(tasks(), "key", limit_seconds, giving("own")))


def end(loop: Any) -> None:
    """Cancel what it left, and close it."""
    loop.flying.cancel()
    loop.run_until_complete(asyncio.wait([loop.flying]))
    loop.close()


def test_a_blocking_call_does_not_wait_for_a_loop_of_its_own_thread() -> None:
    """What may not be done twice is an error at once that names the way out; the flight goes on."""
    flights: Flights[str] = Flights()

    async def scene() -> str:
        landing = asyncio.Event()

        async def work() -> str:
            await landing.wait()
            return "landed"

        flying = asyncio.ensure_future(flights.fly(tasks(), "key", LIMIT, work))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="use AsyncEsiClient"):
            run(flights.fly(BLOCKING, "key", LIMIT, giving("twice")))
        landing.set()
        return (await flying)[0]

    assert "landed" == asyncio.run(scene())


def test_nor_do_the_threads_of_its_gather() -> None:
    """They work for a caller that stands still until they are done."""
    flights: Flights[str] = Flights()

    async def ask(item: int) -> str:
        with pytest.raises(RuntimeError, match="use AsyncEsiClient"):
            await flights.fly(BLOCKING, "key", LIMIT, giving("twice"))
        return "refused"

    async def scene() -> list[str]:
        flying = asyncio.ensure_future(flights.fly(tasks(), "key", LIMIT, never()))
        await asyncio.sleep(0)
        try:
            return run(BLOCKING.gather(ask, range(3), 2))
        finally:
            flying.cancel()

    assert ["refused"] * 3 == asyncio.run(scene())


def test_threads_of_one_gather_wait_for_each_other() -> None:
    """Those do not stand still: the work is done once for all of them."""
    flights: Flights[str] = Flights()
    together = threading.Barrier(3)
    waits = threading.Semaphore(0)

    class Telling(BlockingRuntime):
        async def join(self, flight: Any, seconds: float | None = None) -> Any:
            waits.release()
            return await super().join(flight, seconds)

    runtime = Telling(ScriptedTransport([]))

    async def work() -> str:
        for _ in range(2):
            assert waits.acquire(timeout=LIMIT)
        return "once"

    async def ask(item: int) -> tuple[str, bool]:
        together.wait(LIMIT)
        return await flights.fly(runtime, "key", LIMIT, work)

    assert [("once", False)] * 2 + [("once", True)] == sorted(run(runtime.gather(ask, range(3), 3)))


def test_what_may_be_done_twice_is() -> None:
    """A blocking call fetches public documents for itself, rather than fail."""
    flights: Flights[str] = Flights(repeatable=True)

    async def scene() -> tuple[str, bool]:
        flying = asyncio.ensure_future(flights.fly(tasks(), "key", LIMIT, never()))
        await asyncio.sleep(0)
        try:
            return run(flights.fly(BLOCKING, "key", LIMIT, giving("own")))
        finally:
            flying.cancel()

    assert ("own", True) == asyncio.run(scene())


def test_a_blocking_call_needs_no_slot_that_a_loop_of_its_thread_holds() -> None:
    """Another flight's work is done at once, although all slots are taken."""
    slots = Slots(1)
    flights: Flights[str] = Flights(slots)

    async def scene() -> tuple[str, bool]:
        flying = asyncio.ensure_future(flights.fly(tasks(), "first", LIMIT, never()))
        await asyncio.sleep(0)
        try:
            return run(flights.fly(BLOCKING, "second", LIMIT, giving("done")))
        finally:
            flying.cancel()

    assert ("done", True) == asyncio.run(scene())
    assert ("free", True) == run(flights.fly(BLOCKING, "third", LIMIT, giving("free")))


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


# -- through the clients ---------------------------------------------------------------------------------------

WALLET = ops.wallet.get_characters_character_id_wallet


def clients(sandbox: RunningSandbox, security: Any) -> tuple[AsyncEsiClient, EsiClient]:
    """Both colours, with one login."""
    given: dict[str, Any] = {"headers": {"User-Agent": AGENT}, "base_url": sandbox.url}
    return AsyncEsiClient(security, **given), EsiClient(security, **given)


def test_T37_both_colours_of_client_share_a_login_in_one_thread(sandbox: RunningSandbox) -> None:
    """The blocking one says at once that it cannot wait; the asyncio one's rotated token is kept by both."""
    security = expired_login(sandbox)
    before = security.refresh_token

    async def scene() -> list[int]:
        aio, blocking = clients(sandbox, security)
        call = WALLET(character_id=security.character_id or 0)
        async with aio:
            sandbox.fail(TOKEN, 1, kind="hang")
            asking = asyncio.ensure_future(aio.request(call))
            while not sandbox.most_at_once(TOKEN):  # noqa: ASYNC110 (the server is in another thread)
                await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="use AsyncEsiClient"):
                blocking.request(call)
            sandbox.heal()
            sandbox.release()
            answers = [await asking]
        answers.append(blocking.request(call))
        blocking.close()
        return [one.status for one in answers]

    assert [200, 200] == asyncio.run(scene())
    assert before != security.refresh_token
