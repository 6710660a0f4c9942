"""All pages of a list as one `Snapshot`: of one version of the list, or an error, never a mixture.

Page 1 first, then the others at once; `esipy.core.pages` judges what came and asks for pages again. A page's raw body
is dropped as soon as its rows are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from esipy.core.pages import UNEVEN, Again, Whole
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Terms
from esipy.exceptions import IncompleteSnapshotError
from esipy.lists.asking import check_paged, parallel
from esipy.lists.collection import Collected, Collection, Progress
from esipy.operation import Call

__all__ = ["Progress", "Snapshot", "snapshot"]

R = TypeVar("R")


class Snapshot(Generic[R]):
    """The rows of all pages of a list, as they were together. It is iterated, measured and indexed as its rows.

    Attributes:
        rows: in page order.
        last_modified: when this version of the list was made (aware, UTC), the newest of several; None when no page
            says.
        expires_at: when the first of its pages ceases to be fresh, by this machine's clock; None when one may not be
            kept.
        pages: how many pages the list has.
        refetched: how many pages had to be fetched again, because the list changed or a page failed.
        consistent: all pages are there, and certainly of one version.
        missing: by page number, why it is not there; empty unless ``allow_partial`` was given.
    """

    __slots__ = ("consistent", "expires_at", "last_modified", "missing", "pages", "refetched", "rows")

    def __init__(self, collected: Collected[R]) -> None:
        self.rows = collected.rows
        self.last_modified = collected.last_modified
        self.expires_at = collected.expires_at
        self.pages = collected.pages
        self.refetched = collected.refetched
        self.consistent = collected.consistent
        self.missing: Mapping[int, Exception] = collected.missing

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows)

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> list[R]: ...
    def __getitem__(self, place: int | slice) -> R | list[R]:
        return self.rows[place]

    def __repr__(self) -> str:
        state = "" if self.consistent else ", not consistent"
        return f"<Snapshot of {len(self.rows)} rows on {self.pages} pages, {self.last_modified}{state}>"


async def snapshot(
    engine: Engine,
    call: Call[list[R]],
    *,
    terms: Terms | None = None,
    concurrency: int = 20,
    allow_partial: bool = False,
    allow_mixed: bool = False,
    on_progress: Progress | None = None,
    max_rounds: int = 4,
) -> Snapshot[R]:
    """All pages of a list.

    Args:
        terms: how each page waits for limits; its ``max_wait`` bounds the pauses between rounds, too.
        concurrency: how many pages are fetched at once, 1 to 100.
        allow_partial: give the good pages, where pages are missing.
        allow_mixed: give all pages, where they cannot be had as one version; `Snapshot.consistent` is False then.
        on_progress: told after each page.
        max_rounds: how often pages are asked for again.

    Raises:
        InvalidCallError: the call is not one of a list in pages, or names a page.
        IncompleteSnapshotError: pages are missing; it holds those that are there, and why.
        APIException: page 1 could not be had.
    """
    check_paged(call, "snapshot")
    collection = Collection(engine, call, engine.terms if terms is None else terms, parallel(concurrency), on_progress)
    await collection.begin()
    mixed = allow_mixed or call.operation.name in UNEVEN
    while isinstance(verdict := collection.judge(max_rounds, mixed), Again):
        if verdict.pause_seconds > collection.terms.max_wait:
            max_rounds = -1  # as if the rounds were used up
        else:
            await collection.fetch(verdict)
    if isinstance(verdict, Whole):
        return Snapshot(collection.whole(verdict))
    partial = Snapshot(collection.torn(verdict))
    if allow_partial:
        return partial
    raise _incomplete(call, partial)


def _incomplete(call: Call[Any], partial: Snapshot[Any]) -> IncompleteSnapshotError:
    number, cause = min(partial.missing.items())
    return IncompleteSnapshotError(
        call.target,
        f"{call!r}: {len(partial.missing)} of {partial.pages} pages could not be had as one list. Page {number}: "
        f"{cause}. (allow_partial=True gives those that could; allow_mixed=True pages of different lists.)",
        snapshot=partial,
        causes=partial.missing,
    )
