"""One bucket as the server counts it: a sliding window over what was spent, by the client and by others.

Rules: a spend comes back exactly one window after it was counted, or later when the server counts in coarse slots;
never in another order than it was counted. A call is let in while there is room for a 2xx; what it cost is known at
its end, so a window may be overspent by calls that ran at the same time, and by a 4xx.

Source: ESI's rate limiting documentation, "sliding window".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from math import ceil, floor, inf

from esipy.operation import RateGroup

__all__ = ["GOOD_COST", "Bucket", "Foreign", "cost_of"]

_COSTS = {2: 2, 3: 1, 4: 5}
GOOD_COST = _COSTS[2]
"""The room that a call has to find when it arrives."""

_MOST_EXACT = 20_000
"""Spends beyond so many, which no enforced limit allows, are kept by hundredths of a second: memory is bounded."""

Foreign = Callable[["Bucket", float, int], None]
"""Is told what somebody else spent: where, when, how much."""


def cost_of(status: int) -> int:
    """What an answer costs: 2xx 2, 3xx 1, 4xx 5 but 429 nothing, 5xx nothing."""
    return 0 if status == 429 else _COSTS.get(status // 100, 0)


class Bucket:
    """What is spent of one limit. `turn` brings it to a moment; everything else is at that moment.

    Attributes:
        name: ``group principal``.
        limit, window_seconds: how much may be spent, and in how long a time.
        used: what is in the window.
        most_used: the most that ever was.
        own, foreign: what the client and what others spent, ever.
        refusals: how many calls were refused.
        slot_seconds: spends come back at the end of a slot of this length, so up to this much late; 0: exactly.
    """

    __slots__ = (
        "_next_visit", "_on_foreign", "_spends", "_visits", "foreign", "limit", "most_used", "name", "own", "refusals",
        "slot_seconds", "used", "window_seconds",
    )  # fmt: skip

    def __init__(self, name: str, group: RateGroup, slot_seconds: float = 0.0) -> None:
        self.name = name
        self.limit = group.max_tokens
        self.window_seconds = group.window_seconds
        self.slot_seconds = slot_seconds
        self._spends: deque[tuple[float, int]] = deque()  # when it comes back, how much
        self._visits: Iterator[tuple[float, int]] = iter(())
        self._next_visit: tuple[float, int] = (inf, 0)
        self._on_foreign: Foreign | None = None
        self.used = self.most_used = self.own = self.foreign = self.refusals = 0

    def turn(self, now: float) -> None:
        """Let time pass until ``now``: what is old comes back, and others spend what they do."""
        while self._next_visit[0] <= now:
            moment, calls = self._next_visit
            self._next_visit = next(self._visits, (inf, 0))
            self._age(moment)
            # Others are refused too when nothing is left, and that costs them nothing.
            self.spend_foreign(moment, GOOD_COST * min(calls, max(0, self.limit - self.used) // GOOD_COST))
        self._age(now)

    def has_room(self, cost: int = GOOD_COST) -> bool:
        """Whether a call is let in."""
        return self.used + cost <= self.limit

    def retry_after(self, now: float, cost: int = GOOD_COST) -> int:
        """In how many whole seconds, at least 1, enough will have come back; there is no room now."""
        used = self.used
        for returns, spent in self._spends:
            used -= spent
            if used + cost <= self.limit:
                return max(1, ceil(round(returns - now, 6)))
        raise ValueError(f"the limit of {self.name} has no room for {cost}")

    def spend(self, now: float, cost: int) -> None:
        """Count what the client's own call cost."""
        self.own += cost
        self._spend(now, cost)

    def spend_foreign(self, now: float, cost: int) -> None:
        """Count what somebody else spent."""
        if cost:
            self.foreign += cost
            self._spend(now, cost)
            if self._on_foreign is not None:
                self._on_foreign(self, now, cost)

    def visited_by(self, visits: Iterator[tuple[float, int]], on_foreign: Foreign | None) -> None:
        """From now on somebody else makes so many calls at these moments, as often as there is room."""
        self._visits = visits
        self._next_visit = next(visits, (inf, 0))
        self._on_foreign = on_foreign

    def forget(self) -> None:
        """Start the record (not the window) anew."""
        self.own = self.foreign = self.refusals = 0
        self.most_used = self.used

    def _age(self, now: float) -> None:
        spends = self._spends
        while spends and spends[0][0] <= now:
            self.used -= spends.popleft()[1]

    def _spend(self, now: float, cost: int) -> None:
        if not cost:
            return
        returns = now + self.window_seconds
        if self.slot_seconds:
            returns = (floor(now / self.slot_seconds) + 1) * self.slot_seconds + self.window_seconds
        if self._spends:
            last, before = self._spends[-1]
            returns = max(returns, last)
            if returns == last or (len(self._spends) > _MOST_EXACT and returns - last < 0.01):
                self._spends.pop()
                returns, cost = last, cost + before
                self.used -= before
        self._spends.append((returns, cost))
        self.used += cost
        self.most_used = max(self.most_used, self.used)
