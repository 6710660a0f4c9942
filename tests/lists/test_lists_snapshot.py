"""Lists in pages, read whole: how pages are asked for, what is told, who may ask; in every colour."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from esipy import App, AsyncEsiClient, EsiClient, ops
from esipy.core.wire import Headers, HttpResponse
from esipy.engine.terms import Terms
from esipy.exceptions import InvalidCallError
from esipy.lists.snapshot import snapshot
from esipy.runtime.simulated import START
from esipy.sandbox import RunningSandbox
from esipy.settings import Settings
from esipy.testing import sandbox
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport
from tests.engine.kit import COLOURS, ITEM, Login
from tests.lists.kit import TYPES, Shelf, Version, pages, read, twice

AGENT = {"User-Agent": "tests/1.0 (tests@example.com)"}


@pytest.fixture(scope="module")
def esi() -> Iterator[RunningSandbox]:
    """A sandbox over HTTP."""
    with sandbox() as running:
        yield running


@pytest.mark.parametrize("colour", COLOURS)
def test_all_pages_come_in_order(colour: str) -> None:
    """Page 1 is asked first, the others once each; the snapshot says of what list it is."""
    shelf = Shelf([Version(-5, pages(3, 3, 3, 1))])
    bench = shelf.bench(colour)
    got = bench.run(snapshot(bench.engine, TYPES))
    assert ([*range(1, 11)], 4, 0, True, {}) == (got.rows, got.pages, got.refetched, got.consistent, got.missing)
    assert got.last_modified is not None
    assert START - 5 == got.last_modified.timestamp()
    assert (1, [1, 2, 3, 4]) == (shelf.asked[0], sorted(shelf.asked))
    assert (10, 4, [*range(1, 11)]) == (len(got), got[3], list(got))


def test_pages_are_fetched_at_once_and_no_more_than_said() -> None:
    """Page 1 alone; then as many at a time as ``concurrency`` says."""
    shelf = Shelf([Version(-5, pages(*[1] * 13))])
    shelf.outcomes = [0.5] * 13
    read(shelf, concurrency=4)
    assert 4 == shelf.most_at_once
    assert 0.5 + 3 * 0.5 + 4 * 0.05 == pytest.approx(shelf.runtime.now() - START)


@pytest.mark.parametrize("headers", [[], [("Last-Modified", "Tue, 04 Aug 2026 11:00:00 GMT")]])
def test_T18_no_content_is_an_empty_list(headers: list[tuple[str, str]]) -> None:
    """A 204 on page 1 is a list without rows."""
    shelf = Shelf([Version(0, pages(1))])
    shelf.instead = lambda _: HttpResponse(204, Headers(headers), b"")
    got = read(shelf)
    assert ([], 1, True) == (got.rows, got.pages, got.consistent)


def test_T18_no_content_on_a_later_page_is_no_page() -> None:
    """It is what a list that has shrunk may answer in place of a 404."""
    new = Version(1, pages(2, first=11))
    shelf = Shelf([Version(-5, pages(2, 2)), new], lifetime=300.0)
    shelf.outcomes = [None, 2.0]
    shelf.instead = lambda number: HttpResponse(204, Headers([]), b"") if number == 2 else None
    assert new.rows == read(shelf).rows


@pytest.mark.parametrize("call", [TYPES, ops.assets.get_characters_character_id_assets(character_id=91)])
def test_T19_the_second_call_gives_all_pages_too(call: Any) -> None:
    """From the cache, one by one, for lists that need a login as for public ones; nothing is sent."""
    shelf = Shelf([Version(-5, pages(2, 2, 2))])
    if call is not TYPES:
        rows = [{**ITEM, "item_id": place, "location_id": 1, "location_type": "item", "is_singleton": False,
                 "location_flag": "Hangar"} for place in range(6)]  # fmt: skip
        shelf.versions = [Version(-5, [rows[:2], rows[2:4], rows[4:]])]  # type: ignore[list-item]
    bench = shelf.bench(signer=Login())
    first = shelf.run(snapshot(bench.engine, call))
    asked = len(shelf.asked)
    second = shelf.run(snapshot(bench.engine, call))
    assert (6, 3, first.rows, asked) == (len(second), second.pages, second.rows, len(shelf.asked))


def test_after_the_lifetime_each_page_is_revalidated() -> None:
    """One token each, when nothing has changed."""
    shelf = Shelf([Version(-5, pages(2, 2, 2))], lifetime=10.0)
    first, second = twice(shelf, 11.0)
    assert (first.rows, [1, 2, 3], 0) == (second.rows, sorted(shelf.conditional), second.refetched)


def test_expires_at_is_when_the_first_page_ends() -> None:
    """By the runtime's clock."""
    shelf = Shelf([Version(-5, pages(2, 2, 2))], lifetime=10.0)
    shelf.outcomes = [None, 4.0, 2.0]
    got = read(shelf)
    assert got.expires_at is not None
    assert 10.0 + 0.05 == pytest.approx(got.expires_at.timestamp() - START)


def test_progress_is_told_page_by_page() -> None:
    """(pages that came, pages that are wanted), and what is fetched again is counted."""
    shelf = Shelf([Version(-50, pages(1, 1, 1)), Version(-1, pages(1, 1, 1, first=11))])
    shelf.lags = {2: 1.2}
    told: list[tuple[int, int]] = []
    read(shelf, on_progress=lambda done, wanted: told.append((done, wanted)))
    assert [(1, 3), (2, 3), (3, 3), (4, 4)] == told


def test_progress_is_told_by_one_thread_at_a_time() -> None:
    """Twenty threads fetch; nobody's counter is overtaken."""
    shelf = Shelf([Version(-5, pages(*[1] * 60))])
    bench = shelf.bench("blocking")
    inside, told = threading.Lock(), list[int]()

    def progress(done: int, wanted: int) -> None:
        assert inside.acquire(blocking=False)
        told.append(done)
        inside.release()

    bench.run(snapshot(bench.engine, TYPES, on_progress=progress))
    assert [*range(1, 61)] == told


def test_what_progress_raises_ends_the_snapshot() -> None:
    """And no further page is asked."""

    def enough(done: int, wanted: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    shelf = Shelf([Version(-5, pages(*[1] * 60))])
    bench = shelf.bench("blocking")
    with pytest.raises(KeyboardInterrupt):
        bench.run(snapshot(bench.engine, TYPES, on_progress=enough, concurrency=1))
    assert 3 == len(shelf.asked)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (TYPES.replace(page=2), "leave page=2 away"),
        (ops.status.get_status(), "fetch"),
        (ops.mail.get_characters_character_id_mail(character_id=91), "walk"),
    ],
)
def test_what_is_no_list_in_pages_is_refused(call: Any, words: str) -> None:
    """Before anything is sent, with the right way."""
    shelf = Shelf([Version(0, pages(1))])
    with pytest.raises(InvalidCallError, match=words):
        shelf.run(snapshot(shelf.bench().engine, call))
    assert [] == shelf.asked


def test_through_the_clients_and_over_http(esi: RunningSandbox) -> None:
    """A snapshot, the data of ``fetch``, and the rows of an iterator are the same list, in both colours."""
    call = ops.contracts.get_contracts_public_region_id(region_id=10000002)
    with EsiClient(headers=AGENT, base_url=esi.url) as client:
        blocking = client.snapshot(call, concurrency=4)
        assert blocking.rows == client.fetch(call) == list(client.rows(call))
        assert [blocking.rows] == [[row for page in client.pages(call) for row in page.data]]

    async def scene() -> list[Any]:
        async with AsyncEsiClient(headers=AGENT, base_url=esi.url) as aclient:
            whole = await aclient.snapshot(call)
            assert whole.rows == await aclient.fetch(call) == [row async for row in aclient.rows(call)]
            assert whole.rows == [row async for page in aclient.pages(call) for row in page.data]
            return whole.rows

    assert blocking.rows == asyncio.run(scene())
    assert blocking.pages > 0
    assert (len(blocking), blocking[0], blocking[-3:]) == (len(blocking.rows), blocking.rows[0], blocking.rows[-3:])
    assert blocking.consistent


def test_version_1s_calls_and_logins_are_read_whole_too() -> None:
    """A call of ``app.op`` gives data objects; a login that signs by hand signs each page."""
    shelf = Shelf([Version(-5, pages(2, 2))])
    transport = ScriptedTransport(lambda request: shelf.served(request))

    def by_hand(request: Any) -> None:
        request._p["header"]["X-Signed"] = "yes"

    with EsiClient(by_hand, headers=AGENT, transport=transport) as client:  # type: ignore[arg-type]
        call = App().op["get_markets_region_id_types"](region_id=10000002)
        assert [1, 2, 3, 4] == client.snapshot(call).rows == client.fetch(call)
    assert {"yes"} == {dict(request.headers).get("X-Signed") for request in transport.requests}


def test_two_who_want_the_same_list_share_its_pages() -> None:
    """Each page is fetched once for both (T12)."""
    shelf = Shelf([Version(-5, pages(2, 2, 2, 2))])
    bench = shelf.bench()

    async def scene() -> list[list[int]]:
        async def one(_: int) -> list[int]:
            return (await snapshot(bench.engine, TYPES)).rows

        return await bench.runtime.gather(one, [1, 2, 3], 3)  # type: ignore[no-any-return]

    assert [[*range(1, 9)]] * 3 == shelf.run(scene())
    assert [1, 2, 3, 4] == sorted(shelf.asked)


def test_a_cancelled_snapshot_leaves_nothing_under_way() -> None:
    """In asyncio: the pages under way are cancelled with it, the others are not asked."""
    shelf = Shelf([Version(-5, pages(*[1] * 50))])

    async def scene() -> int:
        later = asyncio.Event()

        async def serve(request: Any) -> HttpResponse:
            if "page" in request.url:
                reached.set()
                await later.wait()
            return shelf.served(request)

        reached = asyncio.Event()
        async with AsyncEsiClient(headers=AGENT, transport=AsyncScriptedTransport(serve)) as client:
            task = asyncio.create_task(client.snapshot(TYPES, concurrency=5))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return len(asyncio.all_tasks())

    assert 1 == asyncio.run(scene())
    assert [1] == shelf.asked


@pytest.mark.parametrize("concurrency", [-3, 0, 1, 1000])
def test_any_concurrency_is_one(concurrency: int) -> None:
    """At least one page at a time, at most a hundred."""
    shelf = Shelf([Version(-5, pages(*[1] * 150))])
    shelf.outcomes = [0.5] * 150
    assert 150 == len(read(shelf, concurrency=concurrency, terms=Terms.of(Settings(), policy="off")))
    assert max(1, min(concurrency, 100)) == shelf.most_at_once
