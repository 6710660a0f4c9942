"""What a bucket has counted: own spends and reservations, and what others are believed to spend, from headers.

Headers tell what is used by everyone. It is never certain what of that this ledger's own calls are: some that are under
way, or landed just now, may have been counted after; others may have come back at ESI and not yet here, because here
they come back late by a margin. So what others spend is only known within bounds:

- at least what was used, less all that own calls can have had a part in it;
- at most what was used when the last of the calls that landed was counted, less what surely was in it. This is
  believed: a call that waits for a landing costs less than one that is sent in vain.

Each part of it comes back a window after the header that told of it first - unless a header tells as much when the
first of it may have come back already: then it may have been spent anew, and counts from then. What a call has cost
that was lost counts as others' too, at the most that it can be: the next headers tell how much it was.

Source: ESI's rate-limiting documentation (sliding window, headers).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from esipy.core.spends import ITEMS, Flat, drop_returned, due, enter_part, part_uncertain, postpone, take

__all__ = ["LATEST_SECONDS", "RELEASE_MARGIN_SECONDS", "SLOTS", "SMALL", "Counts"]

RELEASE_MARGIN_SECONDS = 0.5
"""How long after its window a spend is believed to have come back: ESI says "about" a window. Where that is too early,
the call that finds out alone is told so, or the bucket learns it from a refusal. An assumption: no live call was made.
"""

LATEST_SECONDS = 30.0
"""If spends come back later than the margin, the bucket learns it from the refusal: up to so many seconds."""

SMALL = 150
"""In a bucket of no more tokens each matters, and their spends are few: its slots are ten times as fine."""

SLOTS = 7200
"""Spends whose return falls into the same part of a window are one entry, so that no load makes a bucket large."""


class Counts:
    """The counts of one bucket. All moments and durations are seconds of whatever clock the caller has.

    Attributes:
        limit: tokens in a window.
        window_seconds: how long a spend counts.
        worst: what one answer can cost at the most.
        own: tokens that this ledger's calls have spent within the window.
        reserved: what calls under way are expected to cost.
        flying: how many calls are under way.
        foreign: tokens that others, and calls that were lost, are believed to have spent within the window.
        blocked_until: nothing leaves before this moment.
    """

    __slots__ = (
        "_doubt", "_full", "_gone", "_heard", "_landed", "_late", "_lately", "_left_at", "_proved", "_returned_at",
        "_sent", "_slowest", "_spends", "_sure_at", "_theirs", "_warm_until", "blocked_until", "flying", "foreign",
        "limit", "own", "reserved", "window_seconds", "worst",
    )  # fmt: skip

    def __init__(self, limit: int, window_seconds: float, worst: int) -> None:
        self.limit = limit
        self.window_seconds = window_seconds
        self.worst = worst
        self.own = 0
        self.reserved = 0
        self.flying = 0
        self.foreign = 0
        self.blocked_until = 0.0
        # See `core.spends`; the first `_gone` items are past. None when there are none: an idle bucket is small.
        self._spends: Flat | None = None
        self._gone = 0
        self._theirs: Flat | None = None
        self._doubt = 0  # of `foreign`: these may not be there
        self._sent: int = 0
        self._heard: int = 0
        self._landed: int = 0
        self._lately: list[int] | None = None
        self._slowest = 0  # hundredths of a second: a small number is kept once for all
        self._sure_at = 0.0
        self._left_at = 0.0
        self._warm_until = 0.0
        self._full = False
        self._late = RELEASE_MARGIN_SECONDS
        self._returned_at = 0.0
        self._proved = 0

    def spend(self, now: float, tokens: int, returns_in: float | None = None, left_at: float = 0.0) -> float:
        """Book what was spent since ``left_at``; gives when it comes back."""
        self.own += tokens
        if returns_in is None:  # as `_return`, without the call: every answer comes here
            window_seconds, since = self.window_seconds, left_at
            slot = window_seconds / (SLOTS if self.limit > SMALL else SLOTS * 10)
            back_at = ((now + window_seconds + self._late) // slot + 1.0) * slot
        else:  # it may come back at any time
            back_at, since = self._return(now, returns_in), 0.0
        spends = self._spends
        if spends is None:
            self._spends = [back_at, tokens, since]
            return back_at
        # Moments mostly come in order (those of a fixed minute may not): one that is too early is put to the last one.
        if spends[-3] >= back_at:
            back_at = float(spends[-3])
            spends[-2] += tokens
            if since < spends[-1]:
                spends[-1] = since
            return back_at
        spends += (back_at, tokens, since)
        return back_at

    def age(self, now: float) -> None:
        """Take back what has returned by now."""
        spends = self._spends
        if spends is not None:
            gone, end = self._gone, len(spends)
            while gone < end and (moment := spends[gone]) <= now:
                self._returned_at = moment
                self.own -= spends[gone + 1]
                gone += ITEMS
            if gone == end:
                self._spends, gone = None, 0
            elif gone * 2 >= end:
                del spends[:gone]
                gone = 0
            self._gone = gone
        theirs = self._theirs
        if theirs is not None:
            self.foreign -= drop_returned(theirs, now)
            if not theirs:
                self._theirs, self._doubt = None, 0

    def _learn_lateness(self, seconds: float) -> None:
        """A refusal just after spends were believed to be back: ESI lets them come back so much later than that."""
        if self._late + seconds > LATEST_SECONDS:
            return  # it is not about that
        self._late += seconds
        postpone(self._spends or [], seconds)
        postpone(self._theirs or [], seconds)

    def _most_used(self, landed_before: int, used: int) -> int:
        """What was used when the last of the calls that have landed was counted: no more than this.

        Any may have been the last one that landed since another one left. Kept are those that tell more than all that
        landed later, and those that told nothing: they may have been counted after what is told.
        """
        lately = self._lately or []  # of each that is kept: how many had landed, and what it tells or, below 0, cost
        most, untold = used, 0
        kept: list[int] = []
        for place in range(0, len(lately), 2):
            landed, told = lately[place : place + 2]
            if landed > landed_before and (told < 0 or told > used):
                kept += (landed, told)
                if told < 0:
                    untold -= told
                elif told > most:
                    most = told
        if self.flying:
            kept += (self._landed, used)
            self._lately = kept
        else:
            self._lately = None
        return most + untold

    def _tell_nothing(self, cost: int) -> None:
        """A call has landed, and it is not known what was used when it was counted."""
        if self.flying and cost:
            self._lately = [*(self._lately or ()), self._landed, -cost]

    def _hear(self, now: float, left_at: float, used: int, most_used: int, returns_in: float | None) -> bool:
        """Bring what others are believed to have spent within what headers allow; whether it is more now."""
        if (now - left_at) * 100 > self._slowest:
            self._slowest = int((now - left_at) * 100) + 1
        own = surely = perhaps = self.own
        spends = self._spends
        if spends is not None:
            late = self._late
            until = now + late + self.window_seconds / SLOTS + self._slowest / 100
            if spends[self._gone] <= until:
                surely = own - due(spends, self._gone, until, now - self.window_seconds)
                perhaps = own - due(spends, self._gone, left_at + late)
        before = self.foreign
        least, believed = used - perhaps - self.reserved, most_used - surely
        if believed < least:
            believed = least
        if believed <= 0:
            if not before:
                if left_at > self._sure_at:
                    self._sure_at = left_at
                return False
            believed = 0
        theirs = self._theirs
        if theirs is not None:
            # What may have come back since it was spent may have been spent anew.
            self.foreign -= part_uncertain(theirs, now - self.window_seconds)
        if believed > self.foreign:
            self._raise(now, believed - self.foreign, returns_in, self._sure_at)
        elif believed < self.foreign:
            self._lower(self.foreign - believed)
        if theirs is not None and not theirs:
            self._theirs = None
        self._sure_at = max(left_at, self._sure_at)
        self._doubt = believed - max(least, 0)
        return believed > before

    def _lose(self, now: float, tokens: int, returns_in: float | None = None) -> None:
        """A call was lost: it may have cost so much, or nothing; headers will tell."""
        self._raise(now, tokens, returns_in, 0.0)
        self._doubt += tokens

    def _raise(self, now: float, tokens: int, returns_in: float | None, since: float) -> None:
        if self._theirs is None:
            self._theirs = []
        enter_part(self._theirs, self._return(now, returns_in), tokens, since)
        self.foreign += tokens

    def _lower(self, tokens: int) -> None:
        """Less was spent by others: the oldest of it has come back."""
        if self._theirs is not None:
            self.foreign -= take(self._theirs, tokens)
            self._theirs = self._theirs or None

    def _return(self, now: float, returns_in: float | None) -> float:
        """When what is spent now has surely come back, at the end of its slot."""
        window_seconds = self.window_seconds
        slot = window_seconds / (SLOTS if self.limit > SMALL else SLOTS * 10)
        moment = now + (window_seconds if returns_in is None else returns_in) + self._late
        return (moment // slot + 1.0) * slot

    # -- stores ------------------------------------------------------------------------------------------------

    def state(self) -> tuple[Any, ...]:
        """All of it as plain data, for stores; `of` makes a bucket of it."""
        return tuple(getattr(self, name) for name in Counts.__slots__)

    @classmethod
    def of(cls, state: Iterable[Any]) -> Self:
        """The bucket whose `state` this is."""
        bucket = cls.__new__(cls)
        for name, value in zip(Counts.__slots__, state, strict=True):
            setattr(bucket, name, value)
        return bucket
