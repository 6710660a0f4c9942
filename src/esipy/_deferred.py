"""The one background worker that delivers to deferred receivers, in the order of sending.

Rules kept here:

- The queue holds at most `QUEUE_LIMIT` deliveries. At the bound the new delivery is dropped; one warning
  tells it per burst (until the queue has been empty again), and the sender is told to count it.
- At exit the queue is drained for at most `EXIT_SECONDS`; what is lost then is told by a warning. What is sent
  after that (by other exit handlers) is delivered at once, in the sender's thread.
- A forked child begins with an empty queue and starts a worker of its own.
- The lock is never held while a receiver runs.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from esipy._delivery import LOGGER

__all__ = ["EXIT_SECONDS", "QUEUE_LIMIT", "WORKER", "Worker"]

QUEUE_LIMIT: Final = 10_000
"""How many deliveries may wait."""

EXIT_SECONDS: Final = 5.0
"""How long the exit of the program waits for deliveries."""


class Worker:
    """A bounded queue and one daemon thread, which is started by the first delivery."""

    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        self._limit = limit
        self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._queue: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._put = 0
        self._done = 0
        self._overflown = False
        self._closed = False

    def after_fork(self) -> None:
        """In the child: forget the parent's queue, thread and lock (which another thread may have held)."""
        self._begin()

    def put(self, deliver: Callable[[], None]) -> bool:
        """Queue a delivery, which must not raise; False when it was dropped because the queue is full."""
        with self._changed:
            if not self._closed:
                if len(self._queue) < self._limit:
                    self._queue.append(deliver)
                    self._put += 1
                    self._changed.notify_all()
                    if self._thread is None:
                        self._start()
                    return True
                first, self._overflown = not self._overflown, True
            else:
                first = None
        if first is None:
            deliver()
            return True
        if first:
            LOGGER.warning(
                "%d deliveries to deferred receivers wait: new ones are dropped until the queue is empty again",
                self._limit,
            )
        return False

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="esipy-signals", daemon=True)
        self._thread.start()
        # A child of multiprocessing ends without calling what is registered with atexit.
        processes = sys.modules.get("multiprocessing.process")
        if processes is not None and processes.parent_process() is not None:
            from multiprocessing.util import Finalize

            Finalize(None, self.close, exitpriority=0)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    self._overflown = False
                    self._changed.wait()
                deliver = self._queue.popleft()
            deliver()
            with self._changed:
                self._done += 1
                self._changed.notify_all()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was queued before this call is delivered; False when ``timeout`` seconds passed first.

        Raises:
            RuntimeError: called by a deferred receiver, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a deferred receiver cannot flush: it would wait for itself")
        with self._changed:
            last = self._put
            return self._changed.wait_for(lambda: self._done >= last, timeout)

    def close(self) -> None:
        """Drain the queue at the exit of the program, and say what could not be delivered."""
        drained = self.flush(EXIT_SECONDS)
        with self._changed:
            self._closed = True
            lost = self._put - self._done
        if not drained:
            LOGGER.warning(
                "%d deliveries to deferred receivers are lost at exit: they took longer than %g s", lost, EXIT_SECONDS
            )


WORKER: Final = Worker()
atexit.register(WORKER.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WORKER.after_fork)
