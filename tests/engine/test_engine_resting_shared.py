"""The daily downtime between tasks, threads, loops and processes: whoever asks may be gone."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.terms import Terms
from esipy.events import DOWNTIME_ENDED, DOWNTIME_STARTED
from esipy.exceptions import BrokenAnswerError
from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime
from tests.engine.kit import ORDERS, Bench, _Async, _Blocking, answer
from tests.engine.resting_kit import ELEVEN, Esi, Told
from tests.forks import child, needs_fork

T = TypeVar("T")


def test_whoever_asks_may_be_cancelled() -> None:
    """Before the question, and while it is under way: the next one asks, at once if the question was lost."""
    esi = Esi((0, 300))

    async def story() -> list[Any]:
        await esi.call_at(-10, 9999)
        flights = [esi.runtime.spawn(esi.call_at(10 + page, page, priority="batch")) for page in range(10)]
        await esi.runtime.sleep(40)
        esi.runtime.cancel(flights[0])
        while not esi.questions:
            await esi.runtime.sleep(0.01)
        asked_at = esi.clock()
        esi.runtime.cancel(flights[1])  # the answer is on its way
        await esi.runtime.sleep(0.1)
        assert 2 == len(esi.questions)
        assert esi.clock() - asked_at < 0.2
        return [(await esi.runtime.join(flight)).status for flight in flights[2:]]

    assert [200] * 8 == esi.run(story())[0]


def test_all_who_wait_may_be_cancelled() -> None:
    """Nobody asks any more, and the line is empty."""
    esi = Esi((0, 300))

    async def story() -> None:
        await esi.call_at(-10, 9999)
        flights = [esi.runtime.spawn(esi.call_at(10, page, priority="batch")) for page in range(10)]
        await esi.runtime.sleep(40)
        for flight in flights:
            esi.runtime.cancel(flight)
        await esi.runtime.sleep(600)

    esi.run(story())
    assert [] == esi.questions
    assert not esi.bench.engine.watch.lines


def test_a_receiver_may_call_esi_itself(told: list[Told]) -> None:
    """Those who are told stand in no line: a batch call of theirs is the one that asks."""
    esi = Esi((0, 300), begin=60)
    inner: list[int] = []

    class Calling:
        """As a receiver of an asyncio client: awaited where the signal is told."""

        def __init__(self, tell: Any) -> None:
            self._tell = tell

        async def __call__(self, signal: Any, payload: dict[str, Any]) -> None:
            await self._tell(signal, payload)
            if signal in (DOWNTIME_STARTED, DOWNTIME_ENDED):
                inner.append((await esi.call(7, priority="batch")).status)

    esi.runtime.tell = Calling(esi.runtime.tell)  # type: ignore[method-assign]
    assert [200, 200, 200] == [one.status for one in esi.run(*[esi.call(page, priority="batch") for page in (1, 2, 3)])]
    assert [200, 200] == inner
    assert [False, True] == [one.ended for one in told]


class Clocked(BlockingRuntime):
    """A blocking runtime whose clock stands still but for those who sleep; who waits for others waits for real."""

    def __init__(self, serve: Any, start: float) -> None:
        super().__init__(_Blocking(serve))
        self.shared = {}
        self.time = start
        self.now = lambda: self.time
        self.waiting = threading.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    async def join(self, flight: Future[T], seconds: float | None = None) -> T:
        if seconds is not None and seconds <= 200:  # until the next question
            self.time += seconds
            raise TimeoutError
        self.waiting.release()
        return flight.result(20)


def test_threads_wait_and_one_asks(told: list[Told]) -> None:
    """The blocking client: eight threads wait, one of them asks, and all go on."""
    questions: list[int] = []
    asking = threading.Lock()

    def serve(request: HttpRequest) -> HttpResponse:
        if not request.url.endswith("/status"):
            return answer([])
        assert asking.acquire(blocking=False)
        if not questions:
            assert all(runtime.waiting.acquire(timeout=20) for _ in range(7))
        questions.append(threading.get_ident())
        asking.release()
        return answer(b"", 503) if len(questions) < 5 else answer()

    runtime = Clocked(serve, ELEVEN - 60)
    bench = Bench("blocking", serve, runtime=runtime, cache=None)
    bench.perform(ORDERS)
    runtime.time = ELEVEN + 1
    batch = Terms.of(bench.engine.settings, priority="batch")
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda page: bench.perform(ORDERS.replace(page=page), terms=batch), range(1, 9)))
    assert [200] * 8 == [one.status for one in got]
    assert (5, 1) == (len(questions), len(set(questions)))
    assert [False, True] == [one.ended for one in told]


def test_a_loop_that_stands_still_does_not_hold_up_others() -> None:
    """It has claimed the question and does not get on: after a while a thread asks, and the loop's call goes on too."""
    asked = threading.Event()

    class Standing(AioRuntime):
        def __init__(self) -> None:
            super().__init__(_Async(serve))
            self.shared = runtime.shared
            self.now = runtime.now
            self.random = lambda: 0.0

        async def join(self, flight: Future[T], seconds: float | None = None) -> T:
            return await super().join(flight, None)

        async def send(self, request: HttpRequest) -> HttpResponse:
            if request.url.endswith("/status"):
                asked.set()
                assert done.wait(20)  # the whole loop stands
                raise BrokenAnswerError(request.url, "late")
            return answer([])

    def serve(request: HttpRequest) -> HttpResponse:
        return answer() if request.url.endswith("/status") else answer([])

    done = threading.Event()
    runtime = Clocked(serve, ELEVEN + 1200)
    bench = Bench("blocking", serve, runtime=runtime)
    standing = Bench("asyncio", serve, runtime=Standing())
    batch = Terms.of(bench.engine.settings, priority="batch")
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lambda: asyncio.run(standing.engine.perform(ORDERS.replace(page=2), terms=batch)))
        assert asked.wait(20)
        began = runtime.time
        assert 200 == bench.perform(ORDERS, terms=batch).status
        assert runtime.time - began <= 100
        done.set()
        assert 200 == other.result(20).status


@needs_fork
def test_a_child_of_a_fork_asks_itself() -> None:
    """The parent's question, and those who wait there, are not the child's."""
    runtime = Clocked(lambda _: answer(), ELEVEN + 1200)
    watch = Bench("blocking", lambda _: answer(), runtime=runtime).engine.watch
    watch.change(watch.downtime.look, runtime.now(), 0.5)
    assert watch.change(watch.downtime.claim, runtime.now(), 90)
    assert child(lambda: watch.change(watch.downtime.claim, runtime.now(), 90))
    assert not watch.change(watch.downtime.claim, runtime.now(), 90)
