"""Transports for tests: no network, every answer written down beforehand, every request kept.

Rules: answers come in the order of the script; a script that has ended is an error that names the request.

Example::

    transport = ScriptedTransport([answer(503), answer(200, {"players": 30000})])
    client = EsiClient(transport=transport)
    ...
    assert ["GET", "GET"] == [request.method for request in transport.requests]
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import isawaitable
from typing import TypeAlias

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.transport.base import CLOSED

__all__ = ["AsyncScriptedTransport", "ScriptedTransport", "answer"]

Outcome: TypeAlias = HttpResponse | Exception
"""What becomes of one request: an answer, or an error that is raised."""

Script: TypeAlias = Iterable[Outcome] | Callable[[HttpRequest], Outcome]
AsyncScript: TypeAlias = Script | Callable[[HttpRequest], Awaitable[Outcome]]


def answer(status: int = 200, body: object = b"", headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An answer for a script.

    Args:
        status: the HTTP status.
        body: bytes as they are; anything else as JSON.
        headers: further headers; a JSON body brings its Content-Type.
    """
    given = dict(headers or {})
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
        given.setdefault("Content-Type", "application/json")
    return HttpResponse(status, Headers(given.items()), body)


class _Recorder:
    """The requests that came, and the next outcome.

    Attributes:
        requests: every request, in the order of sending.
        closed: whether the transport was closed.
    """

    def __init__(self, script: AsyncScript) -> None:
        self.requests: list[HttpRequest] = []
        self.closed = False
        self._decide = script if callable(script) else None
        self._outcomes = iter(() if callable(script) else script)

    def _next(self, request: HttpRequest) -> Outcome | Awaitable[Outcome]:
        if self.closed:
            raise RuntimeError(CLOSED)
        self.requests.append(request)
        if self._decide is not None:
            return self._decide(request)
        try:
            return next(self._outcomes)
        except StopIteration:
            raise AssertionError(f"the script has no answer left for {request.method} {request.url}") from None


class ScriptedTransport(_Recorder):
    """A blocking transport that answers from a list, or by a function of the request."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)

    def send(self, request: HttpRequest) -> HttpResponse:
        """The next outcome: returned, or raised when it is an error.

        Raises:
            AssertionError: the script has ended.
        """
        outcome = self._next(request)
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, HttpResponse)
        return outcome

    def close(self) -> None:
        """Answer nothing any more."""
        self.closed = True


class AsyncScriptedTransport(_Recorder):
    """The same for asyncio; the function may be a coroutine function."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """The next outcome: returned, or raised when it is an error.

        Raises:
            AssertionError: the script has ended.
        """
        outcome = self._next(request)
        if isawaitable(outcome):
            outcome = await outcome
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, HttpResponse)
        return outcome

    async def aclose(self) -> None:
        """Answer nothing any more."""
        self.closed = True
