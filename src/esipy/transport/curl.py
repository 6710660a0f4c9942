"""The blocking transport over libcurl: a pool of easy handles, each with its own connections.

Rules: a handle is taken and given back by one atomic operation of a list, so threads never wait for each other;
the handle used last is taken first, so connections stay warm; there are as many handles as there were callers at
once. A handle whose use was interrupted is not used again. After ``fork`` a child leaves the parent's handles alone,
neither using nor closing them, and begins anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import current_thread, main_thread
from typing import cast

import pycurl

from esipy._forks import abandon, forget_after_fork
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import InvalidCallError, NetworkError
from esipy.transport.base import CLOSED
from esipy.transport.curl_handle import Handle
from esipy.transport.curl_options import constant_options
from esipy.transport.curl_signals import RaisedWithin

__all__ = ["CurlTransport"]


class CurlTransport:
    """Sends with libcurl in the caller's own thread; any number of threads at once.

    HTTP/2 is used over TLS where the server speaks it, bodies are decompressed, Ctrl-C interrupts a wait, as
    any exception does that a signal's handler raises. A connect timeout is a `ConnectError`: nothing was sent.

    Args:
        ca_file: a file of PEM certificates to trust in place of the system's.
        max_idle: how many handles that nobody uses are kept; None: as many as were used at once.

    Attributes:
        trust: see `esipy.transport.base`.

    Raises:
        SettingError: ``ca_file`` does not exist.
    """

    def __init__(self, *, ca_file: str | None = None, max_idle: int | None = None) -> None:
        self._options = constant_options(ca_file)
        self.trust = ("curl", *self._options)
        self._idle: list[Handle] = []
        self._max_idle = max_idle
        self._closed = False
        forget_after_fork(self)

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send and wait for the whole answer.

        Raises:
            NetworkError: no usable answer came.
            InvalidCallError: the URL or a header cannot be sent.
            RuntimeError: the transport is closed.
        """
        # Signals are handled in the main thread only.
        if current_thread() is not main_thread():
            return self.send_unless(request, None)
        raised = RaisedWithin()
        try:
            sys.excepthook = raised.keep
            return self.send_unless(request, _never)
        except NetworkError:
            if raised.error is None:
                raise
        finally:
            raised.is_over = True
            if sys.excepthook == raised.keep:
                sys.excepthook = raised.before
        raise raised.error

    def send_unless(self, request: HttpRequest, stopped: Callable[..., bool] | None) -> HttpResponse:
        """Send as `send` does; the transfer ends within a second when ``stopped``, asked again and again, gives True.

        Args:
            stopped: called with what curl tells of the progress; None: nobody is asked.
        """
        if self._closed:
            raise RuntimeError(CLOSED)
        try:
            handle = self._idle.pop()
        except IndexError:
            handle = Handle(self._options)
        fit = True
        try:
            if stopped is not handle.stopped:
                handle.ask(stopped)
            handle.prepare(request, request.timeout)
            handle.easy.perform()
            return handle.response(request)
        except pycurl.error as failure:
            raise handle.error(request, *cast("tuple[int, str]", failure.args)) from None
        except (NetworkError, InvalidCallError):
            raise
        except BaseException:  # Ctrl-C, as it was being prepared: what its options are nobody knows
            fit = False
            raise
        finally:
            if fit and (self._max_idle is None or len(self._idle) < self._max_idle):
                self._idle.append(handle)
            else:
                handle.easy.close()
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

    def forget(self) -> None:
        """In a child after fork: leave every handle as it is."""
        abandon(self._idle)
        self._idle = []


def _never(*_progress: int) -> bool:
    return False
