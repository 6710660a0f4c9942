"""Deferred receivers: order, the bound of the queue, flushing, exits and forks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import esipy
from esipy._deferred import QUEUE_LIMIT, Worker
from esipy.events import Signal
from tests.forks import needs_fork

SOURCE = Path(esipy.__file__).parents[1]


def run_program(text: str) -> tuple[str, str]:
    """Run a program to its end; what it wrote to stdout and stderr."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout, done.stderr


class Gate:
    """A receiver that waits until it is let through."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.heard: list[Any] = []

    def __call__(self, number: int) -> None:
        self.entered.set()
        assert self.opened.wait(30)
        self.heard.append((number, threading.current_thread().name))


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Opened at the latest when the test ends, so that a failing one leaves the worker free."""
    gate = Gate()
    yield gate
    gate.opened.set()
    assert Signal().flush(30)


def test_T55_a_slow_deferred_receiver_slows_no_call(gate: Gate) -> None:
    """Sending returns while the receiver still works; it is served in order, by the one background thread."""
    signal: Signal[...] = Signal()
    signal.add_receiver(gate, deferred=True)
    for number in range(3):
        signal.send(number=number)
    assert gate.entered.wait(30)
    assert [] == gate.heard
    assert not signal.flush(0)
    gate.opened.set()
    assert signal.flush(30)
    assert [(number, "esipy-signals") for number in range(3)] == gate.heard
    assert 0 == signal.dropped


def test_T55_what_is_beyond_the_bound_is_dropped_counted_and_told(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    """With the queue full the new delivery is dropped: one warning per burst, and a counter on the signal."""
    signal: Signal[...] = Signal()
    signal.add_receiver(gate, deferred=True)
    signal.send_robust(number=0)
    assert gate.entered.wait(30)
    for number in range(1, QUEUE_LIMIT + 4):
        signal.send_robust(number=number)
    assert 3 == signal.dropped
    assert [f"{QUEUE_LIMIT} deliveries to deferred receivers wait; new ones are dropped until all are done"] == [
        record.getMessage() for record in caplog.records
    ]
    gate.opened.set()
    assert signal.flush(30)
    assert list(range(QUEUE_LIMIT + 1)) == [number for number, _ in gate.heard]
    signal.send_robust(number=-1)
    assert signal.flush(30)
    assert -1 == gate.heard[-1][0]
    assert 3 == signal.dropped


def test_each_burst_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """After the queue was empty again, the next overflow is told again."""
    worker = Worker(limit=1)
    for burst in range(1, 3):
        entered, opened = threading.Event(), threading.Event()

        def block(entered: threading.Event = entered, opened: threading.Event = opened) -> None:
            entered.set()
            assert opened.wait(30)

        assert worker.put(block)
        assert entered.wait(30)
        assert [True, False, False] == [worker.put(lambda: None) for _ in range(3)]
        assert burst == len(caplog.records)
        opened.set()
        assert worker.flush(30)


def test_failures_of_deferred_receivers_are_logged_and_the_next_are_served(caplog: pytest.LogCaptureFixture) -> None:
    """Neither an exception nor an exit ends the worker; asyncio's failures are told with the way out."""
    signal: Signal[...] = Signal("JOB_DONE")
    heard: list[int] = []

    def failing(error: BaseException) -> None:
        raise error

    async def hidden(error: BaseException) -> None: ...

    signal.add_receiver(failing, deferred=True)
    signal.add_receiver(lambda **kwargs: hidden(**kwargs), deferred=True)
    signal.add_receiver(lambda error: heard.append(1), deferred=True)  # type: ignore[misc]
    signal.send(error=ValueError("mine"))
    signal.send(error=SystemExit(3))
    assert signal.flush(30)
    assert [1, 1] == heard
    text = caplog.text
    assert 2 == text.count(".failing of signal JOB_DONE failed")
    assert "ValueError: mine" in text
    assert "SystemExit: 3" in text
    assert 2 == text.count("is a coroutine function, which nobody awaits here")


def test_a_coroutine_function_cannot_be_deferred() -> None:
    """It is refused when it is added, with the way out."""
    signal = Signal()

    async def awaited(**kwargs: Any) -> None: ...

    with pytest.raises(TypeError, match=r"awaited is a coroutine function, which cannot be deferred; make it a plain"):
        signal.add_receiver(awaited, deferred=True)
    assert () == signal.receivers


def test_a_deferred_receiver_cannot_flush(caplog: pytest.LogCaptureFixture) -> None:
    """It would wait for itself: a RuntimeError says so."""
    signal: Signal[...] = Signal()
    signal.add_receiver(signal.flush, deferred=True)
    signal.send()
    assert signal.flush(30)
    assert "RuntimeError: a deferred receiver cannot flush" in caplog.text


def test_flush_waits_for_what_was_sent_before_it(gate: Gate) -> None:
    """What is sent afterwards does not prolong it: a receiver that keeps sending cannot hold it for ever."""
    signal: Signal[...] = Signal()
    again = Signal()

    def endless() -> None:
        if not gate.opened.is_set():
            again.send()

    again.add_receiver(endless, deferred=True)
    again.send()
    assert signal.flush(30)
    gate.opened.set()


def test_without_a_thread_deliveries_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system starts no thread (at exit, in Python 3.12 and later), the sender delivers; nothing is lost."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    worker, heard = Worker(), list[str]()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert worker.put(lambda: heard.append(threading.current_thread().name))
    assert [threading.current_thread().name] == heard
    assert worker.put(lambda: heard.append(threading.current_thread().name))
    assert worker.flush(30)
    assert "esipy-signals" == heard[1]


SETUP = """
import atexit, logging, os, sys, threading
logging.basicConfig(format="%(levelname)s %(message)s")
from esipy import _deferred
from esipy.events import Signal
_deferred.EXIT_SECONDS = 30  # on a slow machine, too
signal, gate = Signal(), threading.Event()
"""


def test_T55_nothing_is_lost_at_exit() -> None:
    """All that waits when the program ends is delivered; what exit handlers send later is too."""
    out, err = run_program(
        "import atexit; atexit.register(lambda: signal.send(number='sent last'))"
        + SETUP
        + """
def slow(number):
    gate.wait()
    print(number, flush=True)

signal.add_receiver(slow, deferred=True)
atexit.register(gate.set)
for number in range(1000):
    signal.send(number=number)
"""
    )
    assert [*(str(number) for number in range(1000)), "sent last"] == out.splitlines()
    assert "" == err


def test_T55_what_does_not_end_in_time_at_exit_is_told() -> None:
    """A receiver that hangs does not keep the program from ending; a warning says how much was lost."""
    out, err = run_program(
        SETUP
        + """
_deferred.EXIT_SECONDS = 0.05
hangs = threading.Event()

def receive(number):
    if number == 1:
        print(number, flush=True)
    else:
        hangs.set()
        gate.wait()

signal.add_receiver(receive, deferred=True)
for number in range(1, 4):
    signal.send(number=number)
hangs.wait()
"""
    )
    assert "1\n" == out
    assert "WARNING 2 deliveries to deferred receivers are lost: not done 0.05 s after exit\n" == err


@needs_fork
def test_a_forked_child_begins_with_an_empty_queue() -> None:
    """Parent and child each deliver what they sent, once, and both drain at exit."""
    out, err = run_program(
        SETUP
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later say that forking with threads is bold
main, entered = os.getpid(), threading.Event()

def slow(who):
    entered.set()
    gate.wait()
    where = "in the parent" if os.getpid() == main else "in the child"
    os.write(1, f"{who} {where}\\n".encode())  # a line at a time: both write to one pipe

signal.add_receiver(slow, deferred=True)
signal.send(who="parent's first")
entered.wait()
signal.send(who="parent's second")
child = os.fork()
gate.set()
if child:
    assert 0 == os.waitpid(child, 0)[1]
    signal.send(who="parent's third")
else:
    signal.send(who="child's first")
"""
    )
    assert ["parent's first in the parent", "parent's second in the parent", "parent's third in the parent"] == [
        line for line in out.splitlines() if line.startswith("parent")
    ]
    assert ["child's first in the child"] == [line for line in out.splitlines() if line.startswith("child")]
    assert "" == err


@needs_fork
def test_a_child_of_multiprocessing_drains_too() -> None:
    """Such a child ends without running exit handlers; what it deferred is delivered nevertheless."""
    out, err = run_program(
        SETUP
        + """
import multiprocessing

def work():
    signal.add_receiver(lambda number: gate.wait(0.01) or print(number, flush=True), deferred=True)
    for number in range(20):
        signal.send(number=number)

child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
assert 0 == child.exitcode
"""
    )
    assert [str(number) for number in range(20)] == out.splitlines()
    assert "" == err
