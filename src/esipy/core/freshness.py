"""How long an answer is fresh, and what a 304 does to a kept one: RFC 9111 as tables.

The local clock never enters: every lifetime is a number of seconds, counted from the moment the answer came
(T06). Where ESI says nothing, its own document's lifetime for the operation decides.

==================================  =======================================================================
the answer has                      its lifetime
==================================  =======================================================================
``Cache-Control: no-store``         not kept at all
``Cache-Control: no-cache``         0: kept, and revalidated each time
``max-age``                         max-age less ``Age`` (0 when unreadable)
``Expires`` (without max-age)       Expires less the server's ``Date`` (0 when past, 0 when unreadable)
neither, the operation has one      the operation's, less ``Age``
neither                             0: kept with its validator, and revalidated each time
==================================  =======================================================================

Of a directive or header that came twice, the first counts. This is a private cache: ``s-maxage`` and ``private``
are not for it.

Source: RFC 9111 sections 4.2.1, 4.2.3, 4.3.4, 5.2.2; ESI's documentation for the order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

from esipy.core.wire import Headers

__all__ = [
    "age_of",
    "conditional_headers",
    "confirmed_at",
    "delta_seconds",
    "directives",
    "http_date",
    "lifetime_of",
    "refresh",
]

LONGEST_SECONDS = 2.0**31
"""No number of seconds counts for more (68 years). Source: RFC 9111 section 1.2.2."""

_DIRECTIVE = re.compile(r'([^\s,;="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?|"(?:[^"\\]|\\.)*"')


def directives(headers: Headers) -> Mapping[str, str]:
    """``Cache-Control`` as names and values: ``{"public": "", "max-age": "300"}``.

    What stands in quotes is one value, whatever it looks like. Source: RFC 9111 section 5.2.
    """
    return _read_directives(headers.joined("cache-control"))


@lru_cache(maxsize=512)  # few texts come, over and over
def _read_directives(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(text):
        if name:
            found.setdefault(name.lower(), quoted or plain)
    return found


@lru_cache(maxsize=512)
def _read_control(text: str) -> tuple[bool, float | None]:
    """Whether an answer may be kept, and the seconds that it is fresh, its ``Age`` aside; None where none are said."""
    control = _read_directives(text)
    if "no-store" in control:
        return False, None
    if "no-cache" in control:
        return True, 0.0
    return True, (delta_seconds(control["max-age"]) or 0.0) if "max-age" in control else None


def delta_seconds(text: str | None) -> float | None:
    """A header's number of seconds; None when absent or not a number. Source: RFC 9111 section 1.2.2."""
    return min(float(text), LONGEST_SECONDS) if text is not None and text.isascii() and text.isdigit() else None


def http_date(text: str | None) -> float | None:
    """Seconds since 1970 of a date in a header; None when absent or unreadable. Source: RFC 9110 section 5.6.7."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # The old form without a zone means GMT too; Python would take it for local time.
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()


def lifetime_of(headers: Headers, operation_lifetime: float | None, now: float) -> float | None:
    """Seconds for which an answer is fresh; None when it may not be kept.

    Args:
        headers: of the answer.
        operation_lifetime: seconds from the catalogue; None when the operation has none.
        now: seconds since 1970, used in place of a missing ``Date`` only.
    """
    may_be_kept, max_age = _read_control(headers.joined("cache-control"))
    if not may_be_kept:
        return None
    told = headers.first("age")
    age = 0.0 if told is None else delta_seconds(told) or 0.0
    if max_age is not None:
        return max(max_age - age, 0.0)
    if "expires" in headers:
        expires = http_date(headers.first("expires"))
        date = http_date(headers.get("date"))
        lifetime = 0.0 if expires is None else expires - (now if date is None else date)
        return min(max(lifetime, 0.0), LONGEST_SECONDS)
    return max((operation_lifetime or 0.0) - age, 0.0)


def confirmed_at(headers: Headers, operation_lifetime: float | None, fresh_until: float) -> float:
    """When an answer came, or was last confirmed by a 304: its lifetime before the end of its freshness.

    An ``Expires`` without a ``Date`` tells no lifetime: then it is that end, which is later.
    """
    return fresh_until - (lifetime_of(headers, operation_lifetime, fresh_until) or 0.0)


def age_of(headers: Headers, operation_lifetime: float | None, fresh_until: float | None, now: float) -> float:
    """Seconds since ESI made an answer or confirmed it, as far as is known. Source: RFC 9111 section 4.2.3."""
    age = delta_seconds(headers.first("age")) or 0.0
    if fresh_until is None:
        return age
    return age + max(now - confirmed_at(headers, operation_lifetime, fresh_until), 0.0)


def conditional_headers(headers: Headers) -> list[tuple[str, str]]:
    """The request headers that revalidate an answer with these headers. Source: RFC 9111 section 4.3.1."""
    sent: list[tuple[str, str]] = []
    if "etag" in headers:
        sent.append(("If-None-Match", headers["etag"]))
    if "last-modified" in headers:
        sent.append(("If-Modified-Since", headers["last-modified"]))
    return sent


_OF_THE_BODY = frozenset(
    {"connection", "content-encoding", "content-length", "content-range", "content-type", "transfer-encoding"}
)


def refresh(
    kept: Headers, fresh: Headers, operation_lifetime: float | None, now: float
) -> tuple[Headers, float | None]:
    """The headers and the lifetime of a kept answer that a 304 confirmed (T07).

    Newer headers replace kept ones, but for those that frame or describe a body: a 304 has none. ``Age`` and
    ``Date`` never outlive their answer; a 304 without ``Date`` gets the moment at which it came. A lifetime that
    the 304 does not repeat is counted anew: a kept ``max-age`` from now, a kept ``Expires`` (a moment that is
    past) gives way to the operation's lifetime, and is then written as the new moment.

    Source: RFC 9111 sections 3.2 and 4.3.4; RFC 9110 section 6.6.1.
    """
    base = Headers((name, value) for name, value in kept.pairs() if name not in ("age", "date", "expires"))
    merged = base.updated(Headers((name, value) for name, value in fresh.pairs() if name not in _OF_THE_BODY))
    date = http_date(merged.get("date"))
    if date is None:
        date = now
        merged = merged.updated(Headers([("date", formatdate(now, usegmt=True))]))
    lifetime = lifetime_of(merged, operation_lifetime, now)
    if "expires" in kept and "expires" not in merged:
        merged = merged.updated(Headers([("expires", formatdate(date + (lifetime or 0.0), usegmt=True))]))
    return merged, lifetime
