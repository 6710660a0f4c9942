"""What lists hold in memory: iterators a few pages, whatever the length; the cache no list that would fill it."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.response import Response
from esipy.runtime.blocking import run
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport
from tests.lists.kit import TYPES
from tests.urls import query_of

AGENT = {"User-Agent": "tests/1.0 (tests@example.com)"}
PAGE_BYTES, PAGE_ROWS = 100_000, 500
OTHER = ops.alliance.get_alliances()


class Server:
    """A list of so many pages, all of one size; each answer is new bytes, as from a socket.

    Attributes:
        pages: how many there are.
        version: of the list.
        asked: how many requests came.
        watching: called at each request.
    """

    def __init__(self, pages: int) -> None:
        self.pages = pages
        self.version = 1
        self.asked = 0
        self.watching: Callable[[], None] = lambda: None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.asked += 1
        self.watching()
        page = int(query_of(request.url).get("page", "1"))
        headers = [("X-Pages", str(self.pages)), ("Last-Modified", f"Tue, 04 Aug 2026 11:00:0{self.version} GMT")]
        headers += [("Cache-Control", "max-age=300"), ("ETag", f'"{page}-{self.version}"')]
        first = (100 * self.version + page) * PAGE_ROWS
        body = msgspec.json.encode(list(range(first, first + PAGE_ROWS)))
        return HttpResponse(200, Headers(headers), body.ljust(PAGE_BYTES))


def read(colour: str, server: Server, verb: str, **options: Any) -> int:
    """Read the list to its end, and keep nothing; gives how many rows, or pages, there were."""
    if colour == "blocking":
        with EsiClient(headers=AGENT, transport=ScriptedTransport(server), **options) as client:
            return sum(1 for _ in getattr(client, verb)(TYPES))

    async def scene() -> int:
        async with AsyncEsiClient(headers=AGENT, transport=AsyncScriptedTransport(server), **options) as client:
            count = 0
            async for _ in getattr(client, verb)(TYPES):
                count += 1
            return count

    return asyncio.run(scene())


def peak_bytes(colour: str, pages: int, verb: str, **options: Any) -> int:
    """The most that was allocated while a list was read."""
    gc.collect()
    tracemalloc.start()
    try:
        read(colour, Server(pages), verb, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
@pytest.mark.parametrize(("verb", "options"), [("rows", {}), ("pages", {}), ("rows", {"cache": None})], ids=str)
def test_the_peak_of_memory_does_not_depend_on_the_number_of_pages(
    colour: str, verb: str, options: dict[str, Any]
) -> None:
    """With the cache that clients have by default, and with none: 200 pages take no more than 50."""
    read(colour, Server(2), verb, **options)  # what is loaded and made once
    few, many = (peak_bytes(colour, pages, verb, **options) for pages in (50, 200))
    assert many < few * 1.2
    assert many < 50 * PAGE_BYTES


@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
@pytest.mark.parametrize("verb", ["rows", "pages"])
def test_what_was_read_is_let_go_of_before_more_is_fetched(colour: str, verb: str) -> None:
    """At no moment there are more pages than are read ahead, and the one that is being looked at."""
    server = Server(32)
    alive: list[int] = []
    server.watching = lambda: alive.append(sum(type(one) is Response for one in gc.get_objects()))
    gc.collect()
    before = sum(type(one) is Response for one in gc.get_objects())
    read(colour, server, verb, cache=None)
    assert 32 == len(alive)
    assert max(alive) - before <= 10 + 1


def test_a_list_that_fits_is_kept_by_iterators_and_snapshots() -> None:
    """Read again within its lifetime, it costs nothing."""
    server = Server(5)
    with EsiClient(headers=AGENT, transport=ScriptedTransport(server)) as client:
        first = list(client.rows(TYPES))
        assert 5 == server.asked
        assert first == list(client.rows(TYPES)) == client.snapshot(TYPES).rows == client.fetch(TYPES)
    assert 5 == server.asked


@pytest.mark.parametrize(("verb", "cache_bytes", "fits"), [("snapshot", 2_000_000, 10), ("rows", 16_000_000, 5)])
def test_a_list_that_would_fill_the_cache_is_not_kept(verb: str, cache_bytes: int, fits: int) -> None:
    """Half of it is for a snapshot, a 32nd for an iterator; of a longer list page 1 is kept, and all else stays."""
    for pages, again in ((fits, 0), (fits + 1, fits)):
        server = Server(pages)
        with EsiClient(headers=AGENT, transport=ScriptedTransport(server), cache_bytes=cache_bytes) as client:
            client.fetch(OTHER)
            first = list(getattr(client, verb)(TYPES))
            assert 1 + pages == server.asked
            assert first == list(getattr(client, verb)(TYPES))
            assert 1 + pages + again == server.asked
            client.fetch(OTHER)
            assert 1 + pages + again == server.asked


def test_an_older_page_that_is_kept_is_replaced_also_when_the_list_has_become_too_large() -> None:
    """Else it would be given in place of the new one, and asked for anew each time."""
    server = Server(10)
    with EsiClient(headers=AGENT, transport=ScriptedTransport(server), cache_bytes=2_000_000) as client:
        client.snapshot(TYPES)
        server.version, server.pages = 2, 15
        run(client._engine.perform(TYPES, anew=True))
        grown = client.snapshot(TYPES)
        assert (15, True, 9) == (grown.pages, grown.consistent, grown.refetched)
        assert 10 == client.cache.stats().entries
        asked = server.asked
        assert grown.rows == client.snapshot(TYPES).rows
        assert asked + 5 == server.asked
