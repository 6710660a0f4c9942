"""How long an answer holds, when its data changed, and whether the asker already has it.

Rules: a route that expires by time starts its first lifetime when the sandbox starts, and a new one at each end
of the old, or when its list is rolled over on request; ``Last-Modified`` is when the lifetime began, or when the data
were changed on request. A route that
is dropped by events states its whole lifetime with every answer. All pages of a list share one path, and so
one ``Last-Modified``. A 304 carries few headers: no ``Expires``, ``X-Pages`` or ``Content-Language``.

Source: RFC 9110 section 13, RFC 9111 section 5.2; ESI's document, ``x-client-cache-ttl``, ``x-server-cache-mode``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from hashlib import blake2b
from typing import Any

from esipy.operation import Operation
from esipy.sandbox.clock import Clock

__all__ = ["Changes", "Moment", "etag_of", "freshness_headers", "has_it"]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a path stands in time.

    Attributes:
        generation: how many lifetimes have passed.
        bumps: how often the data were changed on request.
        writes: how often they were changed by calls.
        modified: when the data last changed, in whole unix seconds.
        remaining_seconds: how long the answer is still fresh; None when no lifetime is stated.
    """

    generation: int
    bumps: int
    writes: int
    modified: int
    remaining_seconds: int | None


class Changes:
    """When the data at each path changed.

    Args:
        clock: what time it is in the sandbox.
        max_lifetime_seconds: no answer is fresh for longer; None: as the catalogue says.
    """

    def __init__(self, clock: Clock, max_lifetime_seconds: int | None = None) -> None:
        self._clock = clock
        self._max_lifetime_seconds = max_lifetime_seconds
        self._started = int(clock.now())
        self._bumps: Counter[str] = Counter()
        self._writes: Counter[str] = Counter()
        self._changed: dict[str, int] = {}
        self._began: dict[str, tuple[int, int]] = {}  # where lifetimes are counted from: when, and how many were over

    def bump(self, path: str) -> None:
        """The data at this path change now: another ``ETag`` and ``Last-Modified``."""
        self._bumps[path] += 1
        self._move(path)

    def touch(self, path: str) -> None:
        """The data at this path were changed by a call: the time moves, made-up data stay."""
        self._writes[path] += 1
        self._move(path)

    def roll(self, operation: Operation[Any], path: str) -> None:
        """A new lifetime begins at this path now, as if the old one were over."""
        if operation.lifetime_seconds is not None and operation.cache_mode == "ttl-based":
            self._began[path] = (int(self._clock.now()), self.moment(operation, path).generation)

    def _move(self, path: str) -> None:
        # HTTP's dates have whole seconds: two changes within one still differ.
        self._changed[path] = max(int(self._clock.now()), self._changed.get(path, self._started) + 1)

    def moment(self, operation: Operation[Any], path: str) -> Moment:
        """Where this path stands now."""
        now = self._clock.now()
        lifetime = operation.lifetime_seconds
        if lifetime is not None and self._max_lifetime_seconds is not None:
            lifetime = min(lifetime, self._max_lifetime_seconds)
        bumps, writes = self._bumps.get(path, 0), self._writes.get(path, 0)
        modified = self._changed.get(path, self._started)
        if lifetime is None or operation.cache_mode != "ttl-based":
            return Moment(0, bumps, writes, modified, lifetime)
        first, over = self._began.get(path, (self._started, 0))
        passed = int(now - first) // lifetime
        began = first + passed * lifetime
        return Moment(over + passed, bumps, writes, max(began, modified), began + lifetime - int(now))


def etag_of(body: bytes) -> str:
    """A strong validator (RFC 9110 section 8.8.3)."""
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'


def freshness_headers(operation: Operation[Any], moment: Moment, etag: str, now: float) -> list[tuple[str, str]]:
    """The headers that say how long the answer may be kept, and what it is known by."""
    headers = [("ETag", etag), ("Last-Modified", formatdate(moment.modified, usegmt=True))]
    if operation.cache_mode == "not-cached":
        headers.append(("Cache-Control", "no-store"))
    elif moment.remaining_seconds is not None:
        whose = "public" if operation.scope is None else "private"
        headers.append(("Cache-Control", f"{whose}, max-age={moment.remaining_seconds}"))
        headers.append(("Expires", formatdate(int(now) + moment.remaining_seconds, usegmt=True)))
    return headers


def has_it(headers: dict[str, str], etag: str, modified: int) -> bool:
    """Whether the asker already has this answer: its ``ETag``, or else its date, says so (RFC 9110 section 13.2.2)."""
    tags = headers.get("if-none-match")
    if tags is not None:
        return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in tags.split(","))
    since = headers.get("if-modified-since")
    if since is None:
        return False
    try:
        return modified <= parsedate_to_datetime(since).timestamp()
    except ValueError:
        return False  # a date that cannot be read is no condition
