"""One flight for all who ask for the same thing at the same time (T12): threads, tasks, loops; by leases, processes.

Who comes first leads: its exchange is everyone's. The others wait for it, and get what it got. Rules:

- Only calls that may be kept, of clients with the same cache; a flight's key is the answer's, so principals never mix.
- Nobody is held up, or failed, by another's terms: who is less patient than the leader, or goes first where the leader
  gives way, makes a flight of its own, which newcomers join; and a failure is shared only with those of the same client
  and terms. The others try themselves.
- A leader that is cancelled, or that fails for reasons of its own (its client was closed), hands on: another leads.
- A receiver of signals waits for no flight, since a leader may wait for it: what it asks for is sent by itself. And
  nobody waits for a leader that stands still until he has done. So no wait is in a circle.
- What a write has overtaken is joined by nobody who comes after that write.

Among processes, whoever has the claim of the store (`esipy.stores.flights`) leads. The others look whether its answer
is there. A claim that ends fences off the put of who was too late.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

from esipy._forks import forget_after_fork, fork_lock
from esipy.core.answer import Answer
from esipy.engine.caching import look_up
from esipy.engine.exchange import NOT_OURS, Exchange, Proceed
from esipy.engine.terms import Terms
from esipy.exceptions import APIException
from esipy.runtime.base import Flight, is_told
from esipy.stores.base import CacheStore
from esipy.stores.flights import NO_LEASE, FlightStore

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


class Flights:
    """The flights of all clients of a process that share a cache: each is the exchange of who leads.

    Who flies alone takes no lock: a flight has landed before it is looked who waits for it, and whoever waits has said
    so before it is looked whether it has landed.

    Attributes:
        flying: by the key of the answer.
        landed: how many flights have landed.
        readers: the calls under way whose answers will be put into it.
    """

    def __init__(self) -> None:
        self._lock = fork_lock()
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """In a child after fork: the parent's flights are not there."""
        self.flying: dict[str, Exchange] = {}
        self.landed = 0
        self.readers: set[Exchange] = set()

    def board(self, exchange: Exchange) -> Exchange:
        """The flight to be in: another's, or its own, which it leads."""
        flight = self.flying.setdefault(exchange.key, exchange)
        if flight is exchange:
            return exchange
        me, leader = exchange.runtime.strand(), flight.leader
        if leader is None or leader.state() == "gone" or not _may_join(exchange, flight):
            if leader is not None and not flight.overtaken:
                exchange.beneath = flight
            self.flying[exchange.key] = exchange
            return exchange
        return exchange if me.holds_up(leader) or is_told() else flight

    def wait_for(self, flight: Exchange) -> Flight[None]:
        """What is done when it has landed."""
        with self._lock:
            if flight.waiting is None:
                flight.waiting = Flight()
            waiting = flight.waiting
            if flight.landed and not waiting.done():
                waiting.set_result(None)
        return waiting

    def leave(self, flight: Exchange) -> None:
        """A flight that has landed is joined by nobody, and who waits for it is told."""
        if self.flying.get(flight.key) is flight:
            beneath = flight.beneath
            if beneath is not None and not beneath.landed:
                self.flying[flight.key] = beneath
            else:
                del self.flying[flight.key]
        if flight.waiting is not None:
            self.wait_for(flight)


_KNOWN: MutableMapping[Any, Flights] = WeakKeyDictionary()


def flights_of(store: CacheStore | None) -> Flights:
    """Those of a cache. Where each client has a door of its own to it, they meet by what is behind these."""
    behind = getattr(store, "shared", None)
    if behind is None:
        behind = getattr(store, "cache", None)
    for keeper in (behind, store):
        if keeper is not None:
            try:
                known = _KNOWN.get(keeper)
                return _KNOWN.setdefault(keeper, Flights()) if known is None else known
            except TypeError:  # a program's own cache may be neither hashable nor weakly referenced
                continue
    return Flights()


async def coalescing(proceed: Proceed, exchange: Exchange) -> Answer:
    key = exchange.key
    if not key:
        return await proceed(exchange)
    engine = exchange.engine
    flights = engine.flights
    exchange.leader = exchange.runtime.strand()
    if flights.flying.setdefault(key, exchange) is not exchange:
        shared = await _join(exchange, flights.board(exchange))
        if shared is not None:
            return shared
    try:
        answer = None
        if engine.shared_cache is not None:
            answer = await _among_processes(proceed, exchange, engine.shared_cache)
        elif exchange.landed_before != flights.landed:  # it may have been this one
            answer = await look_up(exchange)
        if answer is None:
            answer = await proceed(exchange)
        exchange.outcome = answer
        return answer
    except APIException as error:
        exchange.outcome = error
        raise
    finally:
        exchange.landed = True
        flights.landed += 1
        if exchange.waiting is None and exchange.beneath is None and flights.flying.get(key) is exchange:
            del flights.flying[key]
        else:
            flights.leave(exchange)


async def _join(exchange: Exchange, flight: Exchange) -> Answer | None:
    """What another flight brings; None: there is none to join any more, and this call flies by itself.

    Raises:
        APIException: it failed.
    """
    engine, runtime = exchange.engine, exchange.runtime
    give_up_at = runtime.now() + exchange.terms.max_wait + TRIES * engine.settings.timeout
    while flight is not exchange:
        try:
            await runtime.join(engine.flights.wait_for(flight), LOOK_SECONDS)
        except TimeoutError:
            if flight.leader is None or flight.leader.state() != "runs" or runtime.now() >= give_up_at:
                return None
            continue
        outcome = flight.outcome
        if outcome is not None and _is_for(exchange, flight, outcome):
            if not isinstance(outcome, Answer):
                raise _again(outcome)
            engine.tally.joined += 1
            return outcome.share()
        flight = engine.flights.board(exchange)
    return None


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


async def _among_processes(proceed: Proceed, exchange: Exchange, store: FlightStore) -> Answer:
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
