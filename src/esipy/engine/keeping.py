"""What came is kept; what is kept is confirmed by a 304, and stands in for what did not come.

A kept answer is given as ``stale`` when ESI does not answer: a status of 502 to 504, a broken or timed-out connection, or
the daily downtime; for `Settings.stale_if_error` seconds after it ceased to be fresh, and never for an error that is
the caller's (4xx). Source: RFC 5861 section 4.
"""

from __future__ import annotations

from collections.abc import Awaitable

from esipy.core.answer import Answer
from esipy.core.freshness import age_of, conditional_headers, lifetime_of, refresh
from esipy.engine.caching import place_of
from esipy.engine.exchange import NOT_OURS, Exchange, Proceed
from esipy.events import STALE_SERVED
from esipy.exceptions import APIException, AnswerTooLargeError, DowntimeError, NetworkError
from esipy.stores.base import CacheStore
from esipy.stores.flights import has_flights

__all__ = ["could_be_json", "keeping"]

DOWN = frozenset({502, 503, 504})
"""Answers of who stands before ESI, when ESI itself does not answer."""


def keeping(exchange: Exchange, proceed: Proceed) -> Awaitable[Answer]:
    store = exchange.engine.cache
    return _keeping(exchange, proceed, store) if exchange.key and store is not None else proceed(exchange)


async def _keeping(exchange: Exchange, proceed: Proceed, store: CacheStore) -> Answer:
    asking, tally = exchange.principal, exchange.engine.tally
    try:
        answer = await proceed(exchange)
    except (NetworkError, DowntimeError) as error:
        kept = None if isinstance(error, AnswerTooLargeError) else _stand_in(exchange, asking)
        if kept is None:
            tally.missed()
            raise
        await _tell(exchange, kept, error.status_code, str(error))
        tally.stale()
        return kept
    if answer.status in DOWN:
        kept = _stand_in(exchange, asking)
        if kept is not None:
            await _tell(exchange, kept, answer.status, f"ESI answered {answer.status}")
            tally.stale()
            return kept
    kept_answer = await _keep(exchange, answer, store, exchange.principal == asking)
    if kept_answer.source == "revalidated" or kept_answer.status == 304:
        tally.revalidated()
    else:
        tally.missed()
    return kept_answer


async def _keep(exchange: Exchange, answer: Answer, store: CacheStore, is_theirs: bool) -> Answer:
    """Put what came in its place, and give what the call is answered."""
    operation, kept = exchange.operation, exchange.kept
    now = answer.given_at = exchange.runtime.now()
    confirmed: Answer | None = None
    if answer.status == 304 and kept is not None:
        headers, lifetime = refresh(kept.headers, answer.headers, operation.lifetime_seconds, now)
        confirmed, answer = answer, Answer(kept.status, headers, kept.body, "revalidated", given_at=now)
    elif answer.status in operation.statuses:
        lifetime = lifetime_of(answer.headers, operation.lifetime_seconds, now)
    else:
        return answer  # what is kept stays: an error says nothing about it
    place = place_of(exchange, exchange.call.path)
    if lifetime is None:
        if kept is not None or exchange.anew:  # what may not be kept now takes the place of what was
            await store.drop(place)
        return answer
    answer.fresh_until = now + lifetime
    worth_it = lifetime > 0 or exchange.engine.settings.freshness_floor or conditional_headers(answer.headers)
    if worth_it and could_be_json(answer) and not exchange.overtaken and exchange.claim != NOT_OURS:
        # Whose answer it is was settled by the token that was sent.
        key = exchange.key if is_theirs else exchange.cache_key
        if is_theirs and exchange.claim and has_flights(store):
            claim, exchange.claim = exchange.claim, None
            await store.put(key, answer, place, claim)
        else:
            await store.put(key, answer, place)
        if exchange.overtaken:  # while it was being put: the write may have dropped before that
            await store.drop(place)
    return answer if confirmed is None or not exchange.engine.no_etag_body else confirmed


def _stand_in(exchange: Exchange, asking: str) -> Answer | None:
    """The kept answer, if it may be given in place of one that did not come."""
    kept, now = exchange.kept, exchange.runtime.now()
    if kept is None or kept.fresh_until is None or exchange.overtaken or exchange.principal != asking:
        return None
    if now > kept.fresh_until + exchange.engine.settings.stale_if_error:
        return None
    return Answer(kept.status, kept.headers, kept.body, "stale", kept.fresh_until, now)


async def _tell(exchange: Exchange, kept: Answer, status: int, message: str) -> None:
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


def could_be_json(answer: Answer) -> bool:
    """Whether a body is worth keeping: a captive portal's page, sent with 200, is not."""
    return answer.body[:1] not in (b"", b"<") or answer.status == 204
