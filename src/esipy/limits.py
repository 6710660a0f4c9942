"""What is left of each limit: `Limit`, and how it is read from the ledger. Nothing is sent for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from esipy.core.buckets import Bucket
from esipy.core.moments import not_before
from esipy.engine.ledger import Ledger
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Terms
from esipy.stores.base import BucketState, RecoveringLedger

__all__ = ["Limit"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it is now.

    Attributes:
        bucket: what is counted together: ``char-wallet app:91`` (group and principal); ``errors``: the error limit;
            ``route get_markets_region_id_history``: the limit of a single route.
        group: the rate-limit group; None: it has none.
        principal: whom ESI counts against: ``<client id>:<character id>``, ``ip``, or ``ip:<client id>``.
        max_tokens: what is there in a window: tokens, or errors, or calls.
        window_seconds: after so long, what was spent comes back.
        used: what all who share the ledger have spent.
        reserved: what calls under way are expected to cost.
        foreign: what others are believed to have spent: programs that do not share the ledger. Calls of one's own
            whose answers were lost are in it too, at the most that they can have cost, until headers tell.
        left: what is not spent, reserved or foreign.
        free_in_seconds: until the next call of this client may leave, on the client's terms; 0: now. The share that it
            leaves untouched, its policy, and a block of ESI's are regarded; who else waits is not.
        free_at: that moment, in UTC.
        waiting: how many calls of this process wait for it.
    """

    bucket: str
    group: str | None
    principal: str
    max_tokens: int
    window_seconds: float
    used: int
    reserved: int
    foreign: int
    left: int
    free_in_seconds: float
    free_at: datetime
    waiting: int

    def __repr__(self) -> str:
        when = "free now" if not self.free_in_seconds else f"free in {self.free_in_seconds:.0f} s"
        waiting = f", {self.waiting} waiting" if self.waiting else ""
        return f"<Limit {self.bucket}: {self.left} of {self.max_tokens} left, {when}{waiting}>"


async def limits_of(engine: Engine) -> list[Limit]:
    """The limits of an engine's ESI: errors first, then those that are not idle, by name."""
    ledger, runtime, terms = engine.ledger, engine.runtime, engine.terms

    def read() -> tuple[float, list[tuple[BucketState, float]]]:
        # A bucket in which nobody spends: if it has to wait, it is for ESI's gate.
        gate = ledger.store.wait_for(replace(ledger.error_ask, bucket=f"{ledger.gate} nobody"), 1)
        states = {state.bucket: state for state in ledger.store.states() if is_of(ledger, state.bucket)}
        errors = ledger.error_ask
        states.setdefault(errors.bucket, BucketState(errors.bucket, errors.limit, errors.window_seconds, 0, 0, 0, 0.0))
        return gate.seconds, [(state, _free_in(ledger, state, terms)) for state in states.values()]

    closed, found = await ledger.do(runtime, read)
    now = runtime.now()
    rows = [_row(ledger, state, max(free_in, closed), now) for state, free_in in found]
    return sorted(rows, key=lambda row: (row.bucket != ledger.shown(ledger.errors), row.bucket))


def is_of(ledger: Ledger, bucket: str) -> bool:
    """Whether a bucket is one of this ESI, and not of another that is counted in the same store."""
    if ledger.prefix:
        return bucket.startswith(ledger.prefix)
    return "://" not in bucket.partition(" ")[0]


def _free_in(ledger: Ledger, state: BucketState, terms: Terms) -> float:
    """Seconds until a call may leave; the store is asked where little is left only."""
    ask = ledger.ask_at(state.bucket, state.limit, state.window_seconds, terms)
    ask.paced = ask.spread
    room = Bucket(state.limit, state.window_seconds).room(ask.share)
    left = room - state.used - state.reserved - state.foreign
    knows_all = not (isinstance(ledger.store, RecoveringLedger) and ledger.store.degraded)
    if knows_all and not state.free_in and (left * 2 > room if ask.spread else left >= ask.cost):
        return 0.0
    return ledger.store.wait_for(ask, ask.cost).seconds


def group_and_principal(ledger: Ledger, bucket: str) -> tuple[str | None, str]:
    """What a bucket counts, as `Limit` says it: the error limit, and that of a route, have no group."""
    group, _, principal = ledger.shown(bucket).partition(" ")
    return (None, "ip") if bucket == ledger.errors or ledger.is_route(bucket) else (group, principal)


def _row(ledger: Ledger, state: BucketState, free_in: float, now: float) -> Limit:
    group, principal = group_and_principal(ledger, state.bucket)
    return Limit(
        bucket=ledger.shown(state.bucket),
        group=group,
        principal=principal,
        max_tokens=state.limit,
        window_seconds=state.window_seconds,
        used=state.used,
        reserved=state.reserved,
        foreign=state.foreign,
        left=max(state.limit - state.used - state.reserved - state.foreign, 0),
        free_in_seconds=free_in,
        free_at=not_before(now + free_in),
        waiting=ledger.lines.waiting(state.bucket),
    )
