"""Each exchange has leave of the ledger before it is sent, and is settled by its answer: no 429 is ever earned.

The ledger's store says yes, or how long to wait; who waits stands in line (`esipy.engine.lines`). A call that
would have to wait longer than its patience fails at once with the moment at which to come back (T30). What an answer
means for the ledger is `esipy.engine.settling`.
"""

from __future__ import annotations

import logging

from esipy.core.answer import Answer
from esipy.engine.exchange import Exchange, Proceed
from esipy.engine.ledger import Ledger
from esipy.engine.lines import Place
from esipy.engine.resting import hold
from esipy.engine.settling import give_back, settle, settled_at_once
from esipy.events import RATE_LIMIT_WAIT
from esipy.exceptions import ErrorLimitedError, LimitedError, NetworkError, RateLimitedError
from esipy.stores.base import Ask, Grant, Wait

__all__ = ["limiting"]

LOGGER = logging.getLogger("esipy.client")
LOGGED_SECONDS = 3.0

RECHECK_SECONDS = 0.05
LONGEST_RECHECK_SECONDS = 1.0
"""How often the first in line looks whether an answer that *another process* waits for has landed: nobody tells."""


async def limiting(exchange: Exchange, proceed: Proceed) -> Answer:
    ledger, operation = exchange.engine.ledger, exchange.operation
    route = ledger.route_ask(operation, exchange.terms) if operation.id in ledger.routes else None
    held = None if route is None else await _leave(exchange, route)
    grant: Grant | None = None
    try:
        if operation.base_url is None:  # another API's limits are not ESI's
            ask = ledger.ask_for(operation, exchange.counted_as, exchange.terms, exchange.runtime.now)
            grant = await _leave(exchange, ask)
    except BaseException:
        give_back(exchange, held, sent=False)
        raise
    try:
        answer = await proceed(exchange)
    except BaseException as error:
        sent = not isinstance(error, NetworkError) or error.sent
        give_back(exchange, held, sent=sent)
        give_back(exchange, grant, sent=sent)
        raise
    if held is not None or not settled_at_once(exchange, answer, grant):
        await settle(exchange, answer, grant, held)
    return answer


async def _leave(exchange: Exchange, ask: Ask) -> Grant:
    """Leave to send, at once or after waiting.

    Raises:
        LimitedError: it would take longer than the call has patience.
    """
    ledger, runtime, batch = exchange.engine.ledger, exchange.runtime, exchange.terms.batch
    lines = ledger.lines
    if not lines or ask.forced or not lines.must_wait(ask.bucket, runtime.strand().loop, batch=batch):
        got = await ledger.reserve(runtime, ask)
        if type(got) is Grant:
            return got
        assert isinstance(got, Wait)
        return await _wait(exchange, ask, got)
    return await _wait(exchange, ask, Wait(0.0))


async def _wait(exchange: Exchange, ask: Ask, first: Wait) -> Grant:
    """Stand in line for a bucket; the first in line sleeps until the moment that the store told it."""
    engine, runtime, terms = exchange.engine, exchange.runtime, exchange.terms
    ledger, lines = engine.ledger, engine.ledger.lines
    loop = runtime.strand().loop
    began = runtime.now()
    # An answer that has to come first is waited for even without patience: it is on its way.
    give_up_at = began + max(terms.max_wait, engine.settings.timeout)
    ahead = lines.ahead_of(ask.bucket, loop, batch=terms.batch)
    expected = await ledger.do(runtime, ledger.store.wait_for, ask, ahead + ask.cost)
    if not first.landing and expected.seconds < first.seconds:  # it is paced
        expected = first
    if expected.seconds > terms.max_wait:
        raise _too_long(exchange, ask, expected)
    if expected.seconds >= LOGGED_SECONDS:
        LOGGER.info("%s waits %.0f s for %s", exchange.operation.name, expected.seconds, ledger.shown(ask.bucket))
    if RATE_LIMIT_WAIT.has_receivers:
        payload = {
            "bucket": ledger.shown(ask.bucket),
            "wait_seconds": expected.seconds,
            "waiting": lines.waiting(ask.bucket) + 1,
            "operation_id": exchange.operation.id,
            "priority": "batch" if terms.batch else "interactive",
        }
        await runtime.tell(RATE_LIMIT_WAIT, payload)  # before it stands in line: a receiver may call ESI itself
    place = Place(ask.cost, batch=terms.batch)
    line = lines.join(ask.bucket, loop, place)
    recheck_seconds = RECHECK_SECONDS
    try:
        while True:
            turn = lines.turn(place)
            pause_seconds = give_up_at - runtime.now()
            if line.first is place:
                hold(exchange)
                got = await ledger.reserve(runtime, ask)
                if type(got) is Grant:
                    return got
                assert isinstance(got, Wait)
                if not got.landing and runtime.now() - began + got.seconds > terms.max_wait:
                    raise _too_long(exchange, ask, got)
                pause_seconds = min(pause_seconds, got.seconds)
                if got.others:
                    pause_seconds = min(pause_seconds, recheck_seconds)
                    recheck_seconds = min(2 * recheck_seconds, LONGEST_RECHECK_SECONDS)
            try:
                await runtime.join(turn, max(pause_seconds, 0.0))
            except TimeoutError:
                if runtime.now() >= give_up_at:
                    raise _too_long(exchange, ask, Wait(0.0)) from None
    finally:
        lines.leave(ask.bucket, loop, place)


def _too_long(exchange: Exchange, ask: Ask, wait: Wait) -> LimitedError:
    """The error that carries the moment at which to come back (T30)."""
    ledger: Ledger = exchange.engine.ledger
    errors = wait.everyone or ask.bucket == ledger.errors
    status, kind = (420, ErrorLimitedError) if errors else (429, RateLimitedError)
    why = "ESI asked everyone to wait" if wait.everyone else f"{ledger.shown(ask.bucket)} has nothing left"
    way_out = (
        "come back then, or take another policy than 'fail'"
        if exchange.terms.policy == "fail"
        else f"longer than max_wait={exchange.terms.max_wait:.0f}. Come back then, or raise max_wait"
    )
    error = kind(
        exchange.url,
        status,
        message=f"{exchange.operation.name}: {why} for {wait.seconds:.0f} s; nothing was sent: {way_out}",
    )
    error.retry_at = exchange.runtime.now() + wait.seconds
    return error
