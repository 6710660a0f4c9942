"""Answers that are still fresh need no exchange; stale ones are revalidated; writes drop what they change.

The rules of time are `esipy.core.freshness`; what is kept where is the store's.
"""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.core.freshness import conditional_headers, lifetime_of, refresh
from esipy.engine.exchange import Exchange, Proceed

__all__ = ["caching"]


async def caching(exchange: Exchange, proceed: Proceed) -> Answer:
    store = exchange.engine.cache
    if store is None or exchange.method == "HEAD":
        return await proceed(exchange)
    if not exchange.operation.cacheable:
        return await _writing(exchange, proceed)
    key = exchange.cache_key
    kept = await store.get(key)
    if kept is not None:
        if kept.fresh_until is not None and kept.fresh_until > exchange.runtime.now():
            return Answer(kept.status, kept.headers, kept.body, "cache", kept.fresh_until)
        if exchange.method == "GET":
            exchange.conditions = conditional_headers(kept.headers)
    answer = await proceed(exchange)
    now = exchange.runtime.now()
    if answer.status == 304 and kept is not None:
        headers, lifetime = refresh(kept.headers, answer.headers, exchange.operation.lifetime_seconds, now)
        answer = Answer(kept.status, headers, kept.body, "revalidated")
    elif answer.status in exchange.operation.statuses:
        lifetime = lifetime_of(answer.headers, exchange.operation.lifetime_seconds, now)
    else:
        return answer  # what is kept stays: an error says nothing about it
    if lifetime is not None:
        answer.fresh_until = now + lifetime
        if lifetime > 0 or conditional_headers(answer.headers):
            await store.put(key, answer, _place(exchange, exchange.call.path))
    return answer


async def _writing(exchange: Exchange, proceed: Proceed) -> Answer:
    """A write reaches the network, and drops what may have changed, whatever it was answered (T02)."""
    try:
        return await proceed(exchange)
    finally:
        if exchange.method != "GET":
            store, path = exchange.engine.cache, exchange.call.path
            if store is not None:
                await store.drop(_place(exchange, path))
                await store.drop(_place(exchange, path.rpartition("/")[0]))  # the list that it is in


def _place(exchange: Exchange, path: str) -> str:
    return exchange.engine.settings.base_url + path
