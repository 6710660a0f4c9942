"""The seam between the engine and the world: sending, waiting, time, randomness, and other threads or tasks.

The engine is ``async def`` text over a `Runtime`. In `blocking` every method is done at once in the caller's
thread, so nothing suspends; in `aio` they await for real; in `simulated` time is virtual.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from esipy.core.wire import HttpRequest, HttpResponse

__all__ = ["Runtime"]

T = TypeVar("T")
A = TypeVar("A")


class Runtime(Protocol):
    """What the engine asks of the world."""

    shared: dict[Any, Any]
    """What all clients of a process have in common; a simulation has its own."""

    async def send(self, request: HttpRequest) -> HttpResponse:
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

    def random(self) -> float:
        """A number in [0, 1)."""
        ...

    def lock(self) -> AbstractContextManager[object]:
        """A lock for state that threads share; it is never held across an await, and free in a child of a fork."""
        ...

    async def join(self, flight: Future[T]) -> T:
        """Wait for what another thread or task is doing. Cancelling the waiter does not cancel the flight."""
        ...

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this work to its end, even if the caller is cancelled meanwhile."""
        ...

    async def gather(self, job: Callable[[A], Awaitable[T]], items: Iterable[A], limit: int) -> list[T]:
        """``job`` for each item, ``limit`` at a time; results in the order of the items, which are taken as it goes.

        The first exception is raised, and nothing is begun after it; with asyncio what is under way is
        cancelled, elsewhere it ends first.
        """
        ...

    async def tell(self, signal: Any, payload: dict[str, Any]) -> None:
        """Send a signal robustly: receivers may be coroutine functions where the runtime can await them."""
        ...
