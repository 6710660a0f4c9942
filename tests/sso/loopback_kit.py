"""A login that waits at its listener, and what comes there, as browsers speak and as others do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from html import unescape
from http.client import HTTPConnection, HTTPResponse
from queue import SimpleQueue
from threading import Event
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from esipy.core.claims import Claims
from esipy.exceptions import LoginFailedError
from esipy.sso.arrivals import Arrival, await_login
from esipy.sso.loopback import Loopback

WALLET = "esi-wallet.read_character_wallet.v1"
CLAIMS = Claims(2112000001, "Ana <b>", "hash=", frozenset({WALLET}), 1e9, "app")
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"}


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    text: str


def ask(address: str, method: str = "GET", headers: dict[str, str] | None = None, body: str | None = None) -> Got:
    """One request to where an address leads, by 127.0.0.1 whatever its name; redirects are not followed."""
    parts = urlsplit(address)
    connection = HTTPConnection("127.0.0.1", parts.port, timeout=30)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body, {"Host": parts.netloc, **(headers or {})})
        answer: HTTPResponse = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, names, answer.read().decode())
    finally:
        connection.close()


def follow(address: str) -> Got:
    """The page that a browser ends at: it was sent on exactly once."""
    sent_on = ask(address, headers=NAVIGATION)
    assert 303 == sent_on.status
    parts = urlsplit(address)
    return ask(f"{parts.scheme}://{parts.netloc}{sent_on.headers['location']}", headers=NAVIGATION)


class Login:
    """A login that waits in a thread of its own for the query ``state=right``.

    Attributes:
        uri: the callback's address.
        refused: what was refused meanwhile.
    """

    def __init__(self, waiting: ThreadPoolExecutor, end: Exception | None = None, **options: Any) -> None:
        self.arrivals: SimpleQueue[Arrival] = SimpleQueue()
        self.loopback = Loopback(self.arrivals, **{"port": 0, **options})
        self.uri = self.loopback.redirect_uri
        self.refused: list[LoginFailedError] = []
        self.finished: list[str] = []
        self.finishing = Event()
        self.may_finish = Event()
        self.may_finish.set()
        self._is_open = True
        self._end = end
        self.claims: Future[Claims] = waiting.submit(self._wait)

    def _wait(self) -> Claims:
        with self.loopback:
            return await_login(self.arrivals, self._finish, lambda: self._is_open, 60, self.refused.append)

    def _finish(self, query: str) -> Claims:
        self.finished.append(query)
        if "state=right" not in query:
            raise LoginFailedError("another login's", "state")
        self._is_open = False
        self.finishing.set()
        assert self.may_finish.wait(30)
        if self._end is not None:
            raise self._end
        return CLAIMS

    def end(self) -> None:
        """Whatever a test left: let it end."""
        self.may_finish.set()
        self.arrivals.put(Arrival("state=right", lambda page: None))


@pytest.fixture
def login() -> Iterator[Callable[..., Login]]:
    """Begins logins; what a test left of them ends with it."""
    begun: list[Login] = []

    def begin(end: Exception | None = None, **options: Any) -> Login:
        begun.append(Login(waiting, end, **options))
        return begun[-1]

    with ThreadPoolExecutor(4) as waiting:
        yield begin
        for each in begun:
            each.end()


def shown(page: Got) -> str:
    """The text of a page, as a user reads it."""
    return " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page.text)).split())
