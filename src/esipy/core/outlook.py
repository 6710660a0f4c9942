"""When something may leave a bucket: what comes back when, and what follows from that.

Nothing is changed here but that what has come back is taken out. All moments are seconds of the caller's clock.
"""

from __future__ import annotations

from esipy.core.counts import SLOTS, Counts
from esipy.core.spends import as_pairs, due

__all__ = [
    "CALL_COST",
    "OVERDUE",
    "ROUNDING_SECONDS",
    "UNHEARD_SECONDS",
    "UNTIL_LANDING",
    "WORST_COST",
    "Outlook",
]

WORST_COST = 5
"""What an answer costs at the most. Source: ESI's rate-limiting documentation: a 4xx."""

CALL_COST = 2
"""What a good answer costs. Source: the same."""

UNHEARD_SECONDS = 1.0
"""How long the first answer of a bucket may take before another call leaves to find out."""

OVERDUE = 1.5
"""An answer that takes so many times as long as the slowest one did is not waited for any longer."""

ROUNDING_SECONDS = 0.001
"""What is back this much later is back: a moment that a wait was added to may come out a little before it."""

UNTIL_LANDING = float("inf")
"""The wait of a call for which there is room as soon as one that is under way has been answered, or what just comes
back is back."""


class Outlook(Counts):
    """The counts of a bucket, and what they say of the time to come."""

    __slots__ = ()

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
        """Seconds until a call that may cost much may find out, with room for a good answer, as only what others may
        not have spent holds it back: its header tells. One at a time: those under way are overdue, if any are.
        Infinite: not before there is room for it in any case."""
        if cost <= CALL_COST or not self._doubt:
            return UNTIL_LANDING
        own, foreign, reserved, doubt = self.own, self.foreign, self.reserved, self._doubt
        room_for_worst = self.limit - self.worst * self.flying
        earliest = max(self.blocked_until, self._overdue_at() if self.flying else 0.0)
        mine = [(moment, tokens, 0) for moment, tokens in as_pairs(self._spends or [], self._gone)]
        theirs = [(moment, 0, tokens) for moment, tokens in as_pairs(self._theirs or [])]
        for moment, of_mine, of_theirs in [(now, 0, 0), *sorted(mine + theirs)]:
            own, foreign = own - of_mine, foreign - of_theirs
            taken = own + foreign
            fits = taken + CALL_COST <= min(room - reserved, room_for_worst)
            if fits and own + max(foreign - doubt, 0) + reserved + cost <= room:
                return max(moment, earliest) - now
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
