"""Notes when each exchange was asked for, was sent, and had an outcome: what the client did, for the oracle to judge.

Rules: the client is the real engine; it is only watched by two layers, above and below `esipy.engine.limiting`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

from benchmarks.politeness.oracle import Flight, Spend
from esipy.core.answer import Answer
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.exchange import Exchange, Proceed
from esipy.engine.limiting import limiting
from esipy.engine.pipeline import LAYERS, Engine, compose, sending
from esipy.runtime.simulated import SimulatedRuntime, Working
from esipy.simulation import SimulatedEsi

__all__ = ["WatchedEngine", "WatchedRuntime"]


class WatchedRuntime(SimulatedRuntime):
    """A simulated runtime with a simulated ESI; it keeps what was asked for when.

    Args:
        options: of `SimulatedEsi`.

    Attributes:
        esi: the server.
    """

    def __init__(
        self,
        *,
        seed: int,
        request_seconds: tuple[float, float],
        answer_seconds: tuple[float, float],
        **options: Any,
    ) -> None:
        self.esi = SimulatedEsi(lambda: self.now(), seed=seed, **options)
        super().__init__(self._serve, request_seconds=request_seconds, answer_seconds=answer_seconds, seed=seed)
        self._moments = array("d")  # of each exchange: asked, sent, known; how long its answer asked to wait
        self._places = array("q")  # of each exchange: its place in the server's log; -1: it never came there
        self._asking: dict[Exchange, int] = {}
        self._leaving = -1
        self._under_way: dict[int, int] = {}

    async def watch_asking(self, proceed: Proceed, exchange: Exchange) -> Answer:
        """The layer above `limiting`."""
        self._asking[exchange] = len(self._places)
        self._moments.extend((self.now(), 0.0, 0.0, 0.0))
        self._places.append(-1)
        try:
            return await proceed(exchange)
        finally:
            self._asking.pop(exchange, None)

    async def watch_leaving(self, proceed: Proceed, exchange: Exchange) -> Answer:
        """The layer below `limiting`: nothing suspends from here to `send`."""
        self._leaving = self._asking.pop(exchange)
        return await proceed(exchange)

    async def send(self, request: HttpRequest) -> HttpResponse:
        number = self._under_way[id(request)] = self._leaving
        self._moments[4 * number + 1] = self.now()
        try:
            return await super().send(request)
        finally:
            self._moments[4 * number + 2] = self.now()
            del self._under_way[id(request)]

    def _serve(self, request: HttpRequest) -> HttpResponse | Working:
        number = self._under_way[id(request)]
        try:
            outcome = self.esi(request)
        finally:
            self._places[number] = len(self.esi.log) - 1  # it is booked last, and at once
        if type(outcome) is HttpResponse and outcome.status in (420, 429):
            self._moments[4 * number + 3] = float(outcome.headers.get("Retry-After") or 0)
        return outcome

    def by_bucket(self) -> Iterator[tuple[str, list[Flight], list[Spend]]]:
        """What happened in each bucket: flights as they were asked for, spends as they were booked.

        Without its bucket ("") is what counts against the error limit.
        """
        self.esi.settle()
        log, moments = self.esi.log, self._moments
        numbers = array("q", [-1]) * len(log)
        for number, place in enumerate(self._places):
            if place >= 0 and moments[4 * number + 2]:  # else it is still under way
                numbers[place] = number
        places: dict[str, array[int]] = {}
        for place, seen in enumerate(log):
            places.setdefault(seen.bucket, array("q")).append(place)
        for bucket, there in places.items():
            flights: list[tuple[int, Flight]] = []
            spends: list[Spend] = []
            for place in there:
                seen, number = log[place], numbers[place]
                if seen.cost:
                    spends.append(Spend(seen.counted, seen.cost, seen.own))
                if number >= 0:
                    asked, sent, known, rest_seconds = moments[4 * number : 4 * number + 4]
                    status = 0 if seen.lost else seen.status
                    flights.append((number, Flight(
                        asked, sent, seen.counted, known, seen.operation, status, seen.cost,
                        None if seen.lost else seen.used, rest_seconds,
                    )))  # fmt: skip
            flights.sort()
            spends.sort()
            yield bucket, [flight for _, flight in flights], spends


class WatchedEngine(Engine):
    """An engine of a `WatchedRuntime`."""

    def __init__(self, runtime: WatchedRuntime, *arguments: Any, **options: Any) -> None:
        super().__init__(runtime, *arguments, **options)
        place = LAYERS.index(limiting)
        watched = (*LAYERS[:place], runtime.watch_asking, limiting, runtime.watch_leaving, *LAYERS[place + 1 :])
        self._proceed = compose(watched, sending)
