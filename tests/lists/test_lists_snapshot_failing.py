"""T17: pages that fail are asked again alone; what could not be had is told, never left out without a word."""

from __future__ import annotations

import pytest

from esipy.core.wire import Headers, HttpResponse
from esipy.exceptions import BrokenAnswerError, ForbiddenError, IncompleteSnapshotError, ServerError
from esipy.lists.snapshot import Snapshot, snapshot
from tests.engine.kit import COLOURS
from tests.lists.kit import TYPES, Shelf, Version, pages, read


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
