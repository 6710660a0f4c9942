"""Who waits for a bucket: first come first served within a priority, interactive calls before batch calls.

Only the first of a line asks the ledger, and sleeps until the exact moment that it was told; all others sleep until it
is their turn. An answer that lands wakes the first, because it may have cost less than was reserved. Whoever
leaves, with leave to send or because it was cancelled, wakes the next. When the first learns that the line waits for
time, and not for an answer, those are woken who have not been told so, or have no patience for it. Who is first is
`esipy.engine.queues`.

Each event loop has its own lines, and all threads together have one: a loop that stands still holds up nobody else.
"""

from __future__ import annotations

import itertools
from typing import Any

from esipy._forks import forget_after_fork, fork_lock
from esipy.engine.queues import EVER, NEVER_CAME, Line, Place
from esipy.engine.terms import Rank
from esipy.runtime.base import Flight

__all__ = ["Lines"]


class Lines:
    """All lines of a process at one ledger.

    Attributes:
        by_bucket: those in which somebody stands, by bucket and loop; for who only asks whether there is any.
    """

    def __init__(self) -> None:
        self._lock = fork_lock()
        self._numbers = itertools.count(1)
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """In a child after fork: those who stood in line are not there."""
        self.by_bucket: dict[str, dict[Any, Line]] = {}

    def __bool__(self) -> bool:
        return bool(self.by_bucket)

    def must_wait(self, bucket: str, who: Any, rank: Rank, came: float = NEVER_CAME) -> bool:
        """Whether somebody is before a call of these terms with this number."""
        if bucket not in self.by_bucket:
            return False
        with self._lock:
            line = self._of(bucket, who)
            return line is not None and line.must_wait(rank, came)

    def ahead_of(self, bucket: str, who: Any, rank: Rank) -> tuple[int, int]:
        """The tokens that those ask for who are before a newcomer, and how many they are."""
        with self._lock:
            line = self._of(bucket, who)
            return (0, 0) if line is None else line.ahead_of(rank)

    def look(self, line: Line, place: Place) -> None:
        """See anew who is before this place."""
        with self._lock:
            line.look(place)

    def ahead(self, line: Line, place: Place) -> int:
        """The tokens that those ask for who are before it, as far as it is certain that the ledger does not count them:
        one who just left is counted there, and stood here when this place was taken."""
        with self._lock:
            return line.ahead(place)

    def ask(self, line: Line, place: Place) -> None:
        """This one asks the ledger, until it is held, or leaves."""
        with self._lock:
            line.ask(place)

    def is_first(self, line: Line, place: Place, now: float = EVER) -> bool:
        """Whether it is this one's turn."""
        with self._lock:
            if line.ends_rest(place, now):
                self._wake(line)
            return line.first is place

    def rests_until(self, line: Line, place: Place) -> float | None:
        """The moment for which the first of a queue that rests has to look again; None: this one need not."""
        with self._lock:
            return line.rests_until(place)

    def held(self, line: Line, place: Place) -> tuple[float | None, float]:
        """Until when who is before this one waits, and at which pace; None: for an answer."""
        with self._lock:
            return line.held(place)

    def waiting(self, bucket: str) -> int:
        """How many calls of this process wait for a bucket."""
        with self._lock:
            lines = self.by_bucket.get(bucket, {}).items()
            return sum(len(line) for who, line in lines if who is None or not who.is_closed())

    def join(self, bucket: str, who: Any, place: Place) -> Line:
        """Stand in line."""
        with self._lock:
            newest = place.came == NEVER_CAME
            if newest:
                place.came = next(self._numbers)
            line = self.by_bucket.setdefault(bucket, {}).setdefault(who, Line())
            line.add(place, newest)
            return line

    def turn(self, place: Place) -> Flight[None]:
        """What to wait for until there is something new; to be had before the ledger is asked, so nothing is missed.

        Each time another one: who waited for the one before, and no longer does, is remembered by it.
        """
        with self._lock:
            place.turn = Flight()
            return place.turn

    def hold(
        self,
        line: Line,
        place: Place,
        until: float | None,
        pace_seconds: float = 0.0,
        *,
        rests: bool = False,
        ask_again_at: float | None = None,
    ) -> None:
        """The first waits until then (None: for an answer); ``rests``: its terms alone hold it back.

        Args:
            ask_again_at: when the wait may have become shorter, and one that rests asks again; None: it will not.
        """
        with self._lock:
            line.hold(place, until, pace_seconds, rests, until if ask_again_at is None else ask_again_at)
            if rests:
                self._wake(line)

    def step_aside(self, line: Line, place: Place, aside: bool) -> None:
        """Let others pass while this one does something else, or no longer; it keeps its place."""
        with self._lock:
            place.aside = aside
            self._wake(line)
            keeper = line.keeper(place.rank)
            if keeper is not None:
                keeper.wake()

    def leave(self, bucket: str, who: Any, place: Place, granted: bool = False) -> None:
        """Give up the place, ``granted``: with leave; the next one is woken."""
        with self._lock:
            line = self.by_bucket[bucket][who]
            line.remove(place, granted)
            if not line:
                del self.by_bucket[bucket][who]
                if not self.by_bucket[bucket]:
                    del self.by_bucket[bucket]
            self._wake(line)

    def wake(self, bucket: str) -> None:
        """Something landed: the first of each line looks again."""
        if bucket not in self.by_bucket:
            return
        with self._lock:
            self._go_on(self.by_bucket.get(bucket, {}))

    def wake_all(self) -> None:
        """Everything has changed: the first of each line looks again."""
        with self._lock:
            for lines in self.by_bucket.values():
                self._go_on(lines)

    def wake_each(self) -> None:
        """What calls ask for has changed: everyone looks again."""
        with self._lock:
            for lines in self.by_bucket.values():
                for line in lines.values():
                    for place in line:
                        place.wake()

    def _of(self, bucket: str, who: Any) -> Line | None:
        return self.by_bucket.get(bucket, {}).get(who)

    def _go_on(self, lines: dict[Any, Line]) -> None:
        for line in lines.values():
            line.go_on()
            self._wake(line)

    @staticmethod
    def _wake(line: Line) -> None:
        first = line.first
        if first is not None:
            first.wake()
