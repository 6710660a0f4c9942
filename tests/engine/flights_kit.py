"""A server that holds answers back until others wait for them, and engines that tell it who does."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime, run
from tests.engine.kit import ITEM, Bench, Script

LIMIT_SECONDS = 20
"""What hangs for so long has failed."""

REGIONS = ops.universe.get_universe_regions()
CONSTELLATIONS = ops.universe.get_universe_constellations()
AFFILIATION = ops.character.post_characters_affiliation(body=[2, 1])
FITTING = ops.fittings.post_characters_character_id_fittings(
    character_id=91, body={"name": "a", "description": "b", "ship_type_id": 587, "items": [ITEM]}
)
FITTINGS = ops.fittings.get_characters_character_id_fittings(character_id=91)


class Gate:
    """A server that holds its first answer back until so many others wait for it."""

    def __init__(self, outcome: HttpResponse | Exception, wanted: int) -> None:
        self.outcome = outcome
        self.wanted = wanted
        self.requests: list[HttpRequest] = []
        self._waiting = 0
        self.changed = threading.Condition()
        self.opened = False

    def note(self) -> None:
        """Somebody begins to wait."""
        with self.changed:
            self._waiting += 1
            self.changed.notify_all()

    def open(self) -> None:
        """Do not wait for more."""
        with self.changed:
            self.opened = True
            self.changed.notify_all()

    @property
    def is_open(self) -> bool:
        """Whether all are there."""
        return self.opened or self._waiting >= self.wanted

    def result(self) -> HttpResponse:
        """What it answers."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    # the two kinds of transport

    def blocking(self, request: HttpRequest) -> HttpResponse:
        with self.changed:
            self.requests.append(request)
            assert self.changed.wait_for(lambda: self.is_open, LIMIT_SECONDS)
        return self.result()

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        async with asyncio.timeout(LIMIT_SECONDS):
            while not self.is_open:  # noqa: ASYNC110 (other loops and threads open it)
                await asyncio.sleep(0)
        return self.result()

    async def arrived(self) -> None:
        """A request is there."""
        while not self.requests:  # noqa: ASYNC110
            await asyncio.sleep(0)


class Blocking:
    def __init__(self, gate: Gate) -> None:
        self.send = gate.blocking

    def close(self) -> None: ...


class NotingBlocking(BlockingRuntime):
    """Tells the gate who begins to wait for a flight."""

    gate: Gate

    async def join(self, flight: Future[Any], seconds: float | None = None) -> Any:
        self.gate.note()
        return await super().join(flight, seconds)


class NotingAio(AioRuntime):
    gate: Gate

    async def join(self, flight: Future[Any], seconds: float | None = None) -> Any:
        self.gate.note()
        return await super().join(flight, seconds)


def bench_at(gate: Gate, colour: str, **options: Any) -> Bench:
    """An engine at a gate; it tells who waits."""
    runtime: Any = NotingBlocking(Blocking(gate)) if colour == "blocking" else NotingAio(gate)  # type: ignore[arg-type]
    runtime.gate = gate
    return Bench(colour, gate.blocking, runtime=runtime, **options)


def all_of(bench: Bench, calls: list[Any], **options: Any) -> list[Any]:
    """Make these calls at once; answers, or errors, in their order."""

    async def one(call: Any) -> Any:
        try:
            return await bench.engine.perform(call, **options)
        except Exception as error:
            return error

    if bench.colour == "blocking":
        with ThreadPoolExecutor(len(calls)) as pool:
            return [flight.result(LIMIT_SECONDS) for flight in [pool.submit(lambda c=c: run(one(c))) for c in calls]]

    async def story() -> list[Any]:
        if bench.colour == "asyncio":
            return await asyncio.gather(*map(one, calls))
        flights = [bench.runtime.spawn(one(call)) for call in calls]
        return [await bench.runtime.join(flight) for flight in flights]

    return bench.run(story())


def any_bench(colour: str, outcome: HttpResponse | Exception, wanted: int, **options: Any) -> tuple[Bench, list[Any]]:
    """An engine, and the requests that its server saw."""
    if colour == "simulated":
        script = Script(outcome)
        return Bench(colour, script, **options), script.requests
    gate = Gate(outcome, wanted)
    return bench_at(gate, colour, **options), gate.requests


COLOURS = ("blocking", "asyncio", "simulated")
