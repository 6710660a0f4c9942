"""The simulated runtime: virtual time and a server that is a function. A day of traffic in a second, always the same.

Tasks run one at a time, in the order in which their waiting ends (first come first served among equals). Time moves
only when every task waits, and then straight to the next moment at which one of them goes on.

    runtime = SimulatedRuntime(server, latency_seconds=0.05, seed=1)
    runtime.run(main())

``server(request)`` gives an `HttpResponse`, or raises a `NetworkError`; ``runtime.now()`` is its clock too.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from operator import length_hint
from typing import Any, TypeVar, cast

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.base import Strand

__all__ = ["SimulatedRuntime"]

T = TypeVar("T")
A = TypeVar("A")

START = 1785844800.0
"""When simulated time begins: 2026-08-04, noon UTC, an hour after the API's day has begun."""


class _Pause:
    """What a task yields to the scheduler: how to be woken."""

    def __init__(self, arrange: Callable[[Callable[[], None]], None]) -> None:
        self.arrange = arrange

    def __await__(self) -> Generator[_Pause, None, None]:
        yield self


class SimulatedRuntime:
    """`Runtime` over a virtual clock and a scripted server.

    Args:
        server: answers each request at the virtual moment at which it arrives.
        latency_seconds: how long an exchange takes; half of it before the server sees it.
        seed: of the runtime's random numbers.
        start: seconds since 1970 at which virtual time begins.
    """

    def __init__(
        self,
        server: Callable[[HttpRequest], HttpResponse],
        *,
        latency_seconds: float = 0.05,
        seed: int = 0,
        start: float = START,
    ) -> None:
        self.shared: dict[Any, Any] = {}
        self._server = server
        self._latency = latency_seconds
        self._now = start
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.random = random.Random(seed).random  # noqa: S311 (a simulation has to repeat)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine until it ends. What it spawned and has not ended goes on in the next run.

        Raises:
            RuntimeError: it waits for something that never comes, or for something real.
        """
        flight = self.spawn(main)
        while not flight.done():
            if not self._due:
                raise RuntimeError("the simulation waits for something that never comes")
            moment, _, wake = heapq.heappop(self._due)
            self._now = max(self._now, moment)
            wake()
        return flight.result()

    def spawn(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a task; its future has its result."""
        flight: Future[T] = Future()

        def step() -> None:
            try:
                pause = work.send(None)
            except StopIteration as stop:
                flight.set_result(stop.value)
            except Exception as error:
                flight.set_exception(error)
            else:
                if not isinstance(pause, _Pause):
                    work.close()
                    raise RuntimeError("a simulated task suspended: something in it awaits a real event loop")
                pause.arrange(step)

        self._at(self._now, step)
        return flight

    def _at(self, moment: float, wake: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (moment, self._count, wake))

    async def send(self, request: HttpRequest) -> HttpResponse:
        await self.sleep(self._latency / 2)
        try:
            return self._server(request)
        finally:
            await self.sleep(self._latency / 2)

    async def sleep(self, seconds: float) -> None:
        await _Pause(lambda wake: self._at(self._now + max(seconds, 0.0), wake))

    def now(self) -> float:
        return self._now

    def lock(self) -> AbstractContextManager[object]:
        return nullcontext()  # tasks never run at the same time

    def strand(self) -> Strand:
        return Strand(0, self)

    def is_running(self) -> bool:
        """Whether tasks go on: they do whenever anyone asks."""
        return True

    def is_closed(self) -> bool:
        """Whether tasks are lost: they never are."""
        return False

    async def join(self, flight: Future[T], seconds: float | None = None) -> T:
        if not flight.done():
            await _Pause(lambda wake: self._when(flight, seconds, wake))
        return flight.result(0)

    def _when(self, flight: Future[Any], seconds: float | None, wake: Callable[[], None]) -> None:
        woken = False

        def once() -> None:
            nonlocal woken
            if not woken:
                woken = True
                wake()

        flight.add_done_callback(lambda _: self._at(self._now, once))
        if seconds is not None:
            self._at(self._now + seconds, once)

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        return await self.join(self.spawn(work))

    async def gather(self, job: Callable[[A], Awaitable[T]], items: Iterable[A], limit: int) -> list[T]:
        waiting: Iterator[tuple[int, A]] = enumerate(items)
        results: dict[int, T] = {}
        failed: list[Exception] = []

        async def work() -> None:
            while not failed:
                place, item = next(waiting, (-1, None))
                if place < 0:
                    return
                try:
                    results[place] = await job(cast("A", item))
                except Exception as error:
                    failed.append(error)

        for flight in [self.spawn(work()) for _ in range(max(min(limit, length_hint(items, limit)), 1))]:
            await self.join(flight)
        if failed:
            raise failed[0]
        return [results[place] for place in range(len(results))]

    async def tell(self, signal: Any, payload: dict[str, Any]) -> None:
        await signal.asend_robust(**payload)
