"""Whether the pages of a list are one list: a judge over what each page answered, which asks for pages again and ends.

A list changes while it is read. What tells its versions apart is ``Last-Modified`` (and ``X-Pages`` beside it), which
all pages of one version share; the newest that any page bears is the one to have. Rules, first that holds:

=================================================  ==================================================================
what was seen                                      what follows
=================================================  ==================================================================
a page failed hopelessly (see `remedy_for`)        torn
page 1 answered 204                                whole: the list is empty
no page says its version, there are several        torn: nothing can be shown; ``mixed``: whole, not consistent
all pages are there, of one version                whole
the rounds are used up                             torn; ``mixed`` and all pages there: whole, not consistent
a page is gone that page 1 counted before          again: page 1 alone; the list has shrunk, or it has not
odd pages that were asked for again stay odd       ``mixed``: whole, not consistent
pages are missing, failed or odd (another version) again: these alone
=================================================  ==================================================================

A page is asked again at once when its oddness is news; after a pause, doubled each round, when it was asked after the
newest version had been seen, or failed: then the server is not yet done.

Source: ESI's documentation on X-Pages pagination.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

__all__ = [
    "UNEVEN", "Again", "Failed", "Remedy", "Seen", "Torn", "Verdict", "Whole", "count_of", "judge", "remedy_for",
    "wait_for_next",
]  # fmt: skip

UNEVEN = frozenset({"get_universe_types"})
"""Operations of which some page always bears another ``Last-Modified`` (August 2026: page 10). Their lists are given
whole and marked as not consistent; a list of any other operation would be refused."""

MOST_PAGES = 100_000
"""A list that claims more pages is not believed."""

_MOST_DIGITS = len(str(MOST_PAGES))

EXPIRY_MARGIN_SECONDS = 1.0
"""Dates in headers have whole seconds: a list that expires at 12:00:05 may be there until 12:00:06."""

MOST_PAGE_SECONDS = 2.0
"""A first page that took longer waited for something: it says nothing of those that follow."""

Remedy = Literal["again", "gone", "hopeless"]

_HOPELESS = frozenset({400, 401, 402, 403, 405, 410, 420, 422, 429})


def remedy_for(status: int) -> Remedy:
    """What to do about a page that was not given.

    Args:
        status: of the answer; 0 when none came, 204 when there was none to give, 2xx when it could not be read.

    Returns:
        ``again``: it may pass; ``gone``: the list may have become shorter; ``hopeless``: no page would be given, or
        waiting would take longer than the caller has patience.
    """
    if status in (204, 404):
        return "gone"
    return "hopeless" if status in _HOPELESS else "again"


def count_of(text: str | None) -> int | None:
    """``X-Pages``; None when the answer has none.

    Raises:
        ValueError: it is no number of pages. Taking it for 1 would cut the list short.
    """
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS or int(text) > MOST_PAGES:
        raise ValueError(f"X-Pages: {text[:40]!r} is no number of pages")
    return max(int(text), 1)


class Seen(NamedTuple):
    """What one page answered.

    Attributes:
        version: its ``Last-Modified`` in seconds since 1970; None without a readable one.
        pages: its ``X-Pages``; None without.
        round: in which it was asked; 0 is the first page's first.
        order: answers are numbered as they come: the greater, the later.
        is_empty: it was a 204.
    """

    version: float | None
    pages: int | None
    round: int
    order: int
    is_empty: bool = False


class Failed(NamedTuple):
    """A page that was not given: why (`remedy_for`), and when, as in `Seen`."""

    remedy: Remedy
    round: int
    order: int


class Again(NamedTuple):
    """Ask for these pages, after a pause."""

    numbers: tuple[int, ...]
    pause_seconds: float


class Whole(NamedTuple):
    """All pages are there.

    Attributes:
        pages: how many; what was seen beyond is of a longer list that is no more.
        version: as in `Seen`.
        consistent: they are of one version, for certain.
    """

    pages: int
    version: float | None
    consistent: bool


class Torn(NamedTuple):
    """It ends without a whole list.

    Attributes:
        pages: how many it should have.
        version: the newest that was seen.
        good: the pages of that version that are there.
        odd: the pages that are there, but of another version.
    """

    pages: int
    version: float | None
    good: tuple[int, ...]
    odd: tuple[int, ...]


Verdict: TypeAlias = Again | Whole | Torn


def judge(
    seen: Mapping[int, Seen], failed: Mapping[int, Failed], *, round: int, max_rounds: int, mixed: bool = False
) -> Verdict:
    """What is to be done about a list of which these pages were seen, and those failed.

    Args:
        seen: by page number; a page that was asked again is there once, as it was seen last. It has page 1.
        failed: by page number; a page that failed when it was asked again is in both.
        round: how often pages were asked for so far, less one: 0 after page 1, 1 after the others.
        max_rounds: how often pages may be asked for *again*.
        mixed: a list of several versions will do, if no better is to be had.
    """
    first = seen[1]
    if first.is_empty and 1 not in failed:
        return Whole(1, first.version, True)
    versions = (one.version for one in seen.values() if not one.is_empty)
    version = max((one for one in versions if one is not None), default=None)
    of_it = {number: one for number, one in seen.items() if one.version == version and not one.is_empty}
    pages = _count(seen, of_it)
    good = tuple(n for n in sorted(of_it) if n <= pages and n not in failed and of_it[n].pages in (None, pages))
    odd = tuple(n for n in sorted(seen) if n <= pages and n not in failed and n not in good)
    absent = tuple(n for n in range(1, pages + 1) if n in failed or n not in seen)
    torn = Torn(pages, version, good, odd)
    if any(failed[number].remedy == "hopeless" for number in absent if number in failed):
        return torn
    if version is None and pages > 1:
        if not mixed:
            return torn._replace(good=(1,), odd=good[1:])
    elif not odd and not absent:
        return Whole(pages, version, True)
    if mixed and not absent and (version is None or _are_stuck(odd, seen, of_it) or round > max_rounds):
        return Whole(pages, version, False)
    if round > max_rounds:
        return torn
    gone = [one.order for number, one in failed.items() if one.remedy == "gone" and 1 < number <= pages]
    if gone and first.order < min(gone) and 1 not in failed:
        return Again((1,), 0.0)
    waits = any(n in failed for n in absent) or _any_stuck(odd, seen, of_it)
    return Again(tuple(sorted((*absent, *odd))), 2.0 ** (round - 1) if waits and round else 0.0)


def _count(seen: Mapping[int, Seen], of_it: Mapping[int, Seen]) -> int:
    """How many pages this version has: the latest word of its own pages, else what page 1 said."""
    told = [(one.order, one.pages) for one in of_it.values() if one.pages is not None]
    if told:
        return max(told)[1]
    return seen[1].pages or 1


def _seen_first(of_it: Mapping[int, Seen]) -> int:
    """The round in which this version was first seen."""
    return min(one.round for one in of_it.values())


def _any_stuck(odd: tuple[int, ...], seen: Mapping[int, Seen], of_it: Mapping[int, Seen]) -> bool:
    return any(seen[n].round > _seen_first(of_it) for n in odd)


def _are_stuck(odd: tuple[int, ...], seen: Mapping[int, Seen], of_it: Mapping[int, Seen]) -> bool:
    """Whether all odd pages were asked again when this version was there to be had, and stayed what they were."""
    return all(seen[n].round > max(_seen_first(of_it), 1) for n in odd)


def wait_for_next(
    fresh_seconds: float | None, pages: int, concurrency: int, page_seconds: float, patience_seconds: float
) -> float:
    """Seconds to wait for the next version of a list, because this one would not last until all of it is fetched (T16).

    Args:
        fresh_seconds: how long page 1 is still fresh; None when unknown.
        pages: how many there are.
        concurrency: how many are fetched at once.
        page_seconds: how long page 1 took.
        patience_seconds: how long the caller is ready to wait.

    Returns:
        0 when it lasts long enough, or may not be waited for.
    """
    if fresh_seconds is None or fresh_seconds <= 0 or pages < 2:
        return 0.0
    steps = -(-(pages - 1) // concurrency)
    wait_seconds = fresh_seconds + EXPIRY_MARGIN_SECONDS
    if fresh_seconds >= steps * min(page_seconds, MOST_PAGE_SECONDS) or wait_seconds > patience_seconds:
        return 0.0
    return wait_seconds
