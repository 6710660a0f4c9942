"""Signals that are changed while they are sent: by their receivers, and by other threads (T53)."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from esipy.events import Signal


def test_T53_receivers_may_add_remove_and_send_while_being_told() -> None:
    """Changes made by a receiver count from the next sending on: nobody is skipped, nobody is told too early."""
    signal: Signal[...] = Signal()
    heard: list[str] = []

    def once(depth: int) -> None:
        heard.append(f"once {depth}")
        signal.remove_receiver(once)
        signal.remove_receiver(last)
        signal.add_receiver(added)
        if not depth:
            signal.send(depth=1)

    def last(depth: int) -> None:
        heard.append(f"last {depth}")

    def added(depth: int) -> None:
        heard.append(f"added {depth}")

    signal.add_receiver(once)
    signal.add_receiver(last)
    signal.send(depth=0)
    signal.send(depth=2)
    assert ["once 0", "added 1", "last 0", "added 2"] == heard


@pytest.fixture
def hectic() -> Iterator[None]:
    """Let the interpreter change threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hectic")
def test_T53_threads_add_remove_mute_and_send_at_once() -> None:
    """While threads change the receivers, one who stays hears every sending, and no change is lost."""
    signal: Signal[...] = Signal()
    counts = [0] * 4
    barrier = threading.Barrier(8)
    errors: list[BaseException] = []

    def stays(sender: int) -> None:
        counts[sender] += 1

    def work(job: Callable[[], None]) -> None:
        try:
            barrier.wait(10)
            for _ in range(300):
                job()
        except BaseException as error:
            errors.append(error)

    def change() -> None:
        def guest(**kwargs: Any) -> None: ...

        signal.add_receiver(guest)
        with signal.connected_to(guest):
            signal.add_receiver(guest)
        signal.remove_receiver(guest)

    signal.add_receiver(stays)
    jobs: list[Callable[[], None]] = [change] * 4 + [functools.partial(signal.send, sender=each) for each in range(4)]
    threads = [threading.Thread(target=work, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [] == errors
    assert [300] * 4 == counts
    assert 1 + 4 * 300 == len(signal.receivers)
    assert stays is signal.receivers[0]


def test_T53_a_receiver_whose_equality_uses_the_signal_does_not_lock_it() -> None:
    """Receivers are compared outside the lock: what their ``__eq__`` does to the signal is kept too."""
    signal: Signal[...] = Signal()

    def added(**kwargs: Any) -> None: ...

    def gone(**kwargs: Any) -> None: ...

    class Curious:
        def __call__(self, **kwargs: Any) -> None: ...

        def __eq__(self, other: object) -> bool:
            if other is gone and len(signal.receivers) == 1:
                signal.add_receiver(added)
            return self is other

        __hash__ = None  # type: ignore[assignment]

    curious = Curious()
    signal.add_receiver(curious)
    signal.remove_receiver(gone)
    assert (curious, added) == signal.receivers
