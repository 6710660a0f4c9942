"""What the engine may ask of a runtime: one contract, held by all three."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

import pytest

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.exceptions import BrokenAnswerError
from esipy.runtime.aio import AioRuntime
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.runtime.simulated import SimulatedRuntime
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport

T = TypeVar("T")
REQUEST = HttpRequest("GET", "https://h/a")
WAIT = 30
"""Seconds after which a test that hangs gives up; none of them waits for it."""


class Bench:
    """A runtime and how its coroutines are run."""

    def __init__(self, colour: str) -> None:
        self.colour = colour
        self.runtime: Runtime
        self.run: Callable[[Coroutine[Any, Any, Any]], Any]
        if colour == "blocking":
            self.runtime, self.run = BlockingRuntime(ScriptedTransport(serve)), run
        elif colour == "asyncio":
            self.runtime, self.run = AioRuntime(AsyncScriptedTransport(serve)), asyncio.run
        else:
            simulated = SimulatedRuntime(strictly)
            self.runtime, self.run = simulated, simulated.run


def serve(request: HttpRequest) -> HttpResponse | Exception:
    """A server with one good address."""
    if request.url.endswith("/a"):
        return HttpResponse(200, Headers(), b"a")
    return BrokenAnswerError(request.url, "reset")


def strictly(request: HttpRequest) -> HttpResponse:
    """The same, raising."""
    outcome = serve(request)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@pytest.fixture(params=["blocking", "asyncio", "simulated"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Each runtime in turn."""
    return Bench(request.param)


def test_send(bench: Bench) -> None:
    """The answer, or the network's error."""
    assert bench.run(bench.runtime.send(REQUEST)).body == b"a"
    with pytest.raises(BrokenAnswerError):
        bench.run(bench.runtime.send(HttpRequest("GET", "https://h/b")))


def test_time_goes_on_and_chance_is_chance(bench: Bench) -> None:
    """``now`` is seconds since 1970 and never goes back; sleeping less than nothing is no error; random is random."""

    async def main() -> list[float]:
        moments = [bench.runtime.now()]
        for seconds in (0.0, -1.0, 0.001):
            await bench.runtime.sleep(seconds)
            moments.append(bench.runtime.now())
        return moments

    moments = bench.run(main())
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] > 0.0009
    assert moments[0] > 1_700_000_000
    numbers = {bench.runtime.random() for _ in range(100)}
    assert len(numbers) == 100
    assert all(0 <= number < 1 for number in numbers)


def test_a_lock_is_a_with_block(bench: Bench) -> None:
    """For state that threads share."""
    lock = bench.runtime.lock()
    entered = []
    for _ in range(2):  # it is free again after each block
        with lock:
            entered.append(True)
    assert [True, True] == entered


def test_gather_keeps_the_order(bench: Bench) -> None:
    """Results are in the order of the items, whichever ends first; no item, no job."""

    async def job(item: int) -> int:
        await bench.runtime.sleep((10 - item) / 10_000)
        return item * item

    assert [n * n for n in range(10)] == bench.run(bench.runtime.gather(job, range(10), 4))
    assert [n * n for n in range(10)] == bench.run(bench.runtime.gather(job, iter(range(10)), 100))
    assert [] == bench.run(bench.runtime.gather(job, [], 4))


@pytest.mark.parametrize("limit", [-1, 0, 1, 3])
def test_gather_keeps_the_limit(bench: Bench, limit: int) -> None:
    """Never more at a time than the limit, and as many as it allows; less than one is one."""
    expected = max(limit, 1)
    counting = threading.Lock()
    together = threading.Barrier(expected)
    under_way, most = 0, 0

    async def job(item: int) -> None:
        nonlocal under_way, most
        with counting:
            under_way += 1
            most = max(most, under_way)
        if bench.colour == "blocking":
            together.wait(WAIT)  # only as many as the limit, at the same time, get through
        await bench.runtime.sleep(0.0)
        with counting:
            under_way -= 1

    bench.run(bench.runtime.gather(job, range(12), limit))
    assert expected == most


def test_gather_takes_items_as_it_goes(bench: Bench) -> None:
    """A generator is asked for the next item when there is room for it, by one at a time."""
    asked: list[int] = []
    done: list[int] = []
    ahead: list[int] = []

    def items() -> Iterator[int]:
        for item in range(20):
            asked.append(item)
            ahead.append(len(asked) - len(done))
            yield item

    async def job(item: int) -> int:
        await bench.runtime.sleep(0.0)
        done.append(item)
        return item

    assert list(range(20)) == bench.run(bench.runtime.gather(job, items(), 3))
    assert max(ahead) <= 3


def test_gather_raises_the_first_error_and_begins_nothing_after_it(bench: Bench) -> None:
    """First in time, not in order; what has not begun then never does, or these endless items would never end."""
    begun: list[int] = []
    failed = threading.Event()

    async def job(item: int) -> None:
        begun.append(item)
        if item == 1:
            failed.set()
            raise ValueError("the first in time")
        if bench.colour == "blocking":
            assert failed.wait(WAIT)
        await bench.runtime.sleep(0.001)

    with pytest.raises(ValueError, match="the first in time"):
        bench.run(bench.runtime.gather(job, itertools.count(), 2))
    assert [0, 1] == sorted(begun[:2])
    if bench.colour != "blocking":  # there, the other thread may be quicker than the news of the failure
        assert 2 == len(begun)


def test_gather_raises_the_error_of_its_items(bench: Bench) -> None:
    """A generator that fails is a failure too."""

    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    async def job(item: int) -> int:
        return item

    with pytest.raises(ValueError, match="no more"):
        bench.run(bench.runtime.gather(job, items(), 3))


def test_gather_within_gather(bench: Bench) -> None:
    """A job may itself gather."""

    async def job(item: int) -> list[int]:
        return await bench.runtime.gather(double, range(item), 2)

    async def double(item: int) -> int:
        return 2 * item

    assert [[], [0], [0, 2]] == bench.run(bench.runtime.gather(job, range(3), 3))


CALLER: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="nobody")


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
def test_jobs_see_the_callers_context(colour: str, limit: int) -> None:
    """Context variables (a trace, a log's context) are the caller's, in threads as in tasks."""
    bench = Bench(colour)

    async def job(item: int) -> str:
        return CALLER.get()

    token = CALLER.set("me")
    try:
        assert {"me"} == set(bench.run(bench.runtime.gather(job, range(9), limit)))
    finally:
        CALLER.reset(token)


def test_join_gives_what_another_flight_brings(bench: Bench) -> None:
    """Its result or its error, whether it has landed already or not."""
    landed: Future[int] = Future()
    landed.set_result(5)
    crashed: Future[int] = Future()
    crashed.set_exception(ValueError("crashed"))
    given_up: Future[int] = Future()
    given_up.cancel()
    assert bench.run(bench.runtime.join(landed)) == 5
    with pytest.raises(ValueError, match="crashed"):
        bench.run(bench.runtime.join(crashed))
    with pytest.raises(CancelledError):
        bench.run(bench.runtime.join(given_up))


@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
def test_join_waits_for_another_thread(colour: str) -> None:
    """The flight may land in any thread."""
    bench = Bench(colour)
    flight: Future[int] = Future()
    waiting = threading.Event()

    def land() -> None:
        assert waiting.wait(WAIT)
        flight.set_result(5)

    async def main() -> int:
        waiting.set()
        return await bench.runtime.join(flight)

    thread = threading.Thread(target=land)
    thread.start()
    assert bench.run(main()) == 5
    thread.join(WAIT)


def test_many_may_join_one_flight(bench: Bench) -> None:
    """Each gets its result."""
    flight: Future[str] = Future()

    async def job(item: int) -> str:
        if item == 0:
            await bench.runtime.sleep(0.001)
            flight.set_result("landed")
        return await bench.runtime.join(flight)

    assert ["landed"] * 5 == bench.run(bench.runtime.gather(job, range(5), 5))


def test_finish_gives_the_works_result_or_error(bench: Bench) -> None:
    """As if it had been awaited."""

    async def good() -> int:
        await bench.runtime.sleep(0.0)
        return 5

    async def bad() -> int:
        await bench.runtime.sleep(0.0)
        raise ValueError("bad")

    assert bench.run(bench.runtime.finish(good())) == 5
    with pytest.raises(ValueError, match="bad"):
        bench.run(bench.runtime.finish(bad()))


def test_background_work_is_begun_where_tasks_are(bench: Bench) -> None:
    """Nobody waits for it, and what it raises is told to nobody; a thread by itself does not begin it at all."""
    begun: list[str] = []

    async def work() -> None:
        begun.append("work")
        await bench.runtime.sleep(0)
        begun.append("done")
        raise ValueError("nobody hears this")

    async def main() -> bool:
        answer = bench.runtime.background(work)
        assert [] == begun
        await bench.runtime.sleep(0)
        for _ in range(5):
            await bench.runtime.sleep(0)
        return answer

    assert (bench.colour != "blocking") is bench.run(main())
    assert ([] if bench.colour == "blocking" else ["work", "done"]) == begun
