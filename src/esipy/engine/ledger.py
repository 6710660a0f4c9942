"""What the clients of a process share at one ESI and one store: what a call asks of the ledger, and what was learned.

Three kinds of bucket, one arithmetic (`esipy.core.buckets`):

- ``<group> <principal>``: the tokens of a rate-limit group;
- ``errors``: the error limit, for operations without a group. What it spends are errors, and they come back all at once
  when the minute ends. A tenth is never touched, and calls slow down once half of it is used;
- ``route <operation>``: a limiter inside the game server (`esipy.engine.routes`).

A gate closes them all: a 420 stops everyone (T26).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from esipy._attached import attached
from esipy.core.buckets import CALL_COST, WORST_COST
from esipy.core.limits import ERROR_LIMIT, ERROR_WINDOW_SECONDS, RateTold, cost_of
from esipy.engine.lines import Lines
from esipy.engine.routes import Routes
from esipy.engine.terms import Terms
from esipy.events import STORE_DEGRADED
from esipy.operation import Operation, RateGroup
from esipy.runtime.base import Flight, Runtime
from esipy.settings import ESI_URL
from esipy.stores.base import NOTHING_TOLD, Ask, LedgerStore, RecoveringLedger, Reservation, Told, Wait

__all__ = ["Ledger", "ledger_for"]

T = TypeVar("T")

EVERYONE = "*"
ERRORS = "errors"
ROUTE = "route"
ERRORS_KEPT = 0.1
"""The share of the error limit that is never touched: others on this address make errors too."""

MOST_REMEMBERED = 20_000
"""Entries of what makes things faster, or a little better; beyond, it is begun anew."""


class Ledger:
    """One ESI's limits, as a process sees them.

    Args:
        prefix: of all names in the store; "" for the real ESI. Another address has its own buckets.

    Attributes:
        store: counts.
        news: of the store: payloads of STORE_DEGRADED that are still to be sent, by whoever uses it next.
        lines: who waits.
        routes: the limiters of single routes.
        changes: how often something was learned.
        surprises: when an operation was last answered 4xx, by bucket and operation id.
    """

    def __init__(self, store: LedgerStore, prefix: str = "") -> None:
        self.store = store
        self.lines = Lines()
        self.news: deque[dict[str, Any]] = deque()
        if isinstance(store, RecoveringLedger):
            self.news = store.news
            store.wake_when_back(self.lines)
        self.routes = Routes()
        self.prefix = prefix
        self.gate = prefix + EVERYONE
        self.errors = prefix + ERRORS
        self.error_ask = Ask(
            prefix + ERRORS, self.gate, ERROR_LIMIT, ERROR_WINDOW_SECONDS, 1, 0, ERRORS_KEPT, spread=True
        )
        self.changes = 0
        self.surprises: dict[tuple[str, str], float] = {}
        self._asks: dict[tuple[str | None, str, Terms], Ask] = {}
        self._groups: dict[str, RateGroup | None] = {}
        self._told_groups: dict[str, RateGroup] = {}
        self._told_sizes: dict[str, RateGroup] = {}
        self._low: tuple[float, int] = (0.0, ERROR_LIMIT)

    # -- its store ---------------------------------------------------------------------------------------------

    async def do(self, runtime: Runtime, verb: Callable[..., T], *arguments: Any) -> T:
        """A verb of the store; beside the event loop, if it does I/O."""
        if not self.store.remote:
            return verb(*arguments)
        result = await runtime.join(runtime.begin(verb, *arguments))
        if self.news:
            await self._tell(runtime)
        return result

    async def settle(self, runtime: Runtime, reservation: Reservation, spent: int, told: Told = NOTHING_TOLD) -> None:
        """Settle by an answer. It is done in any case, and who waits is woken when it is done."""
        flight = self.settle_later(runtime, reservation, spent, told)
        if flight is not None:
            await runtime.join(flight)

    def settle_later(
        self, runtime: Runtime, reservation: Reservation, spent: int, told: Told = NOTHING_TOLD, answered: bool = True
    ) -> Flight[None] | None:
        """As `settle`, for those who can wait for nothing any more; None: it is done."""
        bucket = reservation.ask.bucket
        if not self.store.remote:
            self.store.settle(reservation, spent, told, answered)
            self.lines.wake(bucket)
            return None
        flight = runtime.begin(self.store.settle, reservation, spent, told, answered)
        flight.add_done_callback(lambda _: self.lines.wake(bucket))
        return flight

    async def reserve(self, runtime: Runtime, ask: Ask) -> Reservation | Wait:
        """Leave to send, or how long to wait; given back if nobody waits for it any more when it comes."""
        if not self.store.remote:
            return self.store.reserve(ask)
        flight = runtime.begin(self.store.reserve, ask)
        try:
            got = await runtime.join(flight)
            if self.news:
                await self._tell(runtime)
            return got
        except BaseException:
            flight.add_done_callback(self._give_back)
            raise

    async def _tell(self, runtime: Runtime) -> None:
        """Send what is new of the store, where receivers may be coroutine functions if the caller can await them."""
        with suppress(IndexError):  # another thread may have told it
            while True:
                await runtime.tell(STORE_DEGRADED, self.news.popleft())

    def _give_back(self, flight: Flight[Reservation | Wait]) -> None:
        got = None if flight.cancelled() or flight.exception() is not None else flight.result()
        if isinstance(got, Reservation):
            self.store.settle(got, 0, NOTHING_TOLD, False)
            self.lines.wake(got.ask.bucket)

    # -- what a call asks --------------------------------------------------------------------------------------

    def group_of(self, operation: Operation[Any]) -> RateGroup | None:
        """The group that an operation counts in; what headers told wins over the catalogue."""
        groups = self._groups
        try:
            return groups[operation.id]
        except KeyError:
            group = self._told_groups.get(operation.id, operation.group)
            found = groups[operation.id] = group and self._told_sizes.get(group.name, group)
            return found

    def ask_for(self, operation: Operation[Any], principal: str, terms: Terms, now: Callable[[], float]) -> Ask:
        """What a call asks for: tokens of its group, or a share of the error limit."""
        return self.ask_of(self.group_of(operation), operation, principal, terms, now)

    def ask_of(
        self,
        group: RateGroup | None,
        operation: Operation[Any],
        principal: str,
        terms: Terms,
        now: Callable[[], float],
    ) -> Ask:
        """`ask_for`, for who has `group_of` the operation at hand."""
        key = (None if group is None else group.name, principal, terms)
        ask = self._asks.get(key) or self._new_ask(group, principal, terms, key)
        if self.surprises and group is not None:
            surprised_at = self.surprises.get((ask.bucket, operation.id))
            if surprised_at is not None and now() - surprised_at < ask.window_seconds:
                return replace(ask, cost=WORST_COST)  # it was answered 4xx lately: this one may be too (T31)
        return ask

    def route_ask(self, operation: Operation[Any], terms: Terms) -> Ask | None:
        """What a call asks of the limiter of its route; None when it has none that is known."""
        route = self.routes.get(operation.id)
        if route is None:
            return None
        return self.ask_at(f"{self.prefix}{ROUTE} {operation.name}", route.limit, route.window_seconds, terms)

    def _new_ask(
        self, group: RateGroup | None, principal: str, terms: Terms, key: tuple[str | None, str, Terms]
    ) -> Ask:
        if group is None:
            ask = self.ask_at(self.errors, ERROR_LIMIT, ERROR_WINDOW_SECONDS, terms)
        else:
            bucket = f"{self.prefix}{group.name} {principal}"
            ask = self.ask_at(bucket, group.max_tokens, float(group.window_seconds), terms)
        if len(self._asks) >= MOST_REMEMBERED:
            self._asks.clear()
        self._asks[key] = ask
        return ask

    def ask_at(self, bucket: str, limit: int, window_seconds: float, terms: Terms) -> Ask:
        """What a call on these terms asks of a bucket of this size, whichever of the three kinds it is."""
        worst, cost, share, spread = WORST_COST, CALL_COST, terms.share, terms.policy == "spread"
        if bucket == self.errors:
            worst, cost, share, spread = 1, 0, max(ERRORS_KEPT, share), True
        elif self.is_route(bucket):
            worst, cost, spread = 1, 1, False
        return Ask(bucket, self.gate, limit, window_seconds, worst, cost, share, spread, terms.policy == "off")

    def is_route(self, bucket: str) -> bool:
        """Whether a bucket is the limiter of a single route."""
        return self.shown(bucket).startswith(f"{ROUTE} ")

    def shown(self, bucket: str) -> str:
        """A bucket's name as users know it."""
        return bucket.removeprefix(self.prefix)

    # -- what was learned --------------------------------------------------------------------------------------

    def note(self, ask: Ask, operation: Operation[Any], status: int, now: float) -> None:
        """Remember that an operation was answered 4xx to this principal, or that it is no longer."""
        if cost_of(status) == WORST_COST:
            if len(self.surprises) >= MOST_REMEMBERED:
                self.surprises.clear()
            self.surprises[ask.bucket, operation.id] = now
        elif status < 400:
            self.surprises.pop((ask.bucket, operation.id), None)

    def learn(self, operation: Operation[Any], told: RateTold) -> dict[str, Any] | None:
        """Take a group, or its size, from headers; gives the payload of LIMIT_CHANGED if that was news."""
        before = self.group_of(operation)
        group = RateGroup(*told[:3])
        if group == before:
            return None
        if before is None or before.name != group.name:
            self._told_groups[operation.id] = group
        if len(self._told_sizes) >= MOST_REMEMBERED:
            self._told_sizes.clear()
        self._told_sizes[group.name] = group
        self._groups = {}  # others: a thread may be about to enter what was known before
        self._asks = {}
        self.changes += 1
        return {
            "operation_id": operation.id,
            "group": group.name,
            "max_tokens": group.max_tokens,
            "window_seconds": group.window_seconds,
            "previous_group": None if before is None else before.name,
            "previous_max_tokens": None if before is None else before.max_tokens,
            "previous_window_seconds": None if before is None else before.window_seconds,
        }

    def has_fallen(self, remain: int, ends_at: float) -> bool:
        """Whether the error limit has fallen below a half or a fifth, for the first time in its minute."""
        end, lowest = self._low
        if ends_at > end + LATE_SECONDS:
            lowest = ERROR_LIMIT
        self._low = (max(end, ends_at), min(lowest, remain))
        return any(remain < step <= lowest for step in LOW_STEPS)


LOW_STEPS = (50, 20)
LATE_SECONDS = 5.0
"""Ends of a minute that differ by less are the same: the header has whole seconds, and takes its time to come."""


def ledger_for(runtime: Runtime, base_url: str, store: LedgerStore) -> Ledger:
    """The ledger of an ESI in a store: one for all clients of the process, since ESI does not ask which it was."""
    prefix = "" if base_url == ESI_URL else f"{base_url} "
    return attached(store, runtime.shared, ("ledger", prefix), lambda: Ledger(store, prefix))
