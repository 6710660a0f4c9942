"""Real processes on one file: together they never exceed a limit, whoever dies; and its clock."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from esipy.stores.sqlite_ledger import SqliteLedger
from tests.stores.kit import Clock
from tests.stores.ledger_kit import BACK_SECONDS, GATE, LEASE_SECONDS, SMALL, calls_until_full, leave, spend, state

LIMIT = 400
ASK = replace(SMALL, limit=LIMIT)

PROGRAM = f"""
import sys, time
from esipy.stores.base import Ask, Reservation
from esipy.stores.sqlite_ledger import SqliteLedger

ask = Ask("{SMALL.bucket}", "{GATE}", {LIMIT}, {SMALL.window_seconds}, 5, 2)
ledger = SqliteLedger(sys.argv[1], lease_seconds={LEASE_SECONDS}, clock=time.time if sys.argv[2] == "given" else None)

def say(text):
    print(text, flush=True)

def hear():
    return sys.stdin.readline().strip()

def spend_all():
    calls = 0
    while True:
        got = ledger.reserve(ask)
        if isinstance(got, Reservation):
            ledger.settle(got, 2)
            calls += 1
            yield calls
        elif not got.landing:
            return

say("ready")
while (order := hear()):
    if order == "all":
        say(len(list(spend_all())))
    elif order == "one by one":
        for calls in spend_all():
            say(calls)
    elif order == "leave":
        say(sum(isinstance(ledger.reserve(ask), Reservation) for _ in range(4)))
    elif order == "now":
        say(ledger._file.do(lambda _: ledger._now()))
"""


class Worker:
    """One process with the file open."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert self.hear() == "ready"

    def tell(self, order: str) -> None:
        """Have it do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        """What it says next."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        """As kill -9 does."""
        self.process.kill()
        self.process.wait(10)


@contextmanager
def workers(path: Path, count: int, clock: str = "machine") -> Generator[list[Worker]]:
    """So many processes; they end with the block."""
    with ExitStack() as stack:
        processes: list[subprocess.Popen[str]] = []
        for _ in range(count):
            command = [sys.executable, "-c", PROGRAM, str(path), clock]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            processes.append(process)
        yield [Worker(each) for each in processes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of the file."""
    return tmp_path / "ledger.sqlite3"


def test_T28_processes_use_a_bucket_to_the_last_whole_call_and_no_further(path: Path) -> None:
    """Four of them, all at once, the file not there yet."""
    with workers(path, 4) as all_four:
        for each in all_four:
            each.tell("all")
        calls = [int(each.hear()) for each in all_four]
        with closing(SqliteLedger(path)) as ledger:
            assert state(ledger)[3:6] == (LIMIT, 0, 0)
            leave(ledger, replace(ASK, bucket="another"))
            assert ledger.members() == 5
    assert sum(calls) == LIMIT // 2


def test_the_others_go_on_when_one_is_killed_with_calls_under_way(path: Path) -> None:
    """Its four calls are reserved to the end of their leases, then spent at the most, and come back a window later."""
    skipped = 0.0
    with closing(SqliteLedger(path, clock=lambda: time.time() + skipped, lease_seconds=LEASE_SECONDS)) as ledger:
        spend(ledger, ASK)  # heard of
        with workers(path, 1, "given") as (worker,):
            worker.tell("leave")
            assert worker.hear() == "4"
            worker.kill()
        calls = calls_until_full(ledger, ASK)
        # What is under way may turn out to cost 5 each.
        assert state(ledger)[3:5] == (2 + 2 * calls, 8)
        assert LIMIT - 21 <= 2 + 2 * calls <= LIMIT - 20
        skipped = LEASE_SECONDS
        assert state(ledger)[3:6] == (2 + 2 * calls, 0, 20)
        assert state(ledger).used <= LIMIT
        skipped += BACK_SECONDS + 1
        assert calls_until_full(ledger, ASK) == LIMIT // 2


def test_a_process_that_is_killed_while_it_writes_loses_nothing(path: Path) -> None:
    """What it has said to be spent is spent, and the file is sound."""
    with workers(path, 1) as (worker,):
        worker.tell("one by one")
        for number in range(1, 21):
            assert worker.hear() == str(number)
        worker.kill()
    with closing(SqliteLedger(path)) as ledger:
        used, reserved = state(ledger)[3:5]
        assert used >= 40
        calls = calls_until_full(ledger, ASK)
        assert used + reserved + 2 * calls <= LIMIT
        assert used + 5 * (reserved // 2) + 2 * calls >= LIMIT - 1
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_all_processes_have_one_clock(path: Path) -> None:
    """To the time that it takes to ask."""
    with workers(path, 2) as (first, second):
        moments: list[float] = []
        for each in (first, second, first, second):
            each.tell("now")
            moments.append(float(each.hear()))
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] < 5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one start of the machine from another")
def test_setting_the_time_of_day_moves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for a process that has the file open, nor for one that opens it then."""
    with closing(SqliteLedger(path)) as before, closing(SqliteLedger(path)) as after:
        spend(before, ASK)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 100_000)
        assert state(after).used == 2
        assert abs(after._now() - before._now()) < 5
        assert abs(after._now() - now) < 5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one start of the machine from another")
@pytest.mark.parametrize("ahead_seconds", [0, 100_000])
def test_the_clock_goes_on_when_the_machine_is_started_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, ahead_seconds: int
) -> None:
    """By the time of day; or from where it was if that has gone back: no wait of a minute becomes one of days."""
    now = time.time()
    with monkeypatch.context() as wrong, closing(SqliteLedger(path)) as ledger:
        wrong.setattr(time, "time", lambda: now + ahead_seconds)
        spend(ledger, ASK)
        ledger.block(ASK.bucket, 60)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE clock SET boot = 'another'")
    with closing(SqliteLedger(path)) as ledger:
        assert 50 < ledger.wait_for(ASK, 2).seconds <= 61


def test_idle_buckets_are_forgotten(path: Path) -> None:
    """In passing, a while after what they knew has passed; not those that have something under way or are blocked."""
    clock = Clock()
    with closing(SqliteLedger(path, clock=clock)) as ledger:
        for name in ("spent", "flying", "blocked"):
            spend(ledger, replace(ASK, bucket=name))
        ledger.block("blocked", 5000)
        ledger.block(GATE, 10)
        clock.now += 1000
        leave(ledger, replace(ASK, bucket="flying"))
        clock.now += 1000
        spend(ledger, ASK)
        assert rows(path) == (["blocked", SMALL.bucket, "flying"], 0)
        clock.now += 10_000
        spend(ledger, ASK)
        assert rows(path) == ([SMALL.bucket], 0)


def rows(path: Path) -> tuple[list[str], int]:
    """The buckets that are in the file, and how many gates."""
    with closing(sqlite3.connect(path)) as file:
        buckets = [name for (name,) in file.execute("SELECT name FROM buckets ORDER BY name")]
        return buckets, file.execute("SELECT count(*) FROM gates").fetchone()[0]
