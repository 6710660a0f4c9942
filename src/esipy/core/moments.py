"""Moments as users are given them: aware datetimes, in UTC. All that counts inside is seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["as_datetime", "as_seconds", "not_before"]

_LAST = datetime.max.replace(tzinfo=UTC)


def as_datetime(moment: float | None) -> datetime | None:
    """Seconds since 1970 as a moment (aware, UTC); None for None, and for a year that no calendar of ours has."""
    try:
        return None if moment is None else datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):  # which of them it is, the system decides
        return None


def not_before(moment: float) -> datetime:
    """A moment (aware, UTC) to come back at: rounded up, so that nobody comes too early.

    Of what is beyond the calendar, the last that it has.
    """
    found = as_datetime(moment)
    if found is None:
        return _LAST
    return found if found.timestamp() >= moment else found + datetime.resolution


def as_seconds(moment: datetime | None) -> float | None:
    """Seconds since 1970 of a moment; None for None."""
    return None if moment is None else moment.timestamp()
