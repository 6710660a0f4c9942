"""Collecting the pages of a list: asking for them as `esipy.core.pages` judges, and noting what came."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from esipy.core.moments import as_datetime
from esipy.core.pages import Again, Failed, Remedy, Seen, Torn, Verdict, Whole, judge
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Terms
from esipy.exceptions import APIException, ListChangedError, NotFoundError
from esipy.lists.asking import NO_CONTENT, ask, first_page, is_too_large, page_call, remedy_of, rows_of, seen_of
from esipy.lists.sharing import share_words
from esipy.operation import Call
from esipy.response import Response

__all__ = ["Collected", "Collection", "Progress"]

R = TypeVar("R")

Progress = Callable[[int, int], object]
"""Told (pages that came, pages that are wanted) after each page, one call at a time."""


LARGEST_SHARE = 1 / 2
"""Of a cache in memory. By default 128 MiB; the largest list of ESI, all orders of The Forge, takes 90."""


class Collected(NamedTuple, Generic[R]):
    """What came of it; see `esipy.lists.snapshot.Snapshot`."""

    rows: list[R]
    last_modified: datetime | None
    expires_at: datetime | None
    pages: int
    refetched: int
    consistent: bool
    missing: dict[int, Exception]


class _Stop:
    """What ends a round early.

    Attributes:
        error: no further page would be given.
        before: this page is gone, so those after it will be, too.
    """

    def __init__(self) -> None:
        self.error: APIException | None = None
        self.before = sys.maxsize


class Collection(Generic[R]):
    """The pages of one snapshot as they come in."""

    def __init__(
        self, engine: Engine, call: Call[list[R]], terms: Terms, concurrency: int, on_progress: Progress | None
    ) -> None:
        self.terms = terms
        self._engine = engine
        self._runtime = engine.runtime
        self._call = call
        self._concurrency = concurrency
        self._on_progress = on_progress
        self._lock = engine.runtime.lock()
        self._rows: dict[int, list[R]] = {}
        self._expiries: dict[int, datetime | None] = {}
        self._seen: dict[int, Seen] = {}
        self._failed: dict[int, Failed] = {}
        self._errors: dict[int, APIException] = {}
        self._asked: set[int] = set()
        self._round = self._order = self._refetched = self._done = 0
        self._wanted = 1
        self._in_passing = False

    def judge(self, max_rounds: int, mixed: bool) -> Verdict:
        """What is to be done now."""
        return judge(self._seen, self._failed, round=self._round, max_rounds=max_rounds, mixed=mixed)

    async def begin(self) -> None:
        """Page 1; and once more, of the next version, if this one is about to expire (T16)."""
        response = await first_page(self._engine, self._call, self.terms, self._concurrency)
        self._asked.add(1)
        self._take(1, response)
        self._wanted = self._seen[1].pages or 1
        self._in_passing = is_too_large(self._engine, response, self._wanted, LARGEST_SHARE)
        self._progress()

    async def fetch(self, wish: Again) -> None:
        """Ask for these pages: for those that were asked before, as if nothing were kept of them."""
        if wish.pause_seconds > 0:
            await self._runtime.sleep(wish.pause_seconds)
        self._round += 1
        self._wanted = self._done + len(wish.numbers)
        stop = _Stop()

        async def job(number: int) -> None:
            try:
                if stop.error is not None:
                    raise stop.error
                if number < stop.before:
                    await self._ask(number)
            except APIException as error:
                remedy = remedy_of(error)
                self._fail(number, remedy, error)
                if remedy == "hopeless":
                    stop.error = error
                elif remedy == "gone":
                    stop.before = min(stop.before, number)
            self._progress()

        await self._runtime.gather(job, wish.numbers, self._concurrency)

    async def _ask(self, number: int) -> None:
        is_again = number in self._asked
        with self._lock:
            self._asked.add(number)
            self._failed.pop(number, None)
            self._refetched += is_again
        page = page_call(self._call, number)
        response = await ask(self._engine, page, self.terms, anew=is_again, in_passing=self._in_passing)
        if response.status == NO_CONTENT and number > 1:
            raise NotFoundError(response.url, NO_CONTENT, message=f"{response.call!r}: there is no such page (204)")
        self._take(number, response)

    def _take(self, number: int, response: Response[list[R]]) -> None:
        rows = rows_of(response)
        share_words(rows)
        with self._lock:
            self._order += 1
            self._seen[number] = seen_of(response, self._round, self._order)
            self._rows[number] = rows
            self._expiries[number] = response.expires_at

    def _fail(self, number: int, remedy: Remedy, error: APIException) -> None:
        with self._lock:
            self._order += 1
            self._failed[number] = Failed(remedy, self._round, self._order)
            self._errors[number] = error

    def _progress(self) -> None:
        with self._lock:
            self._done += 1
            if self._on_progress is not None:
                self._on_progress(self._done, self._wanted)

    def whole(self, verdict: Whole) -> Collected[R]:
        """All pages."""
        numbers = tuple(range(1, verdict.pages + 1))
        return self._collected(numbers, verdict.pages, verdict.version, verdict.consistent, {})

    def torn(self, verdict: Torn) -> Collected[R]:
        """The good pages, and why the others are missing."""
        missing: dict[int, Exception] = {}
        newest = as_datetime(verdict.version)
        for number in range(1, verdict.pages + 1):
            if number in verdict.good:
                continue
            error = self._errors[number] if number in self._failed else None
            seen = self._seen.get(number)
            if error is None:
                of = "does not say of which list it is" if newest is None else f"is not of the list of {newest}"
                was = f"page {number} {of}" if seen is not None else f"page {number} was not asked for any more"
                error = ListChangedError(self._call.target, was)
            missing[number] = error
        return self._collected(verdict.good, verdict.pages, verdict.version, False, missing)

    def _collected(
        self,
        numbers: tuple[int, ...],
        pages: int,
        version: float | None,
        consistent: bool,
        missing: dict[int, Exception],
    ) -> Collected[R]:
        rows: list[R] = []
        for number in numbers:
            rows.extend(self._rows.pop(number))
        expiries = [self._expiries[number] for number in numbers]
        known = [expiry for expiry in expiries if expiry is not None]
        expires_at = min(known) if known and len(known) == len(expiries) else None
        return Collected(rows, as_datetime(version), expires_at, pages, self._refetched, consistent, missing)
