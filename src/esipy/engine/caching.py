"""Answers that are still fresh need no exchange; stale ones are revalidated; writes drop what they change.

The rules of time are `esipy.core.freshness`; what is kept where is the store's.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from weakref import WeakKeyDictionary

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
    key, asking = exchange.cache_key, exchange.principal
    kept = await store.get(key)
    if kept is not None and not exchange.anew:
        if kept.fresh_until is not None and kept.fresh_until > exchange.runtime.now():
            return Answer(kept.status, kept.headers, kept.body, "cache", kept.fresh_until)
        if exchange.method == "GET":
            exchange.conditions = conditional_headers(kept.headers)
    reading = exchange.engine.readers
    reading.add(exchange)
    try:
        answer = await proceed(exchange)
        if exchange.principal != asking:  # whose answer it is was settled by the token that was sent
            key = exchange.cache_key
        return await _keep(exchange, answer, kept, store, key)
    finally:
        reading.discard(exchange)


async def _keep(exchange: Exchange, answer: Answer, kept: Answer | None, store: CacheStore, key: str) -> Answer:
    """Put what came in its place, and give what the call is answered."""
    operation = exchange.operation
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
    if not exchange.overtaken and could_be_json(answer) and (lifetime > 0 or conditional_headers(answer.headers)):
        await store.put(key, answer, _place(exchange, exchange.call.path))
        if exchange.overtaken:  # while it was being put: the write may have dropped before that
            await store.drop(_place(exchange, exchange.call.path))
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
            for reader in tuple(exchange.engine.readers):
                if reader.call.path == changed and reader.base_url == exchange.base_url:
                    reader.overtaken = True
            await store.drop(_place(exchange, changed))


_READERS: MutableMapping[CacheStore, set[Exchange]] = WeakKeyDictionary()


def readers_of(store: CacheStore) -> set[Exchange]:
    """The calls under way whose answers will be put into this store, by all clients of the process that share it."""
    readers = _READERS.get(store)
    return _READERS.setdefault(store, set()) if readers is None else readers


def could_be_json(answer: Answer) -> bool:
    """Whether a body is worth keeping: a captive portal's page, sent with 200, is not."""
    return answer.body[:1] not in (b"", b"<") or answer.status == 204


def _place(exchange: Exchange, path: str) -> str:
    return exchange.base_url + path
