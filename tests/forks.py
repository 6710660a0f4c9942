"""Children of a fork, for the tests of what they begin with."""

from __future__ import annotations

import os
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

LIMIT_SECONDS = 60
"""No child takes as long, however slow the machine is: it hangs."""


def child(work: Callable[[], bool]) -> bool:
    """What this gives in a child; False when it raises there (which is printed), or hangs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, where there are threads
        pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LIMIT_SECONDS)
        done = False
        try:
            done = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0 if done else 1)
    return os.waitpid(pid, 0)[1] == 0


@contextmanager
def another_thread(within: Callable[[Callable[..., None]], object]) -> Iterator[None]:
    """For the block another thread is in the midst of something.

    Args:
        within: what it is in the midst of, when it calls the function that it is given.
    """
    there, may_go = threading.Event(), threading.Event()

    def stay(*_: object) -> None:
        there.set()
        assert may_go.wait(LIMIT_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        staying = pool.submit(within, stay)
        assert there.wait(LIMIT_SECONDS)
        try:
            yield
        finally:
            may_go.set()
        staying.result(LIMIT_SECONDS)
