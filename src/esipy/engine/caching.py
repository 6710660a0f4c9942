"""Answers that are still fresh need no exchange; stale ones are revalidated; writes drop what they change.

The rules of time are `esipy.core.freshness`; what is kept where is the store's.
"""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.core.freshness import conditional_headers, lifetime_of, refresh
from esipy.engine.exchange import Exchange, Proceed
from esipy.stores.base import CacheStore

__all__ = ["caching"]


async def caching(exchange: Exchange, proceed: Proceed) -> Answer:
    store, operation = exchange.engine.cache, exchange.operation
    if store is None or exchange.method == "HEAD":
        return await proceed(exchange)
    if not operation.cacheable:
        return await _writing(exchange, proceed, store)
    kept = await store.get(exchange.cache_key)
    if kept is not None:
        if kept.fresh_until is not None and kept.fresh_until > exchange.runtime.now():
            return Answer(kept.status, kept.headers, kept.body, "cache", kept.fresh_until)
        if exchange.method == "GET":
            exchange.conditions = conditional_headers(kept.headers)
    reading = exchange.engine.reading
    reading.add(exchange)
    try:
        answer = await proceed(exchange)
    finally:
        reading.discard(exchange)
    now = exchange.runtime.now()
    confirmed: Answer | None = None
    if answer.status == 304 and kept is not None:
        headers, lifetime = refresh(kept.headers, answer.headers, operation.lifetime_seconds, now)
        confirmed, answer = answer, Answer(kept.status, headers, kept.body, "revalidated")
    elif answer.status in operation.statuses:
        lifetime = lifetime_of(answer.headers, operation.lifetime_seconds, now)
    else:
        return answer  # what is kept stays: an error says nothing about it
    if lifetime is None:
        if kept is not None:  # what may not be kept now takes the place of what was
            await store.drop(_place(exchange, exchange.call.path))
        return answer
    answer.fresh_until = now + lifetime
    if not exchange.overtaken and (lifetime > 0 or conditional_headers(answer.headers)):
        # The key anew: whose answer this is was settled by the token that was sent.
        await store.put(exchange.cache_key, answer, _place(exchange, exchange.call.path))
    return answer if confirmed is None or not exchange.engine.no_etag_body else confirmed


async def _writing(exchange: Exchange, proceed: Proceed, store: CacheStore) -> Answer:
    """A write reaches the network, and drops what may have changed, whatever it was answered (T02).

    What is being read meanwhile may be from before: it is given to who asked, and not kept.
    """
    try:
        return await proceed(exchange)
    finally:
        path = exchange.call.path
        for changed in (path, path.rpartition("/")[0]):  # the thing itself, and the list that it is in
            for reader in tuple(exchange.engine.reading):
                if reader.call.path == changed:
                    reader.overtaken = True
            await store.drop(_place(exchange, changed))


def _place(exchange: Exchange, path: str) -> str:
    return exchange.engine.settings.base_url + path
