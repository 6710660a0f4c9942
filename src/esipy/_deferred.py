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
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from esipy._delivery import LOGGER, Names, failed, full_name, hand_over, refuse_coroutine
from esipy._forks import forget_after_fork

__all__ = ["EXIT_SECONDS", "QUEUE_LIMIT", "WORKER", "Worker", "deferring"]

QUEUE_LIMIT: Final = 10_000
"""How many deliveries may wait."""

EXIT_SECONDS: Final = 5.0
"""How long the exit of the program waits for deliveries."""


class Worker:
    """A bounded queue and one daemon thread, which is started by the first delivery."""

    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        self._limit = limit
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """In a child after fork: the queue and the thread are the parent's, and another thread may hold the lock."""
        self._lock = threading.Lock()  # entered by itself: entering a Condition is Python, where Ctrl-C may strike
        self._changed = threading.Condition(self._lock)
        self._queue: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._put = 0
        self._done = 0
        self._overflown = False
        self._closed = False

    def put(self, deliver: Callable[[], None]) -> bool:
        """Queue a delivery, which must not raise; False when it was dropped because the queue is full."""
        first = queued = False
        with self._lock:
            if full := len(self._queue) >= self._limit:
                first, self._overflown = not self._overflown, True
            elif queued := not self._closed and self._running():
                self._queue.append(deliver)
                self._put += 1
                self._changed.notify_all()
        if full:
            if first:
                LOGGER.warning(
                    "%d deliveries to deferred receivers wait; new ones are dropped until all are done", self._limit
                )
            return False
        if not queued:
            deliver()
        return True

    def _running(self) -> bool:
        """Start the thread if need be; False when the system gives none (Python 3.12 and later: at exit)."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="esipy-signals", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
            # A child of multiprocessing ends without calling what is registered with atexit.
            processes = sys.modules.get("multiprocessing.process")
            if processes is not None and processes.parent_process() is not None:
                from multiprocessing.util import Finalize

                Finalize(None, self.close, exitpriority=0)
        return True

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._queue:
                    self._changed.wait()
                deliver = self._queue.popleft()
            deliver()
            with self._lock:
                self._done += 1
                if not self._queue:
                    self._overflown = False
                self._changed.notify_all()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was queued before this call is delivered; False when ``timeout`` seconds passed first.

        Raises:
            RuntimeError: called by a deferred receiver, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a deferred receiver cannot flush: it would wait for itself")
        with self._lock:
            last = self._put
            return self._changed.wait_for(lambda: self._done >= last, timeout)

    def close(self) -> None:
        """Drain the queue at the exit of the program, and say what could not be delivered."""
        with self._lock:
            self._changed.wait_for(lambda: self._done == self._put, EXIT_SECONDS)
            self._closed = True
            lost = self._put - self._done
        if lost:
            LOGGER.warning("%d deliveries to deferred receivers are lost: not done %g s after exit", lost, EXIT_SECONDS)


WORKER: Final = Worker()
atexit.register(WORKER.close)


def deferring(
    receiver: Callable[..., object], names: Names, signal: str, dropped: Callable[[], None]
) -> Callable[..., None]:
    """A function that queues the delivery of its arguments to ``receiver``, and calls ``dropped`` when it could not.

    Raises:
        TypeError: ``receiver`` is a coroutine function.
    """
    import inspect

    if inspect.iscoroutinefunction(receiver):
        raise TypeError(
            f"receiver {full_name(receiver)} is a coroutine function, which cannot be deferred; "
            "make it a plain function (it may call asyncio.run), or add it without deferred=True"
        )

    def queue(**payload: Any) -> None:
        def deliver() -> None:
            try:
                refuse_coroutine(hand_over(receiver, names, payload), receiver)
            except BaseException as error:  # even SystemExit: the worker has others to serve
                failed(signal, receiver, error, payload)

        if not WORKER.put(deliver):
            dropped()

    return queue
