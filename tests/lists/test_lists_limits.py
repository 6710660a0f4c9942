"""Lists in pages and limits: every page goes through the limiter, against an ESI that counts by itself."""

from __future__ import annotations

import msgspec
import pytest

from esipy import ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.engine.terms import Terms
from esipy.exceptions import IncompleteSnapshotError, LimitedError
from esipy.lists.pages import PageReader
from esipy.lists.snapshot import snapshot
from esipy.operation import Operation
from tests.engine.limits_kit import HERO, Town
from tests.urls import query_of

KILLS = ops.killmails.get_characters_character_id_killmails_recent(character_id=HERO)
"""In pages, of a group of 30 tokens: fifteen good answers in a window of a quarter of an hour."""

PAGES, ROWS = 40, 2


def page_of_kills(operation: Operation[object], request: HttpRequest) -> HttpResponse:
    """One of forty pages."""
    number = int(query_of(request.url).get("page", "1"))
    rows = [{"killmail_hash": "x", "killmail_id": number * ROWS + row} for row in range(ROWS)]
    headers = [("X-Pages", str(PAGES)), ("Last-Modified", "Tue, 04 Aug 2026 11:00:00 GMT")]
    return HttpResponse(200, Headers([*headers, ("Cache-Control", "max-age=3600")]), msgspec.json.encode(rows))


def town() -> Town:
    return Town(body=page_of_kills)


def test_a_snapshot_waits_for_its_limit_and_draws_no_refusal() -> None:
    """Forty pages at once, of which fifteen go in a window: all of them come, in three windows, without a 429."""
    place = town()
    engine = place.bench(HERO).engine
    patient = Terms.of(engine.settings, max_wait=3600.0)
    got = place.run(snapshot(engine, KILLS, terms=patient, concurrency=40))
    assert [*range(ROWS, (PAGES + 1) * ROWS)] == [row.killmail_id for row in got]
    assert (True, 0, {}) == (got.consistent, got.refetched, place.refusals)
    assert PAGES == len(place.arrivals(200))
    assert 2 * 900 < place.passed < 3 * 900


def test_an_iterator_waits_for_its_limit_too() -> None:
    """Its readings ahead are no way around it."""
    place = town()
    engine = place.bench(HERO).engine

    async def read() -> list[int]:
        patient = Terms.of(engine.settings, max_wait=3600.0)
        reader = PageReader(engine, KILLS, terms=patient, read_ahead=20)
        rows: list[int] = []
        while some := await reader.read():
            rows.extend(row.killmail_id for page in some for row in page.data)
        return rows

    assert [*range(ROWS, (PAGES + 1) * ROWS)] == place.run(read())
    assert {} == place.refusals


def test_without_patience_a_snapshot_ends_with_what_the_limit_allowed() -> None:
    """What came is there, the rest says that it was the limit; ESI has refused nothing."""
    place = town()
    engine = place.bench(HERO).engine
    with pytest.raises(IncompleteSnapshotError) as raised:
        place.run(snapshot(engine, KILLS, terms=Terms.of(engine.settings, max_wait=5.0), concurrency=4))
    partial, causes = raised.value.snapshot, raised.value.causes
    assert (PAGES, {}) == (len(causes) + len(partial.rows) // ROWS, place.refusals)
    assert 10 <= len(partial.rows) // ROWS <= 15
    assert all(isinstance(cause, LimitedError) for cause in causes.values())
    assert place.passed < 60
