"""Watching curl's sockets on behalf of an asyncio loop, in two ways with one form.

curl stops watching a connection at the end of each exchange and begins again at the next one, so this is done twice
for every small answer. An epoll of our own, which the loop watches as one file, does it in a fifth of the time that
the loop's own ``add_reader`` needs, and tells of many sockets in one wake-up. Where there is no epoll the loop
watches each socket.

Rules: `watch` is called by curl, within a call into it; ``act`` is called from the loop, never within `watch`.
"""

from __future__ import annotations

import select
import socket
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any, Protocol

import pycurl

__all__ = ["LoopWatch", "Watch", "can_watch", "watch_in"]

Ready = list[tuple[int, int]]
"""(socket, CSELECT mask) pairs."""

_IN, _OUT = pycurl.POLL_IN, pycurl.POLL_OUT


class Watch(Protocol):
    """What the multi handle needs of it."""

    def watch(self, what: int, fd: int, multi: Any, data: Any, /) -> None:
        """Curl wants to know this (POLL_IN, POLL_OUT, both, or POLL_REMOVE) of a socket from now on."""
        ...

    def close(self) -> None:
        """Watch nothing any more."""
        ...


class LoopWatch:
    """The loop watches each socket."""

    def __init__(self, loop: AbstractEventLoop, act: Callable[[Ready], None]) -> None:
        self._loop = loop
        self._act = act
        self._watched: dict[int, int] = {}

    def watch(self, what: int, fd: int, _multi: Any = None, _data: Any = None, /) -> None:
        before = self._watched.pop(fd, 0)
        wanted = 0 if what == pycurl.POLL_REMOVE else what
        if wanted:
            self._watched[fd] = wanted
        loop = self._loop
        if wanted & _IN and not before & _IN:
            loop.add_reader(fd, self._act, [(fd, pycurl.CSELECT_IN)])
        elif before & _IN and not wanted & _IN:
            loop.remove_reader(fd)
        if wanted & _OUT and not before & _OUT:
            loop.add_writer(fd, self._act, [(fd, pycurl.CSELECT_OUT)])
        elif before & _OUT and not wanted & _OUT:
            loop.remove_writer(fd)

    def close(self) -> None:
        if not self._loop.is_closed():
            for fd in list(self._watched):
                self.watch(pycurl.POLL_REMOVE, fd)


if sys.platform == "linux":
    # What epoll tells as what curl reads: an error or a hang-up is found by reading or writing.
    _BROKEN = select.EPOLLERR | select.EPOLLHUP
    _WANTED = {_IN: select.EPOLLIN, _OUT: select.EPOLLOUT, _IN | _OUT: select.EPOLLIN | select.EPOLLOUT}

    class EpollWatch:
        """One epoll watches the sockets, and the loop watches the epoll."""

        def __init__(self, loop: AbstractEventLoop, act: Callable[[Ready], None]) -> None:
            self._loop = loop
            self._act = act
            self._epoll = select.epoll()
            self._watched: set[int] = set()
            loop.add_reader(self._epoll.fileno(), self._ready)

        def watch(self, what: int, fd: int, _multi: Any = None, _data: Any = None, /) -> None:
            wanted = _WANTED.get(what)
            if wanted is None:
                if fd in self._watched:
                    self._watched.discard(fd)
                    try:
                        self._epoll.unregister(fd)
                    except OSError:
                        pass  # already gone with its socket, when curl closed that first
            elif fd in self._watched:
                self._epoll.modify(fd, wanted)
            else:
                self._epoll.register(fd, wanted)
                self._watched.add(fd)

        def _ready(self) -> None:
            self._act([(fd, events if events == _IN else _as_curl_reads(events)) for fd, events in self._epoll.poll(0)])

        def close(self) -> None:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def _as_curl_reads(events: int) -> int:
        mask = 0
        if events & (select.EPOLLIN | _BROKEN):
            mask |= pycurl.CSELECT_IN
        if events & (select.EPOLLOUT | _BROKEN):
            mask |= pycurl.CSELECT_OUT
        return mask


def watch_in(loop: AbstractEventLoop, act: Callable[[Ready], None]) -> Watch:
    """The best way to watch on this machine."""
    return EpollWatch(loop, act) if sys.platform == "linux" else LoopWatch(loop, act)


def can_watch(loop: AbstractEventLoop) -> bool:
    """Whether this loop can watch sockets at all: Windows' default one cannot."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        try:
            loop.add_reader(ours.fileno(), lambda: None)
        except NotImplementedError:
            return False
        loop.remove_reader(ours.fileno())
        return True
