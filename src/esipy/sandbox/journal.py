"""What the sandbox received, in order, for tests to look at.

Rules: no token, secret, code or state of a login is kept, only how the request was signed and for whom; entries appear
when the request has come and are completed when it was answered. The control interface's own requests are not entered.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from threading import RLock
from typing import Any, Self

__all__ = ["Entry", "Journal", "unversioned"]

# The page before may be that of a login, or a callback.
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "referer"})
_SECRET_NAMES = frozenset({"access_token", "client_secret", "code", "code_verifier", "refresh_token", "token"})
_VERSIONS = frozenset({"latest", "legacy", "dev"})


@dataclass(slots=True)
class Entry:
    """One request that came.

    Attributes:
        number: counts from 1.
        method, path: as they came; the path without its query.
        query: (name, value) pairs; the values of tokens, codes and states of logins are ``***``.
        headers: names in lower case, without those that hold secrets.
        form: the fields of a form that was posted, secrets as ``***``; empty for other bodies.
        body_bytes: how long the body was.
        authorization: the scheme of the Authorization header, lower case; None when there was none.
        character_id: whom a good bearer token speaks for; None without one.
        token_error: why a bearer token was not good; None when it was, or there was none.
        fault: the kind of fault that met the request; None when none did.
        status: the status that was answered; None while there is none, or when a fault sent none.
        began, ended: monotonic seconds; ``ended`` is None while the request is being answered.
    """

    number: int
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    form: dict[str, str]
    body_bytes: int
    authorization: str | None
    character_id: int | None
    token_error: str | None
    fault: str | None
    status: int | None = None
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The entry, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The entry that `as_dict` (and JSON in between) was made of."""
        entry = cls(**values)
        entry.query = [(name, value) for name, value in values["query"]]
        return entry


class Journal:
    """The last ``keep`` requests; used by the server and by tests in other threads."""

    def __init__(self, keep: int = 10_000) -> None:
        self._lock = RLock()
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._count = 0
        self._waiting: list[tuple[Callable[[], bool], Future[None]]] = []

    def enter(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]],
        headers: Mapping[str, str],
        form: Iterable[tuple[str, str]],
        *,
        body_bytes: int,
        character_id: int | None,
        token_error: str | None,
        fault: str | None,
    ) -> Entry:
        """A request has come; see `Entry`."""
        scheme = headers.get("authorization")
        with self._lock:
            self._count += 1
            entry = Entry(
                self._count,
                method,
                path,
                [(name, _shown(path, name, value)) for name, value in query],
                {name: value for name, value in headers.items() if name not in _SECRET_HEADERS},
                {name: _shown(path, name, value) for name, value in form},
                body_bytes,
                None if scheme is None else scheme.partition(" ")[0].lower(),
                character_id,
                token_error,
                fault,
            )
            self._entries.append(entry)
        self._tell()
        return entry

    def complete(self, entry: Entry, status: int | None) -> None:
        """The request is done with; ``status`` None: nothing was answered."""
        entry.status = status
        entry.ended = time.monotonic()
        self._tell()

    def received(self, path: str | None = None, method: str | None = None) -> list[Entry]:
        """The entries, oldest first: all, or those of a path (any old version prefix) and method."""
        wanted = None if path is None else unversioned(path)
        with self._lock:
            entries = list(self._entries)
        return [
            entry
            for entry in entries
            if (wanted is None or unversioned(entry.path) == wanted) and (method is None or entry.method == method)
        ]

    def clear(self) -> None:
        """Forget all entries."""
        with self._lock:
            self._entries.clear()

    def most_at_once(self, path: str | None = None) -> int:
        """How many requests (of this path) were being answered at the same time, at the most."""
        steps: list[tuple[float, int]] = []
        for entry in self.received(path):
            steps.append((entry.began, 1))
            if entry.ended is not None:
                steps.append((entry.ended, -1))
        most = now = 0
        for _, step in sorted(steps):
            now += step
            most = max(most, now)
        return most

    def when(self, condition: Callable[[], bool]) -> Future[None]:
        """A future that is done once the condition holds; it is asked after each change of the journal."""
        future: Future[None] = Future()
        with self._lock:
            self._waiting.append((condition, future))
        self._tell()
        return future

    def wait(self, times: int, path: str | None = None, method: str | None = None, timeout: float = 10.0) -> None:
        """Wait until so many requests (of this path and method) have come, answered or not.

        Raises:
            TimeoutError: they did not come within ``timeout`` seconds.
        """
        came = self.when(lambda: len(self.received(path, method)) >= times)
        try:
            came.result(timeout)
        finally:
            came.cancel()

    def _tell(self) -> None:
        if not self._waiting:
            return
        # The lock is held while conditions are asked: a change meanwhile would else find nobody waiting.
        with self._lock:
            self._waiting = [(condition, future) for condition, future in self._waiting if not _met(condition, future)]


def _met(condition: Callable[[], bool], future: Future[None]) -> bool:
    if not future.done() and condition():
        future.set_result(None)
    return future.done()


def unversioned(path: str) -> str:
    """A path of old programs (``/latest/status/``, ``/v1/status/``) in today's spelling."""
    first, slash, rest = path.lstrip("/").partition("/")
    if slash and (first in _VERSIONS or (first[:1] == "v" and first[1:].isdigit() and not rest.startswith("oauth"))):
        path = "/" + rest
    return path.rstrip("/") or "/"


def _shown(path: str, name: str, value: str) -> str:
    # To ESI a "state" is a parameter like any other.
    return "***" if name in _SECRET_NAMES or (name == "state" and "/oauth/" in path) else value
