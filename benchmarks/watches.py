"""What ten thousand watches cost while nothing changes: in virtual time, with the real engine and its scheduler.

The server says that each answer is fresh for an hour, and 304 from then on: in an hour each watch looks once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from esipy import EsiClient, ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.engine.pipeline import Engine
from esipy.events import Signal
from esipy.retries import rule_for
from esipy.runtime.simulated import SimulatedRuntime
from esipy.settings import Settings
from esipy.stores.memory import MemoryCache
from esipy.stores.memory_ledger import MemoryLedger
from esipy.transport.scripted import ScriptedTransport
from esipy.watching.options import options_of
from esipy.watching.signals import Watching

__all__ = ["measure", "threads"]

HOUR = 3600.0
BODY = b'{"creator_corporation_id":1,"creator_id":2,"date_founded":"2026-08-04T11:05:00Z","name":"A","ticker":"T"}'


class _Tasks:
    """A `Crew` of simulated tasks."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self._runtime = runtime

    def check(self) -> None: ...

    def begin(self, work: Callable[[], Coroutine[Any, Any, None]], *, lasting: bool = False) -> None:  # noqa: ARG002
        self._runtime.spawn(work())


class _Server:
    """Answers that never change.

    Attributes:
        asked: how often it was asked.
    """

    def __init__(self, lifetime: int) -> None:
        self.asked = 0
        self._headers = Headers([("ETag", '"a"'), ("Cache-Control", f"max-age={lifetime}")])

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.asked += 1
        known = any(name == "If-None-Match" for name, _ in request.headers)
        return HttpResponse(304 if known else 200, self._headers, b"" if known else BODY)


def _calls(count: int) -> list[Any]:
    return [ops.alliance.get_alliances_alliance_id(alliance_id=number) for number in range(1, count + 1)]


def measure(count: int) -> dict[str, float]:
    """Processor seconds of an hour in which nothing is due, and of one in which each watch looks once."""
    server = _Server(int(3 * HOUR))
    runtime = SimulatedRuntime(server, seed=1)
    engine = Engine(
        runtime,
        Settings(),
        signer=None,
        cache=MemoryCache(),
        ledger=MemoryLedger(runtime.now),
        retry_rule=rule_for(None),
        headers={},
        stats_signal=Signal(),
        drift_signal=Signal(),
    )
    watching = Watching(engine, _Tasks(runtime))
    options = options_of(engine, lambda call: call, watching.open_store, {})
    told: list[Any] = []
    signals = [watching.signal(call, options, {}) for call in _calls(count)]
    for signal in signals:
        signal.add_receiver(lambda **changed: told.append(changed))

    def spent(seconds: float) -> float:
        before = time.process_time()
        runtime.run(runtime.sleep(seconds))
        return time.process_time() - before

    spent(HOUR)  # the first looks
    assert (count, []) == (server.asked, told)
    idle = spent(HOUR)
    assert count == server.asked
    looking = spent(2 * HOUR)
    assert (2 * count, []) == (server.asked, told)
    return {"idle": idle, "looking": looking}


def threads(count: int) -> int:
    """How many threads a blocking client has beside the caller's, when so many signals have a receiver."""
    server = _Server(int(3 * HOUR))
    done = threading.Event()

    def serve(request: HttpRequest) -> HttpResponse:
        answer = server(request)
        if server.asked == count:
            done.set()
        return answer

    headers = {"User-Agent": "EsiPyBenchmarks/1.0 (benchmarks@example.com)"}
    before = threading.active_count()
    with EsiClient(headers=headers, transport=ScriptedTransport(serve)) as client:
        signals = [client.on_change(call) for call in _calls(count)]
        for signal in signals:
            signal.add_receiver(lambda **_: None)
        if not done.wait(60):
            raise RuntimeError(f"{server.asked} of {count} were looked at")
        for thread in threading.enumerate():  # the last looks
            if thread.name == "esipy_looking":
                thread.join(60)
        return threading.active_count() - before
