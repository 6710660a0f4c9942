"""Tasks of the simulated runtime: cancelled where they wait, joined with a deadline, finished whatever happens."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future

import pytest

from esipy.core.wire import Headers, HttpResponse
from esipy.runtime.simulated import START, SimulatedRuntime, TaskCancelledError, Working
from tests.runtime.simulated_kit import REQUEST, simulated


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
