"""What each caller has spent, told in headers, and refused when the sandbox is asked to.

Rules: an operation of a group spends from the bucket of its group and principal, over a sliding window; a 2xx
costs 2, a 3xx 1, a 4xx 5 (a 429 nothing). All other operations share the error limit: 100 bad answers in a
fixed minute, and then every route answers 420. Headers are always sent; refusing is off unless asked for.

Source: ESI's rate limiting and best practices documentation, ``x-rate-limit`` in its document.
"""

from __future__ import annotations

from collections import deque
from math import ceil, floor
from typing import Any

from esipy.operation import Operation, RateGroup
from esipy.sandbox.esi_asked import Refused
from esipy.sandbox.exchange import Identity

__all__ = ["Limits"]

ERROR_LIMIT = 100
_ERROR_WINDOW_SECONDS = 60
_COSTS = {2: 2, 3: 1, 4: 5}


class _Bucket:
    """The spends of one principal in one group that are still in the window."""

    __slots__ = ("_spends", "used")

    def __init__(self) -> None:
        self._spends: deque[tuple[float, int]] = deque()
        self.used = 0

    def age(self, now: float, window_seconds: int) -> None:
        while self._spends and self._spends[0][0] <= now - window_seconds:
            self.used -= self._spends.popleft()[1]

    def spend(self, now: float, cost: int) -> None:
        # Spends of one hundredth of a second are one entry, so that no load makes a bucket large.
        moment = floor(now * 100) / 100
        if self._spends and self._spends[-1][0] == moment:
            cost_before = self._spends.pop()[1]
            self._spends.append((moment, cost_before + cost))
        else:
            self._spends.append((moment, cost))
        self.used += cost

    def free_at(self, room: int, group: RateGroup) -> float:
        """When enough of what was spent will have come back; now there is not enough."""
        used = self.used
        spends = iter(self._spends)
        while True:
            spent, cost = next(spends)
            used -= cost
            if used + room <= group.max_tokens:
                return spent + group.window_seconds


class Limits:
    """The ledgers of one sandbox. ``enforce`` may be switched at any time."""

    def __init__(self, *, enforce: bool = False) -> None:
        self.enforce = enforce
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._minute: int = 0
        self._errors: int = 0

    def check(self, operation: Operation[Any], identity: Identity | None, now: float) -> None:
        """Refuse a call for which there is nothing left.

        Raises:
            Refused: 429 with ``Retry-After``, or 420.
        """
        if not self.enforce:
            return
        self._turn(now)
        if self._errors >= ERROR_LIMIT:
            raise Refused(420, "error limited")
        group = operation.group
        if group is None:
            return
        bucket = self._bucket(operation, group, identity, now)
        if bucket.used + _COSTS[2] > group.max_tokens:
            wait = bucket.free_at(_COSTS[2], group) - now
            raise Refused(429, "rate limit exceeded", headers=[("Retry-After", str(max(1, ceil(wait))))])

    def charge(
        self, operation: Operation[Any] | None, identity: Identity | None, status: int, now: float
    ) -> list[tuple[str, str]]:
        """Book an answer; gives the headers that tell how much is left."""
        if operation is None or operation.group is None or status == 420:
            self._turn(now)
            if status >= 400 and status != 420:
                self._errors += 1
            return self._error_headers(now)
        group = operation.group
        bucket = self._bucket(operation, group, identity, now)
        if status != 429:
            bucket.spend(now, _COSTS.get(status // 100, 0))
        return [
            ("X-Ratelimit-Group", group.name),
            ("X-Ratelimit-Limit", f"{group.max_tokens}/{group.window_seconds // 60}m"),
            ("X-Ratelimit-Remaining", str(max(0, group.max_tokens - bucket.used))),
            ("X-Ratelimit-Used", str(bucket.used)),
        ]

    def reset(self) -> None:
        """Forget every spend."""
        self._buckets.clear()
        self._errors = 0

    def _bucket(self, operation: Operation[Any], group: RateGroup, identity: Identity | None, now: float) -> _Bucket:
        """The bucket of a call, without what is no longer in the window."""
        # Everyone in the sandbox comes from one address. A public route counts it, apart for each application that
        # shows a token; a private one counts the character.
        principal = "address"
        if identity is not None:
            who = "address" if operation.scope is None else str(identity.character_id)
            principal = f"{identity.client_id}:{who}"
        bucket = self._buckets.setdefault((group.name, principal), _Bucket())
        bucket.age(now, group.window_seconds)
        return bucket

    def _turn(self, now: float) -> None:
        minute = int(now) // _ERROR_WINDOW_SECONDS
        if minute != self._minute:
            self._minute, self._errors = minute, 0

    def _error_headers(self, now: float) -> list[tuple[str, str]]:
        return [
            ("X-ESI-Error-Limit-Remain", str(max(0, ERROR_LIMIT - self._errors))),
            ("X-ESI-Error-Limit-Reset", str(_ERROR_WINDOW_SECONDS - int(now) % _ERROR_WINDOW_SECONDS)),
        ]
