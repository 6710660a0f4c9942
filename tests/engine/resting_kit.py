"""A server that is down after 11:00 by a clock of its own, and shapes for what it saw and what the signals told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.terms import Terms
from esipy.runtime.simulated import SimulatedRuntime
from tests.engine.kit import ORDERS, Bench, answer, date

T = TypeVar("T")

NOON = 1785844800.0  # 2026-08-04
ELEVEN = NOON - 3600.0
DAY = 86400.0


class Told(NamedTuple):
    """One signal of the downtime."""

    ended: bool
    at: float
    down_seconds: float


class Seen(NamedTuple):
    """One request, in seconds since 11:00 by the server's clock."""

    seconds: float
    path: str
    status: int


class Esi:
    """A server that is down in some seconds after 11:00, by a clock of its own, which its ``Date`` tells.

    Args:
        down: from, to; more than once, if need be.
        ahead: what the local clock lacks.
        started: when the game is, in seconds since 11:00; None: with the end of the first downtime. Else: yesterday.
        broken: a part of a path that stays broken.
    """

    def __init__(
        self,
        *down: tuple[float, float],
        begin: float = -300.0,
        ahead: float = 0.0,
        seed: int = 0,
        started: float | None = None,
        broken: str = "//",
        **options: Any,
    ) -> None:
        self.down = down
        self.broken = broken
        self.started = started
        self.seen: list[Seen] = []
        self.runtime = SimulatedRuntime(self, start=ELEVEN - ahead + begin, seed=seed)
        self.clock: Callable[[], float] = lambda: self.runtime.now() + ahead - ELEVEN
        self.bench = Bench("simulated", self, runtime=self.runtime, **options)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        now = self.clock()
        path = request.url.partition("//")[2].partition("/")[2]
        is_down = any(begins <= now < ends for begins, ends in self.down) or self.broken in path
        self.seen.append(Seen(now, path, 503 if is_down else 200))
        said = date(ELEVEN + now)
        if is_down:
            return answer(b"<html>", 503, date=said)
        started = self.started or (self.down[0][1] if self.down else None)
        if started is None or now < started:
            started = 300 - DAY
        moment = date_as_esi(ELEVEN + started)
        body = {"players": 1, "server_version": "1", "start_time": moment} if path == "status" else []
        return answer(body, date=said, cache_control="no-store")

    def terms(self, **options: Any) -> Terms:
        return Terms.of(self.bench.engine.settings, **options)

    async def call(self, page: int = 1, **options: Any) -> Any:
        terms = self.terms(**{"policy": "off", **options})
        return await self.bench.engine.perform(ORDERS.replace(page=page), terms=terms)

    async def call_at(self, seconds: float, page: int = 1, **options: Any) -> Any:
        """A call at a moment: seconds since 11:00 by the server's clock."""
        await self.runtime.sleep(seconds - self.clock())
        return await self.call(page, **options)

    def run(self, *stories: Any) -> list[Any]:
        """Run these side by side; their results."""

        async def main() -> list[Any]:
            flights = [self.runtime.spawn(story) for story in stories]
            return [await self.runtime.join(flight) for flight in flights]

        return self.runtime.run(main())

    @property
    def questions(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path == "status"]

    @property
    def calls(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path != "status"]


def date_as_esi(moment: float) -> str:
    """A moment as bodies write it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
