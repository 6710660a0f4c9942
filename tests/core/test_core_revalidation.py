"""T07: what is asked when an answer is revalidated, and what a 304 makes of the kept one."""

from __future__ import annotations

import pytest

from esipy.core.freshness import conditional_headers, refresh
from esipy.core.wire import Headers
from tests.core.freshness_kit import HERE, NOW, OPERATION, PAST, SOON, date, headers


def test_revalidation_sends_what_the_answer_had() -> None:
    """An ETag goes back as it came, quotes and all; Last-Modified too; nothing else is made up."""
    assert [("If-None-Match", 'W/"a"'), ("If-Modified-Since", PAST)] == conditional_headers(
        headers(etag='W/"a"', last_modified=PAST, date=HERE)
    )
    assert [] == conditional_headers(headers(date=HERE))


KEPT = headers(
    date=date(NOW - 500),
    age="30",
    expires=date(NOW - 200),
    etag='"old"',
    last_modified=PAST,
    x_pages="7",
    content_type="application/json",
    content_length="1234",
)


def test_T07_a_bare_304_gives_back_what_was_kept() -> None:
    """X-Pages, ETag and the body's headers stay; Date is new, Age is gone, Expires is the new moment."""
    merged, lifetime = refresh(KEPT, headers(date=HERE), OPERATION, NOW + 3600)
    assert lifetime == OPERATION
    assert {
        "etag": '"old"',
        "last-modified": PAST,
        "x-pages": "7",
        "content-type": "application/json",
        "content-length": "1234",
        "date": HERE,
        "expires": date(NOW + OPERATION),
    } == dict(merged)


def test_T07_a_304_with_nothing_at_all() -> None:
    """Without a Date it counts from when it came, and the kept Date, which is old, does not lengthen a lifetime."""
    merged, lifetime = refresh(KEPT, Headers(), None, NOW)
    assert (0.0, HERE, HERE, "7") == (lifetime, merged["date"], merged["expires"], merged["x-pages"])
    merged, lifetime = refresh(KEPT, headers(expires=SOON), None, NOW)
    assert (100.0, HERE, SOON) == (lifetime, merged["date"], merged["expires"])


def test_T07_newer_headers_replace_kept_ones() -> None:
    """All but those of a body that a 304 does not have."""
    fresh = headers(date=HERE, etag='"new"', x_pages="8", content_length="0", content_type="text/html", age="10")
    merged, _ = refresh(KEPT, fresh, None, NOW)
    assert ('"new"', "8", "1234", "application/json", "10") == tuple(
        merged[name] for name in ("etag", "x-pages", "content-length", "content-type", "age")
    )


REFRESHED = [
    # kept, the 304's, the operation's lifetime -> the new lifetime
    ({"cache_control": "max-age=300"}, {}, None, 300.0),
    ({"cache_control": "max-age=300"}, {"cache_control": "max-age=20"}, None, 20.0),
    ({"cache_control": "max-age=300", "age": "290"}, {}, None, 300.0),
    ({"cache_control": "max-age=300"}, {"age": "100"}, None, 200.0),
    ({"expires": PAST}, {"expires": SOON}, None, 100.0),
    ({"expires": PAST}, {"cache_control": "max-age=20"}, None, 20.0),
    ({"expires": PAST}, {"cache_control": "public"}, OPERATION, 60.0),
    ({"expires": PAST}, {}, OPERATION, 60.0),
    ({"expires": PAST}, {}, None, 0.0),
    ({"cache_control": "no-cache"}, {}, OPERATION, 0.0),
    ({"cache_control": "no-cache"}, {"cache_control": "max-age=20"}, None, 20.0),
    ({"cache_control": "max-age=300"}, {"cache_control": "no-store"}, None, None),
    ({"cache_control": "max-age=300"}, {"expires": SOON}, None, 300.0),
]


@pytest.mark.parametrize(("kept", "fresh", "operation", "expected"), REFRESHED)
def test_T07_the_lifetime_after_a_304(
    kept: dict[str, str], fresh: dict[str, str], operation: float | None, expected: float | None
) -> None:
    """What the 304 says counts; what it does not say is counted anew; a moment that is past is no lifetime."""
    merged, lifetime = refresh(headers(**kept), headers(date=HERE, **fresh), operation, NOW - 3600)
    assert expected == lifetime
    if "expires" in kept and "expires" not in fresh:
        assert date(NOW + (expected or 0.0)) == merged["expires"]


def test_T07_refreshing_twice_is_no_worse_than_once() -> None:
    """A kept answer can be confirmed for days: each 304 gives the full lifetime again."""
    once, _ = refresh(KEPT, headers(date=HERE), OPERATION, NOW)
    twice, lifetime = refresh(once, headers(date=SOON), OPERATION, NOW + 100)
    assert (OPERATION, date(NOW + 100 + OPERATION)) == (lifetime, twice["expires"])
