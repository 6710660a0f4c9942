"""What tests do to lists: rollovers in the middle of a fetch, and the versions that prove it."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.sandbox.esi_versions import Lists
from tests.sandbox.lists_kit import CONTRACTS, ORDERS, TYPES, page, tags, whole
from tests.sandbox.sandbox_esi_caller import START, Caller, header


def test_a_list_rolls_over_after_so_many_answers(caller: Caller, lists: Lists) -> None:
    """Two more answers are of the old version, the third is of the new one: Last-Modified tells them apart."""
    lists.roll(ORDERS, after_requests=2)
    stamps = [header(caller.send(ORDERS, ("page", number)), "Last-Modified") for number in (1, 2, 3, 1)]
    assert stamps[:2] == [formatdate(START, usegmt=True)] * 2
    assert stamps[2:] == [formatdate(START + 1, usegmt=True)] * 2


@pytest.mark.parametrize("shift", [3, -3])
def test_pages_of_two_versions_are_a_mixture_that_versions_expose(caller: Caller, lists: Lists, shift: int) -> None:
    """What was fetched over a rollover is no version: rows that moved over a border are there twice or missing."""
    lists.roll(CONTRACTS, pages=3)
    lists.roll(CONTRACTS, after_requests=1, shift=shift)
    mixture = [row["contract_id"] for number in (1, 2, 3) for row in page(caller, CONTRACTS, number)]
    after = [row["contract_id"] for row in whole(caller, CONTRACTS)]
    _, before, last = lists.versions(CONTRACTS)
    assert after == last
    assert mixture not in (before, last)
    assert set(before) - set(mixture) == (set() if shift > 0 else set(before[50:53]))
    assert len(mixture) - len(set(mixture)) == (3 if shift > 0 else 0)


def test_a_roll_begins_a_new_lifetime(caller: Caller, lists: Lists) -> None:
    """As at the end of the old one: the whole lifetime is ahead, and it ends that much later; `bump` lets it run on."""
    caller.clock.advance(200)
    assert "public, max-age=100" == header(caller.send(ORDERS), "Cache-Control")
    caller.api.bump(ORDERS)
    assert "public, max-age=100" == header(caller.send(ORDERS), "Cache-Control")
    lists.roll(ORDERS)
    before = caller.send(ORDERS)
    assert "public, max-age=300" == header(before, "Cache-Control")
    caller.clock.advance(299)
    assert before.body == caller.send(ORDERS).body
    caller.clock.advance(1)
    assert before.body != caller.send(ORDERS).body
    assert formatdate(START + 500, usegmt=True) == header(caller.send(ORDERS), "Last-Modified")


@pytest.mark.parametrize("path", [ORDERS, CONTRACTS, TYPES])
@pytest.mark.parametrize("pages", [1, 2, 7, 30])
def test_T14_a_list_grows_or_shrinks_to_so_many_pages(caller: Caller, lists: Lists, path: str, pages: int) -> None:
    """X-Pages says so, the last page is half full, a later page is 404, and no id is there twice."""
    lists.roll(path, pages=pages)
    assert str(pages) == header(caller.send(path), "X-Pages")
    full = 50 if path == CONTRACTS else 1_000
    assert [full] * (pages - 1) + [full // 2] == [len(page(caller, path, number + 1)) for number in range(pages)]
    assert 404 == caller.send(path, ("page", pages + 1)).status
    (version,) = lists.versions(path)[1:]
    assert len(set(version)) == len(version) == (pages - 1) * full + full // 2


def test_T14_a_late_page_is_404_when_the_list_shrinks_mid_fetch(caller: Caller, lists: Lists) -> None:
    """A refused page is no answer of the list: it does not bring the next rollover nearer."""
    lists.roll(CONTRACTS, pages=4)
    lists.roll(CONTRACTS, after_requests=2, pages=2)
    lists.roll(CONTRACTS, after_requests=3, pages=4)
    statuses = [caller.send(CONTRACTS, ("page", number)).status for number in (1, 2, 3, 4, 2, 3)]
    assert [200, 200, 404, 404, 200, 200] == statuses


def test_a_304_counts_as_an_answer(caller: Caller, lists: Lists) -> None:
    """A revalidated page is one more of the answers after which the list rolls over."""
    tag = {"if-none-match": header(caller.send(ORDERS), "ETag") or ""}
    lists.roll(ORDERS, after_requests=1)
    assert [304, 200] == [caller.send(ORDERS, headers=tag).status for _ in range(2)]


@pytest.mark.parametrize("path", [ORDERS, CONTRACTS])
@pytest.mark.parametrize("changed", [1, 2])
def test_T13_a_page_whose_rows_did_not_change_keeps_its_etag(
    caller: Caller, lists: Lists, path: str, changed: int
) -> None:
    """A 304 on page 1 while page 2 changed, and the other way round; Last-Modified moves for both."""
    lists.roll(path, pages=3)
    before = tags(caller, path)
    stamp = header(caller.send(path), "Last-Modified")
    lists.roll(path, changed=[changed])
    assert [changed] == [
        number for number, pair in enumerate(zip(before, tags(caller, path), strict=True), 1) if len(set(pair)) > 1
    ]
    assert stamp != header(caller.send(path), "Last-Modified")
    first, second = lists.versions(path)[-2:]
    assert first == second  # the same rows, with other data


def test_the_versions_of_a_list_that_nobody_edits_are_those_that_were_answered(caller: Caller, lists: Lists) -> None:
    """Each lifetime's end brings one; whole rows tell what traded."""
    first = whole(caller, ORDERS)
    caller.clock.advance(300)
    second = whole(caller, ORDERS)
    assert first != second
    assert [first, second] == lists.versions(ORDERS, ids=False)
    sells = [row["order_id"] for row in second if not row["is_buy_order"]]
    assert sells == lists.versions(ORDERS, {"order_type": "sell"})[-1]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.integers(0, 10**6)),
        st.tuples(st.just("remove"), st.integers(0, 10**6)),
        st.tuples(st.just("add"), st.integers(0, 200)),
        st.tuples(st.just("roll"), st.integers(0, 5)),
        st.tuples(st.just("stir"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.just(1_800)),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(steps)
def test_versions_are_what_was_there(script: list[tuple[str, int]]) -> None:
    """Whatever is done to a list, its pages are at each moment those of its newest version; no older one changes."""
    caller = Caller()
    lists = caller.api.lists
    seen = [whole(caller, CONTRACTS)]
    for what, number in script:
        ids = [row["contract_id"] for row in seen[-1]]
        if what in ("edit", "remove") and ids:
            chosen = ids[number % len(ids)]
            assert chosen == (lists.edit if what == "edit" else lists.remove)(CONTRACTS, chosen)
        elif what == "add" and ids:
            (new,) = lists.add(CONTRACTS, place=number)
            assert new not in [row["contract_id"] for version in seen for row in version]
        elif what == "roll":
            lists.roll(CONTRACTS, pages=number)
        elif what == "stir":
            lists.roll(CONTRACTS, changed=[number])
        elif what == "wait":
            caller.clock.advance(number)
        else:
            continue
        seen.append(whole(caller, CONTRACTS))
    assert seen == lists.versions(CONTRACTS, ids=False)
