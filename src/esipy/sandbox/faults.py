"""Which of the next answers go wrong, and how: the plan. What each kind does on the wire is in `acts`.

Rules: faults are taken in the order in which they were planned, each for its number of times; a fault meets a
request whose path, method and query fit. The control interface itself never fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Lock
from typing import Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from esipy.sandbox.journal import unversioned

__all__ = ["KINDS", "Fault", "Faults", "Happening", "Kind"]

Kind = Literal[
    "bomb", "close", "cut", "cut-chunked", "delay", "empty", "error-limited", "garbage", "gzip", "hang", "html",
    "oddjson", "oversize", "rate-limited", "redirect", "reset", "slow", "status",
]  # fmt: skip

KINDS: tuple[str, ...] = get_args(Kind)

_STATUS: dict[str, int] = {
    "empty": 502,
    "error-limited": 420,
    "html": 502,
    "oddjson": 500,
    "rate-limited": 429,
    "redirect": 302,
    "status": 500,
}


@dataclass(slots=True)
class Fault:
    """One planned failure.

    Attributes:
        kind: see docs/sandbox.md; ``status`` is an error answer with a JSON body.
        path: where: a path, with ``*`` for any text; old version prefixes and the last slash do not matter.
        times: how many answers are left to fail; None: all, until the plan is cleared.
        method: upper case; None: any.
        query: parameters that have to be there with these values (``{"page": "3"}``).
        status: the status to answer, for kinds that send one of their own.
        headers: added to the answer.
        body: replaces the body, for kinds that send one of their own.
        seconds: how long ``delay`` waits and over how long ``slow`` drips; or ``Retry-After``, or the reset of the
            error limit.
        size: how many bytes ``cut`` lets pass (None: half), ``oversize`` sends (None: no end) and ``bomb`` unpacks to.
        location: where ``redirect`` leads.
        after: the request is carried out although its answer is lost (``reset``, ``close``, ``hang``, ``status`` ...).
    """

    kind: Kind
    path: str = "*"
    times: int | None = 1
    method: str | None = None
    query: dict[str, str] = field(default_factory=dict[str, str])
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes | None = None
    seconds: float = 1.0
    size: int | None = None
    location: str = ""
    after: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is called {self.kind!r}: there are {', '.join(KINDS)}")
        if not self.path.startswith(("/", "*")) or "{" in self.path:  # nobody asks for such a path: nothing would fail
            raise ValueError(f"{self.path!r} is no path, such as /status or /markets/*/orders, where * is any text")
        if self.times is not None and self.times < 1:
            raise ValueError(f"a fault happens at least once, not {self.times} times")
        if self.method is not None:
            self.method = self.method.upper()
        if self.kind == "redirect" and not self.location:
            raise ValueError("a redirect needs a location")
        if self.body is not None and not isinstance(self.body, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"a body is text or bytes, as json.dumps(...) gives it, not {type(self.body).__name__}")
        self.status = self.status or _STATUS.get(self.kind, 200)
        if not 200 <= self.status <= 599:
            raise ValueError(f"{self.status} is no status to answer with")

    def fits(self, method: str, path: str, query: Iterable[tuple[str, str]]) -> bool:
        """Whether this fault is meant for such a request."""
        return (
            (self.method is None or self.method == method)
            and (fnmatchcase(path, self.path) or fnmatchcase(unversioned(path), unversioned(self.path)))
            and (not self.query or self.query.items() <= dict(query).items())
        )


class Happening(NamedTuple):
    """A fault that meets a request; ``held`` is done when a ``hang`` is released.

    It exists before the journal shows the request, so that who sees one hang can release it.
    """

    fault: Fault
    held: Future[None] | None


class Faults:
    """The plan of one sandbox; tests change it from other threads.

    Attributes:
        led_to: the paths to which redirects were planned so far; a test may look whether anybody went there.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.led_to: frozenset[str] = frozenset()
        self._planned: list[Fault] = []
        self._held: set[Future[None]] = set()

    def plan(self, fault: Fault) -> None:
        """Let the next answers that fit fail in this way."""
        with self._lock:
            self._planned.append(fault)
            if fault.location:
                self.led_to |= {urlsplit(fault.location).path}

    def take(self, method: str, path: str, query: Iterable[tuple[str, str]]) -> Happening | None:
        """The fault that meets this request; it counts as having happened."""
        if not self._planned:
            return None
        with self._lock:
            for fault in self._planned:
                if fault.fits(method, path, query):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times == 0:
                            self._planned.remove(fault)
                    happening = Happening(fault, Future() if fault.kind == "hang" else None)
                    if happening.held is not None:
                        self._held.add(happening.held)
                    return happening
        return None

    def clear(self) -> None:
        """Plan nothing any more; what hangs goes on hanging until `release`."""
        with self._lock:
            self._planned.clear()

    @property
    def planned(self) -> list[Fault]:
        """What is still to happen."""
        with self._lock:
            return list(self._planned)

    async def hold(self, held: Future[None]) -> None:
        """Wait until `release`."""
        try:
            await asyncio.wrap_future(held)
        finally:
            with self._lock:
                self._held.discard(held)

    def release(self) -> int:
        """Let all that hang now get their answers. Gives how many there were."""
        with self._lock:
            held, self._held = self._held, set()
        for future in held:
            if future.set_running_or_notify_cancel():
                future.set_result(None)
        return len(held)
