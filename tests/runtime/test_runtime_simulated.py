"""The simulated runtime's own: virtual time, the order of tasks, and what it refuses."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.runtime.simulated import START, SimulatedRuntime, TaskCancelledError, Working

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


def test_a_task_is_cancelled_where_it_waits() -> None:
    """It may clean up; ``except Exception`` does not catch it; who joins it is told; time has not passed."""
    runtime = simulated()
    seen: list[str] = []

    async def patient() -> None:
        try:
            await runtime.sleep(1000)
        except Exception:
            seen.append("swallowed")
        except TaskCancelledError:
            seen.append("cancelled")
            await runtime.sleep(1)
            seen.append("cleaned up")
            raise

    async def main() -> None:
        flight = runtime.spawn(patient())
        await runtime.sleep(5)
        assert runtime.cancel(flight)
        with pytest.raises(CancelledError):
            await runtime.join(flight)
        assert not runtime.cancel(flight)

    runtime.run(main())
    assert (["cancelled", "cleaned up"], 6.0) == (seen, runtime.now() - START)


def test_a_task_that_has_not_begun_never_does() -> None:
    """Cancelled in the moment in which it is spawned."""
    runtime = simulated()
    begun: list[bool] = []

    async def task() -> None:
        begun.append(True)

    async def main() -> None:
        flight = runtime.spawn(task())
        runtime.cancel(flight)
        with pytest.raises(CancelledError):
            await runtime.join(flight)

    runtime.run(main())
    assert [] == begun


def test_a_task_may_go_on_though_it_is_cancelled() -> None:
    """As with asyncio: what catches it and ends well has a result."""
    runtime = simulated()

    async def stubborn() -> str:
        try:
            await runtime.sleep(1000)
        except TaskCancelledError:
            return "not impressed"
        return "never"

    async def main() -> str:
        flight = runtime.spawn(stubborn())
        await runtime.sleep(1)
        runtime.cancel(flight)
        return await runtime.join(flight)

    assert "not impressed" == runtime.run(main())


def test_a_task_may_cancel_itself() -> None:
    """It ends at its next wait."""
    runtime = simulated()
    reached: list[str] = []

    async def main() -> None:
        async def task() -> None:
            runtime.cancel(flight)
            reached.append("goes on")
            await runtime.sleep(1)
            reached.append("too far")

        flight = runtime.spawn(task())
        with pytest.raises(CancelledError):
            await runtime.join(flight)

    runtime.run(main())
    assert ["goes on"] == reached


def test_what_came_in_the_same_moment_is_lost_with_the_task() -> None:
    """A waiter that is cancelled after its flight landed and before it went on never sees the result."""
    runtime = simulated()
    seen: list[object] = []
    flight: Future[int] = Future()

    async def waiter() -> None:
        try:
            seen.append(await runtime.join(flight))
        except TaskCancelledError:
            seen.append("cancelled")
            raise

    async def main() -> None:
        waiting = runtime.spawn(waiter())
        await runtime.sleep(1)
        flight.set_result(5)
        runtime.cancel(waiting)
        with pytest.raises(CancelledError):
            await runtime.join(waiting)

    runtime.run(main())
    assert ["cancelled"] == seen


@pytest.mark.parametrize("seconds", [0.5, 1.5, 2.5])
def test_what_a_cancelled_task_was_sending_still_arrives(seconds: float) -> None:
    """On its way, at work in the server, or on its way back: the server sees it, and sees it once, to its end."""
    finished: list[float] = []

    def finish() -> HttpResponse:
        finished.append(runtime.now() - START)
        return HttpResponse(200, Headers())

    runtime = SimulatedRuntime(lambda _: Working(1.0, finish), latency_seconds=2.0)

    async def main() -> None:
        flight = runtime.spawn(runtime.send(REQUEST))
        await runtime.sleep(seconds)
        runtime.cancel(flight)
        with pytest.raises(CancelledError):
            await runtime.join(flight)
        assert seconds == runtime.now() - START
        await runtime.sleep(10)

    runtime.run(main())
    assert [2.0] == finished


def test_cancelling_a_gather_cancels_its_jobs() -> None:
    """None is begun after it, and those under way end."""
    runtime = simulated()
    ended: list[int] = []

    async def job(item: int) -> None:
        try:
            await runtime.sleep(100)
        finally:
            ended.append(item)

    async def main() -> None:
        flight = runtime.spawn(runtime.gather(job, range(10), 3))
        await runtime.sleep(1)
        runtime.cancel(flight)
        await runtime.sleep(1)

    runtime.run(main())
    assert [0, 1, 2] == sorted(ended)


def test_a_wait_that_is_over_moves_no_time() -> None:
    """A deadline that was not reached, and a sleep that was cancelled, are forgotten."""
    runtime = simulated()

    async def main() -> None:
        flight = runtime.spawn(runtime.sleep(1))
        sleeper = runtime.spawn(runtime.sleep(5000))
        await runtime.join(flight, 1000)
        runtime.cancel(sleeper)

    runtime.run(main())
    with pytest.raises(RuntimeError, match="never comes"):
        runtime.run(runtime.join(Future[int]()))
    assert 1.0 == runtime.now() - START


def test_a_join_has_a_deadline() -> None:
    """At it the waiter goes on, and the flight flies on."""
    runtime = simulated()

    async def main() -> float:
        flight = runtime.spawn(runtime.sleep(10))
        with pytest.raises(TimeoutError):
            await runtime.join(flight, 3)
        assert 3.0 == runtime.now() - START
        await runtime.join(flight, 30)
        return runtime.now() - START

    assert 10.0 == runtime.run(main())


def test_what_has_to_be_finished_is_finished_though_its_caller_is_cancelled() -> None:
    """The caller leaves at once, the work goes on to its end."""
    runtime = simulated()
    done: list[float] = []

    async def work() -> None:
        await runtime.sleep(10)
        done.append(runtime.now() - START)

    async def main() -> None:
        flight = runtime.spawn(runtime.finish(work()))
        await runtime.sleep(1)
        runtime.cancel(flight)
        with pytest.raises(CancelledError):
            await runtime.join(flight)
        assert [] == done
        await runtime.sleep(20)

    runtime.run(main())
    assert [10.0] == done
