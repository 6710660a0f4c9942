"""Transports over httpx2, for machines where there is no wheel of pycurl. Extra ``EsiPy[httpx2]``.

The same rules as those over curl, and the same errors; HTTP/1.1. httpx2 is used below its comforts: requests are
built whole, so that no default header is added; cookies are refused; nothing is followed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from esipy._forks import abandon, forget_after_fork
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.exceptions import (
    AnswerTimeoutError,
    AnswerTooLargeError,
    BrokenAnswerError,
    ConnectError,
    InvalidCallError,
    NetworkError,
    SettingError,
)
from esipy.transport.base import CLOSED, CLOSED_MEANWHILE, OTHER_LOOP

if TYPE_CHECKING:
    import httpx2

__all__ = ["AsyncHttpx2Transport", "Httpx2Transport"]


def _library() -> Any:
    try:
        import httpx2
    except ImportError:
        raise ImportError('httpx2 is not installed: pip install "EsiPy[httpx2]"') from None
    return httpx2


class _Httpx2:
    """What both colours share: options, the request, and what errors mean.

    Attributes:
        trust: see `esipy.transport.base`.
    """

    def __init__(self, ca_file: str | None, max_exchanges: int) -> None:
        self._httpx2 = httpx2 = _library()
        self.trust = ("httpx2", ca_file, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        if ca_file is None:
            context = httpx2.create_ssl_context()
        else:
            import ssl

            try:
                context = ssl.create_default_context(cafile=ca_file)
            except OSError as error:
                raise SettingError(f"ca_file={ca_file!r} cannot be read: {error}") from None
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        self._options: dict[str, Any] = {
            "verify": context,
            "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            "limits": httpx2.Limits(max_connections=max_exchanges, max_keepalive_connections=max_exchanges),
            # The loopback is reached directly whatever the environment says of proxies.
            "mounts": dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]")),
        }
        self._encodings = httpx2.Client(verify=context).headers["accept-encoding"]
        self._closed = False

    def _request(self, request: HttpRequest, follow: Callable[..., object]) -> httpx2.Request:
        for name, value in request.headers:
            if any(character in name or character in value for character in "\r\n\0"):
                raise InvalidCallError(f"the header {name!r} holds a line break")
        headers = [(name.encode(), value.encode()) for name, value in request.headers]
        if not any(name.lower() == b"accept-encoding" for name, _ in headers):
            headers.append((b"accept-encoding", self._encodings.encode()))
        try:
            outgoing: httpx2.Request = self._httpx2.Request(
                request.method,
                request.url,
                headers=headers,
                content=request.body,
                extensions={
                    "trace": follow,
                    "timeout": {
                        "connect": min(request.connect_timeout, request.timeout),
                        "pool": request.timeout,
                        "read": request.timeout,
                        "write": request.timeout,
                    },
                },
            )
        except self._httpx2.InvalidURL as error:
            raise InvalidCallError(f"the URL {request.url!r} is not valid: {error}") from None
        return outgoing

    def _check_length(self, request: HttpRequest, answer: httpx2.Response) -> None:
        length = answer.headers.get("content-length", "")
        if request.method != "HEAD" and length.isdecimal() and int(length) > request.max_answer_bytes:
            raise _too_large(request)

    def _error(self, request: HttpRequest, error: Exception, sent: bool) -> NetworkError:
        reason = str(error) or type(error).__name__
        if not sent:
            return ConnectError(request.url, f"no connection: {reason}")
        if isinstance(error, (TimeoutError, self._httpx2.TimeoutException)):
            return _too_late(request)
        return BrokenAnswerError(request.url, f"no usable answer: {reason}")


class _Trail:
    """Follows a request through httpx2, to know whether any of it was sent."""

    sent = False

    def follow(self, event: str, _info: object) -> None:
        self.sent = self.sent or event.endswith("send_request_headers.started")

    async def afollow(self, event: str, info: object) -> None:
        self.follow(event, info)


class Httpx2Transport(_Httpx2):
    """Sends with httpx2 in the caller's own thread; any number of threads at once.

    The time limit is a limit on each wait for bytes, made shorter once the headers are there, and is checked at each
    piece of the body. So a silent server is left in time; one that drips can overrun the limit, by at most as
    much again in the body, and for as long as it drips header lines. curl and `AsyncHttpx2Transport` are exact.

    Args:
        ca_file: a file of PEM certificates to trust in place of the system's.
        max_exchanges: at once, and so connections, over all hosts.

    Raises:
        ImportError: httpx2 is not installed.
        SettingError: ``ca_file`` cannot be read.
    """

    def __init__(self, *, ca_file: str | None = None, max_exchanges: int = 100) -> None:
        super().__init__(ca_file, max_exchanges)
        self._client: httpx2.Client = self._httpx2.Client(**self._options)
        forget_after_fork(self)

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and wait for the whole answer.

        Raises:
            NetworkError: no usable answer came.
            InvalidCallError: the URL or a header cannot be sent.
            RuntimeError: the transport is closed.
        """
        if self._closed:
            raise RuntimeError(CLOSED)
        deadline = time.monotonic() + request.timeout
        trail = _Trail()
        outgoing = self._request(request, trail.follow)
        try:
            answer = self._client.send(outgoing, stream=True)
            try:
                self._check_length(request, answer)
                outgoing.extensions["timeout"]["read"] = max(deadline - time.monotonic(), 0.001)
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > request.max_answer_bytes:
                        raise _too_large(request)
                    if time.monotonic() > deadline:
                        raise _too_late(request)
            finally:
                answer.close()
        except NetworkError:
            raise
        except (self._httpx2.HTTPError, OSError) as error:
            raise self._error(request, error, trail.sent) from None
        return HttpResponse(answer.status_code, Headers(answer.headers.multi_items()), bytes(body))

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._client.close()

    def forget(self) -> None:
        """In a child after fork: leave the connections as they are."""
        abandon(self._client)
        self._client = self._httpx2.Client(**self._options)


class AsyncHttpx2Transport(_Httpx2):
    """Sends with httpx2 within the running asyncio loop; any number of tasks at once.

    Args:
        ca_file: a file of PEM certificates to trust in place of the system's.
        max_exchanges: at once, and so connections, over all hosts; further requests wait within their own time limit.

    Raises:
        ImportError: httpx2 is not installed.
        SettingError: ``ca_file`` cannot be read.
    """

    def __init__(self, *, ca_file: str | None = None, max_exchanges: int = 100) -> None:
        super().__init__(ca_file, max_exchanges)
        self._client: httpx2.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._limits: set[asyncio.Timeout] = set()
        forget_after_fork(self)

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send and wait for the whole answer; cancelling it ends the transfer.

        Raises:
            NetworkError: no usable answer came.
            InvalidCallError: the URL or a header cannot be sent.
            RuntimeError: the transport is closed, also meanwhile, or belongs to another loop that still lives.
        """
        client = self._bound(asyncio.get_running_loop())
        trail = _Trail()
        outgoing = self._request(request, trail.afollow)
        limit = asyncio.timeout(request.timeout)
        body = bytearray()
        try:
            async with limit:
                self._limits.add(limit)
                answer = await client.send(outgoing, stream=True)
                try:
                    self._check_length(request, answer)
                    async for chunk in answer.aiter_bytes():
                        body += chunk
                        if len(body) > request.max_answer_bytes:
                            raise _too_large(request)
                finally:
                    await answer.aclose()
        except NetworkError:
            raise
        except (self._httpx2.HTTPError, OSError) as error:
            if self._closed:
                raise RuntimeError(CLOSED_MEANWHILE) from None
            raise self._error(request, error, trail.sent) from None
        finally:
            self._limits.discard(limit)
        return HttpResponse(answer.status_code, Headers(answer.headers.multi_items()), bytes(body))

    async def aclose(self) -> None:
        """Close all connections; transfers that run end with RuntimeError."""
        self._closed = True
        client, self._client = self._client, None
        # httpx2 would let those that wait for a connection still make one.
        for limit in self._limits if self._loop is asyncio.get_running_loop() else ():
            if not limit.expired():
                limit.reschedule(0.0)
        if client is not None:
            await client.aclose()

    def _bound(self, loop: asyncio.AbstractEventLoop) -> httpx2.AsyncClient:
        if self._closed:
            raise RuntimeError(CLOSED)
        if self._client is None or self._loop is not loop:
            if self._client is not None and self._loop is not None and not self._loop.is_closed():
                raise RuntimeError(OTHER_LOOP)
            self._client = self._httpx2.AsyncClient(**self._options)
            self._loop = loop
        assert self._client is not None
        return self._client

    def forget(self) -> None:
        """In a child after fork: leave the connections as they are."""
        abandon(self._client)
        self._client = None


def _too_large(request: HttpRequest) -> AnswerTooLargeError:
    return AnswerTooLargeError(request.url, f"the answer is larger than {request.max_answer_bytes} bytes")


def _too_late(request: HttpRequest) -> AnswerTimeoutError:
    return AnswerTimeoutError(request.url, f"no whole answer within {request.timeout:g} s")
