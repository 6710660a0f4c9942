"""Lifetimes and ages, and the dates and numbers that tell them: RFC 9111 as tables."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.freshness import (
    LONGEST_SECONDS,
    age_of,
    confirmed_at,
    delta_seconds,
    directives,
    http_date,
    lifetime_of,
    refresh,
)
from esipy.core.wire import Headers
from tests.core.freshness_kit import HERE, NOW, OPERATION, PAST, SOON, date, headers

LIFETIMES = [
    # Cache-Control alone, and against all the others
    ({"cache_control": "max-age=300"}, None, 300.0),
    ({"cache_control": "public, max-age=300"}, OPERATION, 300.0),
    ({"cache_control": "max-age=300", "expires": PAST, "date": HERE}, OPERATION, 300.0),
    ({"cache_control": "max-age=0", "expires": SOON, "date": HERE}, OPERATION, 0.0),
    # Age
    ({"cache_control": "max-age=300", "age": "100"}, None, 200.0),
    ({"cache_control": "max-age=300", "age": "400"}, None, 0.0),
    ({"cache_control": "max-age=300", "age": "soon"}, None, 300.0),
    ({"cache_control": "max-age=300", "age": ["100", "200"]}, None, 200.0),
    ({"age": "20"}, OPERATION, 40.0),
    ({"age": "100"}, OPERATION, 0.0),
    # Expires without Cache-Control's say
    ({"expires": SOON, "date": HERE}, None, 100.0),
    ({"expires": SOON, "date": HERE}, OPERATION, 100.0),
    ({"expires": SOON, "date": HERE, "cache_control": "public"}, OPERATION, 100.0),
    ({"expires": PAST, "date": HERE}, OPERATION, 0.0),
    ({"expires": HERE, "date": HERE}, OPERATION, 0.0),
    ({"expires": "0", "date": HERE}, OPERATION, 0.0),
    ({"expires": "-1"}, None, 0.0),
    ({"expires": ""}, OPERATION, 0.0),
    ({"expires": SOON}, None, 100.0),
    ({"expires": SOON, "date": "soon"}, None, 100.0),
    ({"expires": [SOON, PAST], "date": HERE}, None, 100.0),
    # neither
    ({}, OPERATION, 60.0),
    ({}, None, 0.0),
    ({"etag": '"a"'}, None, 0.0),
    # no-store and no-cache, which outweigh every number
    ({"cache_control": "no-store"}, OPERATION, None),
    ({"cache_control": "max-age=300, no-store", "expires": SOON}, OPERATION, None),
    ({"cache_control": ["max-age=300", "no-store"]}, OPERATION, None),
    ({"cache_control": "NO-STORE"}, None, None),
    ({"cache_control": "no-cache"}, OPERATION, 0.0),
    ({"cache_control": "no-cache, max-age=300"}, OPERATION, 0.0),
    ({"cache_control": 'no-cache="set-cookie", max-age=300'}, None, 0.0),
    # odd, quoted and repeated directives
    ({"cache_control": 'max-age="300"'}, None, 300.0),
    ({"cache_control": "Max-Age = 300"}, None, 300.0),
    ({"cache_control": ",, max-age=300 ,"}, None, 300.0),
    ({"cache_control": "max-age=300, max-age=600"}, None, 300.0),
    ({"cache_control": ["max-age=300", "max-age=600"]}, None, 300.0),
    ({"cache_control": 'private="x, no-store", max-age=300'}, None, 300.0),
    ({"cache_control": r'ext="a \", no-store", max-age=300'}, None, 300.0),
    ({"cache_control": "s-maxage=900, max-age=300"}, None, 300.0),
    ({"cache_control": "s-maxage=900"}, OPERATION, 60.0),
    ({"cache_control": "private, must-revalidate, immutable"}, OPERATION, 60.0),
    # a max-age that is none makes the answer stale, whatever else is there
    ({"cache_control": "max-age", "expires": SOON}, OPERATION, 0.0),
    ({"cache_control": "max-age=", "expires": SOON}, OPERATION, 0.0),
    ({"cache_control": "max-age=-1"}, OPERATION, 0.0),
    ({"cache_control": "max-age=1.5"}, OPERATION, 0.0),
    ({"cache_control": "max-age=soon"}, OPERATION, 0.0),
    ({"cache_control": "max-age=³"}, OPERATION, 0.0),
    # numbers beyond reason
    ({"cache_control": f"max-age={'9' * 400}"}, None, LONGEST_SECONDS),
    ({"expires": "Fri, 31 Dec 9999 23:59:59 GMT", "date": HERE}, None, LONGEST_SECONDS),
]

TOLD = [row for row in LIFETIMES if "expires" not in row[0] or row[0].get("date") == HERE or row[2] == 0.0]
"""Those that the server tells by itself: without a readable Date, an Expires needs the local clock."""


@pytest.mark.parametrize(("given_headers", "operation", "expected"), LIFETIMES)
def test_T05_lifetimes(given_headers: dict[str, str], operation: float | None, expected: float | None) -> None:
    """max-age less Age; Expires less Date; the operation's; none: revalidate; no-store: not kept."""
    assert expected == lifetime_of(headers(**given_headers), operation, NOW)


@pytest.mark.parametrize("wrong_by", [-3600.0, 3600.0, 86400.0 * 400])
@pytest.mark.parametrize(("given_headers", "operation", "expected"), TOLD)
def test_T06_the_local_clock_is_wrong(
    given_headers: dict[str, str], operation: float | None, expected: float | None, wrong_by: float
) -> None:
    """With the server's Date, or without an Expires, the local clock has no say in a lifetime."""
    assert expected == lifetime_of(headers(**given_headers), operation, NOW + wrong_by)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["cache-control", "expires", "date", "age", "etag"]),
            st.one_of(
                st.text(st.characters(codec="latin-1"), max_size=40),
                st.from_regex(r'(max-age|no-cache|x)="?[0-9]{1,20}"?, [a-z=]*', fullmatch=True),
                st.floats(0, 4e9).map(date),
            ),
        )
    ),
    st.none() | st.integers(0, 10**6),
    st.floats(0, 4e9),
)
def test_any_headers_give_a_lifetime_in_bounds(pairs: list[tuple[str, str]], operation: int | None, now: float) -> None:
    """Whatever a server writes: no exception, never negative, never endless; so also after a 304."""
    found = Headers(pairs)
    for lifetime in (lifetime_of(found, operation, now), refresh(found, found, operation, now)[1]):
        assert lifetime is None or 0.0 <= lifetime <= LONGEST_SECONDS


def test_directives_are_names_and_values() -> None:
    """Names in lower case, values without quotes, the first of a name."""
    found = directives(headers(cache_control=['Public, max-age="60"', "max-age=9, stale-if-error=5"]))
    assert {"public": "", "max-age": "60", "stale-if-error": "5"} == dict(found)


@pytest.fixture(params=["UTC", "America/New_York"])
def local_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems can change the zone of a running process")
@pytest.mark.usefixtures("local_zone")
@pytest.mark.parametrize(
    "text",
    [
        "Tue, 04 Aug 2026 12:00:00 GMT",
        "Tuesday, 04-Aug-26 12:00:00 GMT",
        "Tue Aug  4 12:00:00 2026",
        "Tue, 04 Aug 2026 12:00:00",
        "Tue, 04 Aug 2026 12:00:00 -0000",
        "Tue, 04 Aug 2026 14:00:00 +0200",
    ],
)
def test_T06_dates_mean_the_same_everywhere(text: str) -> None:
    """All three forms of RFC 9110 are read; a date without a zone is GMT, not the machine's own time."""
    assert http_date(text) == NOW


@pytest.mark.parametrize("text", [None, "", "0", "soon", "Tue, 99 Aug 2026 12:00:00 GMT", "Tue, 04 Aug 2026 12 GMT+"])
def test_what_is_no_date_is_none(text: str | None) -> None:
    """An unreadable date is no error."""
    assert http_date(text) is None


@given(
    st.text(max_size=60)
    | st.from_regex(
        r"[A-Z][a-z]{2}, [0-9]{1,3} (Jan|Feb|Aug)[ -][0-9]{1,5} [0-9:.]{1,9} [A-Z+-]{1,3}[0-9]{0,5}", fullmatch=True
    )
)
def test_any_text_is_a_date_or_none(text: str) -> None:
    """Reading a date never raises."""
    moment = http_date(text)
    assert moment is None or isinstance(moment, float)


@given(st.text(max_size=30) | st.integers(0).map(str) | st.none())
def test_any_text_is_seconds_or_none(text: str | None) -> None:
    """A number of seconds is one of digits only, and never beyond reason."""
    seconds = delta_seconds(text)
    if text is not None and text.isascii() and text.isdigit():
        assert seconds == min(int(text), LONGEST_SECONDS)
    else:
        assert seconds is None


@pytest.mark.parametrize(("given_headers", "operation", "lifetime"), TOLD)
def test_when_an_answer_came_is_told_by_the_end_of_its_freshness(
    given_headers: dict[str, str], operation: float | None, lifetime: float | None
) -> None:
    """Stores keep that end only: a lifetime before it, the answer came; its own ``Age`` is older by that."""
    if lifetime is None:
        return  # it is not kept
    found = headers(**given_headers)
    assert confirmed_at(found, operation, NOW + lifetime) == NOW
    age = delta_seconds(next(iter(found.get_all("age")), None)) or 0.0
    assert age_of(found, operation, NOW + lifetime, NOW + 1000) == 1000 + age


def test_the_age_of_what_is_not_kept_is_what_its_header_says() -> None:
    """And an ``Expires`` without a ``Date`` tells no lifetime: the age is the least that it can be."""
    assert (7.0, 0.0) == tuple(age_of(found, None, None, NOW) for found in (headers(age="7"), headers()))
    assert age_of(headers(expires=SOON), None, NOW + 100, NOW + 150) == 50.0
