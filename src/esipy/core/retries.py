"""When to come back: what an answer says of it (the statuses of limits, ``Retry-After``), and pauses that grow."""

from __future__ import annotations

from esipy.core.freshness import delta_seconds, http_date
from esipy.core.wire import Headers

__all__ = ["LIMITED", "LONGEST_WAIT_SECONDS", "doubled", "retry_after"]

LIMITED = frozenset({420, 429})
"""ESI refused before it did anything: the error limit, and a rate limit."""

LONGEST_WAIT_SECONDS = 86400.0
"""No answer stops anything for longer: one that says so is wrong, and would be believed until the program ends."""

MOST_DOUBLINGS = 60
"""More make no longer pause, but a number too large to hold."""


def doubled(first_seconds: float, failures: int, longest_seconds: float) -> float:
    """A pause that doubles with each failure in a row, up to the longest.

    Args:
        failures: how many there were; 1 is the first.
    """
    return min(first_seconds * 2.0 ** min(failures - 1, MOST_DOUBLINGS), longest_seconds)


def retry_after(headers: Headers, now: float) -> float | None:
    """Seconds that ``Retry-After`` asks for, given as a number or a date, a day at most; None when absent or
    unreadable.

    A date is measured against the server's own ``Date`` where it has one (T06). Source: RFC 9110 section 10.2.3.
    """
    text = headers.get("retry-after")
    if text is None:
        return None
    moment = http_date(text)
    if moment is None:
        seconds = delta_seconds(text)
        return None if seconds is None else min(seconds, LONGEST_WAIT_SECONDS)
    date = http_date(headers.get("date"))
    return min(max(moment - (now if date is None else date), 0.0), LONGEST_WAIT_SECONDS)
