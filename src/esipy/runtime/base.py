"""The seam between the engine and the world: sending, waiting, time, randomness, and other threads or tasks.

The engine is ``async def`` text over a `Runtime`. In `blocking` every method is done at once in the caller's
thread, so nothing suspends; in `aio` they await for real; in `simulated` time is virtual.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from esipy.core.wire import HttpRequest, HttpResponse

__all__ = ["FINISH_SECONDS", "Flight", "Runtime", "Strand", "Telling", "is_told"]

T = TypeVar("T")
A = TypeVar("A")

Flight = Future
"""What somebody is doing, and others may wait for (`Runtime.join`)."""

FINISH_SECONDS = 5.0
"""How long an interrupted program, or a client that is closed, waits for what `Runtime.finish` was given.

It is the refresh of a token: when the SSO does not answer for so long, the login may be lost with its answer, but
Ctrl-C has an end.
"""


_telling: ContextVar[Telling | None] = ContextVar("esipy_telling", default=None)


class Telling:
    """While receivers of a signal are called: they, and what they begin, can find out (`is_told`).

    Attributes:
        is_over: whether the last receiver has returned.
    """

    __slots__ = ("_before", "is_over")

    def __enter__(self) -> None:
        self.is_over = False
        self._before = _telling.set(self)

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        try:
            _telling.reset(self._before)
        except ValueError:  # its task was given up, and is closed from elsewhere
            pass


def is_told() -> bool:
    """Whether this thread or task is within a receiver: somebody waits until it is done."""
    telling = _telling.get()
    return telling is not None and not telling.is_over


class Loop(Protocol):
    """What is asked of an event loop."""

    def is_closed(self) -> bool: ...

    def is_running(self) -> bool: ...


class Strand(NamedTuple):
    """What runs a coroutine: an event loop, or a thread by itself.

    Attributes:
        thread: its id.
        loop: None when it is the thread by itself.
        behind: the threads that stand still until this one has done its work.
    """

    thread: int
    loop: Loop | None = None
    behind: frozenset[int] = frozenset()

    def holds_up(self, other: Strand) -> bool:
        """Whether the other stands still while this one waits, so that it must not be waited for."""
        if other.thread == self.thread:
            return other.loop is None or other.loop is not self.loop
        return other.thread in self.behind

    def state(self) -> Literal["runs", "still", "gone"]:
        """Whether it can go on: a loop that is not run stands still, one that was closed is gone."""
        if self.loop is None or self.loop.is_running():
            return "runs"
        return "gone" if self.loop.is_closed() else "still"


class Runtime(Protocol):
    """What the engine asks of the world."""

    shared: dict[Any, Any]
    """What all clients of a process have in common; a simulation has its own."""

    def send(self, request: HttpRequest) -> Awaitable[HttpResponse]:
        """One exchange over the transport.

        Raises:
            NetworkError: no usable answer came.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def now(self) -> float:
        """Seconds since 1970 (UTC) that never jump: the clock as it was at the start, plus time passed since.

        A clock that is wrong, or is set while the program runs, moves no lifetime (T06).
        """
        ...

    def passed(self) -> float:
        """Seconds since a moment that is the same for all runtimes of the process, whenever they were made."""
        ...

    def random(self) -> float:
        """A number in [0, 1)."""
        ...

    def lock(self) -> AbstractContextManager[object]:
        """A lock for state that threads share; it is never held across an await, and free in a child of a fork."""
        ...

    def strand(self) -> Strand:
        """Who asks, for those who may have to wait for it."""
        ...

    async def join(self, flight: Future[T], seconds: float | None = None) -> T:
        """Wait for what another thread or task is doing. Cancelling the waiter does not cancel the flight.

        Args:
            seconds: how long; None: until it has landed.

        Raises:
            TimeoutError: it has not landed by then. It flies on.
        """
        ...

    def begin(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Have a plain function done that does I/O for a moment: beside the event loop, or at once where there is none.

        What was begun is done in any case, at the end of the program too.
        """
        ...

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this work to its end, even if the caller is cancelled meanwhile.

        At the end of the program, and when the client is closed, that is waited for `FINISH_SECONDS`.
        """
        ...

    def background(self, work: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        """Begin work that nobody waits for, where tasks can run by themselves; what it raises is told to nobody.

        When the client is closed, it is waited for as that of `finish`.

        Returns:
            whether it was begun: False where there is only the caller's own thread.
        """
        ...

    async def gather(self, job: Callable[[A], Awaitable[T]], items: Iterable[A], limit: int) -> list[T]:
        """``job`` for each item, ``limit`` at a time; results in the order of the items, which are taken as it goes.

        The first exception is raised, and nothing is begun after it; with asyncio what is under way is
        cancelled, elsewhere it ends first. An interrupted caller (Ctrl-C) does not wait for it.
        """
        ...

    async def tell(self, signal: Any, payload: dict[str, Any]) -> None:
        """Send a signal robustly: receivers may be coroutine functions where the runtime can await them."""
        ...
