"""Where an event loop cannot watch sockets (Windows' default): the blocking transport, in threads of its own."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import AnswerTimeoutError, ConnectError
from esipy.transport.base import CLOSED_MEANWHILE
from esipy.transport.curl import CurlTransport

__all__ = ["Threads"]


class Threads:
    """The blocking transport: as many threads as there are exchanges at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: CurlTransport, max_exchanges: int) -> None:
        self.loop = loop
        self._transport = transport
        self._pool = ThreadPoolExecutor(max_exchanges, "esipy-curl")
        self._running: dict[asyncio.Future[HttpResponse], threading.Event] = {}
        self._closed = False

    async def send(self, request: HttpRequest) -> HttpResponse:
        stop = threading.Event()
        flight = self._pool.submit(self._transport.send_unless, request, lambda *_: stop.is_set())
        waiter = asyncio.wrap_future(flight)
        self._running[waiter] = stop
        # The thread keeps the time limit by itself, once it has begun.
        limit = asyncio.timeout(request.timeout)
        try:
            async with limit:
                return await waiter
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and not (task is not None and task.cancelling()):
                raise RuntimeError(CLOSED_MEANWHILE) from None
            raise
        except TimeoutError:
            if not limit.expired():
                raise
            if flight.cancelled():
                raise ConnectError(request.url, f"no thread was free for {request.timeout:g} s") from None
            raise AnswerTimeoutError(request.url, f"no whole answer within {request.timeout:g} s") from None
        finally:
            stop.set()
            del self._running[waiter]

    def close(self) -> None:
        self._closed = True
        for waiter in self._running:
            if not self.loop.is_closed():
                waiter.cancel()
        for stop in self._running.values():
            stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._transport.close()
