"""Flights of both colours, and loops that stand still while they lead one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sso.flights import Flights
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport

BLOCKING = BlockingRuntime(ScriptedTransport([]))
LIMIT = 30.0
"""Seconds after which a test that hangs gives up; none of them waits for it."""

Work = Callable[[], Coroutine[Any, Any, str]]


def tasks() -> AioRuntime:
    """A runtime for the running loop."""
    return AioRuntime(AsyncScriptedTransport([]))


def giving(text: str) -> Work:
    """Work that is done at once."""

    async def work() -> str:
        return text

    return work


def never() -> Work:
    """Work that waits for its loop for ever."""

    async def work() -> str:
        nothing: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await nothing

    return work


def stopped_loop(flights: Flights[str]) -> asyncio.AbstractEventLoop:
    """A loop that leads the flight ``key`` and is not run any more."""
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        task = asyncio.ensure_future(flights.fly(tasks(), "key", LIMIT, never()))
        loop.flying = task  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    loop.run_until_complete(begin())
    return loop


def ask(colour: str, flights: Flights[str], limit_seconds: float) -> tuple[str, bool]:
    """Take part in the flight ``key``, or lead it, in this colour."""
    if colour == "blocking":
        return run(flights.fly(BLOCKING, "key", limit_seconds, giving("own")))
    return asyncio.run(flights.fly(tasks(), "key", limit_seconds, giving("own")))


def end(loop: Any) -> None:
    """Cancel what it left, and close it."""
    loop.flying.cancel()
    loop.run_until_complete(asyncio.wait([loop.flying]))
    loop.close()
