"""The ledger in a file and the one in memory are one: the same answers and the same state, to the token."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings

from esipy.core.buckets import Bucket
from esipy.stores.base import Ask, Reservation, Wait
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.shared_state import SharedBucket
from esipy.stores.sqlite_ledger import SqliteLedger
from tests.stores.kit import Clock
from tests.stores.ledger_kit import GATE, LEASE_SECONDS
from tests.stores.ledger_steps import Step, happenings, known_of

NAMES = ("notifications app:1", "assets app:1", "errors")


class Flight(NamedTuple):
    """A call under way in both ledgers, until its lease ends."""

    ends: float
    in_memory: Reservation
    in_file: Reservation


class Pair:
    """The two ledgers, doing the same."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.memory = MemoryLedger(self.clock, lease_seconds=math.inf)  # the file has one for each call
        self.file = SqliteLedger(path, clock=self.clock, lease_seconds=LEASE_SECONDS)
        self.file._sweep_at = math.inf  # what is idle is forgotten with the size that it had been told
        self.under_way: list[Flight] = []

    def pass_time(self, passed: float) -> None:
        """What is not settled in its lease is lost: memory is told so, the file knows by itself."""
        end = self.clock.now + passed
        while self.under_way and self.under_way[0].ends <= end:
            ends, lost, _ = self.under_way.pop(0)
            self.clock.now = ends
            self.memory.settle(lost, lost.ask.worst, answered=False)
        self.clock.now = end

    def do(self, step: Step) -> None:
        """One step on both; what they answer is the same."""
        self.pass_time(step.passed)
        verb, arguments = step.verb, step.arguments
        if verb == "reserve":
            self.reserve(*arguments)
        elif verb == "settle":
            which, *outcome = arguments
            if self.under_way:
                _, in_memory, in_file = self.under_way.pop(which % len(self.under_way))
                self.memory.settle(in_memory, *outcome)
                self.file.settle(in_file, *outcome)
        elif verb == "states":
            assert sorted(self.memory.states()) == sorted(self.file.states())
        elif verb != "block" or arguments[0] == GATE or arguments[0] in self.memory._buckets:
            assert getattr(self.memory, verb)(*arguments) == getattr(self.file, verb)(*arguments)

    def reserve(self, ask: Ask) -> None:
        """Both let it leave, or make it wait as long; where memory waits for a landing, the file knows the latest."""
        in_memory, in_file = self.memory.reserve(ask), self.file.reserve(ask)
        if isinstance(in_memory, Reservation):
            assert isinstance(in_file, Reservation)
            assert in_memory.mark[1] == in_file.mark.of
            self.under_way.append(Flight(self.clock.now + LEASE_SECONDS, in_memory, in_file))
        elif in_memory.landing:
            first = min(each.ends for each in self.under_way if each.in_memory.ask.bucket == ask.bucket)
            assert in_file == Wait(min(in_memory.seconds, first - self.clock.now), landing=True)
        else:
            assert in_memory == in_file


@settings(max_examples=150, deadline=None)
@given(happenings(NAMES))
def test_the_file_counts_as_memory_does(happening: list[Step]) -> None:
    """Whatever is reserved, settled, lost, told, blocked and resized, after whatever time."""
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder) / "ledger.sqlite3")
        for step in happening:
            pair.do(step)
            pair.do(Step(0.0, "states", ()))
        pair.pass_time(0.0)
        for name, bucket in pair.memory._buckets.items():
            (packed,) = pair.file._file.do(
                lambda file, name=name: file.execute("SELECT packed FROM buckets WHERE name = ?", (name,)).fetchone()
            )
            assert known_of(bucket, pair.clock.now) == known_of(unpacked(packed, pair.clock.now), pair.clock.now)
        pair.file.close()


def unpacked(packed: bytes, now: float) -> Bucket:
    """The counts that are in the file."""
    return SharedBucket.unpacked(packed, now).bucket
