"""The blocking runtime: everything at once, in the caller's own thread.

No event loop and no hidden thread: receivers run where the caller is, Ctrl-C works, ``fork`` works, and a
loop that already runs in the thread (Jupyter) is no obstacle. Only `gather` uses a pool of threads.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.clock import steady_clock
from esipy.transport.base import Transport

__all__ = ["BlockingRuntime", "run"]

T = TypeVar("T")
A = TypeVar("A")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never suspends to its end: the whole trick.

    Raises:
        RuntimeError: the coroutine did suspend, so something in it awaits a real event loop.
    """
    try:
        work.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)
    work.close()
    raise RuntimeError("a blocking call suspended: something in it awaits a real event loop")


class BlockingRuntime:
    """`Runtime` over a blocking transport."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.now = steady_clock()
        self.random = random.Random().random  # noqa: S311 (jitter, not secrets)

    async def send(self, request: HttpRequest) -> HttpResponse:
        return self.transport.send(request)

    async def sleep(self, seconds: float) -> None:
        time.sleep(max(seconds, 0.0))  # noqa: ASYNC251 (this is what makes it the blocking runtime)

    def lock(self) -> AbstractContextManager[object]:
        return threading.Lock()

    async def join(self, flight: Future[T]) -> T:
        return flight.result()

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        return await work

    async def gather(self, job: Callable[[A], Awaitable[T]], items: Iterable[A], limit: int) -> list[T]:
        async def one(item: A) -> T:
            return await job(item)

        with ThreadPoolExecutor(max_workers=max(limit, 1), thread_name_prefix="esipy") as pool:
            flights = [pool.submit(lambda it: run(one(it)), item) for item in items]
            try:
                return [flight.result() for flight in flights]
            except BaseException:
                for flight in flights:
                    flight.cancel()
                raise

    async def tell(self, signal: Any, payload: dict[str, Any]) -> None:
        signal.send_robust(**payload)
