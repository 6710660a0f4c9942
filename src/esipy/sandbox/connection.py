"""One HTTP/1.1 connection: bytes in, requests out; answers in, bytes out - or a fault that has the wire to itself.

Rules kept here: requests of one connection are answered in their order (RFC 9112 section 9.3.2); the length of
an answer is always said; HEAD, 204 and 304 carry no body (RFC 9110 section 6.4.1); a client that leaves ends the
work on its request. httptools parses. It is not uvicorn because most faults (a cut body, a reset, bytes that are
not HTTP) need the connection itself, which no ASGI server lends; and because stopping has to be immediate.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from esipy.sandbox.exchange import SandboxAnswer

if TYPE_CHECKING:
    from httptools import HttpRequestParser

__all__ = ["Act", "Answering", "Connection", "Incoming", "Wire", "http_parser"]

_LOG = logging.getLogger("esipy.sandbox")
_MAX_HEAD_BYTES = 64 * 1024
_MAX_BODY_BYTES = 16 * 1024 * 1024
_LARGE = 16 * 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus} | {420: "Enhance Your Calm"}


@dataclass(slots=True)
class Incoming:
    """One request as the parser gives it: ``target`` is the path with its query, still escaped."""

    method: str = ""
    target: str = field(default="", repr=False)
    headers: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)
    keep_alive: bool = True


class Wire:
    """The connection, lent to a fault: what is written is sent as it is."""

    def __init__(self, connection: Connection, incoming: Incoming, date: str) -> None:
        self._connection = connection
        self.incoming = incoming
        self.date = date

    async def write(self, data: bytes) -> None:
        """Send, and wait while the other side does not read."""
        await self._connection.write(data)

    async def answer(self, answer: SandboxAnswer) -> None:
        """Send a whole, correct answer."""
        await self._connection.write_answer(self.incoming, answer, self.date)

    def head(self, status: int, headers: Iterable[tuple[str, str]], **framing: str) -> bytes:
        """A status line with headers, and no care for what they promise."""
        lines = [*headers, *((name.replace("_", "-").title(), value) for name, value in framing.items())]
        return head_bytes(status, lines, self.date)

    def finish(self) -> None:
        """All of the answer is written: close if the client asked for that."""
        if not self.incoming.keep_alive:
            self.close()

    def close(self) -> None:
        """Send what is written, then close in good manners."""
        self._connection.close()

    def reset(self) -> None:
        """Drop everything and tell the other side with a RST."""
        self._connection.reset()


Act = Callable[[Wire], Awaitable[None]]
"""What is done with the connection instead of an answer."""

Answering = Callable[[Incoming], Awaitable[SandboxAnswer | Act]]
"""The application behind the connections."""


def head_bytes(status: int, headers: Iterable[tuple[str, str]], date: str) -> bytes:
    """The status line and the headers, with the empty line that ends them."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}", f"Date: {date}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def http_parser() -> Callable[[Connection], HttpRequestParser]:
    """httptools' parser.

    Raises:
        ImportError: the extra ``sandbox`` is not installed.
    """
    try:
        from httptools import HttpRequestParser
    except ImportError as error:
        raise ImportError('the sandbox needs httptools: pip install "EsiPy[sandbox]"') from error
    return HttpRequestParser


class Connection(asyncio.Protocol):
    """One connection. ``open_connections`` is the server's set of those that are open."""

    def __init__(
        self,
        answering: Answering,
        http_date: Callable[[], str],
        parser: Callable[[Connection], HttpRequestParser],
        open_connections: set[Connection],
    ) -> None:
        self._answering = answering
        self._http_date = http_date
        self._parser = parser(self)
        self._open = open_connections
        self._waiting: deque[Incoming] = deque()
        self._current = Incoming()
        self._chunks: list[bytes] = []
        self._size = 0
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whoever left, and how, changes nothing
        self._open.discard(self)
        self._writable.set()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except Exception:  # httptools wraps whatever is raised while it parses
            _LOG.debug("a request could not be read", exc_info=True)
            self._refuse(400, "what came is not an HTTP/1.1 request")

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._current = Incoming()
        self._chunks = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._current.target += url.decode("latin-1")
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value))
        headers, key, text = self._current.headers, name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        self._size = 0
        self._current.method = self._parser.get_method().decode("ascii")
        self._current.keep_alive = self._parser.should_keep_alive()
        if self._current.headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > _MAX_BODY_BYTES:
            self._refuse(413, "the body is too large")
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        if self._transport.is_closing():
            return
        self._current.body = b"".join(self._chunks)
        self._waiting.append(self._current)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    # Our own.

    def _count_head(self, size: int) -> None:
        self._size += size
        if self._size > _MAX_HEAD_BYTES:
            self._refuse(431, "the headers are too large")

    def _refuse(self, status: int, reason: str) -> None:
        if not self._transport.is_closing():
            body = f'{{"error": "{reason}"}}'.encode()
            framing = [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
            ]
            self._transport.write(head_bytes(status, framing, self._http_date()) + body)
            self._transport.close()

    async def _work(self) -> None:
        """Answer what waits, one after another."""
        while self._waiting and not self._transport.is_closing():
            incoming = self._waiting.popleft()
            try:
                answer = await self._answering(incoming)
                if isinstance(answer, SandboxAnswer):
                    await self.write_answer(incoming, answer, self._http_date())
                else:
                    await answer(Wire(self, incoming, self._http_date()))
            except Exception:
                _LOG.exception("the sandbox failed to answer %s %s", incoming.method, incoming.target.partition("?")[0])
                self._refuse(500, "the sandbox failed; its log says how")
        self._task = None

    async def write_answer(self, incoming: Incoming, answer: SandboxAnswer, date: str) -> None:
        """Send a whole answer, framed as its status and method ask."""
        headers, body = answer.headers, answer.body
        if answer.status not in (204, 304):
            headers = [*headers, ("Content-Length", str(len(body)))]
        if answer.status in (204, 304) or incoming.method == "HEAD":
            body = b""
        if not incoming.keep_alive:
            headers = [*headers, ("Connection", "close")]
        head = head_bytes(answer.status, headers, date)
        if len(body) < _LARGE:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
        if not incoming.keep_alive:
            self._transport.close()
        elif not self._writable.is_set():
            await self._writable.wait()

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._transport.write(data)
        await self._writable.wait()
        await asyncio.sleep(0)  # a client that reads fast must not keep all others waiting

    def close(self) -> None:
        """Close when everything is sent."""
        self._transport.close()

    def reset(self) -> None:
        """Close at once, with a RST."""
        raw = self._transport.get_extra_info("socket")
        # Lingering for zero seconds is what makes close() send RST instead of FIN.
        raw.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        )
        self._transport.abort()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()
