"""The blocking runtime: everything at once, in the caller's own thread.

No event loop and no hidden thread: receivers run where the caller is, Ctrl-C works, ``fork`` works, and a
loop that already runs in the thread (Jupyter) is no obstacle. Only `gather` uses threads, for more than one item at a
time. When its caller is interrupted it leaves at once: an exchange that runs then ends by itself, by its own time
limit at the latest, and its thread does nothing more. (To have curl look at a flag would cost two thirds of the rate of
small answers, because each look takes the GIL.) Only what is given to `finish` is waited for, `FINISH_SECONDS`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from contextvars import copy_context
from operator import length_hint
from typing import Any, TypeVar, cast

from esipy._forks import fork_lock
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.base import FINISH_SECONDS, Strand, Telling
from esipy.runtime.clock import passed_seconds, steady_clock
from esipy.runtime.shared import PROCESS
from esipy.transport.base import Transport

__all__ = ["BlockingRuntime", "run"]

T = TypeVar("T")
A = TypeVar("A")

_PIECE_SECONDS = 0.2


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


class _Stopped(BaseException):
    """The caller of `gather` has gone: nothing is begun any more. What passes over errors lets this pass."""


class _Gathering:
    """What the threads of one `gather` share.

    Attributes:
        stop: whether the caller has gone.
        finishing: the threads within `BlockingRuntime.finish`, by id.
        behind: the threads that wait for these, by id.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.finishing: set[int] = set()
        self.behind = _crew.behind | {threading.get_ident()}


class _Crew(threading.local):
    """What a thread of `gather` knows of those it works for."""

    gathering: _Gathering | None = None
    """Who may stop it; None: nobody."""
    behind: frozenset[int] = frozenset()
    """The threads that wait for it."""
    strand: Strand | None = None
    """Who it is; None: nobody has asked."""


_crew = _Crew()


class BlockingRuntime:
    """`Runtime` over a blocking transport."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.shared = PROCESS
        self.now = steady_clock()
        self.passed = passed_seconds
        self.random = random.Random().random  # noqa: S311 (jitter, not secrets)

    async def send(self, request: HttpRequest) -> HttpResponse:
        gathering = _crew.gathering
        if gathering is None:
            return self.transport.send(request)
        _check(gathering)
        try:
            return self.transport.send(request)
        finally:
            _check(gathering)

    async def sleep(self, seconds: float) -> None:
        gathering = _crew.gathering
        if gathering is None:
            time.sleep(max(seconds, 0.0))  # noqa: ASYNC251 (this is what makes it the blocking runtime)
        else:
            gathering.stop.wait(max(seconds, 0.0))
            _check(gathering)

    def lock(self) -> AbstractContextManager[object]:
        return fork_lock()

    def strand(self) -> Strand:
        known = _crew.strand
        if known is None:
            known = _crew.strand = Strand(threading.get_ident(), None, _crew.behind)
        return known

    async def join(self, flight: Future[T], seconds: float | None = None) -> T:
        gathering = _crew.gathering
        if gathering is None or flight.done():
            return flight.result(seconds)
        end = None if seconds is None else time.monotonic() + seconds
        while True:  # in pieces: whoever is interrupted does not come to say so
            left = _PIECE_SECONDS if end is None else min(end - time.monotonic(), _PIECE_SECONDS)
            if wait([flight], max(left, 0.0)).done:
                return flight.result()
            _check(gathering)
            if left < _PIECE_SECONDS:
                raise TimeoutError

    def begin(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        flight: Future[T] = Future()
        try:
            result = work(*arguments)
        except Exception as error:
            flight.set_exception(error)
        else:
            flight.set_result(result)
        return flight  # Ctrl-C is the caller's own, also when he will not look at the flight

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        gathering = _crew.gathering
        if gathering is None:
            return await work
        me = threading.get_ident()
        gathering.finishing.add(me)
        _crew.gathering = None
        try:
            return await work
        finally:
            _crew.gathering = gathering
            gathering.finishing.discard(me)

    def background(self, work: Callable[[], Coroutine[Any, Any, object]]) -> bool:  # noqa: ARG002
        return False

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

        gathering = _Gathering()

        def worker() -> None:
            _crew.gathering, _crew.behind = gathering, gathering.behind
            try:
                run(work())
            except BaseException as error:
                failed.append(error)

        most = max(min(limit, length_hint(items, limit)), 1)
        if most == 1:
            await work()
        else:
            # Each thread has the caller's context variables, as each task has with asyncio. A daemon: when the caller
            # was interrupted, the end of the program does not wait for a server that does not answer.
            threads = [
                threading.Thread(target=copy_context().run, args=(worker,), name=f"esipy_{number}", daemon=True)
                for number in range(most)
            ]
            try:
                for thread in threads:
                    thread.start()
                _wait(threads, lambda _: True)
            except BaseException as error:  # Ctrl-C
                failed.append(error)
                gathering.stop.set()
                end = time.monotonic() + FINISH_SECONDS
                _wait(threads, lambda thread: thread.ident in gathering.finishing and time.monotonic() < end)
                raise
        if failed:
            raise failed[0]
        return [results[place] for place in range(len(results))]

    async def tell(self, signal: Any, payload: dict[str, Any]) -> None:
        telling = Telling()
        try:
            with telling:
                signal.send_robust(**payload)
        finally:
            telling.is_over = True  # Ctrl-C may come as the block is entered, or left


def _wait(threads: Iterable[threading.Thread], is_wanted: Callable[[threading.Thread], bool]) -> None:
    """Wait for these threads, for each while it is wanted; in pieces, so that Ctrl-C is felt on Windows too."""
    above = _crew.gathering
    for thread in threads:
        while thread.is_alive() and is_wanted(thread):
            thread.join(_PIECE_SECONDS)
            if above is not None:
                _check(above)


def _check(gathering: _Gathering) -> None:
    if gathering.stop.is_set():
        raise _Stopped
