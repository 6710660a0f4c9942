"""What a bucket has spent, and when the next call may leave: the arithmetic of the ledger, without I/O and clock.

A `Bucket` counts the tokens of one rate-limit group and principal in a sliding window:

- what this program spent, each spend with the moment at which it comes back;
- what is reserved by calls under way, at the cost to expect of each;
- what others spend (the foreign estimate): what the headers say beyond all that, within bounds (`core.counts`). It
  never falls because of a header that came late (T23), and ages out within a window. What a lost call has cost is in
  it too: the next headers tell, so one call may leave for them if only a good answer fits;
- until when ESI asked to wait, a moment that only ever moves later.

A call may leave when, with the cost to expect of all calls under way, the limit less what is kept back is not
exceeded; *and* when it would not be refused even if every call under way turned out to cost the most (T31). So a large
bucket is used by many calls at once, and the last tokens of any bucket one call at a time: to the last whole call.
Before the first answer the limit is only believed to be what the catalogue says, and others may have been there: until
then the calls under way may cost half of a small one at the most, and one is always let through to find out (T22);
should its answer take longer than answers do, another one.

A limit of another kind is a bucket too: the error limit (what it "spends" are errors, which come back all at once, at
the end of a fixed minute; a call is expected to cost nothing, and has to have room for an error all the same), and the
limiters of single routes inside the game server (a call costs 1).

Source: ESI's rate-limiting documentation (groups, costs, sliding window, headers).
"""

from __future__ import annotations

from esipy.core.outlook import CALL_COST, UNTIL_LANDING, WORST_COST, Outlook

__all__ = ["CALL_COST", "COLD_SHARE", "ROOMY", "UNTIL_LANDING", "WORST_COST", "Bucket", "Mark"]

COLD_SHARE = 0.5
"""The part of a small limit that calls may cost before anything was heard of the bucket."""

ROOMY = 150
"""From so many tokens on a limit is not small: good calls leave much of what they might cost, for what others use."""

Mark = tuple[int, int, int, float]
"""What is remembered of a call under way, to read its answer's headers by: its number (calls of a bucket are numbered
as they leave), what was reserved for it, how many calls had landed when it left, and when that was."""


class Bucket(Outlook):
    """One bucket: its counts, and who may leave when."""

    __slots__ = ()

    def __init__(self, limit: int, window_seconds: float, worst: int = WORST_COST) -> None:
        super().__init__(limit, window_seconds, worst)

    def reserve(self, now: float, cost: int, share: float = 0.0, spread: bool = False) -> float:
        """Let a call leave, if it may.

        Args:
            cost: what it is expected to cost; 0: nothing, mostly.
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
        needed = cost or self.worst
        reserved = self.reserved + needed
        flying = self.flying
        limit = self.limit
        room = limit - int(limit * share / CALL_COST) * CALL_COST if share else limit
        if taken + reserved > room and (taken or flying):
            finds_out_in = self._finds_out_in(now, needed, room)
            if finds_out_in:  # one larger than its bucket goes alone
                wait_seconds = min(self._free_in(now, min(needed, max(room, 1)), max(room, 1)), finds_out_in)
                if spread and wait_seconds:
                    wait_seconds += self._pace(now, needed, room, wait_seconds)
                return wait_seconds or UNTIL_LANDING
        if not flying and self._warm_until < 0.0 and taken + self.worst + CALL_COST > room and self._is_unclear(now):
            return UNTIL_LANDING
        if flying:
            # It is let in if there is room for a good answer, whatever its own will cost.
            if taken + self.worst * flying + min(needed, CALL_COST) > (limit if cost else room):
                return UNTIL_LANDING
            if now >= self._warm_until and now < self._overdue_at():
                alone = self._warm_until < 0.0
                cold = limit < ROOMY and self.worst * (flying + 1) > limit * COLD_SHARE
                if self._proved < self.worst if alone else cold:
                    return UNTIL_LANDING
        if spread:
            wait_seconds = self._pace(now, needed, room)
            if wait_seconds:
                return wait_seconds
        self.flying = flying + 1
        self.reserved += cost
        self._sent += 1
        self._left_at = now
        self._full = taken + self.reserved + CALL_COST > room
        if self._proved:
            self._proved = max(self._proved - self.worst, 0)
        return 0.0

    def depart(self, now: float, cost: int) -> None:
        """Count a call that leaves although it may not."""
        self._proved = max(self._proved - self.worst, 0)
        self.flying += 1
        self.reserved += cost
        self._sent += 1
        self._left_at = now

    def mark(self, cost: int) -> Mark:
        """What is to be kept of the call that just left."""
        return (self._sent, cost, self._landed, self._left_at)

    def settle(
        self,
        now: float,
        mark: Mark,
        spent: int,
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
        number, cost, landed_before, left_at = mark
        self.flying -= 1
        self.reserved -= cost
        self._landed += 1
        if self._theirs is not None:
            self.age(now)
        back_at = 0.0
        if spent:
            if answered:
                back_at = self.spend(now, spent, returns_in, left_at)
            else:
                self._lose(now, spent, returns_in)
        alone = self._warm_until < 0.0
        if answered:
            # Once it was full, one call alone finds out whether what is believed to have come back has.
            self._warm_until = -1.0 if self._full else back_at or now + self.window_seconds
            self._proved = 0
        if used is None:
            self._tell_nothing(spent)
            return
        if not spent and returns_in is not None and self.worst > 1 and number > self._heard:
            self.age(now)
            self._learn_lateness(now - self._returned_at + returns_in)
        most_used = used if self._lately is None and not self.flying else self._most_used(landed_before, used)
        if self._hear(now, left_at, used, most_used, returns_in):
            self._heard = self._sent  # what left before now may know less than this
            if alone:  # it found out that it has not
                self._warm_until = -1.0
        if self._warm_until < 0.0:  # beside it may leave what fits into what was free then, even if none has come back
            self._proved = max(self.limit - most_used - self.worst * self.flying, 0)

    def block(self, until: float) -> None:
        """ESI asked to wait until then; of two such moments the later counts (T27). Afterwards one call finds out."""
        if until > self.blocked_until:
            self.blocked_until = until
        self._warm_until = -1.0
        self._proved = 0

    def resize(self, limit: int, window_seconds: float) -> None:
        """Take another size: what headers tell wins over the catalogue."""
        self.limit = limit
        self.window_seconds = window_seconds

    def abandon(self, now: float) -> None:
        """Nobody will settle what is under way: it is believed to have cost the most."""
        flying, self.flying, self.reserved = self.flying, 0, 0
        if flying:
            self._lose(now, self.worst * flying)
