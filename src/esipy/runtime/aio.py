"""The asyncio runtime: the engine's awaits are real ones. One runtime may be used by one loop after another."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.clock import steady_clock
from esipy.transport.base import AsyncTransport

__all__ = ["AioRuntime"]

T = TypeVar("T")
A = TypeVar("A")


class AioRuntime:
    """`Runtime` over an asyncio transport."""

    def __init__(self, transport: AsyncTransport) -> None:
        self.transport = transport
        self.now = steady_clock()
        self.random = random.Random().random  # noqa: S311 (jitter, not secrets)
        self._unfinished: set[asyncio.Task[Any]] = set()

    async def send(self, request: HttpRequest) -> HttpResponse:
        return await self.transport.send(request)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))

    def lock(self) -> AbstractContextManager[object]:
        return threading.Lock()

    async def join(self, flight: Future[T]) -> T:
        # shield: a cancelled waiter must not cancel what others wait for (T12).
        return await asyncio.shield(asyncio.wrap_future(flight))

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(work)
        self._unfinished.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._unfinished.discard)
        return await asyncio.shield(task)

    async def gather(self, job: Callable[[A], Awaitable[T]], items: Iterable[A], limit: int) -> list[T]:
        results: dict[int, T] = {}
        waiting: Iterator[tuple[int, A]] = enumerate(items)

        async def work() -> None:
            for place, item in waiting:
                results[place] = await job(item)

        workers = [asyncio.ensure_future(work()) for _ in range(max(limit, 1))]
        try:
            await asyncio.gather(*workers)
        except BaseException:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            raise
        return [results[place] for place in range(len(results))]

    async def drain(self) -> None:
        """Wait for work that goes on although its caller was cancelled."""
        while self._unfinished:
            await asyncio.gather(*self._unfinished, return_exceptions=True)

    async def tell(self, signal: Any, payload: dict[str, Any]) -> None:
        await signal.asend_robust(**payload)
