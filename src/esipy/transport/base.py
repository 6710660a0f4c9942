"""The seam to the outside: one verb, in two colours.

A transport takes an `HttpRequest` and gives an `HttpResponse`, or raises a `NetworkError` of `esipy.exceptions`
(with ``sent=False`` only when it is certain that no byte of the request left). No type of any HTTP library
crosses this seam. A transport

- never follows a redirect (T45), keeps no cookies, decodes ``Content-Encoding``;
- counts the body: shorter than ``Content-Length`` is `BrokenAnswerError` (T34), longer than
  ``max_answer_bytes`` is `AnswerTooLargeError`, raised without keeping what came (T35);
- obeys both time limits of the request (T36): ``connect_timeout``, and ``timeout`` over all;
- may be used by many threads at once (blocking) or by many tasks of one loop at once (asyncio);
- shares nothing with a child process across ``fork``;
- may say as ``trust`` (hashable) which servers it believes, by which certificates: what one transport has fetched of an
  SSO's endpoints and keys then serves all of the process that say the same. Without it each learns for itself.
"""

from __future__ import annotations

from typing import Protocol

from esipy.core.wire import HttpRequest, HttpResponse

__all__ = ["AsyncTransport", "Transport"]


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
