"""One flight for all who ask for the same thing at the same time (T12): threads, tasks, loops and, by leases, processes.

Who comes first leads: its exchange is everyone's. The others wait for it, and get what it got. Rules:

- Only calls that may be kept, of clients with the same cache; a flight's key is the answer's, so principals never mix.
- Nobody is held up, or failed, by another's terms: who is less patient than the leader, or goes first where the leader
  gives way, makes a flight of its own, which newcomers join; and a failure is shared only with those of the same client
  and terms. The others try themselves.
- A leader that is cancelled, or that fails for reasons of its own (its client was closed), hands on: another leads.
- Who leads waits for no flight: what a receiver of its signals asks for is sent by itself. And nobody waits for a
  leader that waits for it. So no wait is in a circle.
- What a write has overtaken is joined by nobody who comes after that write.

Among processes, whoever has the claim of the store (`esipy.stores.flights`) leads. The others look whether its answer is
there. A claim that ends fences off the put of who was too late.
"""

from __future__ import annotations

from collections.abc import Awaitable, MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from weakref import WeakKeyDictionary

from esipy._forks import ForkLock, forget_after_fork
from esipy.core.answer import Answer
from esipy.engine.caching import look_up
from esipy.engine.exchange import NOT_OURS, Exchange, Proceed
from esipy.engine.terms import Terms
from esipy.exceptions import APIException
from esipy.runtime.base import Flight, Strand
from esipy.stores.base import CacheStore
from esipy.stores.flights import NO_LEASE, FlightStore, has_flights

__all__ = ["Flights", "coalescing", "flights_of"]

LOOK_SECONDS = 5.0
"""How often those who wait see whether the leader's event loop still runs."""

TRIES = 4
"""How many time limits a leader may take, beside its waits: the retries of the default rule."""

LEASE_SECONDS = 30.0
"""How long other processes leave a call to one that has claimed it: ESI itself gives up after 10."""

RECHECK_SECONDS = 0.02
LONGEST_RECHECK_SECONDS = 1.0
"""How often they look whether its answer is there: nobody tells."""

LEAST_PATIENCE_SECONDS = 5.0
"""For which even a call that never waits for a limit waits for another process: an exchange would take as long."""

SLOTS = 256


class _Call:
    """A flight: what its leader does, and who waits for it.

    Attributes:
        exchange: the leader's.
        leader: who runs it.
        landed: it is over.
        waiting: what others wait for; None while nobody does. Its result: what came, or None: handed on.
    """

    __slots__ = ("exchange", "landed", "leader", "waiting")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.leader: Strand = exchange.runtime.strand()
        self.landed = False
        self.waiting: Flight[Answer | APIException | None] | None = None


_leading: ContextVar[_Call | None] = ContextVar("esipy_leading", default=None)
"""The flight within which this thread or task is: receivers and what they begin see it too."""


class Flights:
    """The flights of all clients of a process that share a cache.

    Attributes:
        readers: the calls under way whose answers will be put into it.
    """

    def __init__(self) -> None:
        self._lock = ForkLock()
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """In a child after fork: the parent's flights are not there."""
        self.readers: set[Exchange] = set()
        self._flying: dict[str, _Call] = {}
        self._landings = [0] * SLOTS

    def __len__(self) -> int:
        return len(self._flying)

    def landings(self, key: str) -> int:
        """A number that has changed if a flight of this key has landed since."""
        return self._landings[hash(key) % SLOTS]

    def board(self, mine: _Call) -> tuple[_Call, Flight[Answer | APIException | None] | None]:
        """The flight to be in: mine, which I lead; or another's, with what to wait for."""
        key = mine.exchange.key
        with self._lock:
            flight = self._flying.get(key)
            if flight is not None and flight.leader.state() != "gone" and _may_join(mine.exchange, flight.exchange):
                if mine.leader.holds_up(flight.leader):
                    return mine, None
                if flight.waiting is None:
                    flight.waiting = Flight()
                return flight, flight.waiting
            self._flying[key] = mine
            return mine, None

    def land(self, flight: _Call, outcome: Answer | APIException | None) -> None:
        """The flight is over."""
        key = flight.exchange.key
        with self._lock:
            flight.landed = True
            self._landings[hash(key) % SLOTS] += 1
            if self._flying.get(key) is flight:
                del self._flying[key]
            waiting, flight.waiting = flight.waiting, None
        if waiting is not None:
            waiting.set_result(outcome)


_KNOWN: MutableMapping[CacheStore, Flights] = WeakKeyDictionary()


def flights_of(store: CacheStore | None) -> Flights:
    """The one of a cache."""
    if store is None:
        return Flights()
    known = _KNOWN.get(store)
    return _KNOWN.setdefault(store, Flights()) if known is None else known


def coalescing(exchange: Exchange, proceed: Proceed) -> Awaitable[Answer]:
    return _flying(exchange, proceed) if exchange.key else proceed(exchange)


async def _flying(exchange: Exchange, proceed: Proceed) -> Answer:
    within = _leading.get()
    if within is not None and not within.landed:
        return await proceed(exchange)
    flights, runtime = exchange.engine.flights, exchange.runtime
    give_up_at: float | None = None
    while True:
        flight, waiting = flights.board(mine := _Call(exchange))
        if waiting is None:
            return await _lead(exchange, proceed, flights, mine)
        if give_up_at is None:
            give_up_at = runtime.now() + exchange.terms.max_wait + TRIES * exchange.engine.settings.timeout
        outcome: Answer | APIException | None = None
        while True:
            try:
                outcome = await runtime.join(waiting, LOOK_SECONDS)
                break
            except TimeoutError:
                if flight.leader.state() != "runs" or runtime.now() >= give_up_at:
                    return await proceed(exchange)
        if outcome is not None and _is_for(exchange, flight.exchange, outcome):
            if isinstance(outcome, Answer):
                exchange.engine.tally.joined()
                return outcome.share()
            raise _again(outcome)


def _may_join(exchange: Exchange, leader: Exchange) -> bool:
    """Whether a call may wait for what another one gets."""
    if leader.overtaken or exchange.anew or leader.engine.no_etag_body != exchange.engine.no_etag_body:
        return False
    return leader.terms is exchange.terms or _is_as_eager(leader.terms, exchange.terms)


_EAGERNESS = {"off": 0, "fail": 1, "burst": 1, "spread": 2}


def _is_as_eager(one: Terms, other: Terms) -> bool:
    """Whether one never waits where the other would not."""
    return (
        one.downtime == other.downtime
        and one.batch <= other.batch
        and one.max_wait <= other.max_wait
        and one.share <= other.share
        and _EAGERNESS[one.policy] <= _EAGERNESS[other.policy]
    )


def _is_for(exchange: Exchange, leader: Exchange, outcome: Answer | APIException) -> bool:
    """Whether what the leader got is what this call would have got."""
    if leader.principal != exchange.principal:  # another login was put in under way (T03)
        return False
    if leader.engine is exchange.engine and leader.terms == exchange.terms:
        return True
    return isinstance(outcome, Answer) and outcome.status < 400 and outcome.source != "stale"


def _again(error: APIException) -> APIException:
    """The same error for another caller, with a traceback of its own."""
    kind = type(error)
    other = kind.__new__(kind, *error.args)
    other.args = error.args
    other.__dict__.update(error.__dict__)
    return other


async def _lead(exchange: Exchange, proceed: Proceed, flights: Flights, flight: _Call) -> Answer:
    before = _leading.set(flight)
    outcome: Answer | APIException | None = None
    try:
        outcome = await _once_more(exchange, proceed)
        return outcome
    except APIException as error:
        outcome = error
        raise
    finally:
        flights.land(flight, outcome)
        with suppress(ValueError):  # its task was given up, and is closed from elsewhere
            _leading.reset(before)


async def _once_more(exchange: Exchange, proceed: Proceed) -> Answer:
    """Look whether another flight has brought it meanwhile, in this process or another; else send it."""
    store = exchange.engine.cache
    if has_flights(store):
        return await _among_processes(exchange, proceed, store)
    if exchange.landings_before != exchange.engine.flights.landings(exchange.key):
        answer = await look_up(exchange)
        if answer is not None:
            return answer
    return await proceed(exchange)


async def _among_processes(exchange: Exchange, proceed: Proceed, store: FlightStore) -> Answer:
    runtime, key = exchange.runtime, exchange.key
    pause_seconds = RECHECK_SECONDS
    patience_seconds = min(max(exchange.terms.max_wait, LEAST_PATIENCE_SECONDS), LEASE_SECONDS)
    give_up_at = runtime.now() + patience_seconds
    while True:
        token = await store.claim(key, LEASE_SECONDS)
        exchange.claim = token
        if token == NO_LEASE:
            return await proceed(exchange)
        try:
            answer = await look_up(exchange)
            if answer is not None:
                return answer
            if token is not None:
                return await proceed(exchange)
            if exchange.anew or runtime.now() >= give_up_at:
                exchange.claim = NOT_OURS
                return await proceed(exchange)
        except GeneratorExit:  # nothing can be awaited any more; a claim ends by itself
            exchange.claim = None
            raise
        finally:
            if exchange.claim is not None and exchange.claim > NO_LEASE:
                await store.release(key, exchange.claim)
        await runtime.sleep(pause_seconds)
        pause_seconds = min(2 * pause_seconds, LONGEST_RECHECK_SECONDS)
