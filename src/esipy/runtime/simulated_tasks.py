"""The tasks of the simulated runtime: coroutines that are run by hand, and what they yield."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from concurrent.futures import Future
from contextvars import copy_context
from types import coroutine
from typing import Any, NamedTuple

__all__ = ["Landing", "Task", "TaskCancelledError", "give_way"]


class TaskCancelledError(BaseException):
    """Raised where a task waits that `SimulatedRuntime.cancel` ends; as asyncio's, it is no Exception."""


class Task:
    """A coroutine that is being run.

    Attributes:
        turn: how often it was woken or cancelled: a wake-up for another turn is stale.
        cancelled: the next wake-up raises.
        context: its own context variables, with the values that they had for who began it, as asyncio's tasks have.
    """

    __slots__ = ("cancelled", "context", "flight", "turn", "work")

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self.work = work
        self.flight: Future[Any] = Future()
        self.turn = 0
        self.cancelled = False
        self.context = copy_context()


class Landing(NamedTuple):
    """What a task yields that waits for a flight, or until a moment; it yields a bare moment to sleep."""

    flight: Future[Any]
    deadline: float | None


@coroutine
def give_way(wish: float | Landing) -> Generator[float | Landing, None, None]:
    """Let the other tasks go on until what is wished for has come."""
    yield wish
