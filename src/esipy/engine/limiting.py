"""Each exchange has leave of the ledger before it is sent, and is settled by its answer: no 429 is ever earned.

The ledger's store says yes, or how long to wait; who waits stands in line (`esipy.engine.waiting`). What an answer
means for the ledger is `esipy.engine.settling`.
"""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.engine.exchange import Exchange, Proceed
from esipy.engine.queues import NEVER_CAME
from esipy.engine.settling import Leave, give_back, settle, settled_at_once
from esipy.engine.waiting import asks_of, stand_in_line
from esipy.exceptions import NetworkError
from esipy.stores.base import Ask, Reservation, Wait

__all__ = ["limiting"]


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


async def _take_leave(exchange: Exchange, leave: Leave, said: Wait | None) -> None:
    """Leave of all that limits the call: its bucket, and the limiter of its route where one is known.

    Who waits for the one does not hold the other meanwhile, or a character without tokens would stop everyone on the
    route (T26). What is learned while it waits counts for it, too.

    Args:
        said: what the bucket has said already; None: it was not asked yet.

    Raises:
        LimitedError: it would take longer than the call has patience.
    """
    ledger = exchange.engine.ledger
    leave.group = None  # it may be another one when the call leaves
    while True:
        if leave.changes != ledger.changes:  # what it holds may be of another bucket than it now needs
            give_back(exchange, leave, sent=False)
        leave.changes = ledger.changes
        bucket, route = asks_of(exchange)
        missing = await _missing(exchange, leave, bucket, route) if said is None or bucket is None else (bucket, said)
        if missing is None:
            exchange.came = NEVER_CAME  # should it be tried again, it comes anew
            return
        said = None
        give_back(exchange, leave, sent=False)
        ask, wait = missing
        got = await stand_in_line(exchange, leave, ask, wait)
        if ask is bucket:
            leave.bucket = got
        else:
            leave.route = got


async def _missing(exchange: Exchange, leave: Leave, bucket: Ask | None, route: Ask | None) -> tuple[Ask, Wait] | None:
    """Take leave of what is not held yet; gives the first that says to wait."""
    if bucket is not None and leave.bucket is None:
        got = await _ask(exchange, bucket)
        if isinstance(got, Wait):
            return bucket, got
        leave.bucket = got
    if route is not None and leave.route is None:
        got = await _ask(exchange, route)
        if isinstance(got, Wait):
            return route, got
        leave.route = got
    return None


async def _ask(exchange: Exchange, ask: Ask) -> Reservation | Wait:
    """Leave to send, if nobody is before this call and there are tokens for it."""
    ledger, runtime = exchange.engine.ledger, exchange.runtime
    loop, rank = runtime.strand().loop, exchange.terms.rank
    if not ask.forced and ledger.lines.must_wait(ask.bucket, loop, rank, exchange.came):
        return Wait(0.0)
    return await ledger.reserve(runtime, ask)
