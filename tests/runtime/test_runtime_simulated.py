"""The simulated runtime's own: virtual time, the order of tasks, how requests and answers travel; what it refuses."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.runtime.simulated import START, SimulatedRuntime, Working
from tests.runtime.simulated_kit import REQUEST, simulated


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


class Recorder:
    """A server that notes when each request arrived."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[str, float]] = []
        self.now = lambda: 0.0

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.arrivals.append((request.url, self.now() - START))
        return HttpResponse(200, Headers())


def noted(**options: Any) -> tuple[SimulatedRuntime, Recorder]:
    """A runtime and its recording server."""
    server = Recorder()
    runtime = SimulatedRuntime(server, **options)
    server.now = runtime.now
    return runtime, server


def test_requests_and_answers_overtake_each_other() -> None:
    """Each way takes a time by chance, within what was given; the same each time; the engine's chance is its own."""

    def course(seed: int) -> tuple[list[str], list[str], float]:
        runtime, server = noted(request_seconds=(0.1, 0.4), answer_seconds=(1.0, 5.0), seed=seed)
        answered: list[str] = []

        async def job(item: int) -> None:
            await runtime.send(HttpRequest("GET", f"https://h/{item}"))
            answered.append(f"https://h/{item}")
            assert 1.1 <= runtime.now() - START <= 5.4

        runtime.run(runtime.gather(job, range(50), 50))
        assert all(0.1 <= moment <= 0.4 for _, moment in server.arrivals)
        return [url for url, _ in server.arrivals], answered, runtime.random()

    arrived, answered, chance = course(1)
    assert (arrived, answered, chance) == course(1)
    sent = [f"https://h/{item}" for item in range(50)]
    assert sent == sorted(arrived, key=sent.index) == sorted(answered, key=sent.index)
    assert sent != arrived != answered
    assert chance == simulated(seed=1).random()


def test_a_server_may_take_its_time() -> None:
    """It sees the request when it comes, and is asked for the answer, or the error, when its time is over."""
    moments: list[float] = []

    def finish() -> HttpResponse:
        moments.append(runtime.now() - START)
        return HttpResponse(200, Headers(), b"done")

    def fail() -> HttpResponse:
        raise ValueError("late failure")

    def serve(request: HttpRequest) -> Working:
        moments.append(runtime.now() - START)
        return Working(3, lambda: Working(4.0, finish)) if request is REQUEST else Working(1.0, fail)

    runtime = SimulatedRuntime(serve, latency_seconds=2.0)
    assert b"done" == runtime.run(runtime.send(REQUEST)).body
    assert ([1.0, 8.0], 9.0) == (moments, runtime.now() - START)
    with pytest.raises(ValueError, match="late failure"):
        runtime.run(runtime.send(HttpRequest("GET", "https://h/b")))
    assert 12.0 == runtime.now() - START
