"""What tests do to rows and pages of lists: edits, odd pages, emptiness, and what cannot be meant."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest

from esipy.sandbox.esi_versions import Lists
from tests.sandbox.lists_kit import CONTRACTS, ORDERS, TYPES, page, tags, whole
from tests.sandbox.sandbox_esi_caller import START, Caller, data, header

TRANSACTIONS = "/characters/2112000001/wallet/transactions"


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
