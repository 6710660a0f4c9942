"""The blocking transport over libcurl: a pool of easy handles, each with its own connections.

Rules: a handle is taken and given back by one atomic operation of a list, so threads never wait for each other;
the handle used last is taken first, so connections stay warm; there are as many handles as there were callers at
once. After ``fork`` a child leaves the parent's handles alone, neither using nor closing them, and begins anew.
"""

from __future__ import annotations

import os
import weakref
from typing import Any

import pycurl

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.transport.curl_handle import Handle
from esipy.transport.curl_options import constant_options

__all__ = ["CurlTransport"]


class CurlTransport:
    """Sends with libcurl in the caller's own thread; any number of threads at once.

    HTTP/2 is used over TLS where the server speaks it, bodies are decompressed, Ctrl-C interrupts a wait.
    A connect timeout is a `ConnectError`: nothing was sent.

    Args:
        ca_file: a file of PEM certificates to trust in place of the system's.

    Raises:
        SettingError: ``ca_file`` does not exist.
    """

    def __init__(self, *, ca_file: str | None = None) -> None:
        self._options = constant_options(ca_file)
        self._idle: list[Handle] = []
        self._busy: set[Handle] = set()
        self._closed = False
        _transports.add(self)

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and wait for the whole answer.

        Raises:
            NetworkError: no usable answer came.
            InvalidCallError: the URL or a header cannot be sent.
            RuntimeError: the transport is closed.
        """
        if self._closed:
            raise RuntimeError("this transport is closed")
        try:
            handle = self._idle.pop()
        except IndexError:
            handle = Handle(self._options)
        self._busy.add(handle)
        try:
            handle.prepare(request)
            handle.easy.perform()
            return handle.response()
        except pycurl.error as failure:
            raise handle.error(request, failure.args[0], failure.args[1]) from None
        finally:
            self._busy.discard(handle)
            self._idle.append(handle)
            if self._closed:
                self._drain()

    def close(self) -> None:
        """Close all connections; those in use are closed when their answer is there."""
        self._closed = True
        self._drain()

    def _drain(self) -> None:
        while self._idle:
            try:
                self._idle.pop().easy.close()
            except IndexError:  # another thread took the last one
                return

    def _forget(self) -> None:
        """In a child after fork: leave every handle as it is."""
        abandon(self._idle, self._busy)
        self._idle, self._busy = [], set()


_transports: weakref.WeakSet[CurlTransport] = weakref.WeakSet()


def abandon(*things: Any) -> None:
    """Keep things alive to the end of the process without ever running their destructors.

    libcurl's cleanup of a handle says goodbye on its TLS connections; in a child of fork these are the parent's.
    """
    import ctypes

    for thing in things:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _after_fork() -> None:
    for transport in list(_transports):
        transport._forget()  # pyright: ignore[reportPrivateUsage]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
