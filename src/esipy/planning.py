"""What many calls will cost and how long limits will hold them up: `Plan`, made before anything is sent.

A plan regards what is spent and reserved now, who waits already, the sizes of the buckets, the shares that are left
untouched, and answers that the cache has. It cannot know what others will spend, what ESI will answer (a call costs 2
tokens, or 5 where it was lately answered 4xx), when ESI will be down, or how long exchanges take; equal calls count
each.

What is spent comes back about a window later. So a bucket lets the same number of calls leave in each window, and call
number *n* leaves a window after the one that is so many calls before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from esipy.core.buckets import UNTIL_LANDING, Bucket
from esipy.core.counts import RELEASE_MARGIN_SECONDS, SLOTS
from esipy.core.moments import not_before
from esipy.engine.exchange import Exchange
from esipy.engine.ledger import Ledger
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Terms
from esipy.limits import group_and_principal
from esipy.operation import Call
from esipy.stores.base import Ask

__all__ = ["Plan", "PlannedBucket"]

MOST_LOOKS = 64
"""How often the ledger is asked at the most when what one bucket has spent will come back."""

MOST_STEPS = 200
"""If more calls fit into a window, several are one."""

MOST_WINDOWS = 16
"""After so many windows, all further ones are alike."""

SAME_SECONDS = 0.05
"""Moments that differ by less are the same: time passes between two questions."""

SHORTEST_STEP_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class PlannedBucket:
    """What calls will cost in one bucket.

    Attributes:
        bucket: ``char-wallet app:91``, or ``route get_markets_region_id_history`` for the limit of a single route.
        group, principal: as of `esipy.limits.Limit`.
        max_tokens, window_seconds: its size.
        calls: how many of the calls count in it.
        tokens: what they are expected to cost.
        seconds: after which the last of them can have left.
    """

    bucket: str
    group: str | None
    principal: str
    max_tokens: int
    window_seconds: float
    calls: int
    tokens: int
    seconds: float

    def __str__(self) -> str:
        spent = f"{self.calls} calls" if self.group is None else f"{self.calls} calls, {self.tokens} tokens"
        size = f"{self.max_tokens} in {self.window_seconds / 60:g} min"
        return f"{self.bucket}: {spent} ({size}), {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class Plan:
    """What many calls will cost, and how long it will take until the last of them can leave.

    Attributes:
        calls: how many there are.
        cached: how many of them the cache answers now, for nothing.
        without_bucket: how many of the others count in no bucket: only their errors do.
        tokens: what all will cost.
        buckets: what they will cost in each bucket, the one that takes longest first.
        seconds: after which the last of all can have left; exchanges themselves take longer.
        finishes_at: that moment, in UTC.
    """

    calls: int
    cached: int
    without_bucket: int
    tokens: int
    buckets: tuple[PlannedBucket, ...]
    seconds: float
    finishes_at: datetime

    def __str__(self) -> str:
        all_calls = f"{self.calls} calls, {self.cached} of them cached: {self.tokens} tokens, {self.seconds:.0f} s"
        return "\n  ".join([all_calls, *map(str, self.buckets)])


@dataclass(slots=True)
class _Demand:
    """What calls ask of one bucket: the cost of each in order, after those ``ahead`` who wait already."""

    ask: Ask
    costs: list[int]
    ahead: int


async def plan_of(engine: Engine, calls: list[Call[Any]], terms: Terms | None) -> Plan:
    """The plan of these calls, in this order.

    Raises:
        InvalidCallError: one of them cannot be sent.
    """
    ledger, runtime = engine.ledger, engine.runtime
    now = runtime.now()
    loop = runtime.strand().loop
    demands: dict[str, _Demand] = {}
    cached = without = 0
    terms = engine.terms if terms is None else terms
    for call in calls:
        call.check_sendable()
        exchange = Exchange(engine, call, call.operation.method, terms)
        if await _is_kept(exchange, now):
            cached += 1
            continue
        asks = _asks(exchange)
        without += all(group_and_principal(ledger, ask.bucket)[0] is None for ask in asks)
        for ask in asks:
            demand = demands.get(ask.bucket)
            if demand is None:
                _, ahead = ledger.lines.ahead_of(ask.bucket, loop, terms.rank)
                demand = demands[ask.bucket] = _Demand(ask, [ask.cost] * ahead, ahead)
            demand.costs.append(ask.cost)

    def look() -> list[tuple[_Demand, float]]:
        return [(demand, _seconds(ledger, demand)) for demand in demands.values()]

    found = await ledger.do(runtime, look)
    rows = [_row(ledger, demand, seconds) for demand, seconds in found if demand.ask.bucket != ledger.errors]
    seconds = max((seconds for _, seconds in found), default=0.0)
    return Plan(
        calls=len(calls),
        cached=cached,
        without_bucket=without,
        tokens=sum(row.tokens for row in rows if row.group is not None),
        buckets=tuple(sorted(rows, key=lambda row: (-row.seconds, row.bucket))),
        seconds=seconds,
        finishes_at=not_before(now + seconds),
    )


async def _is_kept(exchange: Exchange, now: float) -> bool:
    """Whether the cache answers a call now."""
    store = exchange.engine.cache
    if store is None or not exchange.operation.cacheable:
        return False
    kept = await store.get(exchange.cache_key)
    return kept is not None and kept.fresh_until is not None and kept.fresh_until > now


def _asks(exchange: Exchange) -> list[Ask]:
    """What a call will ask of the ledger (`esipy.engine.limiting`)."""
    ledger, operation, terms = exchange.engine.ledger, exchange.operation, exchange.terms
    if operation.base_url is not None:
        return []
    ask = ledger.ask_for(operation, _counted_as(exchange), terms, exchange.runtime.now)
    route = ledger.route_ask(operation, terms)
    return [ask] if route is None else [ask, route]


def _counted_as(exchange: Exchange) -> str:
    """Whom ESI will count a call against (`esipy.engine.signing`)."""
    engine, operation = exchange.engine, exchange.operation
    public = operation.scope is None and exchange.call.token is None
    if engine.signer is not None and engine.settings.public_token and public:
        return f"ip:{engine.signer.principal.partition(':')[0]}"
    return exchange.counted_as


def _seconds(ledger: Ledger, demand: _Demand) -> float:
    """After how many seconds the last of the calls can have left."""
    ask, costs = demand.ask, demand.costs
    first_seconds = ledger.store.wait_for(replace(ask, paced=ask.spread), costs[0]).seconds
    if ask.forced or ask.bucket == ledger.errors:  # held back by the gate alone; good answers cost nothing
        return first_seconds
    room = max(Bucket(ask.limit, ask.window_seconds).room(ask.share), max(costs))
    dearest = replace(ask, cost=max(costs))

    def free_in(tokens: int) -> float:
        return ledger.store.wait_for(dearest, tokens).seconds

    begins = _windows(costs, room)
    # A spend comes back at the end of its slot, a margin after its window.
    period_seconds = ask.window_seconds * (1.0 + 0.5 / SLOTS) + RELEASE_MARGIN_SECONDS
    seconds = (len(begins) - 1) * period_seconds + free_in(sum(costs[begins[-1] :]))
    if not ask.spread:
        return seconds
    bucket = Bucket(room, ask.window_seconds)
    for moment, tokens in _returns(room, free_in):
        spent_at = moment - ask.window_seconds - RELEASE_MARGIN_SECONDS
        bucket.spend(spent_at, tokens, left_at=spent_at)
    if free_in(costs[0]) > 0:  # it is full: the next call is to find out what has come back
        bucket.block(0.0)
    return max(_spread_seconds(bucket, costs, begins, first_seconds), seconds)


def _windows(costs: list[int], room: int) -> list[int]:
    """The places of the calls with which a window begins, when whole calls fill one after the other."""
    begins = [0]
    filled = 0
    for place, cost in enumerate(costs):
        if filled + cost > room:
            begins.append(place)
            filled = 0
        filled += cost
    return begins


def _spread_seconds(bucket: Bucket, costs: list[int], begins: list[int], first_seconds: float) -> float:
    """What the policy ``spread`` makes of it: after enough windows, all are alike."""
    window = begins[1] if len(begins) > 1 else len(costs)
    together = max(window // MOST_STEPS, 1)
    skipped = max(len(begins) - 1 - MOST_WINDOWS, 0)
    moments = _even_moments(bucket, costs[: begins[-1 - skipped]] + costs[begins[-1] :], first_seconds, together)
    if not skipped:
        return moments[-1]
    half = MOST_WINDOWS // 2
    period_seconds = (moments[begins[MOST_WINDOWS]] - moments[begins[half]]) / (MOST_WINDOWS - half)
    return moments[-1] + skipped * period_seconds


def _even_moments(bucket: Bucket, costs: list[int], first_seconds: float, together: int) -> list[float]:
    """After how many seconds each call leaves, by the ledger's own arithmetic.

    Args:
        bucket: a copy, whose present is 0.
        first_seconds: when the first call leaves: how long ago the one before it has left is not known here.
        together: so many calls are one.
    """
    moments: list[float] = []
    now = first_seconds
    while len(moments) < len(costs):
        some = costs[len(moments) : len(moments) + together]
        cost = sum(some)
        while wait_seconds := bucket.reserve(now, cost, spread=bool(moments)):
            if wait_seconds == UNTIL_LANDING:  # nothing is under way here: it waits for what is just coming back
                wait_seconds = bucket.next_chance(now)
            now += max(wait_seconds, SHORTEST_STEP_SECONDS)
        bucket.settle(now, bucket.mark(cost), cost)
        moments += [now] * len(some)
    return moments


def _returns(room: int, free_in: Callable[[int], float]) -> list[tuple[float, int]]:
    """(seconds, tokens) of what is spent now and comes back, in order, in as many steps as the ledger may be asked."""
    known = {0: 0.0, room: free_in(room)}
    gaps = deque([(0, room)])
    while gaps and len(known) < MOST_LOOKS:
        low, high = gaps.popleft()
        if high - low > 1 and known[high] - known[low] > SAME_SECONDS:
            middle = (low + high) // 2
            known[middle] = free_in(middle)
            gaps += [(low, middle), (middle, high)]
    steps: list[tuple[float, int]] = []
    before = 0
    for tokens in sorted(known):
        if known[tokens] > SAME_SECONDS:
            steps.append((known[tokens], tokens - before))
        before = tokens
    return steps


def _row(ledger: Ledger, demand: _Demand, seconds: float) -> PlannedBucket:
    ask, costs = demand.ask, demand.costs[demand.ahead :]
    group, principal = group_and_principal(ledger, ask.bucket)
    return PlannedBucket(
        bucket=ledger.shown(ask.bucket),
        group=group,
        principal=principal,
        max_tokens=ask.limit,
        window_seconds=ask.window_seconds,
        calls=len(costs),
        tokens=sum(costs),
        seconds=seconds,
    )
