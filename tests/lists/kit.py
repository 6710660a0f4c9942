"""A server of one list in pages, of which versions follow each other, on virtual time: for the tests of lists."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import msgspec

from esipy import ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.exceptions import BrokenAnswerError
from esipy.lists.snapshot import Snapshot, snapshot
from esipy.runtime.simulated import START, SimulatedRuntime, Working
from tests.engine.kit import Bench, date
from tests.urls import query_of

T = TypeVar("T")

TYPES = ops.market.get_markets_region_id_types(region_id=10000002)
"""A list of integers, in pages, in no rate-limit group."""


class Version(NamedTuple):
    """A version of the list: when it begins (seconds after the start), and its pages."""

    begins: int
    pages: list[list[int]]

    @property
    def rows(self) -> list[int]:
        return [row for page in self.pages for row in page]

    @property
    def modified(self) -> float:
        return START + self.begins


class Shelf:
    """The server. It keeps the pages that were asked for.

    Args:
        versions: in the order of their beginnings; the first begins at 0 or before.
        lifetime: seconds that answers are fresh; None: until the next version begins (the last one for ever).

    Attributes:
        lags: by page, how many seconds it is behind, as a copy that somebody keeps.
        outcomes: what becomes of the next requests: ``lost``, a status, seconds that it takes, None: nothing special.
        instead: may answer a page in the server's place.
        bare: a 304 has its ETag only; otherwise Last-Modified and X-Pages, too.
        has_etag, has_modified: whether answers have these.
    """

    def __init__(self, versions: Iterable[Version], lifetime: float | None = None) -> None:
        self.versions = list(versions)
        self.lifetime = lifetime
        self.lags: dict[int, float] = {}
        self.outcomes: list[str | int | float | None] = []
        self.instead: Callable[[int], HttpResponse | Exception | None] = lambda _: None
        self.bare = False
        self.has_etag = self.has_modified = True
        self.asked: list[int] = []
        self.conditional: list[int] = []
        self.most_at_once = self._at_once = 0
        self.runtime = SimulatedRuntime(self)

    def at(self, moment: float) -> int:
        """The place of the version that holds at a moment."""
        return max([place for place, one in enumerate(self.versions) if one.modified <= moment], default=0)

    def __call__(self, request: HttpRequest) -> HttpResponse | Working:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        number = int(query_of(request.url).get("page", "1"))
        self.asked.append(number)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, float):
            return Working(outcome, lambda: self._answer(request, number, None))
        return Working(0.0, lambda: self._answer(request, number, outcome))

    def _answer(self, request: HttpRequest, number: int, outcome: str | int | None) -> HttpResponse:
        self._at_once -= 1
        other = self.instead(number)
        if isinstance(other, Exception):
            raise other
        if other is not None:
            return other
        if outcome == "lost":
            raise BrokenAnswerError(request.url, "the connection broke")
        if isinstance(outcome, int):
            return HttpResponse(outcome, Headers([]), b'{"error":"it is so"}')
        now = self.runtime.now()
        place = self.at(now - self.lags.get(number, 0.0))
        version = self.versions[place]
        if number > len(version.pages):
            return HttpResponse(404, Headers([]), b'{"error":"no such page"}')
        body = msgspec.json.encode(version.pages[number - 1])
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        described = [("Last-Modified", date(version.modified))] if self.has_modified else []
        described.append(("X-Pages", str(len(version.pages))))
        headers = [("ETag", etag)] if self.has_etag else []
        headers.append(("Cache-Control", f"max-age={max(int(self._left(place, now)), 0)}"))
        asked = dict(request.headers)
        if "If-None-Match" in asked or "If-Modified-Since" in asked:
            self.conditional.append(number)
        if self.has_etag and asked.get("If-None-Match") == etag:
            return HttpResponse(304, Headers(headers if self.bare else [*headers, *described]), b"")
        return HttpResponse(200, Headers([*headers, *described]), body)

    def _left(self, place: int, now: float) -> float:
        if self.lifetime is not None:
            return self.lifetime
        return self.versions[place + 1].modified - now if place + 1 < len(self.versions) else 3600.0

    def bench(self, colour: str = "simulated", **options: Any) -> Bench:
        """A client's engine for it. In the other colours, time stands still at the server's."""
        if colour == "simulated":
            return Bench(colour, self, runtime=self.runtime, **options)  # type: ignore[arg-type]
        return Bench(colour, self.served, **options)

    def served(self, request: HttpRequest) -> HttpResponse:
        outcome: HttpResponse | Working = self(request)
        while isinstance(outcome, Working):
            outcome = outcome.finish()
        return outcome

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """On virtual time."""
        return self.runtime.run(work)


def pages(*sizes: int, first: int = 1) -> list[list[int]]:
    """Pages of these sizes, of rows that count on from the first."""
    made: list[list[int]] = []
    for size in sizes:
        made.append(list(range(first, first + size)))
        first += size
    return made


def read(shelf: Shelf, bench: Any = None, **options: Any) -> Snapshot[int]:
    """A snapshot on virtual time."""
    return shelf.run(snapshot((bench or shelf.bench()).engine, TYPES, **options))


def twice(shelf: Shelf, seconds: float) -> tuple[Snapshot[int], Snapshot[int]]:
    """One, and one of the same client after some time."""
    bench = shelf.bench()

    async def both() -> tuple[Snapshot[int], Snapshot[int]]:
        first = await snapshot(bench.engine, TYPES)
        await bench.runtime.sleep(seconds)
        shelf.asked.clear()
        shelf.conditional.clear()
        return first, await snapshot(bench.engine, TYPES)

    return shelf.run(both())
