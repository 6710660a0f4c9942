"""Each exchange has leave of the ledger before it is sent, and is settled by its answer: no 429 is ever earned.

The ledger's store says yes, or how long to wait; who waits stands in line (`esipy.engine.lines`). A call that
would have to wait longer than its patience fails at once with the moment at which to come back (T30). What an answer
means for the ledger is `esipy.engine.settling`.
"""

from __future__ import annotations

import logging

from esipy.core.answer import Answer
from esipy.core.moments import not_before
from esipy.engine.exchange import Exchange, Proceed
from esipy.engine.lines import Place
from esipy.engine.resting import hold
from esipy.engine.settling import Leave, give_back, settle, settled_at_once
from esipy.events import RATE_LIMIT_WAIT
from esipy.exceptions import ErrorLimitedError, LimitedError, NetworkError, RateLimitedError
from esipy.stores.base import Ask, Reservation, Wait

__all__ = ["limiting"]

LOGGER = logging.getLogger("esipy.client")
LOGGED_SECONDS = 3.0

RECHECK_SECONDS = 0.05
LONGEST_RECHECK_SECONDS = 1.0
"""How often the first in line looks whether an answer that *another process* waits for has landed: nobody tells."""


async def limiting(proceed: Proceed, exchange: Exchange) -> Answer:
    leave = Leave()
    sent = False
    try:
        got = _asked_at_once(exchange, leave)
        if isinstance(got, Reservation):
            leave.bucket = got
        else:
            await _take_leave(exchange, leave, got)
        sent = True
        answer = await proceed(exchange)
        if leave.route is not None or not settled_at_once(exchange, answer, leave):
            await settle(exchange, answer, leave)
        return answer
    except NetworkError as error:
        sent = error.sent
        raise
    finally:
        if leave.bucket is not None or leave.route is not None:
            give_back(exchange, leave, sent=sent)


def _asked_at_once(exchange: Exchange, leave: Leave) -> Reservation | Wait | None:
    """What a bucket in memory says to nearly all calls: those that nothing else limits, while nobody waits.

    None: it is not asked like that.
    """
    ledger, operation = exchange.engine.ledger, exchange.operation
    store = ledger.store
    if store.remote or ledger.lines.by_bucket or operation.id in ledger.routes or operation.base_url is not None:
        return None
    leave.changes, leave.group = ledger.changes, ledger.group_of(operation)
    ask = ledger.ask_of(leave.group, operation, exchange.counted_as, exchange.terms, exchange.runtime.now)
    return store.reserve(ask)


async def _take_leave(exchange: Exchange, leave: Leave, first: Wait | None) -> None:
    """Leave of all that limits the call: its bucket, and the limiter of its route where one is known.

    Who waits for the one does not hold the other meanwhile, or a character without tokens would stop everyone on the
    route (T26).

    Args:
        first: what the bucket has said already; None: it was not asked yet.

    Raises:
        LimitedError: it would take longer than the call has patience.
    """
    ledger, operation = exchange.engine.ledger, exchange.operation
    leave.changes = ledger.changes
    route = ledger.route_ask(operation, exchange.terms) if operation.id in ledger.routes else None
    if operation.base_url is not None:  # another API's limits are not ESI's
        leave.route = None if route is None else await _leave(exchange, route)
        return
    ask = ledger.ask_for(operation, exchange.counted_as, exchange.terms, exchange.runtime.now)
    leave.bucket = await (_leave(exchange, ask) if first is None else _wait(exchange, ask, first))
    while route is not None:
        got = await _ask(exchange, route)
        if isinstance(got, Reservation):
            leave.route = got
            return
        give_back(exchange, leave, sent=False)
        leave.route = await _wait(exchange, route, got)
        got = await _ask(exchange, ask)
        if isinstance(got, Reservation):
            leave.bucket = got
            return
        give_back(exchange, leave, sent=False)
        leave.bucket = await _wait(exchange, ask, got)


async def _leave(exchange: Exchange, ask: Ask) -> Reservation:
    """Leave to send, at once or after waiting."""
    got = await _ask(exchange, ask)
    return got if isinstance(got, Reservation) else await _wait(exchange, ask, got)


async def _ask(exchange: Exchange, ask: Ask) -> Reservation | Wait:
    """Leave to send, if nobody is before this call and there are tokens for it."""
    ledger, runtime = exchange.engine.ledger, exchange.runtime
    lines = ledger.lines
    if lines and not ask.forced and lines.must_wait(ask.bucket, runtime.strand().loop, batch=exchange.terms.batch):
        return Wait(0.0)
    return await ledger.reserve(runtime, ask)


async def _wait(exchange: Exchange, ask: Ask, first: Wait) -> Reservation:
    """Stand in line for a bucket; the first in line sleeps until the moment that the store told it."""
    runtime, terms, ledger = exchange.runtime, exchange.terms, exchange.engine.ledger
    lines, loop, now = ledger.lines, exchange.runtime.strand().loop, exchange.runtime.now
    if exchange.patient_until is None:  # all that a call waits for counts together
        exchange.patient_until = now() + terms.max_wait
    patient_until = exchange.patient_until
    await _announce(exchange, ask, first)
    # An answer that has to come first is waited for even without patience: it is on its way.
    give_up_at = max(patient_until, now() + exchange.engine.settings.timeout)
    place = Place(ask.cost, batch=terms.batch)
    line = lines.join(ask.bucket, loop, place)
    recheck_seconds = RECHECK_SECONDS
    try:
        while True:
            turn = lines.turn(place)
            pause_seconds = give_up_at - now()
            if line.first is place:
                hold(exchange)
                got = await ledger.reserve(runtime, ask)
                if isinstance(got, Reservation):
                    return got
                if not got.landing and now() + got.seconds > patient_until:
                    raise _too_long(exchange, ask, got)
                pause_seconds = min(pause_seconds, got.seconds)
                if got.ask_again_in is not None:
                    pause_seconds = min(pause_seconds, got.ask_again_in)
                if got.others:
                    pause_seconds = min(pause_seconds, recheck_seconds)
                    recheck_seconds = min(2 * recheck_seconds, LONGEST_RECHECK_SECONDS)
            elif patient_until < give_up_at:
                pause_seconds = min(pause_seconds, max(patient_until - now(), LONGEST_RECHECK_SECONDS))
            try:
                await runtime.join(turn, max(pause_seconds, 0.0))
            except TimeoutError:
                if now() >= patient_until and (line.first is not place or now() >= give_up_at):
                    left = await _expected(exchange, ask, lines.before(ask.bucket, loop, place))
                    if left.seconds > 0 or now() >= give_up_at:
                        raise _too_long(exchange, ask, left) from None
    finally:
        lines.leave(ask.bucket, loop, place)


async def _announce(exchange: Exchange, ask: Ask, first: Wait) -> None:
    """Say how long a call will have to wait, before it stands in line: a receiver may call ESI itself.

    Raises:
        LimitedError: that is longer than its patience.
    """
    runtime, terms, ledger = exchange.runtime, exchange.terms, exchange.engine.ledger
    ahead = ledger.lines.ahead_of(ask.bucket, runtime.strand().loop, batch=terms.batch)
    expected = await _expected(exchange, ask, ahead)
    if not first.landing and expected.seconds < first.seconds:  # it is paced
        expected = first
    if expected.seconds > 0 and runtime.now() + expected.seconds > (exchange.patient_until or 0.0):
        raise _too_long(exchange, ask, expected)
    if expected.seconds >= LOGGED_SECONDS and not ledger.lines.waiting(ask.bucket):  # once for a line
        LOGGER.info("%s waits %.0f s for %s", exchange.operation.name, expected.seconds, ledger.shown(ask.bucket))
    if expected.seconds > 0 and RATE_LIMIT_WAIT.has_receivers:
        payload = {
            "bucket": ledger.shown(ask.bucket),
            "wait_seconds": expected.seconds,
            "waiting": ledger.lines.waiting(ask.bucket) + 1,
            "operation_id": exchange.operation.id,
            "priority": "batch" if terms.batch else "interactive",
        }
        await runtime.tell(RATE_LIMIT_WAIT, payload)


async def _expected(exchange: Exchange, ask: Ask, ahead: int) -> Wait:
    """How long a call will wait with so many tokens asked for before it."""
    ledger = exchange.engine.ledger
    return await ledger.do(exchange.runtime, ledger.store.wait_for, ask, ahead + ask.cost)


def _too_long(exchange: Exchange, ask: Ask, wait: Wait) -> LimitedError:
    """The error that carries the moment at which to come back (T30)."""
    ledger = exchange.engine.ledger
    errors = wait.everyone or ask.bucket == ledger.errors
    status, kind = (420, ErrorLimitedError) if errors else (429, RateLimitedError)
    why = "ESI asked everyone to wait" if wait.everyone else f"{ledger.shown(ask.bucket)} holds it back"
    if wait.seconds <= 0:
        why = f"{ledger.shown(ask.bucket)} has calls under way that are not answered; it waited"
    way_out = (
        "come back then, or take another policy than 'fail'"
        if exchange.terms.policy == "fail"
        else f"longer than max_wait={exchange.terms.max_wait:g}. Come back then, or raise max_wait"
    )
    error = kind(
        exchange.url,
        status,
        message=f"{exchange.operation.name}: {why} for {wait.seconds:.0f} s; nothing was sent: {way_out}",
    )
    error.retry_at = not_before(exchange.runtime.now() + wait.seconds)
    return error
