"""The blocking runtime's own: it never suspends, and needs no thread for one thing at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.transport.scripted import ScriptedTransport

REQUEST = HttpRequest("GET", "https://h/a")


def test_run_refuses_what_suspends_and_closes_it() -> None:
    """A coroutine that awaits a real event loop is a mistake: said at once, its finally blocks run."""
    closed: list[str] = []

    async def suspends() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append("closed")

    work = suspends()  # held, so that it is not closed for being garbage
    with pytest.raises(RuntimeError, match="a blocking call suspended"):
        run(work)
    assert ["closed"] == closed


def test_run_gives_results_and_errors_as_they_are() -> None:
    """None too; and an error keeps its own traceback."""

    async def give(value: object) -> object:
        if isinstance(value, Exception):
            raise value
        return value

    assert (5, None) == (run(give(5)), run(give(None)))
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as raised:
        run(give(error))
    assert error is raised.value


def test_one_at_a_time_needs_no_thread() -> None:
    """With a limit of one, or one item, the caller's own thread does it."""
    runtime = BlockingRuntime(ScriptedTransport([]))

    async def job(item: int) -> threading.Thread:
        return threading.current_thread()

    assert [threading.current_thread()] * 3 == run(runtime.gather(job, range(3), 1))
    assert [threading.current_thread()] == run(runtime.gather(job, [1], 20))
    assert threading.current_thread() not in run(runtime.gather(job, range(3), 20))


def test_an_open_loop_is_no_obstacle() -> None:
    """Where a loop already runs in the thread (Jupyter), a blocking call works."""
    runtime = BlockingRuntime(ScriptedTransport([HttpResponse(200, Headers(), b"a")]))

    async def notebook() -> bytes:
        return run(runtime.send(REQUEST)).body

    assert b"a" == asyncio.run(notebook())
