"""In the daily downtime batch calls wait, others are tried, fail or wait; nobody makes a storm at its end.

When it is downtime is `esipy.core.downtime`. Here is who waits: in a line (`esipy.engine.lines`), the first of which
asks ``/status`` when it is time, through the layers below, so that it is counted and told as any call. Who asks has
claimed it for a while in which no other thread or loop of the process does; if it is cancelled, another may at once.
When it is over, all leave the line, each after a random part of a while that grows with their number.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from esipy._forks import forget_after_fork, fork_lock
from esipy.core.answer import Answer
from esipy.core.downtime import QUESTION_SECONDS, Downtime, game_started_at
from esipy.core.moments import not_before
from esipy.engine.exchange import Exchange, Proceed
from esipy.engine.lines import Lines
from esipy.engine.queues import Place
from esipy.engine.terms import Terms
from esipy.events import DOWNTIME_ENDED, DOWNTIME_STARTED
from esipy.exceptions import APIException, DowntimeError
from esipy.runtime.base import Runtime

__all__ = ["Held", "Watch", "hold", "resting", "watch_for"]

THE_LINE = "downtime"

SHORTEST_PAUSE_SECONDS = 0.01
"""Who wakes a rounding error too early does not spin."""


class Held(Exception):
    """The downtime began while a call waited for a limit: it begins anew, and nothing was sent."""


class Watch:
    """One ESI's downtime, as the clients of a process see it.

    Args:
        now: the clock of all its moments.

    Attributes:
        downtime: what is believed.
        lines: who waits for its end.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.lines = Lines()
        self.downtime = Downtime(lambda: self.lines.waiting(THE_LINE))
        self._lock = fork_lock()
        forget_after_fork(self)

    def forget(self) -> None:
        """In a child after fork: the parent's question is not the child's."""
        self.downtime.unasked()

    def change(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Do a step of `downtime`; if that ends it, those who wait see it."""
        with self._lock:
            result = step(*arguments)
        if self.lines and not self.downtime.is_on:
            self.lines.wake_all()
        return result

    async def tell(self, runtime: Runtime) -> None:
        """Send the signals that are due, each once."""
        while self.downtime.news:
            with self._lock:
                if not self.downtime.news:
                    return
                news = self.downtime.news.pop(0)
            if news.ended:
                await runtime.tell(DOWNTIME_ENDED, {"at": not_before(news.at), "down_seconds": news.down_seconds})
            else:
                await runtime.tell(DOWNTIME_STARTED, {"at": not_before(news.at)})


def watch_for(runtime: Runtime, base_url: str) -> Watch:
    """The one of an ESI: all clients of the process share it."""
    watch: Watch = runtime.shared.setdefault(("downtime", base_url), Watch(runtime.now))
    return watch


def resting(proceed: Proceed, exchange: Exchange) -> Awaitable[Answer]:
    watch = exchange.engine.watch
    if watch.now() < watch.downtime.quiet_until or exchange.operation.base_url is not None:
        return proceed(exchange)
    return _watching(proceed, exchange)


def hold(exchange: Exchange) -> None:
    """Called where a call has waited for a limit: all who stood in line would else be sent into the downtime.

    Raises:
        Held: it has begun, and the call is not one that is tried.
    """
    watch = exchange.engine.watch
    if watch.now() < watch.downtime.quiet_until or exchange.operation.base_url is not None:
        return
    watch.change(watch.downtime.look, watch.now(), exchange.runtime.random())
    if watch.downtime.is_on and _choice(exchange.terms) != "try":
        raise Held


async def _watching(proceed: Proceed, exchange: Exchange) -> Answer:
    """Send it when it may be sent, and see what its answer says of the downtime."""
    runtime, watch = exchange.runtime, exchange.engine.watch
    downtime = watch.downtime
    watch.change(downtime.look, watch.now(), runtime.random())
    await watch.tell(runtime)
    while downtime.is_on:
        choice = _choice(exchange.terms)
        if choice == "try":
            break
        if choice == "fail":
            await _ask(proceed, exchange)
            await watch.tell(runtime)
            if downtime.is_on:
                raise _down(exchange)
        else:
            began = watch.now()
            await _wait(proceed, exchange)
            if exchange.patient_until is not None:  # with limits: this was none
                exchange.patient_until += watch.now() - began
            await watch.tell(runtime)  # out of the line: a receiver may call ESI itself
            if not downtime.is_on:
                await runtime.sleep(downtime.spread_seconds * runtime.random())
        watch.change(downtime.look, watch.now(), runtime.random())
    sent_at = watch.now()
    answer = await proceed(exchange)
    now = watch.now()
    _read_date(exchange, answer, now)
    watch.change(downtime.answered, answer.status, sent_at, now, runtime.random())
    await watch.tell(runtime)
    return answer


def _choice(terms: Terms) -> str:
    """What a call does while ESI is down: what it asked for; else a batch call waits, if it ever waits for anything."""
    if terms.downtime != "try" or not terms.batch:
        return terms.downtime
    return "wait" if terms.max_wait > 0 else "fail"


async def _wait(proceed: Proceed, exchange: Exchange) -> None:
    """Stand in line until it is over, or there is something to tell; the first in line asks."""
    runtime, watch = exchange.runtime, exchange.engine.watch
    downtime, lines, loop = watch.downtime, watch.lines, runtime.strand().loop
    place = Place(0, exchange.terms.rank)
    line = lines.join(THE_LINE, loop, place)
    try:
        while True:
            turn = lines.turn(place)
            if not downtime.is_on or downtime.news:
                break
            wake_at = downtime.gives_up_at
            if lines.is_first(line, place):
                if await _ask(proceed, exchange):
                    continue
                wake_at = min(wake_at, downtime.ask_at)
            try:
                await runtime.join(turn, max(wake_at - watch.now(), SHORTEST_PAUSE_SECONDS))
            except TimeoutError:
                watch.change(downtime.look, watch.now(), runtime.random())
    finally:
        lines.leave(THE_LINE, loop, place)


async def _ask(proceed: Proceed, exchange: Exchange) -> bool:
    """Ask ``/status`` whether it is over, if it is time and nobody else does; gives whether it was asked."""
    engine, runtime = exchange.engine, exchange.runtime
    watch, downtime = engine.watch, engine.watch.downtime
    from esipy.ops.status import get_status  # once a day: most programs never need it

    terms = Terms("burst", False, QUESTION_SECONDS, engine.settings.headroom, "try")
    # It may wait for a limit, and then for its answer. Should this loop stand still, another asks after that.
    if not watch.change(downtime.claim, watch.now(), terms.max_wait + engine.settings.timeout):
        return False
    status, started_at = 0, None
    try:
        answer = await proceed(Exchange(engine, get_status(), "GET", terms))
        _read_date(exchange, answer, watch.now())
        status, started_at = answer.status, game_started_at(answer.body)
    except APIException:
        pass  # no answer is an answer
    except BaseException:
        watch.change(downtime.unasked)
        raise
    watch.change(downtime.told, status, started_at, watch.now(), runtime.random())
    return True


def _read_date(exchange: Exchange, answer: Answer, now: float) -> None:
    watch = exchange.engine.watch
    if watch.downtime.wants_date(now):
        watch.change(watch.downtime.dated, answer.headers.get("date"), now, exchange.runtime.random())


def _down(exchange: Exchange) -> DowntimeError:
    """The error that carries the moment at which to come back (T30)."""
    watch = exchange.engine.watch
    error = DowntimeError(
        exchange.url,
        503,
        message=f"{exchange.operation.name}: ESI is in its daily downtime, since 11:00 UTC; nothing was sent. "
        "Come back later, or wait for its end with downtime='wait'",
    )
    error.retry_at = not_before(watch.downtime.next_look(watch.now()))
    return error
