"""Calls that wait for a limit: they stand in line (`esipy.engine.lines`), and say so.

A call that would have to wait longer than its patience fails at once with the moment at which to come back (T30); an
answer of a call under way is waited for all the same, where it decides: it is on its way. If it only turns out then
that the line waits for time, who has no patience for that fails then.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from esipy.core.moments import not_before
from esipy.engine.exchange import Exchange
from esipy.engine.queues import Line, Place
from esipy.engine.resting import hold
from esipy.engine.settling import Leave
from esipy.events import RATE_LIMIT_WAIT
from esipy.exceptions import ErrorLimitedError, LimitedError, RateLimitedError
from esipy.stores.base import Ask, Reservation, Wait

__all__ = ["asks_of", "stand_in_line"]

LOGGER = logging.getLogger("esipy.client")
LOGGED_SECONDS = 3.0

TOLD_SECONDS = 1.0
"""After so long it is told of a call that it waits, also if that is only for answers: these mostly come at once."""

SHORTEST_PAUSE_SECONDS = 0.001
"""A clock may come a little short of the moment that was slept for: no program goes round at once."""

RECHECK_SECONDS = 0.05
LONGEST_RECHECK_SECONDS = 1.0
"""How often the first in line looks whether an answer that *another process* waits for has landed: nobody tells."""


def asks_of(exchange: Exchange) -> tuple[Ask | None, Ask | None]:
    """What a call asks for, as far as is known now: of its bucket, and of the limiter of its route."""
    ledger, operation = exchange.engine.ledger, exchange.operation
    route = ledger.route_ask(operation, exchange.terms) if operation.id in ledger.routes else None
    if operation.base_url is not None:  # another API's limits are not ESI's
        return None, route
    return ledger.ask_for(operation, exchange.counted_as, exchange.terms, exchange.runtime.now), route


async def stand_in_line(exchange: Exchange, leave: Leave, ask: Ask, first: Wait) -> Reservation | None:
    """Wait for leave; the first in line sleeps until the moment that the store told it.

    Args:
        first: what was said to it before.

    Returns:
        None: what was learned meanwhile has it ask for something else.

    Raises:
        LimitedError: it would take longer than the call has patience.
    """
    runtime, terms, ledger = exchange.runtime, exchange.terms, exchange.engine.ledger
    lines, loop, now = ledger.lines, exchange.runtime.strand().loop, exchange.runtime.now
    if exchange.patient_until is None:  # all that a call waits for counts together
        exchange.patient_until = now() + terms.max_wait
    patient_until, joined_at = exchange.patient_until, now()
    give_up_at = max(patient_until, joined_at + exchange.engine.settings.timeout)
    tokens = 0 if ask.forced else ask.cost
    place = Place(tokens, terms.rank, came=exchange.came, patient_until=patient_until)
    line = lines.join(ask.bucket, loop, place)
    exchange.came = place.came
    recheck_seconds, pace_seconds, granted = RECHECK_SECONDS, 0.0, False
    try:
        expected = await _expected(exchange, ask, line, place)
        if not first.landing and expected.seconds < first.seconds:  # it is paced
            expected = first
        await _consider(exchange, leave, ask, expected, line, place)
        place.told = place.told or leave.told  # who is first may have woken it meanwhile
        while True:
            turn = lines.turn(place)
            asked = _asks_now(exchange, leave, ask)
            if asked is None:
                return None
            ask = asked
            pause_seconds = give_up_at - now()
            if ask.forced or lines.is_first(line, place, now()):
                hold(exchange)
                lines.ask(line, place)
                got = await ledger.reserve(runtime, ask)
                if isinstance(got, Reservation):
                    granted = True
                    return got
                pause_seconds = min(pause_seconds, got.seconds)
                if got.ask_again_in is not None:
                    pause_seconds = min(pause_seconds, got.ask_again_in)
                if got.others:
                    pause_seconds = min(pause_seconds, recheck_seconds)
                    recheck_seconds = min(2 * recheck_seconds, LONGEST_RECHECK_SECONDS)
                if got.landing:
                    lines.hold(line, place, None)
                else:
                    # While it is first: what one before it was told may be long past.
                    rests, pace_seconds = await _own_terms(exchange, ask, got, pace_seconds)
                    until, again_at = now() + got.seconds, now() + pause_seconds
                    lines.hold(line, place, until, pace_seconds, rests=rests, ask_again_at=again_at)
                    await _consider(exchange, leave, ask, got, line, place)
            elif place.told:
                expected = await _expected(exchange, ask, line, place)
                await _consider(exchange, leave, ask, expected, line, place)
            rests_until = lines.rests_until(line, place)
            if rests_until is not None:
                pause_seconds = min(pause_seconds, max(rests_until - now(), SHORTEST_PAUSE_SECONDS))
            if now() < patient_until:
                pause_seconds = min(pause_seconds, patient_until - now())
            if not leave.told:
                pause_seconds = min(pause_seconds, joined_at + TOLD_SECONDS - now())
            try:
                await runtime.join(turn, max(pause_seconds, 0.0))
            except TimeoutError:
                if not leave.told and now() >= joined_at + TOLD_SECONDS:
                    await _tell(exchange, leave, ask, 0.0, line, place)
                elif now() >= patient_until and (now() >= give_up_at or not lines.is_first(line, place, now())):
                    lines.look(line, place)
                    left = await _expected(exchange, ask, line, place)
                    if left.seconds > 0 or now() >= give_up_at:
                        raise _too_long(exchange, ask, left, now() - joined_at) from None
    finally:
        lines.leave(ask.bucket, loop, place, granted)


def _asks_now(exchange: Exchange, leave: Leave, ask: Ask) -> Ask | None:
    """What the call asks for now in the line where it stands; None: it has to stand elsewhere."""
    changes = exchange.engine.ledger.changes
    if leave.changes == changes:
        return ask
    for asked in asks_of(exchange):
        if asked is not None and asked.bucket == ask.bucket and asked.cost == ask.cost:
            leave.changes = changes
            return asked
    return None


async def _consider(exchange: Exchange, leave: Leave, ask: Ask, wait: Wait, line: Line, place: Place) -> None:
    """Say how long a call will have to wait, if that is known.

    Raises:
        LimitedError: that is longer than its patience.
    """
    if wait.seconds <= 0:
        return
    if exchange.runtime.now() + wait.seconds > (exchange.patient_until or 0.0):
        raise _too_long(exchange, ask, wait)
    if not leave.told:
        await _tell(exchange, leave, ask, wait.seconds, line, place)


async def _tell(exchange: Exchange, leave: Leave, ask: Ask, wait_seconds: float, line: Line, place: Place) -> None:
    """Say once that a call waits, stepping aside in its line: a receiver may call ESI itself."""
    runtime, lines = exchange.runtime, exchange.engine.ledger.lines
    leave.told = True
    shown, waiting = exchange.engine.ledger.shown(ask.bucket), lines.waiting(ask.bucket)
    if wait_seconds >= LOGGED_SECONDS and waiting == 1:  # once for a line
        LOGGER.info("%s waits %.0f s for %s", exchange.operation.name, wait_seconds, shown)
    if not RATE_LIMIT_WAIT.has_receivers:
        return
    payload = {
        "bucket": shown,
        "wait_seconds": wait_seconds,
        "waiting": waiting,
        "operation_id": exchange.operation.id,
        "priority": "batch" if exchange.terms.batch else "interactive",
    }
    lines.step_aside(line, place, True)
    try:
        await runtime.tell(RATE_LIMIT_WAIT, payload)
    finally:
        lines.step_aside(line, place, False)


async def _expected(exchange: Exchange, ask: Ask, line: Line, place: Place) -> Wait:
    """How long a call will wait behind those who are before it."""
    ledger, runtime = exchange.engine.ledger, exchange.runtime
    ahead = ledger.lines.ahead(line, place)
    while True:
        wait = await ledger.do(runtime, ledger.store.wait_for, ask, ahead + ask.cost)
        before, ahead = ahead, ledger.lines.ahead(line, place)
        if ahead >= before:
            break  # else some have left meanwhile, and were counted twice
    until, pace_seconds = ledger.lines.held(line, place)
    if until is None or ask.forced:
        return wait
    # A window later nothing is left of what it is paced for.
    held_seconds = min(until + pace_seconds * place.number - runtime.now(), wait.seconds + ask.window_seconds)
    return wait if wait.seconds >= held_seconds else Wait(held_seconds)


async def _own_terms(exchange: Exchange, ask: Ask, got: Wait, pace_seconds: float) -> tuple[bool, float]:
    """Whether its terms alone hold a call back; and how long after it the next of the same terms may leave.

    Args:
        pace_seconds: what it was when it was asked before.
    """
    if got.everyone or not (ask.spread or ask.share):
        return False, 0.0
    ledger, runtime = exchange.engine.ledger, exchange.runtime
    bare = replace(ask, spread=False, share=0.0)
    rests = (await ledger.do(runtime, ledger.store.wait_for, bare, ask.cost)).seconds < got.seconds
    if not ask.spread:
        return rests, 0.0
    room = await ledger.do(runtime, ledger.store.wait_for, replace(ask, spread=False), ask.cost)
    even_seconds = ask.cost * ask.window_seconds / ask.limit
    own_seconds = got.seconds - room.seconds
    return rests, max(own_seconds, pace_seconds, even_seconds) if own_seconds > 0 else even_seconds


def _too_long(exchange: Exchange, ask: Ask, wait: Wait, waited_seconds: float = 0.0) -> LimitedError:
    """The error that carries the moment at which to come back (T30), where it is known."""
    ledger = exchange.engine.ledger
    errors = wait.everyone or ask.bucket == ledger.errors
    status, kind = (420, ErrorLimitedError) if errors else (429, RateLimitedError)
    if wait.seconds <= 0:
        why = f"{ledger.shown(ask.bucket)} has calls under way that were not answered for {waited_seconds:.0f} s"
        return kind(exchange.url, status, message=f"{exchange.operation.name}: {why}; nothing was sent: try later")
    why = "ESI asked everyone to wait" if wait.everyone else f"{ledger.shown(ask.bucket)} holds it back"
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
