"""Lists that are read in parts: page sets, cursors, walks by id; and the market."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from esipy import ops
from tests.sandbox.sandbox_esi_caller import Caller, data, header

FORGE = "/markets/10000002/orders"
PROJECTS = "/corporations/{corp}/projects"


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller()


@pytest.fixture
def fresh() -> Caller:
    """A sandbox whose data the test may change."""
    return Caller()


# ---- page sets ----


def test_the_forge_has_400_pages_of_1000_orders_and_no_id_twice(caller: Caller) -> None:
    """All 400,000 orders, every id once; each page names the count and the one Last-Modified."""
    ids: set[int] = set()
    stamps: set[tuple[str | None, str | None]] = set()
    orders = msgspec.json.Decoder(ops.operation("get_markets_region_id_orders").result_type())
    for page in range(1, 401):
        answer = caller.send(FORGE, ("page", page), ("order_type", "all"))
        rows = orders.decode(answer.body)
        assert 1_000 == len(rows)
        ids.update(row.order_id for row in rows)
        stamps.add((header(answer, "X-Pages"), header(answer, "Last-Modified")))
    assert 400_000 == len(ids)
    assert 1 == len(stamps)
    assert "400" == next(iter(stamps))[0]


def test_a_page_after_the_last_is_404(caller: Caller) -> None:
    """The error is JSON and names the last page."""
    answer = caller.send(FORGE, ("page", 401))
    assert 404 == answer.status
    assert "400" in data(answer)["error"]


def test_orders_of_a_type_and_a_side_are_those_of_the_whole_list(caller: Caller) -> None:
    """``type_id`` and ``order_type`` choose among the same orders: both sides together are all, and nothing else."""
    every = {order["order_id"]: order for order in data(caller.send(FORGE, ("page", 1)))}
    chosen = data(caller.send(FORGE, ("type_id", 34)))
    sides = [data(caller.send(FORGE, ("type_id", 34), ("order_type", side))) for side in ("buy", "sell")]
    assert {34} == {order["type_id"] for order in chosen}
    assert [{True}, {False}] == [{order["is_buy_order"] for order in side} for side in sides]
    assert {order["order_id"] for order in chosen} == {order["order_id"] for side in sides for order in side}
    assert all(every[order["order_id"]] == order for order in chosen)
    assert "1" == header(caller.send(FORGE, ("type_id", 34)), "X-Pages")


def test_a_side_of_the_forge_is_fewer_pages(caller: Caller) -> None:
    """Two of five orders are to buy: 160 pages, and a page of them holds nothing else."""
    answer = caller.send(FORGE, ("order_type", "buy"), ("page", 160))
    assert "160" == header(answer, "X-Pages")
    assert {True} == {order["is_buy_order"] for order in data(answer)}


def test_a_type_that_nobody_trades_is_an_empty_list(caller: Caller) -> None:
    """One page, without orders."""
    answer = caller.send(FORGE, ("type_id", 19_999))
    assert ("1", b"[]") == (header(answer, "X-Pages"), answer.body)


def test_other_regions_are_smaller_and_have_orders_of_their_own(caller: Caller) -> None:
    """A few pages, and no order id of The Forge."""
    answer = caller.send("/markets/10000043/orders")
    assert 1 <= int(header(answer, "X-Pages") or 0) <= 12
    forge = {order["order_id"] for order in data(caller.send(FORGE))}
    assert forge.isdisjoint(order["order_id"] for order in data(answer))


def test_the_types_of_a_market_are_those_of_its_orders(caller: Caller) -> None:
    """What is listed as traded has orders."""
    types = set(data(caller.send("/markets/10000002/types")))
    assert {order["type_id"] for order in data(caller.send(FORGE))} <= types
    assert "4" == header(caller.send("/markets/10000002/types"), "X-Pages")


def test_an_order_has_no_more_left_than_it_had(caller: Caller) -> None:
    """What remains is part of the total, and never nothing."""
    assert all(0 < order["volume_remain"] <= order["volume_total"] for order in data(caller.send(FORGE)))


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/characters/{me}/assets", "item_id"),
        ("/characters/{me}/wallet/journal", "id"),
        ("/corporations/{corp}/contracts", "contract_id"),
        ("/contracts/public/10000002", "contract_id"),
        ("/markets/structures/1030000000000", "order_id"),
        ("/universe/types", None),
        ("/universe/groups", None),
    ],
)
def test_pages_of_one_set_have_no_row_twice(caller: Caller, path: str, key: str | None) -> None:
    """Every page up to X-Pages is there and not empty; ids are unique over all of them; the next is 404."""
    pages = int(header(caller.mine(path), "X-Pages") or 0)
    ids: list[Any] = []
    for page in range(1, pages + 1):
        rows = data(caller.mine(path, ("page", page)))
        assert rows
        ids += [row[key] if key else row for row in rows]
    assert len(ids) == len(set(ids))
    assert 404 == caller.mine(path, ("page", pages + 1)).status


def test_orders_are_written_as_they_would_be_encoded(caller: Caller) -> None:
    """A page that was written out by hand is byte for byte what encoding gives, and so keeps its ETag."""
    for path in ("/markets/10000043/orders", "/markets/structures/1030000000000"):
        body = caller.mine(path).body
        assert msgspec.json.encode(msgspec.json.decode(body)) == body


# ---- cursors ----


def walk(caller: Caller, direction: str, mark: str | None, limit: int = 10) -> list[list[dict[str, Any]]]:
    """All answers in one direction, the empty one at the end among them."""
    parts: list[list[dict[str, Any]]] = []
    while not parts or parts[-1]:
        query: list[tuple[str, object]] = [("limit", limit), ("state", "All")]
        answer = data(caller.mine(PROJECTS, *query, *([(direction, mark)] if mark else [])))
        parts.append(answer["projects"])
        mark = answer["cursor"][direction]
    return parts


def test_T20_a_cursor_walks_back_to_an_empty_list(caller: Caller) -> None:
    """Without a mark the newest come, the newest last; ``before`` leads through older ones to an empty list."""
    parts = walk(caller, "before", None)
    assert [10, 10, 10, 7, 0] == [len(part) for part in parts]
    records = [record for part in reversed(parts) for record in part]
    stamps = [record["last_modified"] for record in records]
    assert sorted(stamps) == stamps
    assert 37 == len({record["id"] for record in records})


def test_a_limit_is_kept(caller: Caller) -> None:
    """Up to a hundred at once: all 37 come in one answer."""
    assert [37, 0] == [len(part) for part in walk(caller, "before", None, limit=100)]


def test_T20_after_the_newest_there_is_nothing_and_the_mark_stays(caller: Caller) -> None:
    """The first ``after`` can be kept for days: an empty answer gives it back."""
    mark = data(caller.mine(PROJECTS))["cursor"]["after"]
    answer = data(caller.mine(PROJECTS, ("after", mark)))
    assert ([], mark) == (answer["projects"], answer["cursor"]["after"])


def test_T20_a_record_that_was_modified_comes_again_after_the_mark(fresh: Caller) -> None:
    """`bump` modifies one record: it leaves its place and is the newest; polling with the old mark finds it alone."""
    mark = data(fresh.mine(PROJECTS))["cursor"]["after"]
    ids = {record["id"] for part in walk(fresh, "before", None) for record in part}
    fresh.api.bump(f"/corporations/{fresh.character().corporation_id}/projects")
    changed = [record for part in walk(fresh, "after", mark) for record in part]
    assert 1 == len(changed)
    assert changed[0]["id"] in ids
    again = [record for part in reversed(walk(fresh, "before", None)) for record in part]
    assert (37, changed[0]["id"]) == (len({record["id"] for record in again}), again[-1]["id"])


def test_only_active_projects_come_unless_all_are_asked_for(caller: Caller) -> None:
    """The filter's default is Active."""
    states = {record["state"] for record in data(caller.mine(PROJECTS, ("limit", 100)))["projects"]}
    assert {"Active"} == states
    every = {record["state"] for record in data(caller.mine(PROJECTS, ("limit", 100), ("state", "All")))["projects"]}
    assert len(every) > 1


def test_both_ends_of_a_list_can_be_named(caller: Caller) -> None:
    """``after=0`` begins with the oldest, ``before=0`` with the newest, as no mark does; both at once is 422."""
    records = [record for part in reversed(walk(caller, "before", None)) for record in part]
    oldest, newest = (
        data(caller.mine(PROJECTS, (direction, "0"), ("state", "All")))["projects"] for direction in ("after", "before")
    )
    assert [records[:10], records[-10:]] == [oldest, newest]
    assert 422 == caller.mine(PROJECTS, ("after", "0"), ("before", "0")).status


def test_T20_a_corporation_chooses_among_the_jobs_of_all(caller: Caller) -> None:
    """A filter leaves some of the records; one that leaves none answers without a cursor."""
    every = [job["id"] for job in data(caller.send("/freelance-jobs", ("limit", 100)))["freelance_jobs"]]
    some = data(caller.send("/freelance-jobs", ("limit", 100), ("corporation_id", 98000001)))
    assert {job["id"] for job in some["freelance_jobs"]} < set(every)
    assert some["freelance_jobs"]
    assert {"freelance_jobs": []} == data(caller.send("/freelance-jobs", ("corporation_id", 1000035)))


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/freelance-jobs", "freelance_jobs"),
        ("/corporations/{corp}/freelance-jobs", "freelance_jobs"),
        ("/corporations/{corp}/freelance-jobs/some-job/participants", "participants"),
        ("/corporations/{corp}/projects/some-project/contributors", "contributors"),
        ("/military-campaigns/some-campaign/objectives", "objectives"),
        ("/characters/{me}/military-campaigns/objectives", "objectives"),
    ],
)
def test_each_cursor_has_a_list_of_its_own_name(caller: Caller, path: str, key: str) -> None:
    """The key of the list differs from route to route; ids in it never repeat."""
    answer = data(caller.mine(path, ("limit", 50)))
    assert {key, "cursor"} == set(answer)
    assert 37 == len({record["id"] for record in answer[key]})


# ---- walks by id ----


def test_T21_from_id_includes_the_id_itself_and_ends_alone(caller: Caller) -> None:
    """Each part begins with the id that was named; a part of that one row is the end. All 130 come, newest first."""
    path = "/characters/{me}/wallet/transactions"
    part = data(caller.mine(path))
    ids = [row["transaction_id"] for row in part]
    while len(part) > 1:
        part = data(caller.mine(path, ("from_id", ids[-1])))
        assert ids[-1] == part[0]["transaction_id"]
        ids += [row["transaction_id"] for row in part[1:]]
    assert 130 == len(ids)
    assert sorted(set(ids), reverse=True) == ids


def test_last_mail_id_leads_to_older_mails_and_an_empty_list(caller: Caller) -> None:
    """50 headers at once, newest first, each part older than the id that was named; then none."""
    part = data(caller.mine("/characters/{me}/mail"))
    sizes, ids = [len(part)], [mail["mail_id"] for mail in part]
    while part:
        part = data(caller.mine("/characters/{me}/mail", ("last_mail_id", ids[-1])))
        sizes.append(len(part))
        ids += [mail["mail_id"] for mail in part]
    assert [50, 50, 20, 0] == sizes
    assert sorted(set(ids), reverse=True) == ids


def test_from_event_leads_to_later_events_and_an_empty_list(caller: Caller) -> None:
    """50 events at once in the order of time, each part after the event that was named; then none."""
    part = data(caller.mine("/characters/{me}/calendar"))
    sizes, ids = [len(part)], [event["event_id"] for event in part]
    while part:
        part = data(caller.mine("/characters/{me}/calendar", ("from_event", ids[-1])))
        sizes.append(len(part))
        ids += [event["event_id"] for event in part]
    assert [50, 50, 20, 0] == sizes
    assert sorted(set(ids)) == ids


def test_wars_lead_to_older_wars(caller: Caller) -> None:
    """2,000 at once, newest first, all older than the one that was named; before the first there is none."""
    first = data(caller.send("/wars"))
    second = data(caller.send("/wars", ("max_war_id", first[-1])))
    assert first[-1] - 1 == second[0]
    assert [] == data(caller.send("/wars", ("max_war_id", 1)))
