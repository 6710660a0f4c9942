"""What is each runtime's own: never suspending, cancellation, virtual time; and the clock that never jumps."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import pytest

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.runtime import clock
from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.runtime.simulated import START, SimulatedRuntime
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport

REQUEST = HttpRequest("GET", "https://h/a")


# ---- blocking ----


def test_run_refuses_what_suspends_and_closes_it() -> None:
    """A coroutine that awaits a real event loop is a mistake: said at once, its finally blocks run."""
    closed: list[str] = []

    async def suspends() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append("closed")

    with pytest.raises(RuntimeError, match="a blocking call suspended"):
        run(suspends())
    assert ["closed"] == closed


def test_run_gives_results_and_errors_as_they_are() -> None:
    """None too; and an error keeps its own traceback."""

    async def give(value: object) -> object:
        if isinstance(value, Exception):
            raise value
        return value

    assert (5, None) == (run(give(5)), run(give(None)))
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as raised:
        run(give(error))
    assert error is raised.value


def test_one_at_a_time_needs_no_thread() -> None:
    """With a limit of one, or one item, the caller's own thread does it."""
    runtime = BlockingRuntime(ScriptedTransport([]))

    async def job(item: int) -> threading.Thread:
        return threading.current_thread()

    assert [threading.current_thread()] * 3 == run(runtime.gather(job, range(3), 1))
    assert [threading.current_thread()] == run(runtime.gather(job, [1], 20))
    assert threading.current_thread() not in run(runtime.gather(job, range(3), 20))


def test_an_open_loop_is_no_obstacle() -> None:
    """Where a loop already runs in the thread (Jupyter), a blocking call works."""
    runtime = BlockingRuntime(ScriptedTransport([HttpResponse(200, Headers(), b"a")]))

    async def notebook() -> bytes:
        return run(runtime.send(REQUEST)).body

    assert b"a" == asyncio.run(notebook())


# ---- asyncio ----


@pytest.fixture
def complaints() -> list[dict[str, Any]]:
    """What asyncio told its loop's exception handler."""
    return []


def in_loop(main: Callable[[AioRuntime], Awaitable[Any]], complaints: list[dict[str, Any]]) -> Any:
    """Run with a runtime of asyncio; collect all complaints, those at the collection of garbage too."""

    async def whole() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = await main(AioRuntime(AsyncScriptedTransport([])))
        gc.collect()
        return result

    return asyncio.run(whole())


def test_finished_work_goes_on_when_its_caller_is_cancelled(complaints: list[dict[str, Any]]) -> None:
    """The caller hears of its cancellation at once; the work ends all the same, and ``drain`` waits for it."""

    async def main(runtime: AioRuntime) -> list[str]:
        told: list[str] = []
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            begun.set()
            await go_on.wait()
            told.append("work done")

        caller = asyncio.ensure_future(runtime.finish(work()))
        await begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        told.append("caller cancelled")
        go_on.set()
        await runtime.drain()
        return told

    assert ["caller cancelled", "work done"] == in_loop(main, complaints)
    assert [] == complaints


def test_a_failure_that_nobody_waits_for_makes_no_noise(complaints: list[dict[str, Any]]) -> None:
    """The caller has gone; asyncio does not complain of an exception that was never retrieved."""

    async def main(runtime: AioRuntime) -> None:
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            await asyncio.sleep(0)
            raise ValueError("nobody's")

        caller = asyncio.ensure_future(runtime.finish(work()))
        await begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        del caller
        await runtime.drain()

    in_loop(main, complaints)
    assert [] == complaints


@pytest.mark.parametrize("outcome", ["result", "error"])
def test_T12_a_cancelled_waiter_leaves_the_flight_alone(outcome: str, complaints: list[dict[str, Any]]) -> None:
    """The others get what it brings; the flight is not cancelled, and nothing is complained of."""
    flight: Future[int] = Future()

    async def main(runtime: AioRuntime) -> Any:
        waiters = [asyncio.ensure_future(runtime.join(flight)) for _ in range(3)]
        await asyncio.sleep(0)
        waiters[0].cancel()
        await asyncio.wait(waiters[:1])
        assert (True, False) == (waiters[0].cancelled(), flight.cancelled())
        if outcome == "result":
            flight.set_result(5)
        else:
            flight.set_exception(ValueError("crashed"))
        return [str(one) for one in await asyncio.gather(*waiters[1:], return_exceptions=True)]

    assert [{"result": "5", "error": "crashed"}[outcome]] * 2 == in_loop(main, complaints)
    assert [] == complaints


def test_a_flight_that_lands_after_its_waiter_s_loop_is_closed() -> None:
    """Nobody waits any more: no error where it lands, and none is logged."""
    flight: Future[int] = Future()
    runtime = AioRuntime(AsyncScriptedTransport([]))

    async def give_up() -> None:
        waiter = asyncio.ensure_future(runtime.join(flight))
        await asyncio.sleep(0)
        waiter.cancel()

    asyncio.run(give_up())
    flight.set_result(5)
    assert flight.result() == 5


def test_a_cancelled_gather_cancels_its_jobs(complaints: list[dict[str, Any]]) -> None:
    """And waits until they have ended, so that nothing of it goes on behind the caller's back."""

    async def main(runtime: AioRuntime) -> tuple[int, int]:
        begun, ended = 0, 0
        all_begun = asyncio.Event()

        async def job(item: int) -> None:
            nonlocal begun, ended
            begun += 1
            if begun == 3:
                all_begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended += 1

        caller = asyncio.ensure_future(runtime.gather(job, range(10), 3))
        await all_begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        return begun, ended

    assert (3, 3) == in_loop(main, complaints)
    assert [] == complaints


def test_one_runtime_serves_one_loop_after_another() -> None:
    """What an earlier loop left behind does not hang a later one's ``drain``."""
    runtime = AioRuntime(AsyncScriptedTransport([]))
    loop = asyncio.new_event_loop()

    async def never() -> None:
        await loop.create_future()

    async def begin() -> asyncio.Future[None]:
        return asyncio.ensure_future(runtime.finish(never()))

    left = loop.run_until_complete(begin())
    loop.run_until_complete(asyncio.sleep(0))  # the work has begun, and its loop stands still
    asyncio.run(runtime.drain())
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait(tasks))
    loop.close()
    assert left.cancelled()


# ---- simulated ----


def simulated(**options: Any) -> SimulatedRuntime:
    """A runtime whose server always answers."""
    return SimulatedRuntime(lambda request: HttpResponse(200, Headers()), **options)


def test_virtual_time_costs_none() -> None:
    """A month of sleep is over at once, to the second; an exchange takes its latency."""
    runtime = simulated(latency_seconds=0.2)

    async def month() -> float:
        for _ in range(30):
            await runtime.sleep(86_400)
        await runtime.send(REQUEST)
        return runtime.now()

    assert runtime.run(month()) == pytest.approx(START + 30 * 86_400 + 0.2)


def test_the_server_sees_half_of_the_latency() -> None:
    """The request arrives after one half, the answer after the other; so does an error."""
    arrivals: list[float] = []

    def serve(request: HttpRequest) -> HttpResponse:
        arrivals.append(runtime.now())
        raise ValueError("down")

    runtime = SimulatedRuntime(serve, latency_seconds=2.0)
    with pytest.raises(ValueError, match="down"):
        runtime.run(runtime.send(REQUEST))
    assert ([START + 1.0], START + 2.0) == (arrivals, runtime.now())


def test_equals_go_first_come_first_served() -> None:
    """Tasks whose waiting ends at one moment go on in the order in which they began to wait."""
    runtime = simulated()
    order: list[tuple[str, float]] = []

    async def task(name: str, *pauses: float) -> None:
        for seconds in pauses:
            await runtime.sleep(seconds)
            order.append((name, runtime.now() - START))

    async def main() -> None:
        flights = [runtime.spawn(task("a", 2, 1)), runtime.spawn(task("b", 1, 2)), runtime.spawn(task("c", 3))]
        for flight in flights:
            await runtime.join(flight)

    runtime.run(main())
    assert [("b", 1.0), ("a", 2.0), ("c", 3.0), ("b", 3.0), ("a", 3.0)] == order


def test_a_simulation_repeats() -> None:
    """One seed, one course of events; another seed, another."""

    def course(seed: int) -> list[tuple[int, float]]:
        runtime = simulated(seed=seed)
        seen: list[tuple[int, float]] = []

        async def job(item: int) -> None:
            await runtime.sleep(runtime.random())
            seen.append((item, runtime.now()))

        runtime.run(runtime.gather(job, range(20), 5))
        return seen

    assert course(1) == course(1)
    assert course(1) != course(2)


def test_a_deadlock_is_told() -> None:
    """When every task waits for what never comes, it is an error and no hang."""
    runtime = simulated()
    never: Future[int] = Future()
    with pytest.raises(RuntimeError, match="waits for something that never comes"):
        runtime.run(runtime.join(never))


def test_what_is_real_is_refused() -> None:
    """A task that awaits a real event loop is told so, and closed."""
    runtime = simulated()

    async def real() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="awaits a real event loop"):
        runtime.run(real())


def test_what_was_spawned_goes_on_in_the_next_run() -> None:
    """A run ends with its own coroutine."""
    runtime = simulated()

    async def later() -> float:
        await runtime.sleep(10)
        return runtime.now() - START

    async def main() -> Future[float]:
        return runtime.spawn(later())

    flight = runtime.run(main())
    assert not flight.done()
    assert runtime.run(runtime.join(flight)) == 10.0


# ---- the clock ----


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_T06_the_clock_never_jumps(jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the machine's clock while the program runs moves nothing; a clock made later begins with it."""
    before = clock.steady_clock()
    started = before()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    assert 0.0 <= before() - started < 60.0
    assert jump - 60.0 < clock.steady_clock()() - started < jump + 60.0


def test_the_clock_is_the_time_of_day() -> None:
    """Seconds since 1970, in UTC, as the machine has it."""
    assert abs(clock.steady_clock()() - time.time()) < 60.0


def test_elsewhere_the_clock_is_the_monotonic_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no clock that counts its sleep."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(time, "monotonic", lambda: moments.pop(0))
    moments = [10.0, 15.0, 16.0]
    now = clock.steady_clock()
    assert now() + 1.0 == pytest.approx(now())
