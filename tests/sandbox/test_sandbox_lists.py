"""What tests do to lists: rollovers in the middle of a fetch, edits, odd pages, and the versions that prove it."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.sandbox.esi_versions import Lists
from tests.sandbox.sandbox_esi_caller import START, Caller, data, header

ORDERS = "/markets/10000043/orders"
CONTRACTS = "/contracts/public/10000044"
TYPES = "/universe/types"
TRANSACTIONS = "/characters/2112000001/wallet/transactions"


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def lists(caller: Caller) -> Lists:
    return caller.api.lists


def page(caller: Caller, path: str, number: int) -> list[Any]:
    """The rows of one page."""
    rows: list[Any] = data(caller.send(path, ("page", number)))
    return rows


def whole(caller: Caller, path: str) -> list[Any]:
    """The rows of all pages, as X-Pages says."""
    pages = int(header(caller.send(path), "X-Pages") or 0)
    return [row for number in range(1, pages + 1) for row in page(caller, path, number)]


def tags(caller: Caller, path: str) -> list[str | None]:
    """The ETag of each page."""
    pages = int(header(caller.send(path), "X-Pages") or 0)
    return [header(caller.send(path, ("page", number)), "ETag") for number in range(1, pages + 1)]


# ---- rollovers ----


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


# ---- rows ----


def test_an_edit_changes_one_row_and_its_page_alone(caller: Caller, lists: Lists) -> None:
    """The row keeps its id and place; all others, and their pages' ETags, stay."""
    before, marks = whole(caller, ORDERS), tags(caller, ORDERS)
    chosen = before[1_500]["order_id"]
    assert chosen == lists.edit(ORDERS, chosen)
    after = whole(caller, ORDERS)
    assert [chosen] == [new["order_id"] for old, new in zip(before, after, strict=True) if old != new]
    assert 1 == sum(old != new for old, new in zip(marks, tags(caller, ORDERS), strict=True))


def test_rows_move_over_the_borders_of_pages(caller: Caller, lists: Lists) -> None:
    """A row in front moves the last row of page 1 to page 2, where who already has it meets it again; a removed row
    moves the first of page 2 to page 1, where who is past it misses it.
    """
    lists.roll(CONTRACTS, pages=3)
    first, second = page(caller, CONTRACTS, 1), page(caller, CONTRACTS, 2)
    (new,) = lists.add(CONTRACTS, place=0)
    assert new == page(caller, CONTRACTS, 1)[0]["contract_id"]
    assert first[-1] == page(caller, CONTRACTS, 2)[0]
    assert new == lists.remove(CONTRACTS)
    lists.remove(CONTRACTS)
    assert second[0] == page(caller, CONTRACTS, 1)[-1]


def test_bare_ids_come_and_go(caller: Caller, lists: Lists) -> None:
    """A list of ids has no data besides: rows are added and removed."""
    before = data(caller.send("/alliances"))
    assert [before[-1] + 1] == lists.add("/alliances")
    assert before[0] == lists.remove("/alliances")
    assert [*before[1:], before[-1] + 1] == data(caller.send("/alliances"))


def test_T21_new_transactions_are_the_newest(caller: Caller, lists: Lists) -> None:
    """In a walk by id new rows come first; the row that is named is in the answer, an edited one too."""
    before = [row["transaction_id"] for row in data(caller.mine(TRANSACTIONS))]
    new = lists.add(TRANSACTIONS, 2)
    assert [new[0], new[1], *before[:48]] == [row["transaction_id"] for row in data(caller.mine(TRANSACTIONS))]
    lists.edit(TRANSACTIONS, before[3])
    part = data(caller.mine(TRANSACTIONS, ("from_id", before[3])))
    assert before[3] == part[0]["transaction_id"]
    oldest = lists.versions(TRANSACTIONS)[-1][-1]
    assert [oldest] == [row["transaction_id"] for row in data(caller.mine(TRANSACTIONS, ("from_id", oldest)))]


# ---- how lists are told ----


def test_T15_a_page_bears_another_last_modified(caller: Caller, lists: Lists) -> None:
    """For ever, until it is ended; or for some answers."""
    lists.odd_last_modified(TYPES, 10, None, -60)
    stamps = [header(caller.send(TYPES, ("page", number)), "Last-Modified") for number in (9, 10, 10, 11)]
    usual, odd = formatdate(START, usegmt=True), formatdate(START - 60, usegmt=True)
    assert [usual, odd, odd, usual] == stamps
    lists.odd_last_modified(TYPES, 10, 0, 0)
    assert usual == header(caller.send(TYPES, ("page", 10)), "Last-Modified")
    lists.odd_last_modified(TYPES, 10, 2, -60)
    assert [odd, odd, usual] == [header(caller.send(TYPES, ("page", 10)), "Last-Modified") for _ in range(3)]


def test_T14_x_pages_is_absent(caller: Caller, lists: Lists) -> None:
    """The pages are there, and nobody says how many; what is not named of the manner stays."""
    lists.set_list(ORDERS, x_pages=False)
    lists.set_list(ORDERS, empty_status=204)
    answer = caller.send(ORDERS, ("page", 2))
    assert (200, None) == (answer.status, header(answer, "X-Pages"))
    lists.set_list(ORDERS, x_pages=True)
    assert header(caller.send(ORDERS, ("page", 2)), "X-Pages") is not None


@pytest.mark.parametrize("path", [CONTRACTS, "/alliances", "/incursions"])
def test_T18_an_empty_list_is_a_204_or_an_empty_array(caller: Caller, lists: Lists, path: str) -> None:
    """Without rows: `[]`, and 204 when so told; with rows it makes no difference."""
    lists.set_list(path, empty_status=204)
    assert 200 == caller.send(path).status
    lists.roll(path, pages=0)
    answer = caller.send(path)
    assert (204, b"") == (answer.status, answer.body)
    lists.set_list(path, empty_status=200)
    assert (200, b"[]") == (caller.send(path).status, caller.send(path).body)
    assert [] == lists.versions(path)[-1]


def test_T18_a_type_that_nobody_trades_is_a_204(caller: Caller, lists: Lists) -> None:
    """A list that is empty by itself is told in the same manner."""
    lists.set_list(ORDERS, empty_status=204)
    assert 204 == caller.send(ORDERS, ("type_id", 19_999)).status


def test_an_event_based_route_changes_without_a_word_of_when(caller: Caller, lists: Lists) -> None:
    """No lifetime is stated before or after; only the validators tell that the data changed."""
    path = "/corporations/{corp}/projects"
    before = caller.mine(path)
    lists.bump(path.format(corp=caller.character().corporation_id))
    after = caller.mine(path, headers={"if-none-match": header(before, "ETag") or ""})
    assert 200 == after.status
    assert [None] * 4 == [header(answer, name) for answer in (before, after) for name in ("Cache-Control", "Expires")]


@pytest.mark.parametrize(
    ("verb", "args", "options", "text"),
    [
        ("roll", ("/nothing",), {}, "no operation"),
        ("roll", ("/status",), {"pages": 2}, "no list"),
        (
            "roll",
            (
                ORDERS,
                -1,
            ),
            {},
            "have to be 0 or more",
        ),
        ("roll", (ORDERS,), {"pages": -1}, "have to be 0 or more"),
        ("roll", ("/freelance-jobs",), {}, "one by one"),
        (
            "remove",
            (
                "/alliances",
                1,
            ),
            {},
            "has no row 1",
        ),
        ("edit", ("/alliances",), {}, "nothing but its id"),
        (
            "add",
            (
                ORDERS,
                0,
            ),
            {},
            "at least one",
        ),
        ("edit", ("/characters/2112000001/mail",), {}, "changed by calls"),
        ("versions", ("/characters/2112000001/contacts",), {}, "changed by calls"),
        ("versions", ("/characters/affiliation",), {}, "no list"),
        (
            "versions",
            (
                ORDERS,
                {"order_type": "none"},
            ),
            {},
            "order_type",
        ),
        ("set_list", (ORDERS,), {"empty_status": 404}, "200 or 204"),
        ("set_list", (ORDERS,), {"overlap": -1}, "overlap"),
    ],
)
def test_what_cannot_be_meant_is_told(
    lists: Lists, verb: str, args: tuple[Any, ...], options: dict[str, Any], text: str
) -> None:
    """A mistake names what is wrong with it."""
    with pytest.raises(ValueError, match=text):
        getattr(lists, verb)(*args, **options)
