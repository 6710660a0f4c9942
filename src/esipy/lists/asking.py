"""Asking for one page of a list, and reading what it says of the list."""

from __future__ import annotations

from typing import Any, TypeVar

from esipy.core.freshness import http_date
from esipy.core.pages import Remedy, Seen, count_of, remedy_for, wait_for_next
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Terms
from esipy.exceptions import (
    APIException,
    DowntimeError,
    InvalidCallError,
    LimitedError,
    SSOError,
    UndecodableAnswerError,
)
from esipy.operation import Call
from esipy.response import Response

__all__ = [
    "ask", "check_paged", "first_page", "is_too_large", "page_call", "parallel", "remedy_of", "rows_of", "seen_of",
]  # fmt: skip

T = TypeVar("T")
MOST_AT_ONCE = 100
NOT_MODIFIED = 304
NO_CONTENT = 204


def check_paged(call: Call[Any], verb: str) -> None:
    """Refuse what has no pages to be read together.

    Raises:
        InvalidCallError: the operation's answers do not come in pages, or the call names one.
    """
    name, pagination = call.operation.name, call.operation.pagination
    if pagination != "pages":
        instead = "fetch(call) gives it whole" if pagination is None else "use client.cursor or client.walk"
        raise InvalidCallError(f"{name}: {verb} is for lists that come in pages; {instead}")
    if "page" in call.arguments:
        raise InvalidCallError(f"{name}: {verb} reads all pages: leave page={call.arguments['page']} away")


def page_call(call: Call[T], number: int) -> Call[T]:
    """The call for one page; the first is the call itself, so that it is kept once."""
    return call if number == 1 else call.replace(page=number)


def parallel(asked_for: int) -> int:
    """How many calls are sent at once: as many as are asked for, but 1 at least and `MOST_AT_ONCE` at most."""
    return max(min(asked_for, MOST_AT_ONCE), 1)


def is_too_large(engine: Engine, first: Response[Any], pages: int, share: float) -> bool:
    """Whether a list would take more of a cache in memory than this share: then its pages are not kept there.

    Of a list that does not fit, the first pages would be gone when the last have come, with all else that was kept.

    Args:
        first: its first page; the others are taken to be as large.
        pages: how many there are.
    """
    memory_bytes: int | None = getattr(engine.cache, "memory_bytes", None)
    return memory_bytes is not None and pages * len(first.raw) > memory_bytes * share


async def ask(
    engine: Engine, call: Call[T], terms: Terms | None, *, anew: bool = False, in_passing: bool = False
) -> Response[T]:
    """One page, or what stands in its way.

    Args:
        anew: one that is kept is known to be of an older list.
        in_passing: it need not be kept (`is_too_large`).

    Raises:
        APIException: there is no good answer.
    """
    response = await engine.perform(call, terms=terms, anew=anew, in_passing=in_passing)
    if response.status == NOT_MODIFIED:  # a client of version 1's kind gives it as it came, without the kept body
        response = await engine.perform(call, terms=terms, anew=True, in_passing=in_passing)
    response.raise_for_status()
    return response


async def first_page(engine: Engine, call: Call[T], terms: Terms | None, at_once: int) -> Response[T]:
    """Page 1; if its list is about to expire, too soon to be read, that of the next one (T16).

    Args:
        at_once: how many of the others will be fetched at once.

    Raises:
        APIException: there is no good answer.
    """
    runtime = engine.runtime
    began = runtime.now()
    response = await ask(engine, call, terms)
    if response.source == "cache" or response.expires_at is None:
        return response  # of a kept list the others are likely kept, too
    now = runtime.now()
    fresh_seconds = response.expires_at.timestamp() - now
    pages = seen_of(response, 0, 0).pages or 1
    patience_seconds = (engine.terms if terms is None else terms).max_wait
    wait_seconds = wait_for_next(fresh_seconds, pages, at_once, now - began, patience_seconds)
    if wait_seconds <= 0:
        return response
    await runtime.sleep(wait_seconds)
    return await ask(engine, call, terms)


def rows_of(response: Response[Any]) -> list[Any]:
    """The rows of a page; none of one without content (T18)."""
    return [] if response.data is None else response.data


def seen_of(response: Response[Any], round: int, order: int) -> Seen:
    """What a page says of the list.

    Raises:
        UndecodableAnswerError: its ``X-Pages`` cannot be read.
    """
    try:
        pages = count_of(response.headers.get("x-pages"))
    except ValueError as error:
        raise UndecodableAnswerError(response.url, response.status, message=f"{response.call!r}: {error}") from None
    version = http_date(response.headers.get("last-modified"))
    return Seen(version, pages, round, order, response.status == NO_CONTENT)


def remedy_of(error: APIException) -> Remedy:
    """What to do about a part that was not given (`esipy.core.pages.remedy_for`)."""
    if isinstance(error, SSOError | LimitedError | DowntimeError):
        return "hopeless"  # the next one would fare no better
    return remedy_for(error.status_code)
