"""Moments: aware datetimes of seconds."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from esipy.core.moments import as_datetime, as_seconds, not_before

NOON = datetime(2026, 8, 4, 12, tzinfo=UTC)


def test_a_moment_is_aware_and_in_utc() -> None:
    """Both ways."""
    assert NOON == as_datetime(NOON.timestamp())
    assert NOON.timestamp() == as_seconds(NOON)
    assert UTC == not_before(0.0).tzinfo


def test_none_is_none() -> None:
    """No moment stays none."""
    assert (None, None) == (as_datetime(None), as_seconds(None))


@given(st.floats(0, 1e10))
def test_who_waits_until_a_moment_does_not_come_too_early(moment: float) -> None:
    """Nor more than a microsecond late, and what a float of that size cannot tell."""
    assert 0 <= (not_before(moment).timestamp() - moment) <= 3e-6


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)))
def test_a_moment_is_the_same_after_both_ways(moment: datetime) -> None:
    """To the microsecond."""
    aware = moment.replace(tzinfo=UTC)
    assert aware == as_datetime(as_seconds(aware))


def test_what_no_calendar_has() -> None:
    """A fact is none; who is asked to wait for a million years comes back at its end."""
    assert [None, None] == [as_datetime(1e15), as_datetime(float("inf"))]
    assert datetime.max.replace(tzinfo=UTC) == not_before(1e15) == not_before(float("inf"))
