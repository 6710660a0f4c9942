"""`snapshot`, `pages`, `rows` and `bulk` of both clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

from esipy.engine.terms import Downtime, Policy, Priority, Terms
from esipy.lists.asking import rows_of
from esipy.lists.bulk import Bulk, bulk
from esipy.lists.client import OfClient
from esipy.lists.pages import PageReader
from esipy.lists.snapshot import Progress, Snapshot, snapshot
from esipy.operation import Call
from esipy.response import Response
from esipy.runtime.blocking import run

__all__ = ["AsyncLists", "BlockingLists"]

R = TypeVar("R")
T = TypeVar("T")


class _Lists(OfClient):
    """What the verbs share."""

    async def _snapshot(self, call: Call[list[R]], terms: Terms | None, **options: Any) -> Snapshot[R]:
        return await snapshot(self._engine, self._signed(self._call_of(call)), terms=terms, **options)

    async def _bulk(self, call: Call[T], terms: Terms | None, **options: Any) -> Bulk[T]:
        return await bulk(self._engine, self._signed(self._call_of(call)), terms=terms, **options)

    def _reader(self, call: Call[list[R]], terms: Terms | None, **options: Any) -> PageReader[R]:
        return PageReader(self._engine, self._signed(self._call_of(call)), terms=terms, **options)


class BlockingLists(_Lists):
    """What `EsiClient` can do with lists that come in pages, and with lists of ids."""

    def snapshot(
        self,
        call: Call[list[R]],
        *,
        concurrency: int = 20,
        allow_partial: bool = False,
        allow_mixed: bool = False,
        on_progress: Progress | None = None,
        max_rounds: int = 4,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> Snapshot[R]:
        """All pages of a list, as they were together: of one version of the list, or an error, never a mixture.

        Args:
            call: of an operation that comes in pages (``X-Pages``), without ``page``.
            concurrency: how many pages are fetched at once, 1 to 100.
            allow_partial: where pages are missing, give those that are there; `Snapshot.missing` has the others.
            allow_mixed: where one version cannot be had, give all pages; `Snapshot.consistent` is False then.
            on_progress: told (pages that came, pages that are wanted) after each page, in the thread that fetched it,
                one call at a time. What it raises ends the snapshot.
            max_rounds: how often pages are fetched again that failed, or were of another version.
            priority, policy, max_wait, downtime, stale_if_error: of each page, see `request`. ``max_wait`` bounds each
                pause between rounds, and the wait for the next version of a list that is about to expire, too.

        Raises:
            InvalidCallError: the call is not one of a list in pages, or names a page.
            IncompleteSnapshotError: pages are missing; it holds those that are there, and why.
            APIException: page 1 could not be had.
        """
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        return run(
            self._snapshot(
                call,
                terms,
                concurrency=concurrency,
                allow_partial=allow_partial,
                allow_mixed=allow_mixed,
                on_progress=on_progress,
                max_rounds=max_rounds,
            )
        )

    def pages(
        self,
        call: Call[list[R]],
        *,
        read_ahead: int = 10,
        allow_mixed: bool = False,
        on_progress: Progress | None = None,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> Iterator[Response[list[R]]]:
        """The pages of a list in order, in memory for ``read_ahead`` of them. When you stop early, no more is fetched.

        Args:
            read_ahead: how many pages are fetched at once, 1 to 100; page 1 comes alone.
            allow_mixed: go on when the list becomes another while it is read: rows may then be missing or come twice.
            on_progress: told (pages that came, pages that there are) for each page, in order, in the thread that
                reads. What it raises ends the reading.

        Raises:
            InvalidCallError: the call is not one of a list in pages, or names a page.
            ListChangedError: the next page is not certainly of the list that page 1 was of. What was given is of one
                version.
            APIException: the next page could not be had.
        """
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        reader = self._reader(call, terms, read_ahead=read_ahead, allow_mixed=allow_mixed, on_progress=on_progress)
        return _pages(reader)

    def rows(
        self,
        call: Call[list[R]],
        *,
        read_ahead: int = 10,
        allow_mixed: bool = False,
        on_progress: Progress | None = None,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> Iterator[R]:
        """The rows of a list in order: `pages`, row by row."""
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        reader = self._reader(call, terms, read_ahead=read_ahead, allow_mixed=allow_mixed, on_progress=on_progress)
        return (row for page in _pages(reader) for row in rows_of(page))

    def bulk(
        self,
        call: Call[T],
        *,
        concurrency: int = 10,
        allow_partial: bool = False,
        max_refusals: int = 30,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> Bulk[T]:
        """A bulk call of any length: its items once each, in as many calls as it takes, answered as one.

        Args:
            call: of an operation that takes a list of ids or names (`esipy.Operation.bulk_limit`).
            concurrency: how many calls are sent at once, 1 to 100.
            allow_partial: where calls failed, give what was answered; `Bulk.causes` has the other items.
            max_refusals: how many refusals it may cost to find bad items among good ones; each takes 5 tokens, or one
                of the 100 errors that ESI allows in a minute.
            priority, policy, max_wait, downtime, stale_if_error: of each call, see `request`.

        Raises:
            InvalidCallError: the operation takes no list.
            IncompleteBulkError: calls failed; it holds what was answered, and why items were not.
        """
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        return run(
            self._bulk(call, terms, concurrency=concurrency, allow_partial=allow_partial, max_refusals=max_refusals)
        )


class AsyncLists(_Lists):
    """What `AsyncEsiClient` can do with lists that come in pages, and with lists of ids."""

    async def snapshot(
        self,
        call: Call[list[R]],
        *,
        concurrency: int = 20,
        allow_partial: bool = False,
        allow_mixed: bool = False,
        on_progress: Progress | None = None,
        max_rounds: int = 4,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> Snapshot[R]:
        """See `EsiClient.snapshot`."""
        return await self._snapshot(
            call,
            self._terms(priority, policy, max_wait, downtime, stale_if_error),
            concurrency=concurrency,
            allow_partial=allow_partial,
            allow_mixed=allow_mixed,
            on_progress=on_progress,
            max_rounds=max_rounds,
        )

    def pages(
        self,
        call: Call[list[R]],
        *,
        read_ahead: int = 10,
        allow_mixed: bool = False,
        on_progress: Progress | None = None,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> AsyncIterator[Response[list[R]]]:
        """See `EsiClient.pages`. It is not awaited, but read with ``async for``; between two reads nothing is sent."""
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        reader = self._reader(call, terms, read_ahead=read_ahead, allow_mixed=allow_mixed, on_progress=on_progress)
        return _async_pages(reader)

    def rows(
        self,
        call: Call[list[R]],
        *,
        read_ahead: int = 10,
        allow_mixed: bool = False,
        on_progress: Progress | None = None,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> AsyncIterator[R]:
        """See `EsiClient.rows`. It is not awaited, but read with ``async for``."""
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        reader = self._reader(call, terms, read_ahead=read_ahead, allow_mixed=allow_mixed, on_progress=on_progress)
        return _async_rows(reader)

    async def bulk(
        self,
        call: Call[T],
        *,
        concurrency: int = 10,
        allow_partial: bool = False,
        max_refusals: int = 30,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> Bulk[T]:
        """See `EsiClient.bulk`."""
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        return await self._bulk(
            call, terms, concurrency=concurrency, allow_partial=allow_partial, max_refusals=max_refusals
        )


# A page that was given is let go of at once: two readings are never in memory together.


def _pages(reader: PageReader[R]) -> Iterator[Response[list[R]]]:
    while some := run(reader.read()):
        some.reverse()
        while some:
            yield some.pop()


async def _async_pages(reader: PageReader[R]) -> AsyncIterator[Response[list[R]]]:
    while some := await reader.read():
        some.reverse()
        while some:
            yield some.pop()


async def _async_rows(reader: PageReader[R]) -> AsyncIterator[R]:
    while some := await reader.read():
        some.reverse()
        while some:
            for row in rows_of(some.pop()):
                yield row
