"""What a process may spend while nobody tells it what the others spend: by the headers, and by its fair part.

A call leaves if both hold: by the headers there is room for it in the whole limit, whoever spent what; and this process
has not spent its fair part of the limit within the window: one of as many as there were processes, of two at least,
because somebody may have come since. One whole call always fits into a part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from esipy._forks import fork_lock
from esipy.stores.base import Ask, BucketState, Reservation, Told, Wait
from esipy.stores.memory_ledger import MemoryLedger

__all__ = ["OwnPart", "OwnReservation"]


class OwnReservation(NamedTuple):
    """A call that left: against the whole limit, and against the fair part."""

    whole: Reservation
    fair: Reservation


class OwnPart:
    """The whole limits as far as this process knows, and its fair part of each.

    Args:
        whole: counts against the whole limits.
        now: its clock.
        members: how many processes there are, this one among them.
    """

    def __init__(self, whole: MemoryLedger, now: Callable[[], float], members: Callable[[], int]) -> None:
        self.whole = whole
        self._fair = MemoryLedger(now)
        self._members = members
        self._limits: dict[str, int] = {}
        self._lock = fork_lock()

    def wait_at_least(self, lease_seconds: float) -> None:
        """Wait so long for calls under way, or longer."""
        for ledger in (self.whole, self._fair):
            ledger.lease_seconds = max(ledger.lease_seconds, lease_seconds)

    def reserve(self, ask: Ask) -> OwnReservation | Wait:
        """Let a call leave, if it may."""
        fair_ask = self._fair_ask(ask)
        with self._lock:  # nobody sees what is given back at once: there would be no landing to wait for
            self._fair.resize(fair_ask, fair_ask.limit)
            whole = self.whole.reserve(ask)
            if isinstance(whole, Wait):
                return whole
            fair = self._fair.reserve(fair_ask)
            if isinstance(fair, Wait):
                self.whole.settle(whole, 0, answered=False)
                return fair
            return OwnReservation(whole, fair)

    def depart(self, ask: Ask) -> OwnReservation:
        """Count a call that leaves in any case."""
        forced = replace(ask, gate="", forced=True)
        whole, fair = self.whole.reserve(forced), self._fair.reserve(self._fair_ask(forced))
        assert isinstance(whole, Reservation)
        assert isinstance(fair, Reservation)
        return OwnReservation(whole, fair)

    def settle(self, ask: Ask, reservation: OwnReservation, spent: int, told: Told, answered: bool) -> None:
        """Count what a call has cost."""
        if told.limit is not None:
            self._note(ask, told.limit)
        self.whole.settle(reservation.whole, spent, told, answered)
        self._fair.settle(reservation.fair, spent, told.sized(self._share(ask)), answered)

    def wait_for(self, ask: Ask, tokens: int) -> Wait:
        """How long until so many tokens can be spent."""
        whole = self.whole.wait_for(ask, tokens)
        fair = self._fair.wait_for(self._fair_ask(ask), tokens)
        return fair if fair.seconds > whole.seconds else whole

    def states(self) -> list[BucketState]:
        """The whole limits as far as is known, each free when both let a call leave."""
        fair = {state.bucket: state.free_in for state in self._fair.states()}
        return [
            state._replace(free_in=max(state.free_in, fair.get(state.bucket, 0.0))) for state in self.whole.states()
        ]

    def resize(self, ask: Ask, limit: int, at_most: bool) -> None:
        """Give a bucket another limit."""
        known = self._limits.get(ask.bucket, ask.limit)
        self._note(ask, min(limit, known) if at_most else limit)
        self.whole.resize(ask, limit, at_most)
        self._fair.resize(ask, self._share(ask))

    def _fair_ask(self, ask: Ask) -> Ask:
        return replace(ask, limit=self._share(ask))

    def _share(self, ask: Ask) -> int:
        """This process's part of a limit."""
        limit = self._limits.get(ask.bucket, ask.limit)
        return max(limit // max(self._members(), 2), min(ask.cost, limit))

    def _note(self, ask: Ask, limit: int) -> None:
        """Remember a limit that is another than is asked with."""
        if limit != ask.limit:
            self._limits[ask.bucket] = limit
        else:
            self._limits.pop(ask.bucket, None)
