"""Reading a list page by page, in bounded memory: some pages ahead, then those are given, then the next.

What has been given cannot be taken back. So all pages have to be of the version that page 1 was of; the page at which
that ceases is an error, unless the reader said that a mixture will do.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from esipy.core.pages import UNEVEN, Seen
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Terms
from esipy.exceptions import APIException, ListChangedError
from esipy.lists.asking import NO_CONTENT, ask, check_paged, first_page, is_too_large, page_call, parallel, seen_of
from esipy.lists.collection import Progress
from esipy.operation import Call
from esipy.response import Response

__all__ = ["PageReader"]

R = TypeVar("R")

LARGEST_SHARE = 1 / 32
"""Of a cache in memory, by default 8 MiB: whoever reads a list by pages does not want it in memory."""

NOT_FOUND = 404


class PageReader(Generic[R]):
    """The pages of a list in order, some at a time.

    Args:
        read_ahead: how many pages are fetched at once and held, 1 to 100. Page 1 comes alone.
        allow_mixed: the pages need not be of one version of the list; when it shrinks, it just ends.
        on_progress: told of each page that is there to be given.

    Raises:
        InvalidCallError: the call is not one of a list in pages, or names a page.
    """

    def __init__(
        self,
        engine: Engine,
        call: Call[list[R]],
        *,
        terms: Terms | None = None,
        read_ahead: int = 10,
        allow_mixed: bool = False,
        on_progress: Progress | None = None,
    ) -> None:
        check_paged(call, "reading by pages")
        self._engine = engine
        self._call = call
        self._terms = terms
        self._read_ahead = parallel(read_ahead)
        self._mixed = allow_mixed or call.operation.name in UNEVEN
        self._on_progress = on_progress
        self._first: Seen | None = None
        self._next = 1
        self._pages = 1
        self._in_passing = False
        self._error: APIException | None = None

    async def read(self) -> list[Response[list[R]]]:
        """The next pages; none at the end.

        Raises:
            ListChangedError: the next page is of another version than page 1 was.
            APIException: the next page could not be had.
        """
        if self._error is not None:
            raise self._error
        most = 1 if self._first is None else self._read_ahead
        numbers = range(self._next, min(self._next + most, self._pages + 1))
        outcomes = await self._engine.runtime.gather(self._outcome, numbers, most)
        self._next = numbers.stop
        good: list[Response[list[R]]] = []
        for outcome in outcomes:
            if isinstance(outcome, APIException):
                self._error = outcome
                break
            if outcome is None:  # the list ends here
                self._pages = 0
                break
            response, seen = outcome
            good.append(response)
            if self._first is None:
                self._first, self._pages = seen, seen.pages or 1
                self._in_passing = is_too_large(self._engine, response, self._pages, LARGEST_SHARE)
            elif self._mixed:
                self._pages = seen.pages or self._pages
            if self._on_progress is not None:
                self._on_progress(numbers.start + len(good) - 1, self._pages)
        if self._error is not None and not good:
            raise self._error
        return good

    async def _outcome(self, number: int) -> tuple[Response[list[R]], Seen] | APIException | None:
        """A page; or the error in its place; None when it is gone, and that does not matter."""
        try:
            response, seen = await self._asked(number)
            if number == 1 or self._fits(seen):
                return response, seen
            if response.status != NO_CONTENT:
                response, seen = await self._asked(number, anew=True)
                if self._fits(seen):
                    return response, seen
            if response.status == NO_CONTENT and self._mixed:
                return None
            return self._changed(number)
        except APIException as error:
            if error.status_code != NOT_FOUND or number == 1:
                return error
            return None if self._mixed else self._changed(number, error)

    async def _asked(self, number: int, *, anew: bool = False) -> tuple[Response[list[R]], Seen]:
        if number == 1:
            response = await first_page(self._engine, self._call, self._terms, self._read_ahead)
        else:
            page = page_call(self._call, number)
            response = await ask(self._engine, page, self._terms, anew=anew, in_passing=self._in_passing)
        return response, seen_of(response, 0, number)

    def _fits(self, seen: Seen) -> bool:
        """Whether a later page is of the version of the first."""
        assert self._first is not None
        if seen.is_empty:
            return False
        if self._mixed:
            return True
        same = seen.version == self._first.version and seen.pages in (None, self._first.pages)
        return same and seen.version is not None

    def _changed(self, number: int, cause: APIException | None = None) -> ListChangedError:
        error = ListChangedError(
            self._call.target,
            f"{self._call!r}: page {number} is not certainly of the list that page 1 was of, and what was given cannot "
            "be taken back. Begin anew, use client.snapshot(call), or allow_mixed=True",
        )
        error.__cause__ = cause
        return error
