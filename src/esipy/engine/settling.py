"""What an answer means for the ledger: its cost, what its headers tell, and what a refusal blocks.

Whatever happens, what was reserved is settled: an exchange without an answer costs the most that it can, unless it
is certain that nothing was sent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from esipy.core.answer import Answer
from esipy.core.buckets import CALL_COST, WORST_COST
from esipy.core.limits import ERROR_LIMIT, cost_of, error_cost_of, errors_told, is_refusal, limit_headers, rate_told
from esipy.core.moments import not_before
from esipy.core.retries import LIMITED, retry_after
from esipy.engine.exchange import Exchange
from esipy.events import ERROR_LIMIT_LOW, ERROR_LIMITED, LIMIT_CHANGED, RATE_LIMITED, Signal
from esipy.operation import RateGroup
from esipy.stores.base import NOTHING_TOLD, Ask, Reservation, Told

__all__ = ["Leave", "give_back", "settle", "settled_at_once"]

News = tuple[Signal[...], dict[str, Any]]
"""A signal that is to be sent, and what it says."""

SHORTEST_WAIT_SECONDS = 1.0
"""No wait that ESI names is taken for less: moments are told in whole seconds."""

UNRESERVED_SECONDS = 1.0
"""How long nothing leaves from a bucket after the landing of a call that was not reserved there, while calls wait: then
others are under way, too."""

ERRORS_LEFT = "x-esi-error-limit-remain"

UNSAID_WAIT_SECONDS = 60.0
"""How long to wait when a 420, or a 429 with headers, does not say: the error window is one minute.

Source: ESI documentation, error limit.
"""


class Leave:
    """The leave that an exchange has, until it is settled or given back.

    Attributes:
        bucket: of its rate-limit group, or of the error limit.
        route: of the limiter of its route.
        group: that group, as it was known when it was asked at once for leave; None: it has none, or was not.
        changes: how often something had been learned of groups by then.
        told: it was said that the call has to wait.
    """

    __slots__ = ("bucket", "changes", "group", "route", "told")

    def __init__(self) -> None:
        self.bucket: Reservation | None = None
        self.route: Reservation | None = None
        self.group: RateGroup | None = None
        self.changes = 0
        self.told = False


def give_back(exchange: Exchange, leave: Leave, *, sent: bool) -> None:
    """Settle what is reserved for an exchange without an answer. Nothing is awaited: the caller may be cancelled."""
    reservations = leave.bucket, leave.route
    leave.bucket = leave.route = None
    for reservation in reservations:
        if reservation is not None:
            worst = reservation.ask.worst if sent else 0
            exchange.engine.ledger.settle_later(exchange.runtime, reservation, worst, answered=False)


def settled_at_once(exchange: Exchange, answer: Answer, leave: Leave) -> bool:
    """What `settle` does, for what nearly all answers are: good ones that tell what was known, by a store in memory."""
    ledger, status, reservation, group = exchange.engine.ledger, answer.status, leave.bucket, leave.group
    if reservation is None or group is None or status >= 400 or ledger.surprises or ledger.changes != leave.changes:
        return False
    rate = rate_told(answer.headers)
    if rate is None or ERRORS_LEFT in answer.headers.lowered:
        return False
    name, max_tokens, window_seconds, used = rate
    if name != group.name or max_tokens != group.max_tokens or window_seconds != group.window_seconds:
        return False
    leave.bucket = None
    spent = CALL_COST if status < 300 else cost_of(status)
    ledger.store.settle(reservation, spent, Told(used, max_tokens, float(window_seconds)))
    if ledger.lines.by_bucket:
        ledger.lines.wake(reservation.ask.bucket)
    return True


async def settle(exchange: Exchange, answer: Answer, leave: Leave) -> None:
    """Settle an exchange by its answer; signals are sent when all of that is done."""
    ledger, runtime, status = exchange.engine.ledger, exchange.runtime, answer.status
    refused = status in LIMITED or is_refusal(status, answer.body)
    if refused and ledger.store.remote:  # it holds for all who share the ledger, also if this caller is cancelled now
        heard = Leave()
        heard.bucket, heard.route = leave.bucket, leave.route
        leave.bucket = leave.route = None
        news = await runtime.finish(_settle(exchange, answer, heard, refused))
    else:
        news = await _settle(exchange, answer, leave, refused)
    for signal, payload in news:
        await runtime.tell(signal, payload)


async def _settle(exchange: Exchange, answer: Answer, leave: Leave, refused: bool) -> list[News]:
    """Settle all that is reserved, and block what is refused."""
    ledger, runtime = exchange.engine.ledger, exchange.runtime
    asked = _asked_seconds(answer, runtime.now()) if refused else None
    news: list[News] = []
    if leave.route is not None:
        route, leave.route = leave.route, None
        await ledger.settle(runtime, route, 1)
        if not refused and ledger.routes.passed(exchange.operation.id, runtime.now()):
            await _size_route(exchange)
    ask: Ask | None = None
    if leave.bucket is not None:
        ask = await _settle_bucket(exchange, answer, leave, asked, news)
    if refused:
        await _block(exchange, answer, ask, asked, news)
    return news


async def _settle_bucket(
    exchange: Exchange, answer: Answer, leave: Leave, asked: float | None, news: list[News]
) -> Ask:
    """Settle the bucket that has paid; gives what it would be asked. The headers name it, if they name any."""
    ledger, runtime, operation = exchange.engine.ledger, exchange.runtime, exchange.operation
    reservation, leave.bucket = leave.bucket, None
    assert reservation is not None
    status, ask, spent = answer.status, reservation.ask, cost_of(answer.status)
    rate = rate_told(answer.headers)
    if rate is not None:
        changed = ledger.learn(operation, rate)
        if changed is not None:
            news.append((LIMIT_CHANGED, changed))
            ledger.lines.wake_each()  # who waits may have to wait for something else
        paid = ledger.ask_for(operation, exchange.counted_as, exchange.terms, runtime.now)
        _, max_tokens, window_seconds, used = rate
        told = Told(used, max_tokens, float(window_seconds), asked)
        ledger.note(paid, operation, status, runtime.now())
        if paid.bucket == ask.bucket:
            await ledger.settle(runtime, reservation, spent, told)
        else:  # another than was believed
            paying = _pay_from(exchange, paid, reservation, spent, told)
            await (runtime.finish(paying) if ledger.store.remote else paying)  # in memory nobody comes between
        await _book_errors(exchange, answer, news)
        return paid
    if ask.bucket == ledger.errors:
        await ledger.settle(runtime, reservation, error_cost_of(status), _told_of_errors(exchange, answer, news))
        return ask
    ledger.note(ask, operation, status, runtime.now())
    await ledger.settle(runtime, reservation, spent)
    await _book_errors(exchange, answer, news)
    return ask


async def _pay_from(exchange: Exchange, paid: Ask, reservation: Reservation, spent: int, told: Told) -> None:
    """Give back what was reserved, and take from the bucket that has paid: both, whoever is cancelled meanwhile."""
    ledger, runtime, believed = exchange.engine.ledger, exchange.runtime, reservation.ask
    await ledger.settle(runtime, reservation, 0)
    await _book(exchange, paid, spent, told)
    left = (told.limit or paid.limit) - (told.used or 0)
    if left < believed.limit // believed.worst * WORST_COST:  # what may be under way might not fit
        rest_seconds = UNRESERVED_SECONDS if ledger.lines else 0.0  # afterwards one call finds out
        await ledger.do(runtime, ledger.store.block, paid.bucket, rest_seconds)


async def _book_errors(exchange: Exchange, answer: Answer, news: list[News]) -> None:
    """Settle the error limit by an answer that paid with tokens, and tells of errors all the same."""
    errors = _told_of_errors(exchange, answer, news)
    if errors is not NOTHING_TOLD:
        await _book(exchange, exchange.engine.ledger.error_ask, error_cost_of(answer.status), errors)


def _told_of_errors(exchange: Exchange, answer: Answer, news: list[News]) -> Told:
    """What the headers tell of the error limit; it is news when little is left of it."""
    errors = errors_told(answer.headers)
    if errors is None:
        return NOTHING_TOLD
    remain, reset_seconds = errors
    if exchange.engine.ledger.has_fallen(remain, exchange.runtime.now() + reset_seconds):
        news.append((ERROR_LIMIT_LOW, {"remain": remain, "reset_seconds": reset_seconds}))
    return Told(ERROR_LIMIT - remain, returns_in=reset_seconds)


async def _book(exchange: Exchange, ask: Ask, spent: int, told: Told) -> None:
    """Reserve and settle after the fact: whatever is full, and whatever gate is closed."""
    ledger, runtime = exchange.engine.ledger, exchange.runtime
    reservation = await ledger.reserve(runtime, replace(ask, forced=True, gate=""))
    if isinstance(reservation, Reservation):
        await ledger.settle(runtime, reservation, spent, told)


async def _block(exchange: Exchange, answer: Answer, ask: Ask | None, asked: float | None, news: list[News]) -> None:
    """ESI did not do it: nothing more leaves before the moment that it named, from this bucket or at all (T26, T27).

    A wait of no time is none that was named. A 520 comes from behind ESI's own limits, whatever headers it bears.
    """
    ledger, runtime, operation = exchange.engine.ledger, exchange.runtime, exchange.operation
    status = answer.status
    if status == 420 and operation.base_url is None:
        seconds = (UNSAID_WAIT_SECONDS if asked is None else asked) + SHORTEST_WAIT_SECONDS
        answer.retry_at = runtime.now() + seconds
        await ledger.do(runtime, ledger.store.block, ledger.gate, seconds)
        ledger.lines.wake_all()
        payload = {"url": exchange.url, "operation_id": operation.id, "retry_at": not_before(answer.retry_at)}
        news.append((ERROR_LIMITED, payload))
        return
    named = rate_told(answer.headers) is not None
    refused: Ask | None
    if status == 429 and ask is not None and ask.bucket != ledger.errors and named:
        refused, seconds = ask, max(UNSAID_WAIT_SECONDS if asked is None else asked, SHORTEST_WAIT_SECONDS)
    else:  # a limiter that has no bucket and no headers
        seconds = max(asked or 0.0, ledger.routes.refused(operation.id, runtime.now(), runtime.random()))
        refused = await _size_route(exchange, refused=True)
    if refused is None:
        return
    bucket = refused.bucket
    await ledger.do(runtime, ledger.store.block, bucket, seconds)
    # By what is used, or an earlier refusal: as one that does not leave in any case.
    held = await ledger.do(runtime, ledger.store.wait_for, replace(refused, forced=False), 1)
    answer.retry_at = runtime.now() + max(seconds, held.seconds)
    payload = {
        "bucket": ledger.shown(bucket),
        "headers": limit_headers(answer.headers),
        "operation_id": operation.id,
        "url": exchange.url,
        "retry_at": not_before(answer.retry_at),
    }
    news.append((RATE_LIMITED, payload))


async def _size_route(exchange: Exchange, *, refused: bool = False) -> Ask | None:
    """Give the limiter of a route the size that is now believed; gives what it is asked, None: it is trusted again."""
    ledger = exchange.engine.ledger
    ask = ledger.route_ask(exchange.operation, exchange.terms)
    if ask is not None:
        await ledger.do(exchange.runtime, ledger.store.resize, ask, ask.limit, refused)
    return ask


def _asked_seconds(answer: Answer, now: float) -> float | None:
    """How long a refusal asks to wait; None when it does not say. Of two moments the later counts."""
    asked = retry_after(answer.headers, now)
    errors = errors_told(answer.headers) if answer.status == 420 else None
    return asked if errors is None else max(errors[1], asked or 0.0)
