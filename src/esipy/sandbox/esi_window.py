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

__all__ = ["GOOD_COST", "Bucket", "Foreign", "Visit", "Visits", "cost_of"]

_COSTS = {2: 2, 3: 1, 4: 5}
GOOD_COST = _COSTS[2]
"""The room that a call has to find when it arrives."""

_MOST_EXACT = 20_000
"""Spends beyond so many, which no enforced limit allows, are kept by hundredths of a second: memory is bounded."""

Visit = tuple[float, int]
"""When somebody else calls, and how many calls that are."""

Visits = Callable[[float], Iterator[Visit]]
"""Gives the visits from a moment on."""

Foreign = Callable[["Bucket", float, int], None]
"""Is told what somebody else spent: where, when, how much."""

_NEVER: Visit = (inf, 0)


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
        own, foreign: what the client and what others spent. What others did in times in which the bucket was not looked
            at for two windows is not booked: it can be seen nowhere.
        refusals: how many calls were refused.
        slot_seconds: spends come back at the end of a slot of this length, so up to this much late; 0: exactly.
    """

    __slots__ = (
        "_next_visit", "_on_foreign", "_spends", "_visits", "_visits_since", "foreign", "limit", "most_used", "name",
        "own", "refusals", "slot_seconds", "used", "window_seconds",
    )  # fmt: skip

    def __init__(self, name: str, group: RateGroup, slot_seconds: float = 0.0) -> None:
        self.name = name
        self.limit = group.max_tokens
        self.window_seconds = group.window_seconds
        self.slot_seconds = slot_seconds
        self._spends: deque[tuple[float, int]] = deque()  # when it comes back, how much
        self._visits: Iterator[Visit] = iter(())
        self._visits_since: Visits = lambda _: iter(())
        self._next_visit: Visit = _NEVER
        self._on_foreign: Foreign | None = None
        self.used = self.most_used = self.own = self.foreign = self.refusals = 0

    def turn(self, now: float) -> None:
        """Let time pass until ``now``: what is old comes back, and others spend what they do."""
        if self._next_visit[0] <= now:
            self._visited(now)
        spends = self._spends
        while spends and spends[0][0] <= now:
            self.used -= spends.popleft()[1]

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

    def visited_by(self, visits: Visits, since: float, on_foreign: Foreign | None) -> None:
        """From this moment on somebody else calls as often as there is room, and was there before if it is past."""
        self._visits_since = visits
        self._visits = visits(since)
        self._next_visit = next(self._visits, _NEVER)
        self._on_foreign = on_foreign

    def forget(self) -> None:
        """Start the record (not the window) anew."""
        self.own = self.foreign = self.refusals = 0
        self.most_used = self.used

    def _visited(self, now: float) -> None:
        moment, calls = self._next_visit
        lasting = self.window_seconds + self.slot_seconds
        if now - moment > 2 * lasting:
            # Nothing of the client's is left since long; so others found room, and only the last window matters.
            self._spends.clear()
            self.used = 0
            self._visits = self._visits_since(now - lasting)
            moment, calls = next(self._visits, _NEVER)
        spends, limit = self._spends, self.limit
        while moment <= now:
            while spends and spends[0][0] <= moment:
                self.used -= spends.popleft()[1]
            # Others are refused too when nothing is left, and that costs them nothing.
            self.spend_foreign(moment, GOOD_COST * min(calls, max(0, limit - self.used) // GOOD_COST))
            moment, calls = next(self._visits, _NEVER)
        self._next_visit = (moment, calls)

    def _spend(self, now: float, cost: int) -> None:
        if not cost:
            return
        returns = now + self.window_seconds
        if self.slot_seconds:
            returns = (floor(now / self.slot_seconds) + 1) * self.slot_seconds + self.window_seconds
        self.used += cost
        if self.used > self.most_used:
            self.most_used = self.used
        spends = self._spends
        if spends:
            last, before = spends[-1]
            # Not before what was counted earlier, which slots that were made shorter would let happen.
            if returns <= last or (len(spends) > _MOST_EXACT and returns - last < 0.01):
                spends[-1] = (last, before + cost)
                return
        spends.append((returns, cost))
