"""When to look next: a heap of moments, and the arithmetic of lifetimes and of backing off. Pure: no clock, no chance.

Nobody is looked at before the lifetime of what was seen is over. Where ESI states none, it is looked at as often as
`LIFELESS_SECONDS`, unless the user says otherwise. Each moment is put off by a part of its pause, by chance, so that
watches that began together do not come back together.
"""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

from esipy.core.retries import doubled

__all__ = ["Schedule", "after_failure", "after_look"]

W = TypeVar("W")

LIFELESS_SECONDS = 60.0
"""The pace where ESI states no lifetime: lists that are read by cursor, most of the universe."""

LEAST_SECONDS = 1.0
OVERDUE_SECONDS = 5.0
"""The pause after an answer whose lifetime was over as it came: in the last moment, perhaps, before the next."""

JITTER_SHARE = 0.1
MOST_JITTER_SECONDS = 10.0

FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 900.0


class Schedule(Generic[W]):
    """Who is to be looked at when. Each is in it once at the most; to put, to take or to find one costs log n."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, W]] = []
        self._turns: dict[W, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._turns)

    def put(self, watch: W, due: float) -> None:
        """Look at it at this moment, and not when it was to be before."""
        self._count += 1
        self._turns[watch] = self._count
        heapq.heappush(self._heap, (due, self._count, watch))
        if len(self._heap) > 2 * len(self._turns) + 16:
            self._heap = [entry for entry in self._heap if self._turns.get(entry[2]) == entry[1]]
            heapq.heapify(self._heap)

    def discard(self, watch: W) -> None:
        """Look at it no more. No error when it is not there."""
        self._turns.pop(watch, None)

    def next_due(self) -> float | None:
        """The next moment at which there is something to do; None: never."""
        while self._heap:
            due, turn, watch = self._heap[0]
            if self._turns.get(watch) == turn:
                return due
            heapq.heappop(self._heap)
        return None

    def take(self, now: float) -> W | None:
        """Take out the next that is due; None: none is yet."""
        due = self.next_due()
        if due is None or due > now:
            return None
        watch = heapq.heappop(self._heap)[2]
        del self._turns[watch]
        return watch


def after_look(
    now: float, fresh_until: float | None, every_seconds: float | None, lifeless: bool, chance: float
) -> float:
    """When to look again.

    Args:
        now: when the look was over.
        fresh_until: until when what was seen is fresh; None when nobody knows.
        every_seconds: how often at the most; None: as this module says.
        lifeless: ESI gives its answers no lifetime.
        chance: a number in [0, 1).
    """
    left = 0.0 if fresh_until is None else fresh_until - now
    if every_seconds is not None:
        pace = every_seconds
    elif lifeless:
        pace = LIFELESS_SECONDS
    else:
        pace = LEAST_SECONDS if left > 0 else OVERDUE_SECONDS
    return now + jittered(max(left, pace), chance)


def after_failure(
    now: float, failures: int, fresh_until: float | None, retry_at: float | None, longest_seconds: float, chance: float
) -> float:
    """When to look again after it could not be looked: doubled pauses, or when ESI says.

    Args:
        failures: how often in a row; 1 is the first.
        fresh_until: as in `after_look`.
        retry_at: the moment at which to come back; None: none was said.
        longest_seconds: the pause that is not doubled any more.
        chance: a number in [0, 1).
    """
    if retry_at is not None and retry_at > now:
        pause = retry_at - now
    else:
        pause = doubled(FIRST_PAUSE_SECONDS, failures, longest_seconds) * (0.75 + chance / 4)
    return now + jittered(max(pause, (fresh_until or now) - now), chance)


def jittered(seconds: float, chance: float) -> float:
    """A pause, put off by a part of it."""
    return seconds + min(seconds * JITTER_SHARE, MOST_JITTER_SECONDS) * chance
