"""Who waits for a bucket: first come first served within a `Rank`, interactive calls before batch calls.

Only the first of a line asks the ledger, and sleeps until the exact moment that it was told; all others sleep until it
is their turn. An answer that lands wakes the first, because it may have cost less than was reserved. Whoever
leaves, with leave to send or because it was cancelled, wakes the next. When the first learns that the line waits for
time, and not for an answer, those are woken who have not been told so, or have no patience for it.

Each event loop has its own lines, and all threads together have one: a loop that stands still holds up nobody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from esipy._forks import forget_after_fork, fork_lock
from esipy.runtime.base import Flight

__all__ = ["Line", "Lines", "Place", "Rank"]

Rank: TypeAlias = tuple[bool, bool, float]
"""Whether it is a batch call; whether it evens out what is left; the share that it leaves untouched.

Interactive calls go first. Of the same priority, who is held back by its own terms only, holds up nobody who is not.
"""

EVER = float("inf")


class Place:
    """One waiting call. ``turn`` is done when there is something new for it.

    Attributes:
        tokens: what it asks for.
        rank: who goes first.
        patient_until: the end of its patience.
        told: it knows that the line waits for time.
        aside: it does something else: as if it were not there, it keeps its place.
        ahead, number: the tokens that those ask for who are before it, and how many they are, as of when it was told.
    """

    __slots__ = ("ahead", "aside", "number", "patient_until", "rank", "tokens", "told", "turn")

    def __init__(
        self, tokens: int, *, batch: bool, spread: bool = False, share: float = 0.0, patient_until: float = EVER
    ) -> None:
        self.tokens = tokens
        self.rank: Rank = (batch, spread, share)
        self.patient_until = patient_until
        self.told = self.aside = False
        self.ahead = self.number = 0
        self.turn: Flight[None] = Flight()

    def wake(self) -> None:
        """Let it look again."""
        if not self.turn.done():
            self.turn.set_result(None)


class Line:
    """Those of one loop, or of all threads, who wait for one bucket. `Lines` guards it.

    Attributes:
        until: the moment for which its first waits; None: it waits for an answer, or has not asked yet.
        pace_seconds: how long after one the next may leave, beyond that; 0: they may leave together.
    """

    def __init__(self) -> None:
        self.until: float | None = None
        self.pace_seconds = 0.0
        self._queues: dict[Rank, deque[Place]] = {}
        self._tokens: dict[Rank, int] = {}
        self._untold = False
        self._least_patience = EVER

    @property
    def first(self) -> Place | None:
        """Whose turn it is."""
        return next((place for place in self if not place.aside), None)

    def must_wait(self, rank: Rank) -> bool:
        """Whether somebody is before a newcomer."""
        first = self.first
        return first is not None and first.rank <= rank

    def ahead_of(self, rank: Rank) -> tuple[int, int]:
        """The tokens that those ask for who are before a newcomer, and how many they are."""
        before = [each for each in self._queues if each <= rank]
        return sum(self._tokens[each] for each in before), sum(len(self._queues[each]) for each in before)

    def add(self, place: Place) -> None:
        """Stand behind the others of the same rank."""
        self._queues.setdefault(place.rank, deque()).append(place)
        # A sum that is kept: of ten thousand who wait each new one asks for it.
        self._tokens[place.rank] = self._tokens.get(place.rank, 0) + place.tokens
        self._untold |= not place.told
        self._least_patience = min(self._least_patience, place.patient_until)

    def remove(self, place: Place) -> None:
        """Step out, wherever it stands."""
        queue = self._queues[place.rank]
        queue.remove(place)
        self._tokens[place.rank] -= place.tokens
        if not queue:
            del self._queues[place.rank], self._tokens[place.rank]

    def hold(self, until: float | None, pace_seconds: float) -> None:
        """Its first waits until then (None: for an answer); who has to know is woken."""
        self.until, self.pace_seconds = until, pace_seconds
        if until is None or not (self._untold or self._least_patience < until):
            return
        ahead, self._untold, self._least_patience = 0, False, EVER
        for number, place in enumerate(self):
            place.ahead, place.number = ahead, number
            ahead += place.tokens
            if number and (not place.told or place.patient_until < until):
                place.told = True
                place.wake()
            if place.patient_until >= until:  # the others leave now
                self._least_patience = min(self._least_patience, place.patient_until)

    def __iter__(self) -> Iterator[Place]:
        for rank in sorted(self._queues):
            yield from self._queues[rank]

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))


class Lines:
    """All lines of a process at one ledger.

    Attributes:
        by_bucket: those in which somebody stands, by bucket and loop; for who only asks whether there is any.
    """

    def __init__(self) -> None:
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """In a child after fork: those who stood in line are not there."""
        self._lock = fork_lock()
        self.by_bucket: dict[str, dict[Any, Line]] = {}

    def __bool__(self) -> bool:
        return bool(self.by_bucket)

    def of(self, bucket: str, who: Any) -> Line | None:
        """The line of a loop, or of the threads; None: nobody stands there."""
        return self.by_bucket.get(bucket, {}).get(who)

    def must_wait(self, bucket: str, who: Any, rank: Rank) -> bool:
        """Whether somebody is before a newcomer."""
        if bucket not in self.by_bucket:
            return False
        with self._lock:
            line = self.of(bucket, who)
            return line is not None and line.must_wait(rank)

    def ahead_of(self, bucket: str, who: Any, rank: Rank) -> tuple[int, int]:
        """The tokens that those ask for who are before a newcomer, and how many they are."""
        with self._lock:
            line = self.of(bucket, who)
            return (0, 0) if line is None else line.ahead_of(rank)

    def is_first(self, line: Line, place: Place) -> bool:
        """Whether it is this one's turn."""
        with self._lock:
            return line.first is place

    def before(self, bucket: str, who: Any, place: Place) -> int:
        """The tokens that those ask for who are before this place."""
        with self._lock:
            tokens = 0
            for other in self.by_bucket[bucket][who]:
                if other is place:
                    break
                tokens += other.tokens
            return tokens

    def waiting(self, bucket: str) -> int:
        """How many calls of this process wait for a bucket."""
        with self._lock:
            lines = self.by_bucket.get(bucket, {}).items()
            return sum(len(line) for who, line in lines if who is None or not who.is_closed())

    def join(self, bucket: str, who: Any, place: Place) -> Line:
        """Stand in line."""
        with self._lock:
            line = self.by_bucket.setdefault(bucket, {}).setdefault(who, Line())
            line.add(place)
            return line

    def turn(self, place: Place) -> Flight[None]:
        """What to wait for until there is something new; to be had before the ledger is asked, so nothing is missed."""
        with self._lock:
            if place.turn.done():
                place.turn = Flight()
            return place.turn

    def hold(self, line: Line, until: float | None, pace_seconds: float = 0.0) -> None:
        """The first of a line waits until then (None: for an answer)."""
        with self._lock:
            line.hold(until, pace_seconds)

    def step_aside(self, line: Line, place: Place, aside: bool) -> None:
        """Let others pass while this one does something else, or no longer; it keeps its place."""
        with self._lock:
            place.aside = aside
            self._wake((line,))

    def leave(self, bucket: str, who: Any, place: Place) -> None:
        """Give up the place; the next one is woken."""
        with self._lock:
            line = self.by_bucket[bucket][who]
            line.remove(place)
            if not line:
                del self.by_bucket[bucket][who]
                if not self.by_bucket[bucket]:
                    del self.by_bucket[bucket]
            self._wake((line,))

    def wake(self, bucket: str) -> None:
        """Something landed: the first of each line looks again."""
        if bucket not in self.by_bucket:
            return
        with self._lock:
            self._wake(self.by_bucket.get(bucket, {}).values())

    def wake_all(self) -> None:
        """Everything has changed: the first of each line looks again."""
        with self._lock:
            for lines in self.by_bucket.values():
                self._wake(lines.values())

    def wake_each(self) -> None:
        """What calls ask for has changed: everyone looks again."""
        with self._lock:
            for lines in self.by_bucket.values():
                for line in lines.values():
                    for place in line:
                        place.wake()

    @staticmethod
    def _wake(lines: Iterable[Line]) -> None:
        for line in lines:
            first = line.first
            if first is not None:
                first.wake()
