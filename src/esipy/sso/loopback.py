"""A login whose callback comes to this machine: a listener on 127.0.0.1.

Rules:

- It listens on 127.0.0.1 alone, from the moment it is made until it is closed, for one callback.
- A callback is a GET that a browser's user was sent with: to the callback's own path, by the listener's own name (a
  name of someone else that leads here is DNS rebinding), not from within another page. Whatever else comes is refused
  with a status of its own, and ends nothing.
- The browser is sent on to a page under an address without code and state, once it is known what to say.
- Nothing that came is logged.

Source: RFC 8252 sections 7.3 and 8.3; RFC 9700 section 4.7; Fetch Metadata Request Headers (W3C).
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from queue import SimpleQueue
from socketserver import ThreadingTCPServer
from threading import Event, Lock, Thread
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from esipy.sso.arrivals import Arrival
from esipy.sso.loopback_pages import HEADERS, Page

__all__ = ["DEFAULT_PORT", "Loopback"]

DEFAULT_PORT = 8635
"""Where the browser comes back to, unless told otherwise: the SSO wants the whole address registered, port and all."""

LINGER_SECONDS = 20.0
"""How long a browser is given to fetch the page that it was sent on to; most take no time."""

_REQUEST_SECONDS = 10.0
"""Browsers open connections in reserve, and say nothing on them."""

_LONGEST_LINE = 65536


class Loopback:
    """Listens for a callback, from its making until it is closed; use it in a with-block.

    Args:
        arrivals: where callbacks are put.
        host: how the callback's address names this machine: ``127.0.0.1`` or ``localhost``.
        port: 0 takes a free one.
        path: of the callback's address.

    Attributes:
        redirect_uri: the callback's address, which has to be registered with the SSO.

    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self,
        arrivals: SimpleQueue[Arrival],
        *,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        path: str = "/callback",
    ) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        port = self._server.server_address[1]
        self.redirect_uri = f"http://{host}:{port}{path}"
        self._server.desk = self._desk = _Desk(arrivals, host, port, path)
        # In slices of its own, only the end of the listener waits for them.
        serve = Thread(target=self._server.serve_forever, args=(0.05,), name="esipy-login", daemon=True)
        serve.start()

    def close(self, linger_seconds: float = LINGER_SECONDS) -> None:
        """Listen no more. A browser that was sent on to a page is given some time to fetch it."""
        self._desk.close(linger_seconds)
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self.close(LINGER_SECONDS if kind is None or issubclass(kind, Exception) else 0.0)


class _Answer(NamedTuple):
    """What is sent: a page, a line of text, or the way to a page."""

    status: int
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class _Desk:
    """What is answered to whom. Each request comes in a thread of its own."""

    def __init__(self, arrivals: SimpleQueue[Arrival], host: str, port: int, path: str) -> None:
        self._arrivals = arrivals
        # A browser leaves out the port that its scheme has anyway.
        self._names = {f"{host}:{port}", host} if port == 80 else {f"{host}:{port}"}
        self._path = path
        self._lock = Lock()
        self._pages: dict[str, Page] = {}
        self._newest: str | None = None
        """The page that was shown last: when the login is over, the one that says how it ended."""
        self._fetched = Event()
        self._fetched.set()
        self._waiting: set[Future[Page]] = set()
        self._is_over = False

    def close(self, linger_seconds: float) -> None:
        with self._lock:
            self._is_over = True
            waiting = list(self._waiting)
        for asked in waiting:
            if self._newest is None:
                asked.cancel()
            else:
                asked.set_result(self._pages[self._newest])
        self._fetched.wait(linger_seconds)

    def answer(self, method: str, target: str, headers: Message) -> _Answer:
        """Answer one request; a callback's waits until it is known what to say."""
        if headers.get_all("Host", []) not in [[name] for name in self._names]:
            return _text(HTTPStatus.BAD_REQUEST, "This is not the address of the login.")
        parts = urlsplit(target) if target.startswith("/") else None
        page = None if parts is None else self._pages.get(parts.path)
        if parts is None or (parts.path != self._path and page is None):
            return _text(HTTPStatus.NOT_FOUND, "There is nothing here but the callback of a login.")
        if method != "GET":
            return _text(HTTPStatus.METHOD_NOT_ALLOWED, "A browser comes here with GET.", [("Allow", "GET")])
        if not _is_navigation(headers):
            return _text(HTTPStatus.FORBIDDEN, "No other page may ask here.")
        if page is not None:
            return _Answer(page.status, "text/html; charset=utf-8", page.html)
        address = [("Location", self._address_of(self._come(parts.query)))]
        return _text(HTTPStatus.SEE_OTHER, "The login goes on there.", address)

    def sent(self, target: str) -> None:
        """An answer was sent whole."""
        with self._lock:
            if target == self._newest:
                self._fetched.set()

    def _come(self, query: str) -> Page:
        asked: Future[Page] = Future()
        with self._lock:
            if self._is_over and self._newest is not None:
                return self._pages[self._newest]  # who has loaded the callback again sees how it ended
            if self._is_over:
                raise CancelledError
            self._waiting.add(asked)
        self._arrivals.put(Arrival(query, partial(self._show, asked)))
        return asked.result()

    def _show(self, asked: Future[Page], page: Page) -> None:
        with self._lock:
            self._waiting.discard(asked)
            self._newest = self._address_of(page)
            self._pages[self._newest] = page
            self._fetched.clear()
        asked.set_result(page)

    def _address_of(self, page: Page) -> str:
        return f"{self._path.rstrip('/')}/{page.name}"


def _is_navigation(headers: Message) -> bool:
    """Whether a user was sent here, as far as the browser says: not a script, a frame or an image of some page."""
    return (
        "Origin" not in headers
        and headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        and headers.get("Sec-Fetch-Dest", "document") == "document"
    )


def _text(status: HTTPStatus, text: str, headers: Iterable[tuple[str, str]] = ()) -> _Answer:
    return _Answer(status, "text/plain; charset=utf-8", f"{text}\n".encode(), tuple(headers))


class _Server(ThreadingTCPServer):
    daemon_threads = True
    # Else on Windows another program could listen at the same port, and be given the callback.
    allow_reuse_address = sys.platform != "win32"
    desk: _Desk

    def server_bind(self) -> None:
        if sys.platform == "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever broke off: there is nobody to tell, and a traceback would show what came."""


class _Handler(BaseHTTPRequestHandler):
    """Reads one request of a connection, by the standard library's own reading, and answers it."""

    timeout = _REQUEST_SECONDS
    error_message_format = "%(code)d\n"
    error_content_type = "text/plain; charset=utf-8"

    def handle(self) -> None:
        with suppress(OSError, CancelledError):  # gone, silent for too long, or too late
            self.requestline = self.request_version = self.command = ""
            self.raw_requestline = self.rfile.readline(_LONGEST_LINE + 1)
            if len(self.raw_requestline) > _LONGEST_LINE:
                self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            elif self.raw_requestline and self.parse_request():
                self._answer()

    def _answer(self) -> None:
        assert isinstance(self.server, _Server)
        answer = self.server.desk.answer(self.command, self.path, self.headers)
        self.send_response_only(answer.status)
        for name, value in (*answer.headers, ("Content-Type", answer.kind), *HEADERS):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.server.desk.sent(self.path)

    def log_message(self, format: str, *args: object) -> None:
        """The standard library would write the code to stderr."""
