"""The seam to the outside: one verb, in two colours.

A transport takes an `HttpRequest` and gives an `HttpResponse`, or raises a `NetworkError` of `esipy.exceptions`
(with ``sent=False`` only when it is certain that no byte of the request left). No type of any HTTP library
crosses this seam. A transport

- sends a request once: whether it is repeated is decided, counted and told above (T32);
- never follows a redirect (T45), keeps no cookies, decodes ``Content-Encoding``;
- counts the body: shorter than ``Content-Length`` is `BrokenAnswerError` (T34), longer than
  ``max_answer_bytes`` is `AnswerTooLargeError`, raised without keeping what came (T35);
- obeys both time limits of the request (T36): ``connect_timeout``, and ``timeout`` over all;
- may be used by many threads at once (blocking) or by many tasks of one loop at once (asyncio);
- shares nothing with a child process across ``fork``;
- says with `CLOSED`, `CLOSED_MEANWHILE` and `OTHER_LOOP` why it does not send: users have a client, and no transport;
- may say as ``trust`` (hashable) which servers it believes, by which certificates: what one transport has fetched of an
  SSO's endpoints and keys then serves all of the process that say the same. Without it each learns for itself.
"""

from __future__ import annotations

from typing import Protocol

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import SettingError

__all__ = ["CLOSED", "CLOSED_MEANWHILE", "OTHER_LOOP", "AsyncTransport", "Transport", "require_transport"]

HTTP_LIBRARIES = frozenset({"aiohttp", "httpx", "httpx2", "niquests", "requests", "urllib3"})

CLOSED = "the client is closed: make a new one"
CLOSED_MEANWHILE = "the client was closed while this was under way"
OTHER_LOOP = "this client or login belongs to another event loop, which is not closed: make one in each loop"


class Transport(Protocol):
    """Sends in the caller's own thread."""

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and wait for the whole answer.

        Raises:
            NetworkError: no usable answer came.
        """
        ...

    def close(self) -> None:
        """Close all connections. Closing twice is no error; sending afterwards is."""
        ...


class AsyncTransport(Protocol):
    """Sends within the running asyncio loop."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send and wait for the whole answer; cancelling it drops the transfer.

        Raises:
            NetworkError: no usable answer came.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections. Closing twice is no error; sending afterwards is.

        Transfers that run end with RuntimeError: nobody has cancelled their tasks.
        """
        ...


def require_transport(given: object, closer: str) -> None:
    """Refuse what was given as a transport and cannot send, before the first request has to say so.

    Args:
        closer: the verb that closes one of this colour: ``close``, or ``aclose`` of asyncio.

    Raises:
        SettingError: it is a class, a name, another library's, or lacks a verb.
    """
    if isinstance(given, type):
        raise SettingError(f"transport={given.__name__}: has to be one that was made: {given.__name__}(...)")
    for base in type(given).__mro__:  # these have verbs of the same names, which take something else
        library = base.__module__.partition(".")[0]
        if library in HTTP_LIBRARIES:
            raise SettingError(
                f"transport={type(given).__name__}: is of {library}, and sends its requests only; leave it out, or "
                "take a transport of esipy.transport"
            )
    lacking = [verb for verb in ("send", closer) if not callable(getattr(given, verb, None))]
    if lacking:
        raise SettingError(
            f"transport={type(given).__name__}: has to be an object that sends, by the verbs send and {closer} "
            f"(esipy.transport); this one has no {lacking[0]}"
        )
