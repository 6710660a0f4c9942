"""T13 to T16: a list that changes while its pages are read is given in one version, or its mixture is told."""

from __future__ import annotations

import pickle

import pytest

from esipy import ops
from esipy.core.wire import Headers, HttpResponse
from esipy.engine.terms import Terms
from esipy.exceptions import IncompleteSnapshotError, ListChangedError, NotFoundError, UndecodableAnswerError
from esipy.lists.snapshot import Snapshot, snapshot
from esipy.runtime.simulated import START
from esipy.settings import Settings
from tests.lists.kit import TYPES, Shelf, Version, pages, read, twice


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
