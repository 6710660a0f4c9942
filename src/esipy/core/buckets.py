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

from esipy.core.counts import SLOTS, Counts
from esipy.core.spends import as_pairs, due

__all__ = [
    "CALL_COST",
    "OVERDUE",
    "ROOMY",
    "ROUNDING_SECONDS",
    "UNHEARD_SECONDS",
    "UNTIL_LANDING",
    "WORST_COST",
    "Bucket",
    "Mark",
]

WORST_COST = 5
"""What an answer costs at the most. Source: ESI's rate-limiting documentation: a 4xx."""

CALL_COST = 2
"""What a good answer costs. Source: the same."""

COLD_SHARE = 0.5
"""The part of a small limit that calls may cost before anything was heard of the bucket."""

ROOMY = 150
"""From so many tokens on a limit is not small: good calls leave much of what they might cost, for what others use."""

UNHEARD_SECONDS = 1.0
"""How long the first answer of a bucket may take before another call leaves to find out."""

OVERDUE = 1.5
"""An answer that takes so many times as long as the slowest one did is not waited for any longer."""

ROUNDING_SECONDS = 0.001
"""What is back this much later is back: a moment that a wait was added to may come out a little before it."""

UNTIL_LANDING = float("inf")
"""The wait of a call for which there is room as soon as one that is under way has been answered, or what just comes
back is back."""


Mark = tuple[int, int, int, float]
"""What is remembered of a call under way, to read its answer's headers by: its number (calls of a bucket are numbered
as they leave), what was reserved for it, how many calls had landed when it left, and when that was."""


class Bucket(Counts):
    """One bucket: its counts, and who may leave when."""

    __slots__ = ()

    def __init__(self, limit: int, window_seconds: float, worst: int = WORST_COST) -> None:
        super().__init__(limit, window_seconds, worst)

    # -- leaving and landing -----------------------------------------------------------------------------------

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

    # -- looking -----------------------------------------------------------------------------------------------

    def next_chance(self, now: float) -> float:
        """Seconds until a call that waits for a landing may leave all the same: tokens come back, or who was to find
        out is overdue. Infinite: there is nothing else to wait for."""
        spends, theirs, overdue_at = self._spends, self._theirs, self._overdue_at()
        moment = UNTIL_LANDING if overdue_at <= now else overdue_at
        if spends is not None:
            moment = min(moment, spends[self._gone])
        return (moment if theirs is None else min(moment, theirs[0])) - now

    def lost_at(self, lease_seconds: float) -> float:
        """When nothing that is under way will be answered any more, as none has left for so long."""
        return self._left_at + lease_seconds if self.flying else UNTIL_LANDING

    def _finds_out_in(self, now: float, cost: int, room: int) -> float:
        """Seconds until a call that may cost much may go alone, with room for a good answer, as only what others may
        not have spent holds it back: its header tells. Infinite: not before there is room for it in any case."""
        if cost <= CALL_COST or self.flying or not self._doubt:
            return UNTIL_LANDING
        own, foreign = self.own, self.foreign
        mine = [(moment, tokens, 0) for moment, tokens in as_pairs(self._spends or [], self._gone)]
        theirs = [(moment, 0, tokens) for moment, tokens in as_pairs(self._theirs or [])]
        for moment, of_mine, of_theirs in [(now, 0, 0), *sorted(mine + theirs)]:
            own, foreign = own - of_mine, foreign - of_theirs
            if own + foreign + CALL_COST <= room and own + max(foreign - self._doubt, 0) + cost <= room:
                return max(moment, self.blocked_until) - now
        return UNTIL_LANDING

    def _is_unclear(self, now: float) -> bool:
        """Whether the header of a call that left now would come in the midst of returns: it could not be told what of
        it is others', and at the worst nobody could leave to find out."""
        spends = self._spends
        if spends is None:
            return False
        latency = self._slowest / 100
        until = now + self._late + self.window_seconds / SLOTS + 2 * latency
        return due(spends, self._gone, until, now + latency - self.window_seconds) > 0

    def _overdue_at(self) -> float:
        """When the last call that left has taken longer than answers do: others need not wait for what it finds out."""
        return self._left_at + (self._slowest / 100 * OVERDUE or UNHEARD_SECONDS)

    def is_idle(self, now: float) -> bool:
        """Whether nothing is to be remembered of it: a new one would do the same."""
        if self.flying or self._warm_until > now or self.blocked_until > now:
            return False
        self.age(now)
        return self._spends is None and self._theirs is None

    def wait_for(self, now: float, tokens: int, share: float = 0.0, cost: int = 1, paced: bool = False) -> float:
        """Seconds until so many tokens can be spent, should every call under way cost what is expected; 0: now.

        More than the bucket holds takes as many windows as it takes.

        Args:
            share: of the limit, to leave untouched.
            cost: what a call is expected to cost (0: nothing, mostly): one larger than what is left to it goes alone.
            paced: once there is room for it, the next call waits for the pace of ``spread``.
        """
        self.age(now)
        room, needed = self.room(share), cost or self.worst
        wait_seconds = self._free_in(now, tokens, max(room, cost, 1))
        if tokens <= needed:
            wait_seconds = min(wait_seconds, self._finds_out_in(now, needed, room))
        if paced and (wait_seconds or self.own + self.foreign + self.reserved + needed <= room):
            wait_seconds += self._pace(now, needed, room, wait_seconds)
        return wait_seconds

    def _free_in(self, now: float, tokens: int, room: int) -> float:
        """Seconds until so many tokens of the room can be spent."""
        windows, rest = divmod(max(tokens, 1) - 1, room)
        wait_seconds = windows * self.window_seconds + max(self.blocked_until - now, 0.0)
        missing = self.own + self.foreign + self.reserved + rest + 1 - room
        # Headers may have told of what is under way: it is not both; and those that are on their way may tell of less.
        if missing <= min(self.foreign, max(self.reserved, self._doubt) if self.flying else 0):
            return wait_seconds
        for moment, returned in self._returns(now, self.reserved):
            missing -= returned
            if missing <= 0:
                return max(wait_seconds, windows * self.window_seconds + moment - now)
        return wait_seconds + self.window_seconds + self._late

    def room(self, share: float) -> int:
        """The tokens of a window, less a share that is left untouched: in whole calls, so small buckets lose none."""
        return self.limit - int(self.limit * share / CALL_COST) * CALL_COST

    def _pace(self, now: float, cost: int, room: int, after: float = 0.0) -> float:
        """Seconds to wait after so many seconds, so that what is left then lasts: at the highest even rate that never
        runs dry, and until less than half is used at the most."""
        left, at = room - self.own - self.foreign - self.reserved, now + after
        returns = self._returns(now, self.reserved)
        left += sum(tokens for moment, tokens in returns if moment < at + ROUNDING_SECONDS)
        if left * 2 > room:
            return 0.0
        rate, free_at = room / self.window_seconds, UNTIL_LANDING
        for moment, returned in returns:
            if moment >= at + ROUNDING_SECONDS:
                rate = min(rate, left / (moment - at))
                left += returned
                if left * 2 > room:
                    free_at = min(free_at, moment)
        return max(min(self._left_at + cost / rate, free_at) - at, 0.0) if rate > 0 else 0.0

    def _returns(self, now: float, reserved: int) -> list[tuple[float, int]]:
        """(moment, tokens) of all that comes back, in order; what is under way is as if it were spent now."""
        pairs = [*as_pairs(self._spends or [], self._gone), *as_pairs(self._theirs or [])]
        if reserved:
            pairs.append((self._return(now, None), reserved))
        return sorted(pairs)
