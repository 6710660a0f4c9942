"""A loop that is closed while calls are under way, and what the garbage collector makes of their tasks."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Iterator

import pytest

from esipy import AsyncEsiClient, ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.stores.memory_ledger import MemoryLedger

BODY = b'{"players": 1, "server_version": "1", "start_time": "2026-01-01T00:00:00Z"}'


class Line:
    """A transport whose first answer never comes."""

    def __init__(self) -> None:
        self.asked = 0

    async def send(self, request: HttpRequest) -> HttpResponse:
        assert request.method == "GET"
        self.asked += 1
        if self.asked == 1:
            asyncio.get_running_loop().stop()
            await asyncio.get_running_loop().create_future()
        return HttpResponse(200, Headers(()), BODY)

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.fixture
def no_collection() -> Iterator[None]:
    """The collector comes only when it is called."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_a_task_of_a_closed_loop_that_is_collected_while_the_ledger_is_locked_stops_nobody() -> None:
    """Its end gives back what it had reserved, and needs that lock: the very thread that holds it would wait for
    itself. The collector may come at any time, here it does while the ledger asks for the time."""
    collecting = False

    def now() -> float:
        if collecting:
            gc.collect()
        return time.time()

    ledger = MemoryLedger(now)
    client = AsyncEsiClient(
        transport=Line(), ledger=ledger, cache=None, headers={"User-Agent": "tests/1.0 (me@example.com)"}
    )

    def begin_and_close() -> None:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda _, __: None)  # "Task was destroyed but it is pending"
        pending = loop.create_task(client.request(ops.status.get_status()))
        loop.run_forever()
        assert not pending.done()
        loop.close()

    statuses: list[int] = []

    def go_on() -> None:
        nonlocal collecting
        collecting = True

        async def call() -> None:
            statuses.append((await client.request(ops.status.get_status())).status)

        asyncio.run(call())

    begin_and_close()
    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    thread.join(20)
    assert [200] == statuses
    (state,) = ledger.states()
    assert (2, 0, 5) == (state.used, state.reserved, state.foreign)
