"""What an answer says about coming back."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.retries import LONGEST_WAIT_SECONDS, retry_after
from esipy.core.wire import Headers

NOW = 1785844800.0


def date(moment: float) -> str:
    return formatdate(moment, usegmt=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("0", 0.0),
        ("86401", LONGEST_WAIT_SECONDS),
        ("9" * 400, LONGEST_WAIT_SECONDS),
        (date(NOW + 90), 90.0),
        (date(NOW - 90), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT_SECONDS),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("a minute", None),
    ],
)
@pytest.mark.parametrize("wrong_by", [0.0, 3600.0, -3600.0])
def test_T27_retry_after_as_seconds_and_as_a_date(text: str, seconds: float | None, wrong_by: float) -> None:
    """A date is measured against the server's own Date; what cannot be read is None, not zero."""
    headers = Headers([("Retry-After", text), ("Date", date(NOW))])
    assert seconds == retry_after(headers, NOW + wrong_by)


def test_T27_retry_after_without_a_date() -> None:
    """Then the local clock is all there is; and no header asks for nothing."""
    assert retry_after(Headers([("Retry-After", date(NOW + 90))]), NOW) == 90.0
    assert retry_after(Headers(), NOW) is None


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_any_retry_after_is_a_bounded_wait_or_none(text: str) -> None:
    """Whatever a server writes raises nothing, and is never negative."""
    seconds = retry_after(Headers([("Retry-After", text), ("Date", date(NOW))]), NOW)
    assert seconds is None or 0.0 <= seconds <= LONGEST_WAIT_SECONDS
