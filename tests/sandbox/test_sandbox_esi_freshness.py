"""Lifetimes, validators, changes, and answers that are not sent twice."""

from __future__ import annotations

from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import pytest

from tests.sandbox.sandbox_esi_caller import START, Caller, data, header

ORDERS = "/markets/10000002/orders"


def test_the_first_lifetime_begins_with_the_sandbox(caller: Caller) -> None:
    """Cache-Control counts down to the end of the lifetime that the catalogue states; Expires names it."""
    caller.clock.advance(100)
    answer = caller.send(ORDERS)
    assert "public, max-age=200" == header(answer, "Cache-Control")
    assert formatdate(START + 300, usegmt=True) == header(answer, "Expires")
    assert formatdate(START, usegmt=True) == header(answer, "Last-Modified")


def test_a_private_route_may_not_be_shared(caller: Caller) -> None:
    """What needs a token is private to shared caches."""
    assert "private, max-age=120" == header(caller.mine("/characters/{me}/wallet"), "Cache-Control")


def test_at_the_end_of_a_lifetime_market_data_roll_over(caller: Caller) -> None:
    """The next lifetime brings other orders, another ETag and a later Last-Modified; within one nothing moves."""
    first = caller.send(ORDERS)
    caller.clock.advance(299)
    assert first.body == caller.send(ORDERS).body
    caller.clock.advance(1)
    second = caller.send(ORDERS)
    assert first.body != second.body
    assert header(first, "ETag") != header(second, "ETag")
    assert formatdate(START + 300, usegmt=True) == header(second, "Last-Modified")
    assert "public, max-age=300" == header(second, "Cache-Control")
    ids = [{order["order_id"] for order in data(answer)} for answer in (first, second)]
    assert ids[0] == ids[1]


def test_some_prices_move_with_each_lifetime(caller: Caller) -> None:
    """One order in eight has another price; no bid ever meets an offer. Averages move too, adjusted prices do not."""
    orders, averages = data(caller.send(ORDERS)), data(caller.send("/markets/prices"))
    caller.clock.advance(3_600)
    later = data(caller.send(ORDERS))
    moved = sum(old["price"] != new["price"] for old, new in zip(orders, later, strict=True))
    assert 75 < moved < 175
    for rows in (orders, later):
        bids = {row["type_id"]: row["price"] for row in sorted(rows, key=price_of) if row["is_buy_order"]}
        assert all(row["price"] > bids[row["type_id"]] for row in rows if not row["is_buy_order"])
    pairs = list(zip(averages, data(caller.send("/markets/prices")), strict=True))
    assert 200 < sum(old["average_price"] != new["average_price"] for old, new in pairs) <= 250
    assert all(old["adjusted_price"] == new["adjusted_price"] for old, new in pairs)


def price_of(row: dict[str, Any]) -> float:
    """An order's price."""
    price: float = row["price"]
    return price


def test_data_that_stay_keep_their_etag_in_the_next_lifetime(caller: Caller) -> None:
    """A route whose data did not change is revalidated with a 304 and is fresh again."""
    first = caller.mine("/characters/{me}/wallet")
    caller.clock.advance(130)
    second = caller.mine("/characters/{me}/wallet", headers={"if-none-match": header(first, "ETag") or ""})
    assert 304 == second.status
    assert "private, max-age=110" == header(second, "Cache-Control")


def test_T07_a_304_has_no_body_and_few_headers(caller: Caller) -> None:
    """Neither Expires nor X-Pages nor a content type come with a 304; the validators do."""
    first = caller.send(ORDERS)
    answer = caller.send(ORDERS, headers={"if-none-match": header(first, "ETag") or ""})
    assert (304, b"") == (answer.status, answer.body)
    names = {name.lower() for name, _ in answer.headers}
    assert names.isdisjoint({"expires", "x-pages", "content-type"})
    assert header(first, "ETag") == header(answer, "ETag")


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_an_etag_is_found_in_every_form(caller: Caller, form: str) -> None:
    """Weak, in a list, or any: as RFC 9110 compares them."""
    tag = header(caller.send("/status"), "ETag") or ""
    assert 304 == caller.send("/status", headers={"if-none-match": form.format(tag)}).status
    assert 200 == caller.send("/status", headers={"if-none-match": '"other"'}).status


def test_a_date_is_a_condition_where_no_etag_is_given(caller: Caller) -> None:
    """If-Modified-Since counts alone; beside If-None-Match it is not looked at; nonsense is no condition."""
    modified = header(caller.send("/status"), "Last-Modified") or ""
    assert 304 == caller.send("/status", headers={"if-modified-since": modified}).status
    early = formatdate(START - 1, usegmt=True)
    assert 200 == caller.send("/status", headers={"if-modified-since": early}).status
    both = {"if-modified-since": modified, "if-none-match": '"other"'}
    assert 200 == caller.send("/status", headers=both).status
    assert 200 == caller.send("/status", headers={"if-modified-since": "yesterday"}).status


def test_bump_changes_the_data_now(caller: Caller) -> None:
    """After `bump` the path has other data, another ETag and a later Last-Modified; other paths stay."""
    paths = [ORDERS, "/markets/10000043/orders"]
    before = [caller.send(path) for path in paths]
    caller.clock.advance(10)
    caller.api.bump(ORDERS)
    after = [caller.send(path) for path in paths]
    assert [False, True] == [one.body == other.body for one, other in zip(before, after, strict=True)]
    assert formatdate(START + 10, usegmt=True) == header(after[0], "Last-Modified")


def test_bump_takes_any_spelling_of_a_path(caller: Caller) -> None:
    """Old paths and today's are one thing; what is no path is refused."""
    before = caller.send("/status").body
    caller.api.bump("/latest/status/")
    assert before != caller.send("/status").body
    with pytest.raises(ValueError, match="no operation has the path"):
        caller.api.bump("/nothing")


def test_two_bumps_within_a_second_have_two_dates(caller: Caller) -> None:
    """HTTP's dates have whole seconds: a second change in one still moves Last-Modified."""
    dates: list[str | None] = []
    for _ in range(3):
        caller.api.bump("/status")
        dates.append(header(caller.send("/status"), "Last-Modified"))
    assert 3 == len(set(dates))


def test_an_event_based_route_states_its_whole_lifetime(caller: Caller) -> None:
    """It is dropped by events: nothing rolls over by time, and each answer is fresh for as long."""
    first = caller.mine("/characters/{me}/skills")
    caller.clock.advance(3_600)
    second = caller.mine("/characters/{me}/skills")
    assert "private, max-age=60" == header(second, "Cache-Control")
    assert header(first, "Last-Modified") == header(second, "Last-Modified")
    assert first.body == second.body


def test_a_route_without_a_lifetime_states_none(caller: Caller) -> None:
    """No Cache-Control and no Expires where the catalogue knows of no lifetime; the validators are there."""
    answer = caller.send("/universe/types/34")
    assert [None, None] == [header(answer, "Cache-Control"), header(answer, "Expires")]
    assert header(answer, "ETag") is not None
    assert parsedate_to_datetime(header(answer, "Last-Modified") or "").timestamp() == START


def test_a_route_that_is_never_cached_says_so(caller: Caller) -> None:
    """no-store keeps nothing."""
    answer = caller.send("/route/30000142/30000144", method="POST", body={})
    assert "no-store" == header(answer, "Cache-Control")


def test_T10_affiliation_is_a_post_with_a_lifetime(caller: Caller) -> None:
    """The one POST that may be kept says for how long."""
    answer = caller.send("/characters/affiliation", method="POST", body=[2112000001])
    assert "public, max-age=3600" == header(answer, "Cache-Control")
    assert header(answer, "ETag") is not None


def test_bodies_are_kept_within_a_bound() -> None:
    """The cache of bodies drops the oldest; what was dropped is made again, the same."""
    caller = Caller(cache_bytes=300_000)
    first = caller.send(ORDERS, ("page", 1)).body
    for page in range(2, 6):
        caller.send(ORDERS, ("page", page))
    assert caller.api.cached_bytes <= 300_000
    assert first == caller.send(ORDERS, ("page", 1)).body


def test_T03_what_depends_on_who_asks_is_not_mixed_up(caller: Caller) -> None:
    """A private body that was made for one character is not given to another who may not have it."""
    path = "/corporations/{corp}/members"
    assert 200 == caller.mine(path).status
    assert 403 == caller.mine("/corporations/98000001/members", place=5).status
