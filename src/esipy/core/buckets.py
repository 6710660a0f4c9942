"""What a bucket has spent, and when the next call may leave: the arithmetic of the ledger, without I/O and clock.

A `Bucket` counts the tokens of one rate-limit group and principal in a sliding window:

- what this program spent, each spend with the moment at which it comes back;
- what is reserved by calls under way, at the cost to expect of each;
- what others spend (the foreign estimate): what the headers say beyond all that. It never falls because of a header
  that came late (T23), and ages out within a window;
- until when ESI asked to wait, a moment that only ever moves later.

A call may leave when, with the cost to expect of all calls under way, the limit less what is kept back is not
exceeded; *and* when it would not be refused even if every call under way turned out to cost the most (T31). So a large
bucket is used by many calls at once, and the last tokens of any bucket one call at a time: to the last whole call.
Before the first answer the limit is only believed to be what the catalogue says, and others may have been there: until
then the calls under way may cost half of it at the most, and one is always let through to find out (T22).

A limit of another kind is a bucket too: the error limit (what it "spends" are errors, which come back all at once, at
the end of a fixed minute), and the limiters of single routes inside the game server (a call costs 1).

Source: ESI's rate-limiting documentation (groups, costs, sliding window, headers).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from esipy.core.spends import as_pairs, drop_returned, enter, postpone, take

__all__ = ["CALL_COST", "LATEST_SECONDS", "RELEASE_MARGIN_SECONDS", "UNTIL_LANDING", "WORST_COST", "Bucket", "Mark"]

WORST_COST = 5
"""What an answer costs at the most. Source: ESI's rate-limiting documentation: a 4xx."""

CALL_COST = 2
"""What a good answer costs. Source: the same."""

RELEASE_MARGIN_SECONDS = 1.0
"""How long after its window a spend is believed to have come back: ESI says "about" a window, and may count in whole
seconds. An assumption: no live call was made."""

LATEST_SECONDS = 30.0
"""If spends come back later than the margin, the bucket learns it from the refusal: up to so many seconds."""

SLOTS = 3600
"""Spends whose return falls into the same part of a window are one entry, so that no load makes a bucket large."""

COLD_SHARE = 0.5
"""The part of a limit that calls may cost before anything was heard of the bucket."""

UNTIL_LANDING = float("inf")
"""The wait of a call for which there is room as soon as one that is under way has been answered."""


Mark = tuple[int, int, int]
"""What is remembered of a call under way, to read its answer's headers by: its number (calls of a bucket are numbered
as they leave), what was reserved for it, and what all calls before had cost when it left."""


class Bucket:
    """One bucket. All moments and durations are seconds of whatever clock the caller has.

    Attributes:
        limit: tokens in a window.
        window_seconds: how long a spend counts.
        worst: what one answer can cost at the most.
        own: tokens that this ledger's calls have spent within the window.
        reserved: what calls under way are expected to cost.
        flying: how many calls are under way.
        foreign: tokens that others are believed to have spent within the window.
        blocked_until: nothing leaves before this moment.
    """

    __slots__ = (
        "_full", "_gone", "_heard", "_late", "_left_at", "_returned_at", "_sent", "_settled", "_spends", "_theirs",
        "_warm_until", "blocked_until", "flying", "foreign", "limit", "own", "reserved", "window_seconds", "worst",
    )  # fmt: skip

    def __init__(self, limit: int, window_seconds: float, worst: int = WORST_COST) -> None:
        self.limit = limit
        self.window_seconds = window_seconds
        self.worst = worst
        self.own = 0
        self.reserved = 0
        self.flying = 0
        self.foreign = 0
        self.blocked_until = 0.0
        # See `core.spends`; the first `_gone` items are past. None when there are none: an idle bucket is small.
        self._spends: list[float] | None = None
        self._gone = 0
        self._theirs: list[float] | None = None
        self._sent = 0
        self._heard = 0
        self._settled = 0
        self._left_at = 0.0
        self._warm_until = 0.0
        self._full = False
        self._late = RELEASE_MARGIN_SECONDS
        self._returned_at = 0.0

    # -- leaving and landing -----------------------------------------------------------------------------------

    def reserve(self, now: float, cost: int, share: float = 0.0, *, spread: bool = False) -> float:
        """Let a call leave, if it may.

        Args:
            cost: what it is expected to cost.
            share: of the limit, to leave untouched; in whole calls, so that small buckets lose none.
            spread: even out what is left over the window, once half of it is used.

        Returns:
            0.0: it has left, and its cost is reserved; `mark` is what is to be kept of it. Else seconds after which to
            ask again; `UNTIL_LANDING` when an answer has to come first.
        """
        if now < self.blocked_until:
            return self.blocked_until - now
        spends = self._spends
        if (spends is not None and spends[self._gone] <= now) or self._theirs is not None:
            self.age(now)
        taken = self.own + self.foreign
        flying = self.flying
        limit = self.limit
        room = limit - int(limit * share / CALL_COST) * CALL_COST if share else limit
        if taken + self.reserved + cost > room and (taken or flying):  # one larger than its bucket has to go alone
            return self.wait_for(now, min(cost, max(room, 1)), share) or UNTIL_LANDING
        if flying:
            if taken + self.worst * flying + cost > limit:
                return UNTIL_LANDING
            if now >= self._warm_until and (self._warm_until < 0 or self.worst * (flying + 1) > limit * COLD_SHARE):
                return UNTIL_LANDING
        if spread:
            wait_seconds = self._pace(now, cost, room)
            if wait_seconds > 0:
                return wait_seconds
        self.flying = flying + 1
        self.reserved += cost
        self._sent += 1
        self._left_at = now
        self._full = taken + self.reserved + CALL_COST > room
        return 0.0

    def depart(self, now: float, cost: int) -> None:
        """Count a call that leaves although it may not."""
        self.flying += 1
        self.reserved += cost
        self._sent += 1
        self._left_at = now

    def mark(self, cost: int) -> Mark:
        """What is to be kept of the call that just left."""
        return (self._sent, cost, self._settled)

    def settle(
        self,
        now: float,
        mark: Mark,
        spent: int,
        *,
        used: int | None = None,
        returns_in: float | None = None,
        answered: bool = True,
    ) -> None:
        """Count what a call has cost.

        Args:
            mark: of this call.
            spent: tokens; of an unknown outcome the most that it can be.
            used: what the answer's headers say is used by everyone; None when they say nothing.
            returns_in: seconds until what was spent comes back; None: a window.
            answered: an answer came: the bucket is no longer unheard of.
        """
        number, cost, settled_before = mark
        self.flying -= 1
        self.reserved -= cost
        if self._spends is not None or self._theirs is not None:
            self.age(now)
        if spent:
            self.spend(now, spent, returns_in)
        alone = self._warm_until < 0
        if answered:
            # Once it was full, one call alone finds out whether what is believed to have come back has.
            self._warm_until = -1.0 if self._full else now + self.window_seconds
        if used is None:
            return
        if not spent and returns_in is not None and self.worst > 1 and number > self._heard:
            self._learn_lateness(now - self._returned_at + returns_in)
        if spent > cost and self.foreign and number <= self._heard:
            # Answers that came meanwhile may have had this surprise in their headers: it was taken for someone else's.
            self._lower(spent - cost)
        others = used - self.own
        foreign = self.foreign
        if others - self.reserved > foreign:  # even if all calls under way were counted before this answer
            self._raise(now, others - self.reserved - foreign, returns_in)
            self._heard = self._sent  # what left before now may know less than this
            if alone:  # it found out that it has not
                self._warm_until = -1.0
        elif foreign and number > self._heard:
            self._heard = number
            # Calls that landed while this one was under way may have been counted after it was.
            most = max(others + self._settled - spent - settled_before, 0)
            if most < foreign:
                self._lower(foreign - most)

    def spend(self, now: float, tokens: int, returns_in: float | None = None) -> None:
        """Book what was spent now."""
        if self._spends is None:
            self._spends = []
        enter(self._spends, self._return(now, returns_in), tokens)
        self.own += tokens
        self._settled += tokens

    def block(self, until: float) -> None:
        """ESI asked to wait until then; of two such moments the later counts (T27). Afterwards one call finds out."""
        if until > self.blocked_until:
            self.blocked_until = until
        self._warm_until = -1.0

    def resize(self, limit: int, window_seconds: float) -> None:
        """Take another size: what headers tell wins over the catalogue."""
        self.limit = limit
        self.window_seconds = window_seconds

    def abandon(self, now: float) -> None:
        """Nobody will settle what is under way: it is believed to have cost the most."""
        flying, self.flying, self.reserved = self.flying, 0, 0
        if flying:
            self.spend(now, self.worst * flying)

    # -- looking -----------------------------------------------------------------------------------------------

    def age(self, now: float) -> None:
        """Take back what has returned by now."""
        spends = self._spends
        if spends is not None:
            gone, end = self._gone, len(spends)
            while gone < end and spends[gone] <= now:
                self._returned_at = spends[gone]
                self.own -= int(spends[gone + 1])
                gone += 2
            if gone == end:
                self._spends, gone = None, 0
            elif gone >= 64 and gone * 2 >= end:
                del spends[:gone]
                gone = 0
            self._gone = gone
        theirs = self._theirs
        if theirs is not None:
            self.foreign -= drop_returned(theirs, now)
            if not theirs:
                self._theirs = None

    def is_idle(self, now: float) -> bool:
        """Whether nothing is to be remembered of it: a new one would do the same."""
        self.age(now)
        return (
            not self.flying
            and self._spends is None
            and self._theirs is None
            and self.blocked_until <= now
            and self._warm_until <= now
        )

    def wait_for(self, now: float, tokens: int, share: float = 0.0) -> float:
        """Seconds until so many tokens can be spent, should every call under way cost what is expected; 0: now.

        More than the bucket holds takes as many windows as it takes.
        """
        self.age(now)
        room = max(self.room(share), 1)
        windows, rest = divmod(tokens - 1, room)
        wait_seconds = windows * self.window_seconds + max(self.blocked_until - now, 0.0)
        missing = self.own + self.foreign + self.reserved + rest + 1 - room
        if missing <= 0:
            return wait_seconds
        for moment, returned in self._returns(now):
            missing -= returned
            if missing <= 0:
                return max(wait_seconds, windows * self.window_seconds + moment - now)
        return wait_seconds + self.window_seconds + self._late

    def room(self, share: float) -> int:
        """The tokens of a window, less a share that is left untouched: in whole calls, so small buckets lose none."""
        return self.limit - int(self.limit * share / CALL_COST) * CALL_COST

    def _pace(self, now: float, cost: int, room: int) -> float:
        """Seconds to wait so that what is left lasts: at the highest even rate that never runs dry."""
        left = room - self.own - self.foreign - self.reserved
        if left * 2 > room:
            return 0.0
        rate = room / self.window_seconds
        for moment, returned in self._returns(now):
            rate = min(rate, left / (moment - now))
            left += returned
        return self._left_at + cost / rate - now if rate > 0 else 0.0

    def _returns(self, now: float) -> list[tuple[float, int]]:
        """(moment, tokens) of all that comes back, in order; what is under way is as if it were spent now."""
        pairs = [*as_pairs(self._spends or [], self._gone), *as_pairs(self._theirs or [])]
        if self.reserved:
            pairs.append((self._return(now, None), self.reserved))
        return sorted(pairs)

    # -- what others spend -------------------------------------------------------------------------------------

    def _learn_lateness(self, seconds: float) -> None:
        """A refusal just after spends were believed to be back: ESI lets them come back so much later than that."""
        if self._late + seconds > LATEST_SECONDS:
            return  # it is not about that
        self._late += seconds
        postpone(self._spends or [], seconds)
        postpone(self._theirs or [], seconds)

    def _raise(self, now: float, tokens: int, returns_in: float | None) -> None:
        if self._theirs is None:
            self._theirs = []
        enter(self._theirs, self._return(now, returns_in), tokens)
        self.foreign += tokens

    def _lower(self, tokens: int) -> None:
        """Less was spent by others: the oldest of it has come back."""
        if self._theirs is not None:
            self.foreign -= take(self._theirs, tokens)
            self._theirs = self._theirs or None

    def _return(self, now: float, returns_in: float | None) -> float:
        """When what is spent now has surely come back, at the end of its slot."""
        window_seconds = self.window_seconds
        slot = window_seconds / SLOTS
        moment = now + (window_seconds if returns_in is None else returns_in) + self._late
        return (moment // slot + 1.0) * slot

    # -- stores ------------------------------------------------------------------------------------------------

    def state(self) -> tuple[Any, ...]:
        """All of it as plain data, for stores; `of` makes a bucket of it."""
        return tuple(getattr(self, name) for name in self.__slots__)

    @classmethod
    def of(cls, state: Iterable[Any]) -> Self:
        """The bucket whose `state` this is."""
        bucket = cls.__new__(cls)
        for name, value in zip(cls.__slots__, state, strict=True):
            setattr(bucket, name, value)
        return bucket
