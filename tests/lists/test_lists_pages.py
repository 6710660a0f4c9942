"""Reading a list page by page: in order, in bounded memory, no further than it is read, and never of two lists."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.engine.terms import Terms
from esipy.exceptions import ForbiddenError, InvalidCallError, ListChangedError, ServerError
from esipy.lists.pages import PageReader
from esipy.settings import Settings
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport
from tests.engine.kit import COLOURS
from tests.lists.kit import TYPES, Shelf, Version, pages

AGENT = {"User-Agent": "tests/1.0 (tests@example.com)"}


async def all_rows(reader: PageReader[int]) -> tuple[list[int], Exception | None]:
    """What a reader gives, and how it ends."""
    rows: list[int] = []
    try:
        while some := await reader.read():
            for page in some:
                rows.extend(page.data or [])
    except Exception as error:
        return rows, error
    return rows, None


def read(shelf: Shelf, **options: Any) -> tuple[list[int], Exception | None]:
    """On virtual time."""
    return shelf.run(all_rows(PageReader(shelf.bench().engine, TYPES, **options)))


@pytest.mark.parametrize("colour", COLOURS)
def test_pages_come_in_order(colour: str) -> None:
    """Whatever order they are answered in."""
    shelf = Shelf([Version(-5, pages(*[2] * 7))])
    shelf.outcomes = [None, 0.9, 0.1, 0.5]
    bench = shelf.bench(colour)
    rows, error = bench.run(all_rows(PageReader(bench.engine, TYPES, read_ahead=3)))
    assert ([*range(1, 15)], None) == (rows, error)
    assert [*range(1, 8)] == sorted(shelf.asked)


def test_it_reads_ahead_as_far_as_said() -> None:
    """Page 1 alone, then so many at once."""
    shelf = Shelf([Version(-5, pages(*[2] * 12))])
    shelf.outcomes = [0.5] * 12
    read(shelf, read_ahead=4)
    assert 4 == shelf.most_at_once


def test_who_stops_early_fetches_no_more() -> None:
    """After the first row, page 1 was asked; then read_ahead pages more; nothing is asked once the reader is left."""
    shelf = Shelf([Version(-5, pages(*[2] * 100))])
    client = EsiClient(headers=AGENT, transport=ScriptedTransport(shelf.served))
    rows = client.rows(TYPES, read_ahead=5)
    assert [] == shelf.asked
    assert 1 == next(rows)
    assert [1] == shelf.asked
    assert [2, 3] == [next(rows), next(rows)]
    assert [1, 2, 3, 4, 5, 6] == sorted(shelf.asked)
    rows.close()  # type: ignore[attr-defined]
    client.close()
    assert 6 == len(shelf.asked)


def test_who_stops_early_in_asyncio_leaves_nothing_under_way() -> None:
    """No task is left behind, and the rest is not asked."""
    shelf = Shelf([Version(-5, pages(*[2] * 100))])

    async def scene() -> tuple[list[int], int]:
        async def serve(request: HttpRequest) -> HttpResponse:
            await asyncio.sleep(0)
            return shelf.served(request)

        async with AsyncEsiClient(headers=AGENT, transport=AsyncScriptedTransport(serve)) as client:
            rows: list[int] = []
            async for row in client.rows(TYPES, read_ahead=5):
                rows.append(row)
                if len(rows) == 3:
                    break
            return rows, len(asyncio.all_tasks())

    assert ([1, 2, 3], 1) == asyncio.run(scene())
    assert 6 == len(shelf.asked)


def test_pages_are_answers() -> None:
    """Each has its rows, its headers and its times."""
    shelf = Shelf([Version(-5, pages(2, 1))])
    with EsiClient(headers=AGENT, transport=ScriptedTransport(shelf.served)) as client:
        answers = list(client.pages(TYPES))
    assert [([1, 2], 2, "network"), ([3], 2, "network")] == [(one.data, one.pages, one.source) for one in answers]


@pytest.mark.parametrize("verb", ["rows", "pages"])
def test_progress_is_told_page_by_page(verb: str) -> None:
    """In order, as pages come in; of pages that are not read nothing."""
    shelf = Shelf([Version(-5, pages(*[2] * 7))])
    told: list[tuple[int, int]] = []
    with EsiClient(headers=AGENT, transport=ScriptedTransport(shelf.served)) as client:
        read: Any = getattr(client, verb)(TYPES, read_ahead=4, on_progress=lambda *pair: told.append(pair))
        next(read)
        assert [(1, 7)] == told
        next(read)
        next(read)
        assert [(number, 7) for number in range(1, 6)] == told
        assert 0 < len(list(read))
    assert [(number, 7) for number in range(1, 8)] == told


def test_progress_is_told_in_asyncio_too() -> None:
    """And what it raises ends the reading."""
    shelf = Shelf([Version(-5, pages(*[2] * 7))])

    def enough(done: int, total: int) -> None:
        if (done, total) == (3, 7):
            raise InterruptedError("enough")

    rows: list[int] = []

    async def scene() -> None:
        async with AsyncEsiClient(headers=AGENT, transport=AsyncScriptedTransport(shelf.served)) as client:
            async for row in client.rows(TYPES, read_ahead=1, on_progress=enough):
                rows.append(row)  # noqa: PERF401 (those before the end count)

    with pytest.raises(InterruptedError):
        asyncio.run(scene())
    assert [1, 2, 3, 4] == rows


def test_a_list_that_changes_midway_is_an_error_after_what_was_good() -> None:
    """Rows that were given cannot be taken back: the first page of another list raises, and raises again."""
    shelf = Shelf([Version(-5, pages(*[1] * 6)), Version(1, pages(*[1] * 6, first=11))], lifetime=300.0)
    shelf.outcomes = [None, None, None, 2.0]
    reader: PageReader[int] = PageReader(shelf.bench().engine, TYPES, read_ahead=3)
    rows, error = shelf.run(all_rows(reader))
    assert ([1, 2, 3], ListChangedError) == (rows, type(error))
    with pytest.raises(ListChangedError, match=r"page 4 is not certainly of the list"):
        shelf.run(reader.read())


def test_T16_shortly_before_the_end_of_the_list_it_waits_for_the_next() -> None:
    """Else the list would become another in the middle, and what was given would be for nothing."""
    new = Version(2, pages(*[1] * 6, first=11))
    shelf = Shelf([Version(-5, pages(*[1] * 6)), new])
    shelf.outcomes = [0.8] * 12
    assert (new.rows, None) == read(shelf, read_ahead=2)
    shelf = Shelf([Version(-5, pages(*[1] * 6)), new])
    shelf.outcomes = [0.8] * 12
    rows, error = read(shelf, read_ahead=2, terms=Terms.of(Settings(), max_wait=0.5))
    assert ([1, 2, 3], ListChangedError) == (rows, type(error))


def test_an_old_page_in_the_cache_is_asked_anew() -> None:
    """Page 1 is new, page 2 is kept and thought fresh: it is fetched, and there is no error."""
    new = Version(100, pages(2, 2, first=7))
    shelf = Shelf([Version(-5, pages(2, 2)), new], lifetime=300.0)
    bench = shelf.bench()

    async def scene() -> Any:
        await all_rows(PageReader(bench.engine, TYPES))
        await bench.runtime.sleep(101.0)
        await bench.engine.perform(TYPES, anew=True)
        return await all_rows(PageReader(bench.engine, TYPES))

    assert (new.rows, None) == shelf.run(scene())


def test_a_list_that_shrinks_is_a_list_that_changed() -> None:
    """A page that is gone: an error, but not to who takes lists as they come."""
    shelf = Shelf([Version(-5, pages(*[1] * 6))], lifetime=300.0)
    shelf.instead = lambda number: HttpResponse(404, Headers([]), b"{}") if number > 3 else None
    rows, error = read(shelf, read_ahead=2)
    assert ([1, 2, 3], ListChangedError) == (rows, type(error))
    assert ([1, 2, 3], None) == read(shelf, read_ahead=2, allow_mixed=True)
    shelf.instead = lambda number: HttpResponse(204, Headers([]), b"") if number > 3 else None
    assert ([1, 2, 3], ListChangedError) == (rows, type(read(shelf)[1]))
    assert ([1, 2, 3], None) == read(shelf, allow_mixed=True)


def test_who_allows_a_mixture_gets_all_pages_of_a_list_that_grows() -> None:
    """The number of pages is that which was said last."""
    shelf = Shelf([Version(-5, pages(1, 1, 1)), Version(1, pages(*[1] * 5, first=11))], lifetime=300.0)
    shelf.outcomes = [None, 2.0]
    assert ([1, 12, 13, 14, 15], None) == read(shelf, read_ahead=1, allow_mixed=True)


def test_pages_that_do_not_say_of_which_list_they_are() -> None:
    """Nothing can be shown of them: an error, but not of a list on one page."""
    shelf = Shelf([Version(-5, pages(2, 2))])
    shelf.has_modified = False
    assert ([1, 2], ListChangedError) == (lambda rows, error: (rows, type(error)))(*read(shelf))
    assert ([1, 2, 3, 4], None) == read(shelf, allow_mixed=True)
    shelf.versions = [Version(-5, pages(2))]
    assert ([1, 2], None) == read(shelf)


def test_a_page_that_fails_is_raised_after_those_before_it() -> None:
    """The error is its own; the engine has tried again by then."""
    shelf = Shelf([Version(-5, pages(*[1] * 6))])
    shelf.instead = lambda number: HttpResponse(500, Headers([]), b"") if number == 4 else None
    rows, error = read(shelf, read_ahead=3)
    assert ([1, 2, 3], ServerError) == (rows, type(error))
    shelf.instead = lambda _: HttpResponse(403, Headers([]), b"{}")
    assert ForbiddenError is type(read(shelf)[1])


def test_an_empty_list_has_one_page_without_rows() -> None:
    """A 204 (T18), in both forms of calls."""
    shelf = Shelf([Version(0, pages(1))])
    shelf.instead = lambda _: HttpResponse(204, Headers([]), b"")
    assert ([], None) == read(shelf)
    with EsiClient(headers=AGENT, transport=ScriptedTransport(shelf.served)) as client:
        assert [] == list(client.rows(TYPES))
        assert [] == list(client.rows(TYPES.operation(region_id=1)))


def test_what_is_no_list_in_pages_is_refused_at_once() -> None:
    """When the iterator is made, not when it is read."""
    with EsiClient(headers=AGENT) as client:
        for call in (TYPES.replace(page=1), ops.alliance.get_alliances()):
            with pytest.raises(InvalidCallError):
                client.rows(call)
