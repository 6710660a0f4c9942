"""The traps of lists in pages, T13 to T19, one by one; in all colours where time does not matter."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from esipy import App, AsyncEsiClient, EsiClient, ops
from esipy.core.wire import Headers, HttpResponse
from esipy.engine.terms import Terms
from esipy.exceptions import (
    BrokenAnswerError,
    ForbiddenError,
    IncompleteSnapshotError,
    InvalidCallError,
    ListChangedError,
    NotFoundError,
    ServerError,
    UndecodableAnswerError,
)
from esipy.lists.snapshot import Snapshot, snapshot
from esipy.runtime.simulated import START
from esipy.sandbox import RunningSandbox
from esipy.settings import Settings
from esipy.testing import sandbox
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport
from tests.engine.kit import COLOURS, ITEM, Login
from tests.lists.kit import TYPES, Shelf, Version, pages

AGENT = {"User-Agent": "tests/1.0 (tests@example.com)"}


@pytest.fixture(scope="module")
def esi() -> Iterator[RunningSandbox]:
    """A sandbox over HTTP."""
    with sandbox() as running:
        yield running


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


def test_T13_a_304_on_page_1_does_not_revive_old_pages() -> None:
    """Page 1 is the same in both lists, and its 304 says nothing else: the other pages, and their number, are new."""
    new = Version(100, [[1, 2], [30, 40], [50]])
    shelf = Shelf([Version(-5, pages(2, 2)), new])
    shelf.bare = True
    first, second = twice(shelf, 101.0)
    assert [1, 2, 3, 4] == first.rows
    assert (new.rows, new.modified, 3) == (
        second.rows,
        second.last_modified and second.last_modified.timestamp(),
        second.pages,
    )
    assert 1 in shelf.conditional


def test_T13_pages_that_are_fresh_but_old_are_not_taken_for_new() -> None:
    """Page 1 alone has expired; the others would be hits, and are of the list before."""
    new = Version(100, pages(2, 2, first=7))
    shelf = Shelf([Version(-5, pages(2, 2)), new], lifetime=300.0)
    bench = shelf.bench()

    async def scene() -> Snapshot[int]:
        await snapshot(bench.engine, TYPES)
        await bench.runtime.sleep(101.0)
        await bench.engine.perform(TYPES, anew=True)
        return await snapshot(bench.engine, TYPES)

    got = shelf.run(scene())
    assert (new.rows, 1) == (got.rows, got.refetched)


def test_T14_a_list_that_grows_while_it_is_read() -> None:
    """The new list appears with page 3: what came before is fetched again, and the new page besides."""
    new = Version(1, pages(2, 2, 2, 2, first=11))
    shelf = Shelf([Version(-5, pages(2, 2, 2)), new], lifetime=300.0)
    shelf.outcomes = [None, None, 2.0]
    got = read(shelf)
    assert (new.rows, 4, 2, True) == (got.rows, got.pages, got.refetched, got.consistent)
    assert [1, 1, 2, 2, 3, 4] == sorted(shelf.asked)


def test_T14_a_list_that_shrinks_while_it_is_read() -> None:
    """Its last page is gone, with a 404: page 1 is asked again, and says that there are fewer."""
    new = Version(1, pages(2, 1, first=11))
    shelf = Shelf([Version(-5, pages(2, 2, 2)), new], lifetime=300.0)
    shelf.outcomes = [None, None, 2.0]
    got = read(shelf)
    assert (new.rows, 2, True) == (got.rows, got.pages, got.consistent)
    assert [1, 1, 2, 2, 3] == sorted(shelf.asked)


def test_T14_where_one_page_is_gone_those_after_it_are_not_asked() -> None:
    """A 404 costs 5 tokens, or one of the errors of a minute."""
    new = Version(1, pages(1, first=11))
    shelf = Shelf([Version(-5, pages(*[1] * 9)), new], lifetime=300.0)
    shelf.outcomes = [None, 2.0]
    got = read(shelf, concurrency=1)
    assert (new.rows, [1, 2, 1]) == (got.rows, shelf.asked)


def test_T14_a_page_that_is_gone_for_good_is_told() -> None:
    """The list says that it has it, and answers 404: the error holds the others."""
    shelf = Shelf([Version(-5, pages(2, 2, 2))])
    shelf.instead = lambda number: HttpResponse(404, Headers([]), b"{}") if number == 2 else None
    with pytest.raises(IncompleteSnapshotError) as caught:
        read(shelf, max_rounds=2)
    assert ({2: NotFoundError}, [1, 2, 5, 6]) == (
        {number: type(cause) for number, cause in caught.value.causes.items()},
        caught.value.snapshot.rows,
    )


@pytest.mark.parametrize("number_of_pages", [None, "1", "0"])
def test_T14_without_x_pages_there_is_one(number_of_pages: str | None) -> None:
    """A list that does not say how many pages it has is on one."""
    headers = [("X-Pages", number_of_pages)] if number_of_pages else []
    shelf = Shelf([Version(0, pages(1))])
    shelf.instead = lambda _: HttpResponse(200, Headers(headers), b"[5,6]")
    got = read(shelf)
    assert ([5, 6], 1, True, [1]) == (got.rows, got.pages, got.consistent, shelf.asked)


@pytest.mark.parametrize("told", ["many", "-1", "1.5", "12345678901", "²"])
def test_T14_an_x_pages_that_cannot_be_read_is_an_error(told: str) -> None:
    """Taking it for 1 would give a short list without a word."""
    shelf = Shelf([Version(0, pages(1))])
    shelf.instead = lambda _: HttpResponse(200, Headers([("X-Pages", told)]), b"[5,6]")
    with pytest.raises(UndecodableAnswerError, match="no number of pages"):
        read(shelf)


def test_T15_only_the_odd_page_is_fetched_again() -> None:
    """Page 3 is of the list before, because somebody keeps copies: it alone is asked again, until it is right."""
    shelf = Shelf([Version(-50, pages(2, 2, 2, 2)), Version(-1, pages(2, 2, 2, 2, first=11))])
    shelf.lags = {3: 3.0}
    got = read(shelf)
    assert (shelf.versions[1].rows, True) == (got.rows, got.consistent)
    assert {1: 1, 2: 1, 4: 1} == {number: shelf.asked.count(number) for number in (1, 2, 4)}
    assert got.refetched == shelf.asked.count(3) - 1 > 0


def test_T15_the_rounds_are_bounded_and_then_it_is_an_error() -> None:
    """A page that stays odd ends in an error that names it; what is good is there, and can be asked for instead."""
    shelf = Shelf([Version(-50, pages(2, 2, 2)), Version(-1, pages(2, 2, 2, first=11))])
    shelf.lags = {2: 1e6}
    with pytest.raises(IncompleteSnapshotError, match=r"1 of 3 pages .* page 2 is not of the list of 2026") as caught:
        read(shelf, max_rounds=3)
    assert 1 + 3 == shelf.asked.count(2)
    assert [ListChangedError] == [type(cause) for cause in caught.value.causes.values()]
    partial = read(shelf, allow_partial=True)
    assert ([11, 12, 15, 16], [2], False) == (partial.rows, list(partial.missing), partial.consistent)
    assert partial.rows == pickle.loads(pickle.dumps(caught.value)).snapshot.rows
    mixed = read(shelf, allow_mixed=True)
    assert ([11, 12, 3, 4, 15, 16], {}, False) == (mixed.rows, mixed.missing, mixed.consistent)


def test_T15_without_patience_there_is_no_pause() -> None:
    """``max_wait`` bounds the pauses between rounds, too: the error comes at once."""
    shelf = Shelf([Version(-50, pages(2, 2)), Version(-1, pages(2, 2, first=11))])
    shelf.lags = {2: 1e6}
    with pytest.raises(IncompleteSnapshotError):
        read(shelf, terms=Terms.of(Settings(), policy="fail"))
    assert shelf.runtime.now() - START < 0.5


def test_T15_the_list_of_types_is_known_to_be_odd() -> None:
    """Its page 10 always bears another date: all pages are given, and it is said that they are not of one version."""
    shelf = Shelf([Version(-50, pages(2, 2, 2)), Version(-1, pages(2, 2, 2, first=11))])
    shelf.lags = {2: 1e6}
    bench = shelf.bench()
    got = shelf.run(snapshot(bench.engine, ops.universe.get_universe_types()))
    assert ([11, 12, 3, 4, 15, 16], False, {}) == (got.rows, got.consistent, got.missing)
    assert 2 == shelf.asked.count(2)


def test_pages_that_do_not_say_of_which_list_they_are_are_not_taken_for_one() -> None:
    """Without Last-Modified nothing can be shown: an error, or all pages to who asks for them."""
    shelf = Shelf([Version(-5, pages(2, 2))])
    shelf.has_modified = False
    with pytest.raises(IncompleteSnapshotError, match=r"does not say of which list|was not asked for"):
        read(shelf)
    got = read(shelf, allow_mixed=True)
    assert ([1, 2, 3, 4], None, False) == (got.rows, got.last_modified, got.consistent)


def test_T16_shortly_before_the_end_of_the_list_it_waits_for_the_next() -> None:
    """Page 1 is fresh for a second more, and the others take two: they are asked when the new list is there."""
    new = Version(2, pages(*[1] * 9, first=11))
    shelf = Shelf([Version(-5, pages(*[1] * 9)), new])
    shelf.outcomes = [0.5] * 99
    got = read(shelf, concurrency=2)
    assert (new.rows, 0) == (got.rows, got.refetched)
    assert [1, 1, 2, 3, 4, 5, 6, 7, 8, 9] == sorted(shelf.asked)


@pytest.mark.parametrize(("begins", "max_wait"), [(60, 960.0), (1, 0.5)])
def test_T16_it_does_not_wait_without_need_or_patience(begins: int, max_wait: float) -> None:
    """Neither when there is time enough, nor when the caller would not wait so long."""
    shelf = Shelf([Version(-5, pages(1, 1, 1)), Version(begins, pages(1, 1, 1, first=11))])
    shelf.outcomes = [0.9]
    got = read(shelf, concurrency=2, terms=Terms.of(Settings(), max_wait=max_wait))
    assert ([1, 2, 3], True) == (got.rows, got.consistent)
    assert shelf.runtime.now() - START < 1.5


@pytest.mark.parametrize("colour", COLOURS)
def test_T17_one_page_of_400_that_fails_is_asked_again_alone(colour: str) -> None:
    """The others are asked once."""
    shelf = Shelf([Version(-5, pages(*[2] * 400))])
    failures = [HttpResponse(500, Headers([]), b"<html>")]
    shelf.instead = lambda number: failures.pop() if number == 77 and failures else None
    bench = shelf.bench(colour)
    if colour != "simulated":
        bench.runtime.sleep = _at_once
    got = bench.run(snapshot(bench.engine, TYPES))
    assert (800, 1, True) == (len(got.rows), got.refetched, got.consistent)
    assert sorted([*range(1, 401), 77]) == sorted(shelf.asked)


async def _at_once(seconds: float) -> None:
    """Time that does not pass."""


@pytest.mark.parametrize("error", [BrokenAnswerError("", "the connection broke"), HttpResponse(500, Headers([]), b"")])
def test_T17_incompleteness_is_loud(error: HttpResponse | Exception) -> None:
    """An error that holds what was got, and why the rest was not; the next snapshot asks for that only."""
    shelf = Shelf([Version(-5, pages(2, 2, 2))])
    bench = shelf.bench(retry=False)
    shelf.instead = lambda number: error if number == 3 else None
    with pytest.raises(IncompleteSnapshotError, match=r"1 of 3 pages could not be had as one list. Page 3") as caught:
        read(shelf, bench)
    cause = caught.value.causes[3]
    assert ([1, 2, 3, 4], False) == (caught.value.snapshot.rows, caught.value.snapshot.consistent)
    assert isinstance(cause, ServerError | BrokenAnswerError)
    shelf.instead = lambda _: None
    shelf.asked.clear()
    assert ([*range(1, 7)], [3]) == (read(shelf, bench).rows, shelf.asked)


def test_T17_where_no_page_would_be_given_no_more_are_asked() -> None:
    """A 403 says that of all: each would cost 5 tokens more."""
    shelf = Shelf([Version(-5, pages(*[1] * 50))])
    shelf.instead = lambda number: HttpResponse(403, Headers([]), b"{}") if number > 4 else None
    with pytest.raises(IncompleteSnapshotError) as caught:
        read(shelf, concurrency=2)
    assert ([1, 2, 3, 4], {ForbiddenError}) == (
        caught.value.snapshot.rows,
        {type(cause) for cause in caught.value.causes.values()},
    )
    assert len(shelf.asked) <= 6


def test_without_page_1_there_is_no_list() -> None:
    """Its own error is raised."""
    shelf = Shelf([Version(-5, pages(2, 2))])
    shelf.outcomes = [403]
    with pytest.raises(ForbiddenError):
        read(shelf)
    assert [1] == shelf.asked


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


def test_while_esi_is_down_a_kept_list_is_given_whole() -> None:
    """Its pages are stale, and of one version, which `last_modified` tells."""
    shelf = Shelf([Version(-5, pages(2, 2, 2))], lifetime=10.0)
    bench = shelf.bench(retry=False)

    async def scene() -> tuple[Snapshot[int], Snapshot[int]]:
        first = await snapshot(bench.engine, TYPES)
        await bench.runtime.sleep(60.0)
        shelf.instead = lambda _: HttpResponse(503, Headers([]), b"<html>")
        return first, await snapshot(bench.engine, TYPES)

    first, second = shelf.run(scene())
    assert (first.rows, first.last_modified, True) == (second.rows, second.last_modified, second.consistent)


def test_a_stale_page_is_not_put_among_new_ones() -> None:
    """Page 2 alone cannot be had, and its kept one is of the list before: an error, not a mixture."""
    shelf = Shelf([Version(-5, pages(2, 2, 2)), Version(50, pages(2, 2, 2, first=11))], lifetime=10.0)
    bench = shelf.bench(retry=False)

    async def scene() -> Snapshot[int]:
        await snapshot(bench.engine, TYPES)
        await bench.runtime.sleep(60.0)
        shelf.instead = lambda number: HttpResponse(503, Headers([]), b"<html>") if number == 2 else None
        return await snapshot(bench.engine, TYPES)

    with pytest.raises(IncompleteSnapshotError) as caught:
        shelf.run(scene())
    assert ([11, 12, 15, 16], [2]) == (caught.value.snapshot.rows, list(caught.value.causes))


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
