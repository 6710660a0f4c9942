"""A simulated day: the real engine, against ESI as `esipy.simulation` plays it, judged by `oracle`."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from random import Random
from typing import Any, NamedTuple

from benchmarks.politeness import oracle
from benchmarks.politeness.traffic import DOOMED, SPAMMED, Burst, bursts
from benchmarks.politeness.watching import WatchedEngine, WatchedRuntime
from esipy import ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.events import Signal
from esipy.exceptions import APIException
from esipy.operation import Operation
from esipy.retries import rule_for
from esipy.settings import Settings
from esipy.simulation import token_for
from esipy.stores.memory_ledger import MemoryLedger

__all__ = ["Day", "Late", "Size", "play"]

HEADROOM = 0.02
FOREIGN_SHARE = 0.2
LOST_SHARE = 0.01
CLIENT_ERRORS = {404: 0.01, 403: 0.01}
PATIENCE_SECONDS = 10 * 86400.0
SATURATED_SECONDS = 900.0
"""A bucket in which calls waited for less than this was not short of tokens."""


class Size(NamedTuple):
    """The buckets of one size.

    Attributes:
        limit: tokens.
        buckets: how many were hungry.
        calls: in these.
        seconds: in which calls of theirs waited.
        used: the share of their whole calls that was used meanwhile.
    """

    limit: int
    buckets: int
    calls: int
    seconds: float
    used: float


class Late(NamedTuple):
    """A call that was sent later than in the ideal schedule."""

    seconds: float
    bucket: str
    place: int


class Day(NamedTuple):
    """What a day has shown.

    Attributes:
        hours, characters, buckets, groups: that were played.
        requests: that came to ESI.
        error_limited: 420s.
        guilty: 429s that nothing excuses.
        excused: 429s of a spend of somebody else that no header had told of.
        injected: 429s without headers, by operation.
        foreign: spends of others.
        lost, client_errors: answers.
        sizes: how the hungry buckets were used.
        used: over all of them and all time in which calls waited.
        late: the latest calls, latest first; late_999: the 99.9th percentile, in seconds, of calls that waited.
        waited: how many calls waited.
        failed: calls that ended with an error, by its name.
    """

    hours: float
    characters: int
    buckets: int
    groups: int
    requests: int
    error_limited: int
    guilty: list[oracle.Flight]
    excused: int
    injected: dict[str, int]
    foreign: int
    lost: int
    client_errors: int
    sizes: list[Size]
    used: float
    late: list[Late]
    late_999: float
    waited: int
    failed: dict[str, int]


class _Login:
    """A character's login whose token never expires."""

    def __init__(self, character_id: int) -> None:
        self.principal = f"app:{character_id}"
        self._token = token_for("app", character_id)

    def principal_of(self, _: str) -> str:
        return self.principal

    async def token(self, _: Any, *, not_this: str | None = None) -> str:  # noqa: ARG002
        return self._token


class Traffic:
    """The clients of a day."""

    def __init__(self, seed: int, **options: Any) -> None:
        self.runtime = WatchedRuntime(
            seed=seed,
            request_seconds=(0.01, 0.1),
            answer_seconds=(0.01, 0.1),
            shares=CLIENT_ERRORS,
            lost_share=LOST_SHARE,
            foreign_share=FOREIGN_SHARE,
            hidden_limits={SPAMMED[0]: 300, SPAMMED[1]: 100},
            body=_body,
            **options,
        )
        self.failed: Counter[str] = Counter()
        self._random = Random(seed).random
        self._ledger = MemoryLedger(self.runtime.now)
        self._engines: dict[tuple[int, int], WatchedEngine] = {}

    def engine(self, worker: int, character_id: int) -> WatchedEngine:
        """A worker's client for a character; 0: for public calls."""
        key = (worker, character_id)
        if key not in self._engines:
            self._engines[key] = WatchedEngine(
                self.runtime,
                Settings(max_wait=PATIENCE_SECONDS),
                signer=_Login(character_id) if character_id else None,
                cache=None,
                ledger=self._ledger,
                retry_rule=rule_for(None),
                headers={},
                stats_signal=Signal(),
                drift_signal=Signal(),
            )
        return self._engines[key]

    async def worker(self, work: list[Burst], began: float) -> None:
        """Begin each burst at its moment, and end when all have ended."""
        runtime = self.runtime
        tasks: list[Any] = []
        for burst in work:
            await runtime.sleep(began + burst.at - runtime.now())
            each, more = divmod(burst.calls, burst.at_once)
            counts = (each + (number < more) for number in range(burst.at_once))
            tasks += [runtime.spawn(self._calls(burst, count)) for count in counts]
        for task in tasks:
            await runtime.join(task)

    async def _calls(self, burst: Burst, count: int) -> None:
        engine, calls = self.engine(burst.worker, burst.targets.character_id), burst.targets.calls
        for _ in range(count):
            call = calls[int(self._random() * len(calls))] if len(calls) > 1 else calls[0]
            try:
                await engine.perform(call, raw_body_only=True)
            except APIException as error:
                self.failed[type(error).__name__] += 1


def _body(operation: Operation[Any], _: HttpRequest) -> HttpResponse | None:
    return HttpResponse(404, Headers(()), b'{"error": "gone"}') if operation.name == DOOMED else None


def play(characters: int, hours: float, *, seed: int = 1) -> Day:
    """Play a day, or some hours, and judge it."""
    traffic = Traffic(seed)
    plan = bursts(seed, characters, hours)
    by_worker: dict[int, list[Burst]] = defaultdict(list)
    for burst in plan:
        by_worker[burst.worker].append(burst)
    runtime = traffic.runtime

    async def main() -> None:
        began = runtime.now()
        workers = [runtime.spawn(traffic.worker(work, began)) for work in by_worker.values()]
        for worker in workers:
            await runtime.join(worker)

    logger = logging.getLogger("esipy.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # thousands of lost answers are part of the day
    try:
        runtime.run(main())
    finally:
        logger.setLevel(level)
    return judge(traffic, characters, hours)


def judge(traffic: Traffic, characters: int, hours: float) -> Day:
    """Have the oracle look at every bucket."""
    groups = {operation.group.name: operation.group for operation in ops.operations() if operation.group}
    statuses: Counter[int] = Counter()
    injected: Counter[str] = Counter()
    guilty: list[oracle.Flight] = []
    late: list[Late] = []
    sizes: dict[int, list[tuple[int, float, float]]] = defaultdict(list)
    buckets = set[str]()
    excused = foreign = 0
    for bucket, flights, spends in traffic.runtime.by_bucket():
        statuses.update(flight.status for flight in flights)
        injected.update(one.operation for one in flights if one.status == 429 and (one.used is None or not bucket))
        foreign += sum(not spend.own for spend in spends)
        if not bucket:
            continue
        buckets.add(bucket)
        group = groups[bucket.partition(" ")[0]]
        limit, window = group.max_tokens, float(group.window_seconds)
        more_guilty, more_excused = oracle.unexcused(flights, spends, window)
        guilty += more_guilty
        excused += more_excused
        seconds, shares = oracle.use(flights, spends, limit, window)
        if seconds >= SATURATED_SECONDS:
            sizes[limit].append((len(flights), seconds, shares))
        late_here = oracle.lateness(flights, spends, limit, window, HEADROOM)
        late += [Late(more, bucket, place) for place, more in enumerate(late_here)
                 if flights[place].sent > flights[place].asked]  # fmt: skip
    late.sort(reverse=True)
    every = [one for size in sizes.values() for one in size]
    return Day(
        hours=hours,
        characters=characters,
        buckets=len(buckets),
        groups=len({bucket.partition(" ")[0] for bucket in buckets}),
        requests=traffic.runtime.esi.requests,
        error_limited=statuses[420],
        guilty=guilty,
        excused=excused,
        injected=dict(injected),
        foreign=foreign,
        lost=statuses[0],
        client_errors=sum(number for status, number in statuses.items() if status // 100 == 4 and status != 429),
        sizes=[_size(limit, size) for limit, size in sorted(sizes.items())],
        used=_share(every),
        late=late[:100],
        late_999=late[len(late) // 1000].seconds if late else 0.0,
        waited=len(late),
        failed=dict(traffic.failed),
    )


def _size(limit: int, buckets: list[tuple[int, float, float]]) -> Size:
    calls, seconds = sum(one[0] for one in buckets), sum(one[1] for one in buckets)
    return Size(limit, len(buckets), calls, seconds, _share(buckets))


def _share(buckets: list[tuple[int, float, float]]) -> float:
    seconds = sum(one[1] for one in buckets)
    return sum(one[2] for one in buckets) / seconds if seconds else 0.0
