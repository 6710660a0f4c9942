"""The simulated runtime: virtual time and a server that is a function. A day of traffic in a second, always the same.

Tasks run one at a time, in the order in which their waiting ends (first come first served among equals). Time moves
only when every task waits, and then straight to the next moment at which one of them goes on.

    runtime = SimulatedRuntime(server, latency_seconds=0.05, seed=1)
    runtime.run(main())

``server(request)`` gives an `HttpResponse`, or raises a `NetworkError`; ``runtime.now()`` is its clock too. It may also
give a `Working`, and so take its time. `esipy.simulation` has one that plays ESI.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from operator import length_hint
from typing import Any, NamedTuple, TypeVar, cast

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.base import Strand, Telling
from esipy.runtime.simulated_tasks import Landing, Task, TaskCancelledError, give_way

__all__ = ["Server", "SimulatedRuntime", "TaskCancelledError", "Working"]

T = TypeVar("T")
A = TypeVar("A")

START = 1785844800.0
"""When simulated time begins: 2026-08-04, noon UTC, an hour after the API's day has begun."""


class Working(NamedTuple):
    """What a server gives that takes its time with a request.

    Attributes:
        seconds: how long it takes.
        finish: gives the answer then, or works on, or raises.
    """

    seconds: float
    finish: Callable[[], HttpResponse | Working]


Server = Callable[[HttpRequest], HttpResponse | Working]


class SimulatedRuntime:
    """`Runtime` over a virtual clock and a scripted server.

    Args:
        server: answers each request at the virtual moment at which it arrives.
        latency_seconds: how long an exchange takes; half of it before the server sees it.
        request_seconds: how long a request takes to the server: from, to, by chance; None: half of the latency. When
            they differ, requests overtake each other.
        answer_seconds: the same for answers.
        seed: of the runtime's random numbers.
        start: seconds since 1970 at which virtual time begins.

    Attributes:
        server: may be replaced at any time.
    """

    def __init__(
        self,
        server: Server,
        *,
        latency_seconds: float = 0.05,
        request_seconds: tuple[float, float] | None = None,
        answer_seconds: tuple[float, float] | None = None,
        seed: int = 0,
        start: float = START,
    ) -> None:
        self.shared: dict[Any, Any] = {}
        self.server = server
        half = (latency_seconds / 2, latency_seconds / 2)
        self._request_seconds = request_seconds or half
        self._answer_seconds = answer_seconds or half
        self._now = float(start)
        self._due: list[tuple[float, int, Task, int]] = []
        self._count = 0
        self._tasks: dict[Future[Any], Task] = {}
        self.random = random.Random(seed).random  # noqa: S311 (a simulation has to repeat)
        # Its own, so that the course of the engine's numbers does not depend on how many requests there were.
        self._jitter = random.Random(seed + 1).random  # noqa: S311

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine until it ends. What it spawned and has not ended goes on in the next run.

        Raises:
            RuntimeError: it waits for something that never comes, or for something real.
        """
        flight = self.spawn(main)
        due, tasks, step, pop = self._due, self._tasks, self._step, heapq.heappop
        while flight in tasks:  # cheaper than asking the flight, which takes its lock
            if not due:
                raise RuntimeError("the simulation waits for something that never comes")
            moment, _, task, turn = pop(due)
            if turn == task.turn:
                if moment > self._now:
                    self._now = moment
                step(task)
        return flight.result()

    def spawn(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a task; its future has its result."""
        task = Task(work)
        self._tasks[task.flight] = task
        self._at(self._now, task)
        return task.flight

    def cancel(self, flight: Future[Any]) -> bool:
        """End a spawned task: `TaskCancelledError` is raised where it waits, later in this same moment.

        What it waited for is lost, even if it has come by now, as with asyncio. The task may clean up before it ends,
        or go on. Its flight is cancelled when it does end: who joins it gets ``concurrent.futures.CancelledError``.
        What it was sending still reaches the server. Gives False when it had ended before.
        """
        task = self._tasks.get(flight)
        if task is None:
            return False
        task.turn += 1
        task.cancelled = True
        self._at(self._now, task)
        return True

    def _at(self, moment: float, task: Task) -> None:
        self._count += 1
        heapq.heappush(self._due, (moment, self._count, task, task.turn))

    def _step(self, task: Task) -> None:
        """Let a task go on to its next wait, or to its end."""
        task.turn += 1
        try:
            if task.cancelled:
                task.cancelled = False
                wish = task.context.run(task.work.throw, TaskCancelledError())
            else:
                wish = task.context.run(task.work.send, None)
        except StopIteration as stop:
            self._tasks.pop(task.flight)
            task.flight.set_result(stop.value)
        except Exception as raised:
            self._tasks.pop(task.flight)
            task.flight.set_exception(raised)
        except TaskCancelledError:
            self._tasks.pop(task.flight)
            task.flight.cancel()
        else:
            if type(wish) is float:
                self._at(wish, task)
            elif type(wish) is Landing:
                self._await(task, wish)
            else:
                task.work.close()
                raise RuntimeError("a simulated task suspended: something in it awaits a real event loop")

    def _await(self, task: Task, wish: Landing) -> None:
        turn = task.turn

        def landed(_: Future[Any]) -> None:
            if task.turn == turn:
                self._at(self._now, task)

        wish.flight.add_done_callback(landed)
        if wish.deadline is not None:
            self._at(wish.deadline, task)

    async def send(self, request: HttpRequest) -> HttpResponse:
        least, most = self._request_seconds
        arrival = self._now + least + (most - least) * self._jitter()
        try:
            await give_way(arrival)
        except TaskCancelledError:
            # What is under way arrives, and is counted there, whoever waits for it.
            self.spawn(self._abandoned(request, arrival))
            raise
        try:
            outcome = self.server(request)
            while type(outcome) is Working:
                outcome = await self._worked(outcome)
        except Exception:
            await self._return()
            raise
        await self._return()
        return cast("HttpResponse", outcome)

    async def _worked(self, working: Working) -> HttpResponse | Working:
        end = self._now + float(working.seconds)
        try:
            await give_way(end)
        except TaskCancelledError:
            self.spawn(self._abandoned(working, end))
            raise
        return working.finish()

    async def _abandoned(self, what: HttpRequest | Working, moment: float) -> None:
        await give_way(moment)
        outcome = what.finish() if isinstance(what, Working) else self.server(what)
        while isinstance(outcome, Working):
            outcome = await self._worked(outcome)

    async def _return(self) -> None:
        least, most = self._answer_seconds
        await give_way(self._now + least + (most - least) * self._jitter())

    async def sleep(self, seconds: float) -> None:
        await give_way(self._now + (seconds if seconds > 0.0 else 0.0))

    def now(self) -> float:
        return self._now

    def passed(self) -> float:
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
            await give_way(Landing(flight, None if seconds is None else self._now + seconds))
        return flight.result(0)

    def begin(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        flight: Future[T] = Future()
        try:
            flight.set_result(work(*arguments))
        except Exception as error:
            flight.set_exception(error)
        return flight

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        return await self.join(self.spawn(work))

    def background(self, work: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        self.spawn(work())
        return True

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

        flights = [self.spawn(work()) for _ in range(max(min(limit, length_hint(items, limit)), 1))]
        try:
            for flight in flights:
                await self.join(flight)
        except TaskCancelledError:
            for flight in flights:
                self.cancel(flight)
            raise
        if failed:
            raise failed[0]
        return [results[place] for place in range(len(results))]

    async def tell(self, signal: Any, payload: dict[str, Any]) -> None:
        with Telling():
            await signal.asend_robust(**payload)
