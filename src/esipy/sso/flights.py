"""One flight for all who want the same thing, and a bounded number of flights at once.

Threads, tasks and both runtimes meet here, so everything that waits is a `concurrent.futures.Future`, and no
lock is held across an await. After ``fork`` a child knows nothing of its parent's flights. Rules for waiting:

- A blocking caller does not wait for an event loop of its own thread, which stands still until it returns.
- No wait is for ever: whoever leads may be stopped, or wait for somebody who waits for it.
- A flight whose loop is closed, or stands still for longer than an exchange can take, has crashed: whoever comes next
  leads. What may be done twice is then led once more; what may not (`TokenRevokedError` would come of it) is an error.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, Generic, TypeVar

from esipy._forks import forget_after_fork, fork_lock
from esipy.exceptions import SSOUnavailableError
from esipy.runtime.base import Runtime, Strand

__all__ = ["Flights", "Slots"]

T = TypeVar("T")

_STANDS_STILL = (
    "a token is being refreshed by an event loop of this thread, which stands still while a blocking call waits: "
    "use AsyncEsiClient and AsyncEsiSecurity there, or make the blocking call with asyncio.to_thread; "
    "a loop that is not run any more has to be closed"
)


class _Interrupted(Exception):
    """Whoever led the flight was stopped (its client closed, its loop ended, Ctrl-C): the others try it themselves."""


class _Flight(Future[T]):
    """Work under way.

    Attributes:
        leader: who does it.
        began: when it could begin, in `Runtime.passed`; None while it waits for a slot.
    """

    def __init__(self, leader: Strand) -> None:
        super().__init__()
        self.leader = leader
        self.began: float | None = None

    def land(self, result: T) -> None:
        """End it well; no error when another has taken over."""
        with suppress(InvalidStateError):
            self.set_result(result)

    def crash(self, error: BaseException) -> None:
        """End it badly; no error when another has taken over."""
        with suppress(InvalidStateError):
            self.set_exception(error)


class Flights(Generic[T]):
    """Work that is done once for all who ask for it at the same time.

    `fly` has to be given to ``runtime.finish``: a leader that is cancelled would take the others down.

    Args:
        slots: how many may be at work at once; None: any number.
        repeatable: whether it does no harm to do the work twice.
    """

    def __init__(self, slots: Slots | None = None, *, repeatable: bool = False) -> None:
        self._flying: dict[Hashable, _Flight[T]] = {}
        self._lock = fork_lock()
        self._slots = slots
        self._repeatable = repeatable

    async def fly(
        self, runtime: Runtime, key: Hashable, limit_seconds: float, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> tuple[T, bool]:
        """Do ``work``, or wait for who does it already.

        Args:
            limit_seconds: in which the work can be expected to be done, once it has begun.

        Returns:
            the result, and whether it was this caller that did the work.

        Raises:
            SSOUnavailableError: another does it and is not done in time; the work may not be done twice.
            RuntimeError: a blocking caller would have to wait for a loop that waits for this very caller.
        """
        # The process id keeps a child from waiting for threads that only its parent has.
        key = (os.getpid(), key)
        me = runtime.strand()
        while True:
            mine: _Flight[T] = _Flight(me)
            try:
                with self._lock:
                    flight = self._flying.setdefault(key, mine)
                if flight is mine:
                    return await self._lead(runtime, key, flight, limit_seconds, work), True
            except BaseException as error:
                self._end(key, mine)
                # A RuntimeError is the leader's own: its client was closed meanwhile.
                shared = isinstance(error, Exception) and not isinstance(error, RuntimeError)
                mine.crash(error if shared else _Interrupted())
                raise
            if self._crashed(runtime, flight, limit_seconds):
                self._end(key, flight)
                flight.crash(_Interrupted())
            elif me.holds_up(flight.leader):
                if not self._repeatable:
                    raise RuntimeError(_STANDS_STILL)
                return await work(), True
            else:
                try:
                    return await runtime.join(flight, limit_seconds), False
                except _Interrupted:
                    continue
                except TimeoutError:
                    if flight.done():
                        return flight.result(), False
                if not self._crashed(runtime, flight, limit_seconds) and self._is_late(runtime, flight, limit_seconds):
                    if not self._repeatable:
                        raise _too_late(limit_seconds)
                    return await work(), True

    def _crashed(self, runtime: Runtime, flight: _Flight[T], limit_seconds: float) -> bool:
        """Whether nobody is at work any more."""
        state = flight.leader.state()
        return state == "gone" or (state == "still" and self._is_late(runtime, flight, limit_seconds))

    def _is_late(self, runtime: Runtime, flight: _Flight[T], limit_seconds: float) -> bool:
        """Whether it should have landed by now; while others of the queue get their slots it is only waiting."""
        began = flight.began
        if began is None and self._slots is not None:
            began = self._slots.moved
        return began is not None and runtime.passed() - began >= limit_seconds

    async def _lead(
        self,
        runtime: Runtime,
        key: Hashable,
        flight: _Flight[T],
        limit_seconds: float,
        work: Callable[[], Coroutine[Any, Any, T]],
    ) -> T:
        def begin() -> None:
            flight.began = runtime.passed()

        if self._slots is None:
            begin()
            result = await work()
        else:
            result = await self._slots.within(runtime, limit_seconds, begin, work)
        self._end(key, flight)
        flight.land(result)
        return result

    def _end(self, key: Hashable, flight: _Flight[T]) -> None:
        with self._lock:
            if self._flying.get(key) is flight:
                del self._flying[key]


class _Turn(Future[None]):
    """Somebody who waits for a slot."""

    def __init__(self, waiter: Strand) -> None:
        super().__init__()
        self.waiter = waiter


class Slots:
    """At most so many at once, over all threads, tasks and loops of the process; the longest waiting goes next.

    Who cannot wait, and who waits although nothing has moved for a whole time limit, goes without a slot: the bound
    is there to be polite, and what holds the slots then is a loop that stands still.

    Attributes:
        moved: when a slot was last given or given back, in `Runtime.passed`; None: never.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = fork_lock()
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """Begin anew: who held a slot before is forgotten."""
        self._free = self._count
        self._inside: list[Strand] = []
        self._waiting: deque[_Turn] = deque()
        self.moved: float | None = None

    async def within(
        self,
        runtime: Runtime,
        limit_seconds: float,
        begin: Callable[[], None],
        work: Callable[[], Coroutine[Any, Any, T]],
    ) -> T:
        """Wait for a slot, do ``work`` in it, and hand it over to the longest waiting.

        Args:
            limit_seconds: for which a slot may be held.
            begin: told when there is a slot, by whoever gives it.
        """
        me = runtime.strand()
        entered = await self._enter(runtime, me, limit_seconds, begin)
        try:
            return await work()
        finally:
            if entered:
                self._leave(runtime, me)

    async def _enter(self, runtime: Runtime, me: Strand, limit_seconds: float, begin: Callable[[], None]) -> bool:
        """Whether there is a slot: else it goes without one."""
        with self._lock:
            self._reclaim()
            if self._free:
                self._free -= 1
                self._give(runtime, me)
                begin()
                return True
            if any(me.holds_up(other) for other in (*self._inside, *(turn.waiter for turn in self._waiting))):
                begin()
                return False
            turn = _Turn(me)
            turn.add_done_callback(lambda _: begin())
            self._waiting.append(turn)
        since = runtime.passed()
        try:
            while True:
                with suppress(TimeoutError):
                    await runtime.join(turn, limit_seconds)
                with self._lock:
                    if turn.done():
                        return True
                    now = runtime.passed()
                    if now - max(since, self.moved or since) >= limit_seconds:
                        self._waiting.remove(turn)
                        self.moved = now  # the next one waits as long again
                        break
        except BaseException:
            with self._lock:
                handed_over = turn.done()
                with suppress(ValueError):
                    self._waiting.remove(turn)
            if handed_over:
                self._leave(runtime, me)
            raise
        begin()
        return False

    def _give(self, runtime: Runtime, to: Strand) -> None:
        self._inside.append(to)
        self.moved = runtime.passed()

    def _leave(self, runtime: Runtime, me: Strand) -> None:
        with self._lock:
            if me not in self._inside:
                return  # it was taken back, or the process has forked within
            self._inside.remove(me)
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.waiter.state() != "gone":
                    self._give(runtime, turn.waiter)
                    # Under the lock, so that `_enter` sees either a waiting turn or a done one.
                    turn.set_result(None)
                    return
            self._free += 1
            self.moved = runtime.passed()

    def _reclaim(self) -> None:
        """Take back the slots of loops that were closed."""
        self._inside = [strand for strand in self._inside if strand.state() != "gone"]
        self._free = self._count - len(self._inside)


def _too_late(limit_seconds: float) -> SSOUnavailableError:
    return SSOUnavailableError(
        "",
        0,
        message=f"another thread or loop refreshes this token and is not done after {limit_seconds:g} s; "
        "try later, the token is kept",
    )
