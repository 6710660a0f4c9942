"""What an answer means for the ledger: its cost, what its headers tell, and what a refusal blocks.

Whatever happens, what was reserved is settled: an exchange without an answer costs the most that it can, unless it
is certain that nothing was sent.
"""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.core.buckets import CALL_COST
from esipy.core.limits import ERROR_LIMIT, cost_of, error_cost_of, errors_told, is_refusal, limit_headers, rate_told
from esipy.core.retries import retry_after
from esipy.engine.exchange import Exchange
from esipy.events import ERROR_LIMIT_LOW, ERROR_LIMITED, LIMIT_CHANGED, RATE_LIMITED
from esipy.stores.base import NOTHING_TOLD, Ask, Grant, Told

__all__ = ["give_back", "settle", "settled_at_once"]

UNSAID_WAIT_SECONDS = 60.0
"""How long to wait when a 420, or a 429 with headers, does not say: the error window is one minute.

Source: ESI documentation, error limit.
"""


def give_back(exchange: Exchange, grant: Grant | None, *, sent: bool) -> None:
    """Settle what was reserved for an exchange that has no answer. Nothing is awaited: the caller may be cancelled."""
    if grant is None:
        return
    ledger = exchange.engine.ledger
    ledger.do_later(exchange.runtime, ledger.store.settle, grant, grant.ask.worst if sent else 0, NOTHING_TOLD, False)
    ledger.lines.wake(grant.ask.bucket)


def settled_at_once(exchange: Exchange, answer: Answer, grant: Grant | None) -> bool:
    """What `settle` does, for what nearly all answers are: good ones that tell what was known, by a store in memory."""
    ledger, status = exchange.engine.ledger, answer.status
    if grant is None or ledger.store.remote or status >= 400 or ledger.surprises:
        return False
    rate = rate_told(answer.headers)
    if rate is None or not ledger.believes(exchange.operation, rate) or grant.ask.worst == 1:
        return False
    ledger.store.settle(grant, cost_of(status), Told(rate.used, rate.max_tokens, float(rate.window_seconds)))
    if ledger.lines:
        ledger.lines.wake(grant.ask.bucket)
    return True


async def settle(exchange: Exchange, answer: Answer, grant: Grant | None, held: Grant | None) -> None:
    """Settle an exchange by its answer. ``grant``: of its bucket; ``held``: of the limiter of its route."""
    ledger, runtime, status = exchange.engine.ledger, exchange.runtime, answer.status
    refused = status in (420, 429, 520) and (status != 520 or is_refusal(status, answer.body))
    asked = _asked_seconds(answer, runtime.now()) if refused else None
    if held is not None:
        await ledger.do(runtime, ledger.store.settle, held, 1, NOTHING_TOLD)
        ledger.lines.wake(held.ask.bucket)
        if not refused and ledger.routes.passed(exchange.operation.id, runtime.now()):
            await _size_route(exchange)
    if grant is not None:
        ask = grant.ask
        if ask.bucket == ledger.errors:
            ask = await _settle_error(exchange, answer, grant)
        else:
            ask = await _settle_tokens(exchange, answer, grant, asked)
        ledger.lines.wake(grant.ask.bucket)
        if refused:
            await _block(exchange, answer, ask, asked)
    elif refused:
        await _block(exchange, answer, None, asked)


async def _settle_tokens(exchange: Exchange, answer: Answer, grant: Grant, asked: float | None) -> Ask:
    """Settle a call of a group; gives the ask of the bucket in which it was counted."""
    ledger, runtime, operation = exchange.engine.ledger, exchange.runtime, exchange.operation
    status, ask = answer.status, grant.ask
    spent = cost_of(status)
    if spent != CALL_COST or ledger.surprises:
        ledger.note(ask, operation, status, runtime.now())
    rate = rate_told(answer.headers)
    if rate is None:
        await ledger.do(runtime, ledger.store.settle, grant, spent, NOTHING_TOLD)
        if status >= 400 and errors_told(answer.headers) is not None:  # it counts there all the same
            await _count_error(exchange, answer, await _forced(exchange, ledger.error_ask))
        return ask
    news = ledger.learn(operation, rate)
    if news is not None:
        await runtime.tell(LIMIT_CHANGED, news)
    told = Told(rate.used, rate.max_tokens, float(rate.window_seconds), asked)
    counted: Grant = grant
    if news is not None and rate.group != news["previous_group"]:  # another bucket than was believed has paid
        await ledger.do(runtime, ledger.store.settle, grant, 0, NOTHING_TOLD)
        counted = await _forced(exchange, ledger.ask_for(operation, exchange.counted_as, exchange.terms, runtime.now))
    await ledger.do(runtime, ledger.store.settle, counted, spent, told)
    return counted.ask


async def _settle_error(exchange: Exchange, answer: Answer, grant: Grant) -> Ask:
    """Settle a call without a group against the error limit; gives the ask of the bucket in which it was counted."""
    ledger, runtime = exchange.engine.ledger, exchange.runtime
    rate = rate_told(answer.headers)
    if rate is not None:  # it has a group after all
        await ledger.do(runtime, ledger.store.settle, grant, 0, NOTHING_TOLD)
        news = ledger.learn(exchange.operation, rate)
        if news is not None:
            await runtime.tell(LIMIT_CHANGED, news)
        ask = ledger.ask_for(exchange.operation, exchange.counted_as, exchange.terms, runtime.now)
        told = Told(rate.used, rate.max_tokens, float(rate.window_seconds))
        await ledger.do(runtime, ledger.store.settle, await _forced(exchange, ask), cost_of(answer.status), told)
        return ask
    await _count_error(exchange, answer, grant)
    return grant.ask


async def _count_error(exchange: Exchange, answer: Answer, grant: Grant) -> None:
    """Settle against the error limit, by status and headers; tells when little is left of it."""
    ledger, runtime = exchange.engine.ledger, exchange.runtime
    errors = errors_told(answer.headers)
    told = NOTHING_TOLD
    if errors is not None:
        remain, reset_seconds = errors
        told = Told(ERROR_LIMIT - remain, returns_in=reset_seconds)
        if ledger.has_fallen(remain, runtime.now() + reset_seconds):
            await runtime.tell(ERROR_LIMIT_LOW, {"remain": remain, "reset_seconds": reset_seconds})
    await ledger.do(runtime, ledger.store.settle, grant, error_cost_of(answer.status), told)


async def _forced(exchange: Exchange, ask: Ask) -> Grant:
    """A reservation after the fact."""
    ledger = exchange.engine.ledger
    grant = await ledger.do(exchange.runtime, ledger.store.reserve, ask._replace(forced=True))
    assert isinstance(grant, Grant)
    return grant


async def _block(exchange: Exchange, answer: Answer, ask: Ask | None, asked: float | None) -> None:
    """ESI did not do it: nothing more leaves before the moment that it named, from this bucket or at all (T26, T27)."""
    ledger, runtime, operation = exchange.engine.ledger, exchange.runtime, exchange.operation
    if answer.status == 420 and operation.base_url is None:
        answer.retry_at = await _until(exchange, ledger.gate, UNSAID_WAIT_SECONDS if asked is None else asked)
        ledger.lines.wake_all()
        payload = {"url": exchange.url, "operation_id": operation.id, "retry_at": answer.retry_at}
        await runtime.tell(ERROR_LIMITED, payload)
        return
    told = rate_told(answer.headers)
    if ask is not None and ask.bucket != ledger.errors and (told is not None or asked is not None):
        bucket, seconds = ask.bucket, UNSAID_WAIT_SECONDS if asked is None else asked
    else:  # a limiter that has no bucket and no headers
        rest_seconds = ledger.routes.refused(operation.id, runtime.now(), runtime.random())
        seconds = rest_seconds if asked is None else asked
        bucket = await _size_route(exchange)
    answer.retry_at = await _until(exchange, bucket, seconds)
    if RATE_LIMITED.has_receivers:
        payload = {
            "bucket": ledger.shown(bucket),
            "headers": limit_headers(answer.headers),
            "operation_id": operation.id,
            "url": exchange.url,
            "retry_at": answer.retry_at,
        }
        await runtime.tell(RATE_LIMITED, payload)


async def _until(exchange: Exchange, name: str, seconds: float) -> float:
    """Block a bucket, or the gate; gives the moment at which it opens."""
    ledger, runtime = exchange.engine.ledger, exchange.runtime
    await ledger.do(runtime, ledger.store.block, name, seconds)
    return runtime.now() + seconds


async def _size_route(exchange: Exchange) -> str:
    """Give the limiter of a route the size that is now believed; gives its bucket's name."""
    ledger = exchange.engine.ledger
    ask = ledger.route_ask(exchange.operation, exchange.terms)
    if ask is None:  # it is trusted again
        return ""
    await ledger.do(exchange.runtime, ledger.store.resize, ask, ask.limit)
    return ask.bucket


def _asked_seconds(answer: Answer, now: float) -> float | None:
    """How long a refusal asks to wait; None when it does not say."""
    asked = retry_after(answer.headers, now)
    if asked is None and answer.status == 420:
        errors = errors_told(answer.headers)
        return None if errors is None else errors[1]
    return asked
