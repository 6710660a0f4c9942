"""A shared ledger that may fail: until it is back each process keeps to its part of every limit (T29).

- While the store answers, it decides. What this process spends is counted here too, all the time.
- When it fails, each process keeps to its part (`esipy.stores.own_part`).
- After 1, 2, 4 ... 30 s whoever asks for anything tries the store again, those who wait here too: each wait says when
  to ask again. When the store answers, it is told first what it missed: what was spent meanwhile, what was settled,
  blocked and resized, and what is under way. Then those who wait are woken.
- What the store let leave is settled in the store, late if need be.

So no verb ever raises `StoreUnavailable`, and no limit is ever off.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

from esipy._forks import forget_after_fork, fork_lock
from esipy.stores.base import (
    NOTHING_TOLD,
    Ask,
    BucketState,
    Reservation,
    SharedLedger,
    StoreUnavailable,
    Told,
    Wait,
    Waiters,
)
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.own_part import OwnPart, OwnReservation

__all__ = ["DegradingLedger"]

LOGGER = logging.getLogger("esipy.client")
T = TypeVar("T")

FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 30.0

SOONEST_SECONDS = 0.01
"""Nobody is told to ask again earlier."""

PROBE = "probe"
"""The name of a gate that nobody waits for. Closing it for no time writes, so it shows whether the store does."""


class _Flight:
    """The parts of a reservation: the store's, if it knows of the call, and this process's own."""

    __slots__ = ("ask", "own", "shared")

    def __init__(self, ask: Ask, shared: Reservation | None, own: OwnReservation) -> None:
        self.ask = ask
        self.shared = shared
        self.own = own


class DegradingLedger:
    """`RecoveringLedger` over a shared one.

    Args:
        store: the shared one; its ``repr`` is its name in the log and in the signal.
        local: counts what this process knows, against the whole limits.
        now: the clock of ``local``.
    """

    remote = True

    def __init__(self, store: SharedLedger, local: MemoryLedger, *, now: Callable[[], float]) -> None:
        self.news: deque[dict[str, Any]] = deque()
        self._waiters: WeakSet[Waiters] = WeakSet()
        self._store = store
        self._part = OwnPart(local, now, store.members)
        self._now = now
        self._lock = fork_lock()
        self._failed = False
        self._retry_at = 0.0
        self._retry_seconds = FIRST_RETRY_SECONDS
        self.forget()
        forget_after_fork(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._store!r}>"

    def forget(self) -> None:
        """In a child after fork: what the parent owes the store is the parent's to say."""
        self._retrying: object | None = None  # who does
        self._missed: deque[Callable[[], object]] = deque()
        self._unknown: set[_Flight] = set()
        self._spent: dict[str, Ask] = {}
        self._meanwhile = MemoryLedger(self._now)

    @property
    def degraded(self) -> bool:
        """Whether this process keeps to its part."""
        return self._failed

    @property
    def lease_seconds(self) -> float:
        """How long the store waits for calls under way."""
        return self._store.lease_seconds

    @lease_seconds.setter
    def lease_seconds(self, seconds: float) -> None:
        self._store.lease_seconds = seconds
        self._part.wait_at_least(seconds)

    def wake_when_back(self, waiters: Waiters) -> None:
        with self._lock:
            self._waiters.add(waiters)

    # -- LedgerStore -------------------------------------------------------------------------------------------

    def reserve(self, ask: Ask) -> Reservation | Wait:
        closed_seconds = self._part.whole.closed_in(ask.gate)
        if closed_seconds and not self._failed:  # also if the store does not know of it any more (T26)
            return Wait(closed_seconds, everyone=True)
        got = self._ask_store(partial(self._store.reserve, ask))
        if got is None:
            return self._decide(ask)
        if isinstance(got, Wait):
            if got.everyone:  # a 420, maybe another process's: it stops this one also when the store is gone
                self._part.whole.block(ask.gate, got.seconds)
            return got
        return Reservation(ask, _Flight(ask, got, self._part.depart(ask)))

    def settle(self, reservation: Reservation, spent: int, told: Told = NOTHING_TOLD, answered: bool = True) -> None:
        ask, flight = reservation.ask, reservation.mark
        self._part.settle(ask, flight.own, spent, told, answered)
        with self._lock:
            self._unknown.discard(flight)
            shared: Reservation | None = flight.shared
        if shared is None:
            if spent:
                self._spend(ask, spent)
            return
        # Headers that come late know less than those that have come since.
        late = partial(self._store.settle, shared, spent, told.sized(told.limit), answered)
        self._pass_on(partial(self._store.settle, shared, spent, told, answered), late)

    def wait_for(self, ask: Ask, tokens: int) -> Wait:
        got = self._ask_store(partial(self._store.wait_for, ask, tokens))
        if got is None:
            return self._until_retry(self._part.wait_for(ask, tokens))
        closed_seconds = self._part.whole.closed_in(ask.gate)
        return Wait(closed_seconds, everyone=True) if closed_seconds > got.seconds else got

    def block(self, name: str, seconds: float) -> None:
        self._part.whole.block(name, seconds)
        until = self._now() + seconds

        def late() -> None:
            left = until - self._now()
            if left > 0:
                self._store.block(name, left)

        self._pass_on(partial(self._store.block, name, seconds), late)

    def resize(self, ask: Ask, limit: int, at_most: bool = False) -> None:
        self._part.resize(ask, limit, at_most)
        resize = partial(self._store.resize, ask, limit, at_most)
        self._pass_on(resize, resize)

    def states(self) -> list[BucketState]:
        got = self._ask_store(self._store.states)
        return self._part.states() if got is None else got

    def close(self) -> None:
        self._store.close()

    # -- deciding here -----------------------------------------------------------------------------------------

    def _decide(self, ask: Ask) -> Reservation | Wait:
        own = self._part.reserve(ask)
        if isinstance(own, Wait):
            return self._until_retry(own)
        flight = _Flight(ask, None, own)
        with self._lock:
            self._unknown.add(flight)
        return Reservation(ask, flight)

    def _until_retry(self, wait: Wait) -> Wait:
        """This wait, for somebody who looks when the store is tried again: it may be shorter there."""
        # One that is being tried this moment wakes everybody if it is back.
        left = self._retry_at - self._now()
        return wait._replace(ask_again_in=max(left, SOONEST_SECONDS) if left > 0 else FIRST_RETRY_SECONDS)

    # -- failing and coming back -------------------------------------------------------------------------------

    def _ask_store(self, verb: Callable[[], T]) -> T | None:
        """What the store says; None: it fails, or is not to be tried now."""
        retrying, me = self._failed, object()
        try:
            if retrying and not self._may_retry(me):
                return None
            if retrying:
                self._store.block(PROBE, 0.0)
                self._catch_up()
            got = verb()
            if retrying:
                self._is_back()
            return got
        except StoreUnavailable as error:
            self._fails(error, again=retrying)
            return None
        finally:
            if self._retrying is me:
                self._retrying = None

    def _may_retry(self, me: object) -> bool:
        """Whether to ask the store that failed: one thread at a time does, and rarely."""
        with self._lock:
            if self._retrying is not None or self._now() < self._retry_at:
                return False
            self._retrying = me
            return True

    def _fails(self, error: StoreUnavailable, *, again: bool = False) -> None:
        with self._lock:
            news, self._failed = not self._failed, True
            if news or again:
                self._retry_seconds = FIRST_RETRY_SECONDS if news else min(2 * self._retry_seconds, LAST_RETRY_SECONDS)
                self._retry_at = self._now() + self._retry_seconds
        if news:
            self._tell(str(error))

    def _tell(self, error: str | None) -> None:
        name = repr(self._store).strip("<>").partition(" ")[2] or type(self._store).__name__
        if error is None:
            LOGGER.warning("the ledger %s answers again", name)
        else:
            LOGGER.warning("the ledger %s fails, until it is back this process keeps to its part: %s", name, error)
        self.news.append({"store": name, "error": error, "degraded": error is not None})

    def _is_back(self) -> None:
        with self._lock:
            if not self._failed:  # another thread was quicker
                return
            self._failed = False
            waiters = list(self._waiters)
        self._tell(None)
        try:
            self._catch_up()  # on what came while the store was being told
        except StoreUnavailable as error:
            self._fails(error)
        for each in waiters:
            each.wake_all()

    def _pass_on(self, at_once: Callable[[], object], late: Callable[[], object]) -> None:
        """Have the store do something: now, or when it is back."""
        while True:
            with self._lock:
                if self._failed:
                    self._missed.append(late)
                    return
            try:
                at_once()
                return
            except StoreUnavailable as error:
                self._fails(error)

    def _spend(self, ask: Ask, spent: int) -> None:
        """Have the store book what it did not let leave."""
        with self._lock:
            if self._failed:
                self._spent[ask.bucket] = ask
                reservation = self._meanwhile.reserve(replace(ask, gate="", forced=True))
                assert isinstance(reservation, Reservation)
                self._meanwhile.settle(reservation, spent)
                return
        book = partial(self._book, ask, spent)
        self._pass_on(book, book)

    def _book(self, ask: Ask, tokens: int) -> None:
        self._store.settle(self._leave(ask, tokens), tokens, NOTHING_TOLD, False)

    def _leave(self, ask: Ask, tokens: int) -> Reservation:
        """Have the store count a call that has left."""
        reservation = self._store.reserve(replace(ask, gate="", cost=tokens, forced=True))
        assert isinstance(reservation, Reservation)
        return reservation

    def _catch_up(self) -> None:
        """Tell the store what it missed; what it does not take is kept."""
        with self._lock:
            # Spends of the last window, one sum for each bucket; those before have come back.
            for state in self._meanwhile.states():
                if state.used:
                    self._missed.append(partial(self._book, self._spent[state.bucket], state.used))
            self._spent = {}
            self._meanwhile = MemoryLedger(self._now)
        while self._missed:
            tell = self._missed.popleft()
            try:
                tell()
            except BaseException:  # told twice, should Ctrl-C come at its end, is safer than never
                self._missed.appendleft(tell)
                raise
        with self._lock:
            unknown = list(self._unknown)
        for flight in unknown:
            reservation = self._leave(flight.ask, flight.ask.cost)
            with self._lock:
                landed = flight not in self._unknown
                if not landed:
                    self._unknown.discard(flight)
                    flight.shared = reservation
            if landed:  # what it cost was booked as such
                self._store.settle(reservation, 0, NOTHING_TOLD, False)
