"""The listening socket, and the thread whose event loop serves it.

Rules: only loopback addresses; ready when the constructor of `Server` is left; after `close()` no thread, socket
or task of it is left, whatever hangs at that time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from concurrent.futures import Future
from ipaddress import ip_address
from threading import Thread

from esipy.sandbox.connection import Answering, Connection, http_parser

__all__ = ["Server"]

MOST_TRIES = 100
"""Then a port is taken that another sandbox had: there are not many others."""

ROUNDS_TO_LOSE = 4
"""Of the event loop, for a connection that was accepted last: its task, connection_made, our abort, connection_lost.
That cancels the work on it, which the runner waits for."""

_had: set[tuple[str, int]] = set()
"""Where sandboxes of this process have listened."""


class Server:
    """Serves from the moment it is built, in a thread of its own, until `close`.

    Args:
        answering: the application.
        http_date: what to say in ``Date``.
        host: ``127.0.0.1``, ``::1`` or another loopback address.
        port: 0 takes a free one, at which no sandbox of this process was yet: what clients have spent at another, and
            learned there, is not for this one.

    Raises:
        ValueError: ``host`` is not a loopback address, or ``port`` cannot be one.
        OSError: the port is taken.
        ImportError: the extra ``sandbox`` is not installed.
    """

    def __init__(
        self, answering: Answering, http_date: Callable[[], str], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        if not ip_address(host).is_loopback:
            raise ValueError(f"the sandbox serves loopback only, not {host}")
        if not 0 <= port <= 65535:
            raise ValueError(f"port {port}: ports are 0 to 65535, and 0 takes a free one")
        self._answering = answering
        self._http_date = http_date
        self._parser = http_parser()
        try:
            self._socket = _listener(host, port)
        except OSError as error:
            said = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, f"port {port} of {host} cannot be had ({said}); 0 takes a free one") from None
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
        self._connections: set[Connection] = set()
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        # A daemon, so that a program that forgets to close can still end.
        self._thread = Thread(target=self._run, args=(started,), name=f"esipy-sandbox-{self.port}", daemon=True)
        self._thread.start()
        self.loop, self._stop = started.result(timeout=10)

    def close(self) -> None:
        """Stop: drop all connections, free the port, end the thread. Closing twice is no error."""
        # The loop may be closed already: then there is nothing left to stop.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self, started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve(started))

    async def _serve(self, started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        server = await loop.create_server(self._connect, sock=self._socket, backlog=1024)
        started.set_result((loop, stop))
        await stop.wait()
        server.close()
        for _ in range(ROUNDS_TO_LOSE):
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)

    def _connect(self) -> Connection:
        return Connection(self._answering, self._http_date, self._parser, self._connections)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    had_before: list[socket.socket] = []  # held until another is found: they are not offered again
    try:
        while True:
            listener = socket.create_server((host, port), family=family, backlog=1024)
            place = (host, listener.getsockname()[1])
            if port or place not in _had or len(had_before) == MOST_TRIES:
                _had.add(place)
                return listener
            had_before.append(listener)
    finally:
        for each in had_before:
            each.close()
