"""The script in Valkey and the arithmetic in Python are one: the same answers, the same state, to the token."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esipy.core.buckets import Bucket
from esipy.core.counts import Counts
from esipy.stores.base import LEASE_SECONDS, Ask, Grant, LedgerStore, Told, Wait
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.redis_ledger import RedisLedger, _bucket
from esipy.stores.sqlite_ledger import SqliteLedger
from tests.stores.valkey import new_prefix, url_of

BUCKETS = {
    # name: limit, window_seconds, worst
    "market ip": (1200, 901.5, 5),
    "notifications app:1": (15, 900.0, 5),
    "assets app:1": (30, 60.0, 5),
    "tiny app:2": (4, 60.0, 5),
    "errors": (100, 60.0, 1),
}
GATE = "*"
FOR_EVER = 1e9
"""A lease that no test outlives: in memory it is not each call's."""


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Step(NamedTuple):
    """One thing that happens: a verb, after some seconds."""

    passed: float
    verb: str
    arguments: tuple[Any, ...]


seconds = st.one_of(st.just(0.0), st.floats(0, 2), st.floats(0, 1000))
told = st.builds(
    lambda used, size, returns_in: Told(used, *size, returns_in),
    st.none() | st.integers(0, 60),
    st.just((None, None)) | st.tuples(st.sampled_from([15, 30, 60]), st.sampled_from([None, 60.0, 900.0])),
    st.none() | st.floats(0.5, 120),
)


def steps_on(names: list[str]) -> st.SearchStrategy[list[Step]]:
    """Whatever can happen to these buckets."""
    name = st.sampled_from(names)
    asks = st.builds(
        lambda name, cost, share, spread, forced: Ask(name, GATE, *BUCKETS[name], cost, share, spread, forced),
        name, st.sampled_from([1, 2, 5]), st.sampled_from([0.0, 0.02, 0.1, 0.5]), st.booleans(),
        st.integers(0, 9).map(lambda chance: chance == 0),
    )  # fmt: skip
    arguments: dict[str, st.SearchStrategy[Any]] = {
        "reserve": st.tuples(asks),
        "settle": st.tuples(st.integers(0, 5), st.sampled_from([0, 1, 2, 5]), told, st.booleans()),
        "block": st.tuples(st.sampled_from([*names, GATE]), seconds),
        "resize": st.tuples(asks, st.integers(2, 60)),
        "wait_for": st.tuples(asks, st.integers(1, 3000)),
    }
    verbs = ["reserve"] * 4 + ["settle"] * 3 + ["block", "resize", "wait_for"]
    one = st.sampled_from(verbs).flatmap(lambda verb: st.builds(Step, seconds, st.just(verb), arguments[verb]))
    return st.lists(one, max_size=40)


happenings = st.lists(st.sampled_from(sorted(BUCKETS)), min_size=1, max_size=2, unique=True).flatmap(steps_on)


class Pair:
    """A ledger in Python and one in Valkey, doing the same."""

    def __init__(self, url: str, reference: LedgerStore, clock: Clock, lease_seconds: float) -> None:
        self.clock = clock
        self.reference = reference
        self.redis = RedisLedger(url, prefix=new_prefix(), lease_seconds=lease_seconds, clock=clock)
        self.under_way: list[tuple[Grant, Grant]] = []

    def do(self, step: Step) -> None:
        """One step on both; what they answer is the same, and what is left of it."""
        self.clock.now += step.passed
        if step.verb == "block" and step.arguments[0] not in {
            GATE,
            *(state.bucket for state in self.reference.states()),
        }:
            return  # ledgers keep a wait for a bucket that is not there in ways of their own
        if step.verb == "settle":
            which, *outcome = step.arguments
            if self.under_way:
                here, there = self.under_way.pop(which % len(self.under_way))
                self.reference.settle(here, *outcome)
                self.redis.settle(there, *outcome)
        else:
            given, given_there = (getattr(of, step.verb)(*step.arguments) for of in (self.reference, self.redis))
            if isinstance(given, Grant):
                assert isinstance(given_there, Grant)
                self.under_way.append((given, given_there))
            elif isinstance(given, Wait) and math.isinf(given.seconds):
                assert 0 < given_there.seconds < FOR_EVER + 1
            else:
                assert given == given_there
        assert sorted(self.reference.states()) == sorted(self.redis.states())

    def kept(self, name: str) -> Bucket | None:
        """A bucket as the server has it."""
        now, (kept,) = self.redis._look([self.redis._key(name)])
        return _bucket(kept, now)


def plain(bucket: Bucket, now: float) -> dict[str, Any]:
    """All that a bucket knows, without what has come back."""
    bucket.age(now)
    state = dict(zip(Counts.__slots__, bucket.state(), strict=True))
    state["_spends"] = (state["_spends"] or [])[state.pop("_gone") :]
    return state


@pytest.fixture(scope="module")
def url(valkey: Any) -> Iterator[str]:
    """Of the server."""
    return url_of(valkey)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(happenings)
def test_the_script_is_the_arithmetic(url: str, happening: list[Step]) -> None:
    """Whatever is reserved, settled, told, blocked and resized, after whatever time: equal waits, and equal buckets."""
    clock = Clock()
    memory = MemoryLedger(clock, lease_seconds=math.inf)
    pair = Pair(url, memory, clock, FOR_EVER)
    with closing(pair.redis):
        for step in happening:
            pair.do(step)
            for name, size in BUCKETS.items():  # a new one is as good as none
                in_memory, there = memory._buckets.get(name, Bucket(*size)), pair.kept(name) or Bucket(*size)
                assert plain(in_memory, clock.now) == plain(there, clock.now)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(happenings)
def test_leases_end_as_in_a_file(url: str, happening: list[Step]) -> None:
    """Calls that nobody settles in time, and those that are settled after: equal waits and counts."""
    clock = Clock()
    with TemporaryDirectory() as folder, closing(SqliteLedger(Path(folder, "ledger"), clock=clock)) as file:
        file._sweep_at = math.inf  # the server forgets by its own time, not by the test's
        pair = Pair(url, file, clock, LEASE_SECONDS)
        with closing(pair.redis):
            for step in happening:
                pair.do(step)
