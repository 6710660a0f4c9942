"""Answers that are still fresh need no exchange; writes drop what they change.

The rules of time are `esipy.core.freshness`, what a write changes is `esipy.core.changing`; what is kept where is the
store's. What becomes of a call whose answer is not there is `esipy.engine.keeping`.
"""

from __future__ import annotations

from collections.abc import Iterable

from esipy.core.answer import Answer
from esipy.core.changing import changed_by
from esipy.core.freshness import conditional_headers, confirmed_at
from esipy.engine.exchange import Exchange, Proceed
from esipy.stores.base import CacheStore

__all__ = ["caching", "drop", "look_up", "place_of"]


async def caching(proceed: Proceed, exchange: Exchange) -> Answer:
    engine = exchange.engine
    store, operation = engine.cache, exchange.operation
    if store is None or exchange.method == "HEAD":
        return await proceed(exchange)
    if not operation.cacheable:
        return await _writing(proceed, exchange, store)
    if operation.scope is not None and engine.lacks is not None and await _lacks(exchange, operation.scope):
        return await proceed(exchange)  # what another token of this character was answered is not for this one (T03)
    key = exchange.key = exchange.cache_key
    exchange.landed_before = engine.flights.landed
    now = exchange.asked_at = exchange.runtime.now()
    if not exchange.anew and (kept := await store.get(key)) is not None:
        answer = _judge(exchange, kept, now)
        if answer is not None:
            engine.tally.hits += 1
            return answer
    reading = engine.flights.readers
    reading.add(exchange)
    try:
        return await proceed(exchange)
    finally:
        reading.discard(exchange)


async def _lacks(exchange: Exchange, scope: str) -> bool:
    """Whether the login is known not to allow this; one of a store is looked up first."""
    engine = exchange.engine
    prepare = getattr(engine.signer, "prepare", None)
    if prepare is not None:
        await prepare(exchange.runtime)
    return engine.lacks is not None and engine.lacks(scope)


async def look_up(exchange: Exchange) -> Answer | None:
    """What has been kept meanwhile, if it is fresh or came after this call was made, which it then answers, too.

    If it is kept and stale, the exchange will ask whether it still holds.
    """
    store = exchange.engine.cache
    if store is None or exchange.anew:
        return None
    kept = await store.get(exchange.key)
    if kept is None:  # any more
        exchange.kept, exchange.conditions = None, []
        return None
    now = exchange.runtime.now()
    answer = _judge(exchange, kept, now)
    if answer is None and kept.fresh_until is not None:
        confirmed = confirmed_at(kept.headers, exchange.operation.lifetime_seconds, kept.fresh_until)
        if confirmed >= exchange.asked_at:
            answer = _given(kept, now)
    if answer is not None:
        exchange.engine.tally.joined += 1
    return answer


def _judge(exchange: Exchange, kept: Answer, now: float) -> Answer | None:
    exchange.kept = kept
    if kept.fresh_until is not None and (kept.fresh_until > now or _within_floor(exchange, kept, now)):
        return _given(kept, now)
    if exchange.method == "GET":
        exchange.conditions = conditional_headers(kept.headers)
    return None


def _given(kept: Answer, now: float) -> Answer:
    return Answer(kept.status, kept.headers, kept.body, "cache", kept.fresh_until, now)


def _within_floor(exchange: Exchange, kept: Answer, now: float) -> bool:
    """Whether it is of those that ESI lets one ask for at any time, and the user does not want that so soon."""
    floor_seconds = exchange.engine.settings.freshness_floor
    if not floor_seconds or kept.fresh_until is None:
        return False
    operation = exchange.operation
    confirmed = confirmed_at(kept.headers, operation.lifetime_seconds, kept.fresh_until)
    lifeless = operation.lifetime_seconds is None and confirmed == kept.fresh_until
    return (lifeless or operation.cache_mode == "event-based") and now < confirmed + floor_seconds


async def _writing(proceed: Proceed, exchange: Exchange, store: CacheStore) -> Answer:
    """A write reaches the network, and drops what may have changed, whatever it was answered (T02).

    What is being read meanwhile may be from before: it is given to who asked, and not kept.
    """
    try:
        return await proceed(exchange)
    finally:
        await drop(exchange, store, changed_by(exchange.operation.path, exchange.call.path, exchange.engine.changes))


async def drop(exchange: Exchange, store: CacheStore, paths: Iterable[str]) -> None:
    """Forget what is kept of these paths, and do not keep what is being read of them."""
    for changed in paths:
        for reader in tuple(exchange.engine.flights.readers):
            if reader.call.path == changed and reader.base_url == exchange.base_url:
                reader.overtaken = True
        await store.drop(place_of(exchange, changed))


def place_of(exchange: Exchange, path: str) -> str:
    """What a path is called in the store."""
    return exchange.base_url + path
