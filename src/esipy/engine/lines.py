"""Who waits for a bucket: first come first served within a priority, interactive calls before batch calls.

Only the first of a line asks the ledger, and sleeps until the exact moment that it was told; all others sleep until it
is their turn. An answer that lands wakes the first, because it may have cost less than was reserved. Whoever
leaves, with leave to send or because it was cancelled, wakes the next.

Each event loop has its own lines, and all threads together have one: a loop that stands still holds up nobody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from esipy._forks import forget_after_fork, fork_lock
from esipy.runtime.base import Flight

__all__ = ["Line", "Lines", "Place"]


class Place:
    """One waiting call. ``turn`` is done when there is something new for it."""

    __slots__ = ("batch", "tokens", "turn")

    def __init__(self, tokens: int, *, batch: bool) -> None:
        self.tokens = tokens
        self.batch = batch
        self.turn: Flight[None] = Flight()

    def wake(self) -> None:
        """Let it look again."""
        if not self.turn.done():
            self.turn.set_result(None)


class Line:
    """Those of one loop, or of all threads, who wait for one bucket."""

    def __init__(self) -> None:
        self.interactive: deque[Place] = deque()
        self.batch: deque[Place] = deque()
        self._interactive_tokens = self._batch_tokens = 0

    @property
    def first(self) -> Place | None:
        """Whose turn it is."""
        return self.interactive[0] if self.interactive else self.batch[0] if self.batch else None

    def ahead_of(self, *, batch: bool) -> int:
        """The tokens that those ask for who are before a newcomer."""
        return self._interactive_tokens + (self._batch_tokens if batch else 0)

    def add(self, place: Place) -> None:
        """Stand behind the others of the same priority."""
        (self.batch if place.batch else self.interactive).append(place)
        self._count(place, place.tokens)

    def remove(self, place: Place) -> None:
        """Step out, wherever it stands."""
        (self.batch if place.batch else self.interactive).remove(place)
        self._count(place, -place.tokens)

    def _count(self, place: Place, tokens: int) -> None:
        # A sum that is kept: of ten thousand who wait each new one asks for it.
        if place.batch:
            self._batch_tokens += tokens
        else:
            self._interactive_tokens += tokens

    def __len__(self) -> int:
        return len(self.interactive) + len(self.batch)


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

    def must_wait(self, bucket: str, who: Any, *, batch: bool) -> bool:
        """Whether somebody is before a newcomer."""
        line = self.by_bucket.get(bucket, {}).get(who)
        return line is not None and bool(line.interactive or (batch and line.batch))

    def ahead_of(self, bucket: str, who: Any, *, batch: bool) -> int:
        """The tokens that those ask for who are before a newcomer."""
        with self._lock:
            line = self.by_bucket.get(bucket, {}).get(who)
            return 0 if line is None else line.ahead_of(batch=batch)

    def before(self, bucket: str, who: Any, place: Place) -> int:
        """The tokens that those ask for who are before this place."""
        with self._lock:
            tokens = 0
            line = self.by_bucket[bucket][who]
            for other in (*line.interactive, *line.batch):
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

    def leave(self, bucket: str, who: Any, place: Place) -> None:
        """Give up the place; the next one is woken."""
        with self._lock:
            line = self.by_bucket[bucket][who]
            line.remove(place)
            after = line.first
            if after is None:
                del self.by_bucket[bucket][who]
                if not self.by_bucket[bucket]:
                    del self.by_bucket[bucket]
        if after is not None:
            after.wake()

    def wake(self, bucket: str) -> None:
        """Something landed: the first of each line looks again."""
        if bucket not in self.by_bucket:
            return
        with self._lock:
            self._wake(self.by_bucket.get(bucket, {}).values())

    def wake_all(self) -> None:
        """Everything has changed."""
        with self._lock:
            for lines in self.by_bucket.values():
                self._wake(lines.values())

    @staticmethod
    def _wake(lines: Iterable[Line]) -> None:
        for line in lines:
            if line.first is not None:
                line.first.wake()
