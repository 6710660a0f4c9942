"""The simulated runtime's own: virtual time, the order of tasks, and what it refuses."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.runtime.simulated import START, SimulatedRuntime

REQUEST = HttpRequest("GET", "https://h/a")


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
