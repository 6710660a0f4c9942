"""The asyncio runtime: the engine's awaits are real ones. One runtime may be used by one loop after another."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from operator import length_hint
from typing import Any, ClassVar, TypeVar, cast

from esipy._forks import forget_after_fork, fork_lock
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.base import FINISH_SECONDS, Strand, Telling
from esipy.runtime.clock import passed_seconds, steady_clock
from esipy.runtime.shared import PROCESS
from esipy.transport.base import AsyncTransport

__all__ = ["AioRuntime"]

BESIDE_THREADS = 4
"""How many threads do what must not be done in a loop's own; each thing takes less than a millisecond."""

T = TypeVar("T")
A = TypeVar("A")


class Waiting:
    """The task that waits here for an answer, a moment or a receiver: it is kept, whatever becomes of its loop.

    A task that nobody waits for any more, because its loop was closed, is destroyed by the garbage collector, which
    may come while this very thread holds a lock that the task's end needs. So it ends in `end_abandoned`, where nothing
    is held.
    """

    __slots__ = ("_task",)

    tasks: ClassVar[set[asyncio.Task[Any]]] = set()

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        if self._task is not None:
            self.tasks.add(self._task)

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self.tasks.discard(self._task)

    @classmethod
    def end_abandoned(cls) -> None:
        """End those whose loop is closed."""
        for task in tuple(cls.tasks):
            if task.get_loop().is_closed():
                cls.tasks.discard(task)
                with suppress(Exception):  # as the collector, which has nobody to tell
                    cast("Coroutine[Any, Any, Any]", task.get_coro()).close()


class Beside:
    """Threads beside the loop, made when they are first needed.

    Attributes:
        under_way: what was begun, and is not done yet.
    """

    def __init__(self) -> None:
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """In a child after fork: the parent's threads are not there."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self.under_way: set[Future[Any]] = set()

    def begin(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Have it done by the next that is free."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(BESIDE_THREADS, "esipy_beside")
            flight = self._pool.submit(work, *arguments)
        self.under_way.add(flight)
        flight.add_done_callback(self.under_way.discard)
        return flight

    def dismiss(self) -> None:
        """Let them go, once they have done what was begun; they come back when they are needed."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)


class AioRuntime:
    """`Runtime` over an asyncio transport."""

    def __init__(self, transport: AsyncTransport) -> None:
        self.transport = transport
        self.shared = PROCESS
        self.now = steady_clock()
        self.passed = passed_seconds
        self.random = random.Random().random  # noqa: S311 (jitter, not secrets)
        self._beside = Beside()
        self._strand: Strand | None = None
        self._unfinished: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the one before may have been closed
            self._loop = loop
            Waiting.end_abandoned()
        with Waiting():
            return await self.transport.send(request)

    async def sleep(self, seconds: float) -> None:
        with Waiting():
            await asyncio.sleep(max(seconds, 0.0))

    def lock(self) -> AbstractContextManager[object]:
        return fork_lock()

    def strand(self) -> Strand:
        known, loop = self._strand, asyncio.get_running_loop()
        if known is None or known.loop is not loop or known.thread != threading.get_ident():
            known = self._strand = Strand(threading.get_ident(), loop)
        return known

    async def join(self, flight: Future[T], seconds: float | None = None) -> T:
        if not flight.done():
            loop = asyncio.get_running_loop()
            landed: asyncio.Future[None] = loop.create_future()

            def land() -> None:
                if not landed.done():  # it is when the waiter was cancelled
                    landed.set_result(None)

            def tell(_: Future[T]) -> None:
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(land)

            flight.add_done_callback(tell)
            # And not for the flight itself: a cancelled waiter would cancel it for all (T12).
            with Waiting():
                async with asyncio.timeout(seconds):
                    await landed
        return flight.result()

    def begin(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        return self._beside.begin(work, *arguments)

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(work)
        self._unfinished.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._finished)
        await asyncio.wait([task])  # cancelling this wait leaves the task alone
        return task.result()

    def background(self, work: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        task = asyncio.ensure_future(work())
        self._unfinished.add(task)
        task.add_done_callback(self._finished)
        return True

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled():
            # When the caller has gone, nobody is left to be told of a failure; asyncio is not to complain of that.
            task.exception()

    async def gather(self, job: Callable[[A], Awaitable[T]], items: Iterable[A], limit: int) -> list[T]:
        results: dict[int, T] = {}
        waiting: Iterator[tuple[int, A]] = enumerate(items)

        async def work() -> None:
            for place, item in waiting:
                results[place] = await job(item)

        most = max(min(limit, length_hint(items, limit)), 1)
        workers = [asyncio.ensure_future(work()) for _ in range(most)]
        try:
            await asyncio.gather(*workers)
        except BaseException:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            raise
        return [results[place] for place in range(len(results))]

    async def drain(self) -> None:
        """Wait for what this loop has to finish although its caller was cancelled: `FINISH_SECONDS`, then cancel it.

        What was begun beside the loop is waited for as long, too: who closes a client may take its files away.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + FINISH_SECONDS
        while unfinished := [task for task in tuple(self._unfinished) if task.get_loop() is loop]:
            if loop.time() >= end:
                for task in unfinished:
                    task.cancel()
            await asyncio.wait(unfinished, timeout=max(end - loop.time(), 0.1))
        for flight in tuple(self._beside.under_way):  # whoever waited for it may have been cancelled
            with suppress(Exception):  # it is too late, or it failed: the same for who closes
                await self.join(flight, max(end - loop.time(), 0.0))

    def dismiss(self) -> None:
        """Let the threads beside the loop go; they come back when they are needed."""
        self._beside.dismiss()

    async def tell(self, signal: Any, payload: dict[str, Any]) -> None:
        with Telling(), Waiting():
            await signal.asend_robust(**payload)
