"""The script in Valkey and the arithmetic in Python are one: the same answers, the same state, to the token."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esipy.core.buckets import Bucket
from esipy.stores.base import LEASE_SECONDS, LedgerStore, Reservation, Wait
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.redis_ledger import RedisLedger, _bucket
from esipy.stores.sqlite_ledger import SqliteLedger
from tests.stores.kit import Clock
from tests.stores.ledger_kit import GATE
from tests.stores.ledger_steps import SIZES, Step, happenings, known_of
from tests.stores.valkey import new_prefix, url_of

FOR_EVER = 1e9
"""A lease that no test outlives: in memory it is not each call's."""


some = st.lists(st.sampled_from(sorted(SIZES)), min_size=1, max_size=2, unique=True)
"""Names of buckets: of few, so that much happens to each."""


class Pair:
    """A ledger in Python and one in Valkey, doing the same."""

    def __init__(self, url: str, reference: LedgerStore, clock: Clock, lease_seconds: float) -> None:
        self.clock = clock
        self.reference = reference
        self.redis = RedisLedger(url, prefix=new_prefix(), lease_seconds=lease_seconds, clock=clock)
        self.under_way: list[tuple[Reservation, Reservation]] = []

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
            if isinstance(given, Reservation):
                assert isinstance(given_there, Reservation)
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


@pytest.fixture(scope="module")
def url(valkey: Any) -> Iterator[str]:
    """Of the server."""
    return url_of(valkey)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.flatmap(happenings))
def test_the_script_is_the_arithmetic(url: str, happening: list[Step]) -> None:
    """Whatever is reserved, settled, told, blocked and resized, after whatever time: equal waits, and equal buckets."""
    clock = Clock()
    memory = MemoryLedger(clock, lease_seconds=math.inf)
    pair = Pair(url, memory, clock, FOR_EVER)
    with closing(pair.redis):
        for step in happening:
            pair.do(step)
            for name, size in SIZES.items():  # a new one is as good as none
                in_memory, there = memory._buckets.get(name, Bucket(*size)), pair.kept(name) or Bucket(*size)
                assert known_of(in_memory, clock.now) == known_of(there, clock.now)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.flatmap(happenings))
def test_leases_end_as_in_a_file(url: str, happening: list[Step]) -> None:
    """Calls that nobody settles in time, and those that are settled after: equal waits and counts."""
    clock = Clock()
    with TemporaryDirectory() as folder, closing(SqliteLedger(Path(folder, "ledger"), clock=clock)) as file:
        file._sweep_at = math.inf  # the server forgets by its own time, not by the test's
        pair = Pair(url, file, clock, LEASE_SECONDS)
        with closing(pair.redis):
            for step in happening:
                pair.do(step)
