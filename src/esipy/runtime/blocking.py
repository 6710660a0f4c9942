"""The blocking runtime: everything at once, in the caller's own thread.

No event loop and no hidden thread: receivers run where the caller is, Ctrl-C works, ``fork`` works, and a
loop that already runs in the thread (Jupyter) is no obstacle. Only `gather` uses a pool of threads, for more than
one item at a time.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from contextvars import copy_context
from operator import length_hint
from typing import Any, TypeVar, cast

from esipy._forks import ForkLock
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.base import Strand
from esipy.runtime.clock import steady_clock
from esipy.runtime.shared import PROCESS
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


class _Crew(threading.local):
    """What a thread of `gather` knows of those it works for."""

    behind: frozenset[int] = frozenset()
    """The threads that wait for it."""


_crew = _Crew()


class BlockingRuntime:
    """`Runtime` over a blocking transport."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.shared = PROCESS
        self.now = steady_clock()
        self.random = random.Random().random  # noqa: S311 (jitter, not secrets)

    async def send(self, request: HttpRequest) -> HttpResponse:
        return self.transport.send(request)

    async def sleep(self, seconds: float) -> None:
        time.sleep(max(seconds, 0.0))  # noqa: ASYNC251 (this is what makes it the blocking runtime)

    def lock(self) -> AbstractContextManager[object]:
        return ForkLock()

    def strand(self) -> Strand:
        return Strand(threading.get_ident(), None, _crew.behind)

    async def join(self, flight: Future[T], seconds: float | None = None) -> T:
        return flight.result(seconds)

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        return await work

    async def gather(self, job: Callable[[A], Awaitable[T]], items: Iterable[A], limit: int) -> list[T]:
        waiting: Iterator[tuple[int, A]] = enumerate(items)
        taking = threading.Lock()
        results: dict[int, T] = {}
        failed: list[BaseException] = []

        async def work() -> None:
            while True:
                with taking:
                    place, item = (-1, None) if failed else next(waiting, (-1, None))
                if place < 0:
                    return
                results[place] = await job(cast("A", item))

        behind = _crew.behind | {threading.get_ident()}

        def worker() -> None:
            _crew.behind = behind
            try:
                run(work())
            except BaseException as error:
                failed.append(error)

        most = max(min(limit, length_hint(items, limit)), 1)
        if most == 1:
            await work()
        else:
            with ThreadPoolExecutor(most, thread_name_prefix="esipy") as pool:
                try:
                    # Each thread has the caller's context variables, as each task has with asyncio.
                    wait([pool.submit(copy_context().run, worker) for _ in range(most)])
                except BaseException as error:  # Ctrl-C: what is under way ends, nothing else begins
                    failed.append(error)
        if failed:
            raise failed[0]
        return [results[place] for place in range(len(results))]

    async def tell(self, signal: Any, payload: dict[str, Any]) -> None:
        signal.send_robust(**payload)
