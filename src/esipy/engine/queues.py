"""The order of those who wait for one bucket: who is first, who is before whom, and who has to be told. Pure.

Those of the same terms are a queue within the line. When the first of a queue is held back by these terms alone, the
queue *rests*: it holds up no other. A call has one number for all its waits: who is before whom is the same in each
line, so that of calls that need two limits one gets both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain

from esipy.engine.terms import Rank
from esipy.runtime.base import Flight

__all__ = ["EVER", "NEVER_CAME", "Line", "Place"]

NEVER_CAME = float("inf")
"""The number of a call that has not stood in line yet."""

EVER = float("inf")


class Place:
    """One waiting call. ``turn`` is done when there is something new for it.

    Attributes:
        tokens: what it asks for.
        rank: its terms.
        came: the number of the call; `NEVER_CAME`: it gets one when it joins.
        patient_until: the end of its patience.
        told: it knows that the line waits for time.
        aside: it does something else: as if it were not there, it keeps its place.
        asking: it is asking the ledger, which may count it already.
        ahead, number: the tokens that those ask for who are before it, and how many they are, as of when it came or was
            told.
        granted: what had left from the line by then.
    """

    __slots__ = (
        "ahead", "aside", "asking", "came", "granted", "number", "patient_until", "rank", "tokens", "told", "turn",
    )  # fmt: skip

    def __init__(self, tokens: int, rank: Rank, *, came: float = NEVER_CAME, patient_until: float = EVER) -> None:
        self.tokens = tokens
        self.rank = rank
        self.came = came
        self.patient_until = patient_until
        self.told = self.aside = self.asking = False
        self.ahead = self.number = self.granted = 0
        self.turn: Flight[None] = Flight()

    @property
    def order(self) -> tuple[bool, float]:
        """Of two the lesser goes first."""
        return self.rank[0], self.came

    def wake(self) -> None:
        """Let it look again."""
        if not self.turn.done():
            self.turn.set_result(None)


class _Queue:
    """Those of a line who have the same terms, in the order in which they came.

    Attributes:
        tokens: that they ask for: a sum that is kept, as of ten thousand who wait each new one asks for it.
        until: the moment for which its first waits; None: it waits for an answer, or has not asked yet.
        pace_seconds: how long after one the next may leave, beyond that; 0: they may leave together.
        rests: its terms alone hold it back.
        rest_ends: when its first asks again, if it rests: at ``until``, or earlier where the wait may become shorter.
    """

    __slots__ = ("pace_seconds", "places", "rest_ends", "rests", "tokens", "until")

    def __init__(self) -> None:
        self.places: deque[Place] = deque()
        self.tokens = 0
        self.until: float | None = None
        self.rest_ends: float | None = None
        self.pace_seconds = 0.0
        self.rests = False


class Line:
    """Those of one loop, or of all threads, who wait for one bucket. `esipy.engine.lines` guards it."""

    def __init__(self) -> None:
        self._queues: dict[Rank, _Queue] = {}
        self._untold = False
        self._least_patience = EVER
        self._asking = 0  # tokens of those who ask
        self._granted = 0  # of those who got leave

    @property
    def first(self) -> Place | None:
        """Whose turn it is."""
        firsts = (self._first_of(queue) for queue in self._queues.values() if not queue.rests)
        return min((place for place in firsts if place is not None), key=lambda place: place.order, default=None)

    @staticmethod
    def _first_of(queue: _Queue) -> Place | None:
        return next((place for place in queue.places if not place.aside), None)

    def must_wait(self, rank: Rank, came: float) -> bool:
        """Whether somebody is before a call with this number: also one that rests, if it has the same terms.

        Who does something else is before nobody, here as in the line: who is sent there would at once be first.
        """
        first, queue = self.first, self._queues.get(rank)
        same = None if queue is None else self._first_of(queue)
        return any(place is not None and place.order < (rank[0], came) for place in (first, same))

    def ahead_of(self, rank: Rank) -> tuple[int, int]:
        """The tokens that those ask for who are before a newcomer, and how many they are."""
        before = [
            queue for each, queue in self._queues.items() if each[0] <= rank[0] and (each == rank or not queue.rests)
        ]
        return sum(queue.tokens for queue in before), sum(len(queue.places) for queue in before)

    def add(self, place: Place, newest: bool) -> None:
        """Stand in the queue of its terms."""
        queue = self._queues.get(place.rank) or self._queues.setdefault(place.rank, _Queue())
        place.ahead, place.number = self.ahead_of(place.rank) if newest else self.before(place)
        place.granted = self._granted
        if newest:
            queue.places.append(place)
        else:
            at = len(queue.places)
            while at and queue.places[at - 1].order > place.order:
                at -= 1
            queue.places.insert(at, place)
            queue.rests = queue.rests and at > 0  # a new first asks for itself
        queue.tokens += place.tokens
        self._untold |= not place.told
        self._least_patience = min(self._least_patience, place.patient_until)

    def remove(self, place: Place, granted: bool = False) -> None:
        """Step out, wherever it stands; ``granted``: with leave."""
        self._answered(place)
        if granted:
            self._granted += place.tokens
        queue = self._queues[place.rank]
        queue.places.remove(place)
        queue.tokens -= place.tokens
        queue.rests = False  # the next one asks for itself
        if not queue.places:
            del self._queues[place.rank]

    def ask(self, place: Place) -> None:
        """It asks the ledger: from some moment on it is counted there, if it gets leave."""
        if not place.asking:
            place.asking = True
            self._asking += place.tokens

    def _answered(self, place: Place) -> None:
        if place.asking:
            place.asking = False
            self._asking -= place.tokens

    def look(self, place: Place) -> None:
        """See anew who is before it."""
        place.ahead, place.number = self.before(place)
        place.granted = self._granted

    def ahead(self, place: Place) -> int:
        """The tokens that those ask for who are before it, as far as the ledger surely does not count them."""
        asking = 0 if place.asking else self._asking
        return max(place.ahead - (self._granted - place.granted) - asking, 0)

    def before(self, place: Place) -> tuple[int, int]:
        """The tokens that those ask for who are before this one, and how many they are."""
        tokens = number = 0
        for rank, queue in self._queues.items():
            if rank[0] > place.rank[0] or (queue.rests and rank != place.rank):
                continue
            if queue.places and queue.places[-1].order < place.order:  # of ten thousand all, without looking at each
                tokens, number = tokens + queue.tokens, number + len(queue.places)
                continue
            for other in queue.places:
                if other.order >= place.order:
                    break
                tokens += other.tokens
                number += 1
        return tokens, number

    def held(self, place: Place) -> tuple[float | None, float]:
        """Until when who is before this one waits, and at which pace; None: for an answer."""
        queue, first = self._queues[place.rank], self.first
        if queue.until is None and first is not None and first.order < place.order:
            queue = self._queues[first.rank]
        return queue.until, queue.pace_seconds

    def hold(
        self, place: Place, until: float | None, pace_seconds: float, rests: bool, rest_ends: float | None
    ) -> None:
        """The first of a queue waits until then (None: for an answer); who has to know is woken."""
        self._answered(place)
        queue = self._queues[place.rank]
        queue.until, queue.pace_seconds, queue.rests, queue.rest_ends = until, pace_seconds, rests, rest_ends
        if until is None or not (self._untold or self._least_patience < until):
            return
        place.told = True
        self._untold, self._least_patience = False, EVER
        tokens = number = 0
        of_queue: dict[Rank, tuple[int, int]] = {}
        for each in self:
            theirs = self._queues[each.rank]
            own_tokens, own_number = of_queue.get(each.rank, (0, 0))
            resting = theirs.rests
            each.ahead, each.number = (tokens + own_tokens, number + own_number) if resting else (tokens, number)
            each.granted = self._granted
            of_queue[each.rank] = own_tokens + each.tokens, own_number + 1
            if not resting:
                tokens, number = tokens + each.tokens, number + 1
            concerned = each is not place and (theirs is queue or (not rests and each.order > place.order))
            if concerned and (not each.told or each.patient_until < until):
                each.told = True
                each.wake()
            self._untold |= not each.told
            if each.patient_until >= until or not concerned:  # the others leave now
                self._least_patience = min(self._least_patience, each.patient_until)

    def go_on(self) -> None:
        """Something has changed: those who rested ask in their turn."""
        for queue in self._queues.values():
            queue.rests = False

    def keeper(self, rank: Rank) -> Place | None:
        """Who looks when the rest of the queue of these terms ends; None: it does not rest."""
        queue = self._queues[rank]
        return self._first_of(queue) if queue.rests else None

    def rests_until(self, place: Place) -> float | None:
        """The moment at which its queue's rest ends, if this one has to look then."""
        return self._queues[place.rank].rest_ends if self.keeper(place.rank) is place else None

    def ends_rest(self, place: Place, now: float) -> bool:
        """Whether the queue of this one rested, and its moment has come."""
        queue = self._queues[place.rank]
        if not queue.rests or queue.rest_ends is None or queue.rest_ends > now:
            return False
        queue.rests = False
        return True

    def __iter__(self) -> Iterator[Place]:
        yield from sorted(
            chain.from_iterable(queue.places for queue in self._queues.values()),
            key=lambda place: place.order,
        )

    def __len__(self) -> int:
        return sum(len(queue.places) for queue in self._queues.values())
