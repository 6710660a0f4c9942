"""What came is kept; what is kept is confirmed by a 304, and stands in for what did not come.

A kept answer is given as ``stale`` when ESI does not answer: a status of 502 to 504, a broken or timed-out connection,
or the daily downtime; for `Terms.stale_if_error` seconds after it ceased to be fresh, and never for an error that
is the caller's (4xx). Source: RFC 5861 section 4.
"""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.core.freshness import age_of, conditional_headers, lifetime_of, refresh
from esipy.engine.caching import place_of
from esipy.engine.exchange import NOT_OURS, Exchange, Proceed
from esipy.events import STALE_SERVED
from esipy.exceptions import AnswerTooLargeError, DowntimeError, NetworkError
from esipy.stores.base import CacheStore

__all__ = ["could_be_json", "keeping"]

DOWN = frozenset({502, 503, 504})
"""Answers of who stands before ESI, when ESI itself does not answer."""


async def keeping(proceed: Proceed, exchange: Exchange) -> Answer:
    engine, asking = exchange.engine, exchange.principal
    store, tally = engine.cache, engine.tally
    if not exchange.key or store is None:
        return await proceed(exchange)
    try:
        answer = await proceed(exchange)
    except (NetworkError, DowntimeError) as error:
        kept = None if isinstance(error, AnswerTooLargeError) else _stand_in(exchange, asking)
        if kept is None:
            tally.misses += 1
            raise
        return await _given(exchange, kept, error.status_code, str(error))
    except Exception:
        tally.misses += 1
        raise
    status, kept = answer.status, exchange.kept
    now = answer.given_at = exchange.runtime.now()
    if status == 304 and kept is not None:
        tally.revalidated += 1
        headers, lifetime = refresh(kept.headers, answer.headers, exchange.operation.lifetime_seconds, now)
        confirmed = Answer(kept.status, headers, kept.body, "revalidated", given_at=now)
        await _keep(exchange, confirmed, lifetime, store, asking)
        return answer if engine.no_etag_body else confirmed
    if status in DOWN:
        kept = _stand_in(exchange, asking)
        if kept is not None:
            return await _given(exchange, kept, status, f"ESI answered {status}")
    tally.misses += 1
    if status in exchange.operation.statuses:  # an error says nothing about what is kept
        lifetime = lifetime_of(answer.headers, exchange.operation.lifetime_seconds, now)
        if lifetime is None or lifetime or engine.settings.freshness_floor or conditional_headers(answer.headers):
            await _keep(exchange, answer, lifetime, store, asking)
        else:
            answer.fresh_until = now
    return answer


async def _keep(exchange: Exchange, answer: Answer, lifetime: float | None, store: CacheStore, asking: str) -> None:
    """Put an answer in its place."""
    if lifetime is None:
        if exchange.kept is not None or exchange.anew:  # what may not be kept now takes the place of what was
            await store.drop(place_of(exchange, exchange.call.path))
        return
    answer.fresh_until = (answer.given_at or 0.0) + lifetime
    if not could_be_json(answer) or exchange.overtaken or exchange.claim == NOT_OURS:
        return
    if exchange.in_passing and exchange.kept is None and not (exchange.anew and await store.get(exchange.key)):
        return  # nothing older is there that would be given in its place
    place = place_of(exchange, exchange.call.path)
    is_theirs = exchange.principal == asking  # whose answer it is was settled by the token that was sent
    if is_theirs and exchange.claim and exchange.engine.shared_cache is not None:
        claim, exchange.claim = exchange.claim, None
        await exchange.engine.shared_cache.put(exchange.key, answer, place, claim)
    else:
        await store.put(exchange.key if is_theirs else exchange.cache_key, answer, place)
    if exchange.overtaken:  # while it was being put: the write may have dropped before that
        await store.drop(place)


def _stand_in(exchange: Exchange, asking: str) -> Answer | None:
    """The kept answer, if it may be given in place of one that did not come."""
    kept, now = exchange.kept, exchange.runtime.now()
    if kept is None or kept.fresh_until is None or exchange.overtaken or exchange.principal != asking:
        return None
    if now > kept.fresh_until + exchange.terms.stale_if_error:
        return None
    return Answer(kept.status, kept.headers, kept.body, "stale", kept.fresh_until, now)


async def _given(exchange: Exchange, kept: Answer, status: int, message: str) -> Answer:
    """Count it and tell it."""
    exchange.engine.tally.stale += 1
    if STALE_SERVED.has_receivers:
        operation = exchange.operation
        now = exchange.runtime.now()
        payload = {
            "operation_id": operation.id,
            "url": exchange.url,
            "age_seconds": age_of(kept.headers, operation.lifetime_seconds, kept.fresh_until, now),
            "status_code": status,
            "message": message,
        }
        await exchange.runtime.tell(STALE_SERVED, payload)
    return kept


def could_be_json(answer: Answer) -> bool:
    """Whether a body is worth keeping: a captive portal's page, sent with 200, is not."""
    return answer.body[:1] not in (b"", b"<") or answer.status == 204
