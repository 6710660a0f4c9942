"""How long an answer is fresh, and what a 304 does to a kept one: RFC 9111 as tables.

The local clock never enters: every lifetime is a number of seconds, counted from the moment the answer came
(T06). Where ESI says nothing, its own document's lifetime for the operation decides.

==================================  =======================================================================
the answer has                      its lifetime
==================================  =======================================================================
``Cache-Control: no-store``         not kept at all
``Cache-Control: no-cache``         0: kept, and revalidated each time
``max-age``                         max-age less ``Age``
``Expires`` (without max-age)       Expires less the server's ``Date`` (0 when past, 0 when unreadable)
neither, the operation has one      the operation's, less ``Age``
neither                             0: kept with its validator, and revalidated each time
==================================  =======================================================================

Source: RFC 9111 sections 4.2.1, 4.2.3, 4.3.4, 5.2.2; ESI.md section 2 for the order.
"""

from __future__ import annotations

from email.utils import formatdate, parsedate_to_datetime

from esipy.core.wire import Headers

__all__ = ["conditional_headers", "http_date", "lifetime_of", "refresh"]


def directives(headers: Headers) -> dict[str, str]:
    """``Cache-Control`` as names and values: ``{"public": "", "max-age": "300"}``. Source: RFC 9111 section 5.2."""
    text = ",".join(headers.get_all("cache-control"))
    found: dict[str, str] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        if name:
            found.setdefault(name.lower(), value.strip().strip('"'))
    return found


def http_date(text: str | None) -> float | None:
    """Seconds since 1970 of a date in a header; None when absent or unreadable. Source: RFC 9110 section 5.6.7."""
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _seconds(text: str | None) -> float | None:
    """Delta-seconds; None when absent or not a number. Source: RFC 9111 section 1.2.2."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def lifetime_of(headers: Headers, operation_lifetime: float | None, now: float) -> float | None:
    """Seconds for which an answer is fresh; None when it may not be kept.

    Args:
        headers: of the answer.
        operation_lifetime: seconds from the catalogue; None when the operation has none.
        now: seconds since 1970, used in place of a missing ``Date`` only.
    """
    control = directives(headers)
    if "no-store" in control:
        return None
    if "no-cache" in control:
        return 0.0
    age = _seconds(headers.get("age")) or 0.0
    max_age = _seconds(control.get("max-age"))
    if max_age is not None:
        return max(max_age - age, 0.0)
    if "expires" in headers:
        expires = http_date(headers["expires"])
        date = http_date(headers.get("date"))
        return 0.0 if expires is None else max(expires - (now if date is None else date), 0.0)
    if operation_lifetime is not None:
        return max(operation_lifetime - age, 0.0)
    return 0.0


def conditional_headers(headers: Headers) -> list[tuple[str, str]]:
    """The request headers that revalidate an answer with these headers. Source: RFC 9111 section 4.3.1."""
    sent: list[tuple[str, str]] = []
    if "etag" in headers:
        sent.append(("If-None-Match", headers["etag"]))
    if "last-modified" in headers:
        sent.append(("If-Modified-Since", headers["last-modified"]))
    return sent


_OF_THE_BODY = frozenset({"content-length", "content-encoding", "transfer-encoding", "content-type", "connection"})


def refresh(
    kept: Headers, fresh: Headers, operation_lifetime: float | None, now: float
) -> tuple[Headers, float | None]:
    """The headers and the lifetime of a kept answer that a 304 confirmed (T07).

    Newer headers replace kept ones, but for those that frame or describe a body: a 304 has none. A lifetime that
    the 304 does not repeat is counted anew: a kept ``max-age`` from now, a kept ``Expires`` (a moment that is
    past) gives way to the operation's lifetime, and is then written as the new moment.

    Source: RFC 9111 sections 3.2 and 4.3.4.
    """
    dropped = {"age"}
    if "cache-control" in fresh or "expires" not in fresh:
        dropped.add("expires")
    base = Headers((name, value) for name, value in kept.pairs() if name not in dropped)
    merged = base.updated(Headers((name, value) for name, value in fresh.pairs() if name not in _OF_THE_BODY))
    lifetime = lifetime_of(merged, operation_lifetime, now)
    if "expires" in kept and "expires" not in merged:
        date = http_date(merged.get("date"))
        moment = (now if date is None else date) + (lifetime or 0.0)
        merged = merged.updated(Headers([("expires", formatdate(moment, usegmt=True))]))
    return merged, lifetime
