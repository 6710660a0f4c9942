"""The asyncio transport over libcurl: one multi handle per event loop, woken by the loop's own watching of sockets.

Rules: nothing polls; each event of a socket is one ``socket_action``; the finished are collected right after it.
A transport belongs to the loop that it was first used in; when that loop is closed, the next one gets a fresh
multi handle. On a loop that cannot watch sockets (Windows' default) the transfers run in threads over the blocking
transport. At most ``max_exchanges`` run at once, and the queue of the others is ours: curl's own can leave a transfer
waiting beyond its time limit. After ``fork`` a child leaves all of it alone and begins anew.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pycurl

from esipy._forks import abandon, forget_after_fork
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import ConnectError
from esipy.transport.base import CLOSED, CLOSED_MEANWHILE, OTHER_LOOP
from esipy.transport.curl import CurlTransport
from esipy.transport.curl_handle import Handle
from esipy.transport.curl_options import constant_options
from esipy.transport.curl_threads import Threads
from esipy.transport.curl_turns import Turns
from esipy.transport.curl_watch import Ready, can_watch, watch_in

__all__ = ["AsyncCurlTransport"]

_SWEEP_SECONDS = 0.5
_CLOSED = (0, CLOSED_MEANWHILE)
_TIME_OUT: Ready = [(pycurl.SOCKET_TIMEOUT, 0)]


class AsyncCurlTransport:
    """Sends with libcurl within the running asyncio loop; any number of tasks at once.

    Args:
        ca_file: a file of PEM certificates to trust in place of the system's.
        max_exchanges: at once; further ones wait, within their own time limit. Over HTTP/1.1 this bounds the
            connections too; over HTTP/2 exchanges share one.

    Attributes:
        trust: see `esipy.transport.base`.

    Raises:
        SettingError: ``ca_file`` does not exist.
    """

    def __init__(self, *, ca_file: str | None = None, max_exchanges: int = 100) -> None:
        self._ca_file = ca_file
        self._options = constant_options(ca_file)
        self.trust = ("curl", *self._options)
        self._max_exchanges = max_exchanges
        self._engine: _Sockets | Threads | None = None
        self._closed = False
        forget_after_fork(self)

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send and wait for the whole answer; cancelling it ends the transfer.

        Raises:
            NetworkError: no usable answer came.
            InvalidCallError: the URL or a header cannot be sent.
            RuntimeError: the transport is closed, also meanwhile, or belongs to another loop that still lives.
        """
        loop = asyncio.get_running_loop()
        engine = self._engine
        if engine is None or engine.loop is not loop:
            engine = self._bind(loop)
        return await engine.send(request)

    async def aclose(self) -> None:
        """Close all connections; transfers that run end with RuntimeError."""
        self._closed = True
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _bind(self, loop: asyncio.AbstractEventLoop) -> _Sockets | Threads:
        if self._closed:
            raise RuntimeError(CLOSED)
        if self._engine is not None:
            if not self._engine.loop.is_closed():
                raise RuntimeError(OTHER_LOOP)
            self._engine.close()
        if can_watch(loop):
            self._engine = _Sockets(loop, self._options, self._max_exchanges)
        else:
            self._engine = Threads(loop, CurlTransport(ca_file=self._ca_file), self._max_exchanges)
        return self._engine

    def forget(self) -> None:
        """In a child after fork: leave everything as it is."""
        abandon(self._engine)
        self._engine = None


class _Sockets:
    """A multi handle that tells the loop which sockets and which timeout to watch."""

    def __init__(self, loop: asyncio.AbstractEventLoop, options: list[tuple[int, Any]], max_exchanges: int) -> None:
        self.loop = loop
        self._options = options
        self._idle: list[Handle] = []
        self._running: dict[pycurl.Curl, Handle] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = None
        self._kick: asyncio.Handle | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._turns = Turns(max_exchanges)
        self._closed = False
        # Kept here, because names of modules are taken away at the end of the program.
        self._exiting = sys.is_finalizing
        self._multi = multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        # Room for idle connections to a second host (the SSO), or they would push out each other's.
        multi.setopt(pycurl.M_MAXCONNECTS, 2 * max_exchanges)
        self._watch = watch_in(loop, self._act)
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch.watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    async def send(self, request: HttpRequest) -> HttpResponse:
        turns, seconds = self._turns, request.timeout
        if turns.free:
            turns.free -= 1
        else:
            seconds = await self._wait_for_turn(request)
        handle: Handle | None = None
        try:
            if self._closed:
                raise RuntimeError(CLOSED)
            handle = self._idle.pop() if self._idle else Handle(self._options)
            easy = handle.easy
            handle.prepare(request, seconds)
            encrypted = request.url.startswith("https:")
            if encrypted is not handle.shares:
                easy.setopt(pycurl.PIPEWAIT, encrypted)
                handle.shares = encrypted
            handle.waiter = waiter = self.loop.create_future()
            handle.deadline = self.loop.time() + seconds
            self._running[easy] = handle
            self._multi.add_handle(easy)
            if self._sweeper is None:
                self._sweeper = self.loop.call_later(_SWEEP_SECONDS, self._sweep)
            failure = await waiter
            if failure is None:
                return handle.response(request)
            if failure is _CLOSED:
                raise RuntimeError(CLOSED_MEANWHILE)
            raise handle.error(request, failure[0], failure[1])
        finally:
            turns.give_back()
            if handle is not None:
                self._let_go(handle)

    async def _wait_for_turn(self, request: HttpRequest) -> float:
        """Returns the seconds that are left."""
        limit = asyncio.timeout(request.timeout)
        try:
            async with limit:
                await self._turns.wait()
        except TimeoutError:
            reason = f"as many exchanges as allowed were running for {request.timeout:g} s"
            raise ConnectError(request.url, reason) from None
        return max((limit.when() or 0.0) - self.loop.time(), 0.001)

    def _let_go(self, handle: Handle) -> None:
        # Cancelled: the transfer ends here. At the end of the program the multi handle may be gone before us.
        if self._running.pop(handle.easy, None) is not None and not self._exiting():
            self._multi.remove_handle(handle.easy)
        handle.waiter = None
        if self._closed:
            handle.easy.close()
        else:
            self._idle.append(handle)

    def close(self) -> None:
        self._closed = True
        for handle in self._running.values():
            if not (self.loop.is_closed() or handle.waiter.done()):
                handle.waiter.set_result(_CLOSED)
        for easy in self._running:
            self._multi.remove_handle(easy)
        self._running.clear()
        self._multi.close()
        for handle in self._idle:
            handle.easy.close()
        self._idle.clear()
        for pending in (self._timer, self._kick, self._sweeper):
            if pending is not None:
                pending.cancel()
        self._watch.close()

    def _set_timer(self, milliseconds: int) -> None:
        """Curl wants to be called after this time; -1: no more.

        A timer that is due earlier stays and sets itself again: most are never reached, and to cancel and set
        one for each transfer would cost more than the transfer's own bookkeeping.
        """
        if milliseconds < 0:
            self._deadline = None
        elif milliseconds == 0:
            self._deadline = None
            if self._kick is None:
                self._kick = self.loop.call_soon(self._kicked)
        else:
            self._deadline = deadline = self.loop.time() + milliseconds / 1000
            if self._timer is None:
                self._timer = self.loop.call_at(deadline, self._timed)
            elif self._timer.when() > deadline:
                self._timer.cancel()
                self._timer = self.loop.call_at(deadline, self._timed)

    def _kicked(self) -> None:
        self._kick = None
        self._act(_TIME_OUT)

    def _timed(self) -> None:
        self._timer = None
        deadline = self._deadline
        if deadline is None:
            return
        if self.loop.time() < deadline:
            self._timer = self.loop.call_at(deadline, self._timed)
            return
        self._deadline = None
        self._act(_TIME_OUT)

    def _sweep(self) -> None:
        """End what curl forgot.

        A transfer that waits to share another one's connection is not always woken at its own time limit
        (curl pull request 22942), nor when the other one's server is silent over HTTP/1.1.
        """
        self._sweeper = None
        late = self.loop.time() - _SWEEP_SECONDS
        for easy, handle in list(self._running.items()):
            if handle.deadline < late:
                self._finish(easy, (pycurl.E_OPERATION_TIMEDOUT, "it never got a connection"))
        if self._running:
            self._sweeper = self.loop.call_later(_SWEEP_SECONDS, self._sweep)

    def _act(self, ready: Ready) -> None:
        act = self._multi.socket_action
        for fd, events in ready:
            act(fd, events)
        left = 1
        while left:
            left, done, failed = self._multi.info_read()
            for easy in done:
                self._finish(easy, None)
            for easy, code, text in failed:
                self._finish(easy, (code, text))

    def _finish(self, easy: pycurl.Curl, failure: tuple[int, str] | None) -> None:
        handle = self._running.pop(easy)
        self._multi.remove_handle(easy)
        if not handle.waiter.done():
            handle.waiter.set_result(failure)
