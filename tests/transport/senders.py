"""Every transport in one form: each sends blockingly here, whatever its colour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.transport.curl import CurlTransport
from esipy.transport.curl_aio import AsyncCurlTransport
from esipy.transport.httpx2 import AsyncHttpx2Transport, Httpx2Transport

T = TypeVar("T")


class LoopWithoutSockets(asyncio.SelectorEventLoop):
    """A loop that cannot watch sockets, as Windows' default one."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:
        raise NotImplementedError

    def add_writer(self, fd: Any, callback: Any, *args: Any) -> Any:
        raise NotImplementedError


class Sender:
    """A transport with a loop of its own where it needs one."""

    def __init__(self, make: Callable[..., Any], loop: Callable[[], asyncio.AbstractEventLoop] | None) -> None:
        self.make = make
        self.transport = make()
        self.runner = None if loop is None else asyncio.Runner(loop_factory=loop, debug=True)

    def send(self, request: HttpRequest) -> HttpResponse:
        if self.runner is None:
            return self.transport.send(request)
        return self.runner.run(self.transport.send(request))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        assert self.runner is not None
        return self.runner.run(work)

    def close(self) -> None:
        if self.runner is None:
            self.transport.close()
        else:
            self.runner.run(self.transport.aclose())

    def end(self) -> None:
        self.close()
        if self.runner is not None:
            self.runner.close()


BLOCKING: dict[str, Any] = {"curl": (CurlTransport, None), "httpx2": (Httpx2Transport, None)}
ASYNC: dict[str, Any] = {
    "curl-aio": (AsyncCurlTransport, asyncio.SelectorEventLoop),
    "curl-aio-loop-watch": (AsyncCurlTransport, asyncio.SelectorEventLoop),
    "curl-aio-threads": (AsyncCurlTransport, LoopWithoutSockets),
    "httpx2-aio": (AsyncHttpx2Transport, asyncio.SelectorEventLoop),
}
