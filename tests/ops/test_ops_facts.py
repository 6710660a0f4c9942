"""The catalogue's facts: how many of each kind there are, and that each operation's are of one piece."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from esipy import ops
from esipy.operation import Operation, RateGroup

EVERY = list(ops.operations())


def test_there_are_225_operations_by_method() -> None:
    """190 GET, 21 POST, 7 PUT and 7 DELETE, on 210 paths, under 37 tags."""
    assert Counter(operation.method for operation in EVERY) == {"GET": 190, "POST": 21, "PUT": 7, "DELETE": 7}
    assert len({operation.path for operation in EVERY}) == 210
    assert len({operation.module for operation in EVERY}) == 37


def test_names_and_ids_are_unique_and_told_from_each_other() -> None:
    """A name is its id in snake case; `names` lists all, in one order."""
    assert tuple(operation.name for operation in EVERY) == ops.names()
    assert len(set(ops.names())) == len({operation.id for operation in EVERY}) == 225
    for operation in EVERY:
        assert operation.name == re.sub(r"(?<!^)(?=[A-Z])", "_", operation.id).lower()


def test_scopes_and_roles() -> None:
    """139 operations need one of 71 scopes; 34 name roles, and all of those need a scope as well."""
    scopes = [operation.scope for operation in EVERY if operation.scope]
    assert (len(scopes), len(set(scopes))) == (139, 71)
    with_roles = [operation for operation in EVERY if operation.roles]
    assert len(with_roles) == 34
    assert all(operation.scope for operation in with_roles)


def test_rate_groups() -> None:
    """163 operations are in 42 groups, each of one size everywhere, all windows 15 minutes."""
    groups = [operation.group for operation in EVERY if operation.group]
    assert len(groups) == 163
    assert len(set(groups)) == len({group.name for group in groups}) == 42
    assert {group.window_seconds for group in groups} == {900}
    sizes = {group.name: group.max_tokens for group in groups}
    assert (sizes["char-notification"], sizes["char-killmail"], sizes["market-order"]) == (15, 30, 12000)


def test_lifetimes_and_cache_modes() -> None:
    """143 lifetimes, one of them on a POST (kept per body) and one on a PUT (never kept); 117 of the server."""
    timed = [operation for operation in EVERY if operation.lifetime_seconds is not None]
    assert len(timed) == 143
    writing = {operation.name: operation.cacheable for operation in timed if operation.method != "GET"}
    assert writing == {"post_characters_affiliation": True, "put_characters_character_id_calendar_event_id": False}
    assert sum(operation.cacheable for operation in EVERY) == 191
    assert sum(operation.server_lifetime_seconds is not None for operation in EVERY) == 117
    modes = Counter(operation.cache_mode for operation in EVERY)
    assert modes == {"ttl-based": 117, "event-based": 32, "not-cached": 1, None: 75}


def test_pagination() -> None:
    """40 lists have pages, 7 cursors; the other walks go by id."""
    kinds = Counter(operation.pagination for operation in EVERY)
    assert kinds == {"pages": 40, "cursor": 7, "from_id": 2, "last_mail_id": 1, "from_event": 1, None: 174}
    for operation in EVERY:
        queried = {parameter.name for parameter in operation.parameters if parameter.where == "query"}
        wanted = {"pages": {"page"}, "cursor": {"before", "after", "limit"}}
        assert wanted.get(operation.pagination or "", set()) <= queried


def test_bulk_limits() -> None:
    """The limit of a bulk operation is that of its ids, not of another array beside them."""
    assert {operation.name: operation.bulk_limit for operation in EVERY if operation.bulk_limit} == {
        "post_characters_affiliation": 1000,
        "post_characters_character_id_assets_locations": 1000,
        "post_characters_character_id_assets_names": 1000,
        "post_corporations_corporation_id_assets_locations": 1000,
        "post_corporations_corporation_id_assets_names": 1000,
        "post_universe_names": 1000,
        "post_universe_ids": 500,
        "post_characters_character_id_contacts": 100,
        "put_characters_character_id_contacts": 100,
        "post_characters_character_id_cspa": 100,
        "delete_characters_character_id_contacts": 20,
    }


def test_dates_and_languages() -> None:
    """34 operations are younger than the oldest date; 17 answers depend on the language."""
    assert sum(operation.since > "2020-01-01" for operation in EVERY) == 34
    assert max(operation.since for operation in EVERY) == ops.COMPATIBILITY_DATE == "2026-08-04"
    assert sum(operation.localized for operation in EVERY) == 17


def test_statuses() -> None:
    """198 operations answer 200 (two of them 204 too), 7 answer 201, 20 only 204; those alone have no type."""
    statuses = Counter(operation.statuses for operation in EVERY)
    assert statuses == {(200,): 196, (200, 204): 2, (201,): 7, (204,): 20}
    for operation in EVERY:
        assert (operation.result is None) == (operation.statuses == (204,))


def test_bodies() -> None:
    """22 operations have a body, the last parameter: 10 arrays and 12 objects; no GET has one."""
    bodies = [operation.body for operation in EVERY if operation.body]
    assert Counter(body.kind for body in bodies) == {"integers": 9, "strings": 1, "object": 12}
    for operation in EVERY:
        placed = [parameter.where for parameter in operation.parameters]
        assert placed == sorted(placed, key=["path", "query", "body"].index)
        assert "body" not in placed or operation.method in ("POST", "PUT")


@pytest.mark.parametrize("operation", EVERY, ids=lambda operation: operation.name)
def test_an_operation_is_of_one_piece(operation: Operation[object]) -> None:
    """The path's names are the path parameters, in order and required; the path has no slash at its end."""
    names = [parameter.name for parameter in operation.parameters if parameter.where == "path"]
    assert re.findall(r"{(\w+)}", operation.path) == names
    assert all(parameter.required for parameter in operation.parameters if parameter.where == "path")
    assert operation.path.startswith("/")
    assert not operation.path.endswith("/")
    assert operation.by_name == {parameter.name: parameter for parameter in operation.parameters}
    assert not {"tenant", "language", "Accept-Language", "X-Tenant", "If-None-Match"} & set(operation.by_name)
    assert ops.operation(operation.id) is ops.operation(operation.name) is operation


def test_the_facts_of_one_operation() -> None:
    """Market orders, in full."""
    orders = ops.operation("get_markets_region_id_orders")
    assert (orders.id, orders.module, orders.method) == ("GetMarketsRegionIdOrders", "market", "GET")
    assert orders.path == "/markets/{region_id}/orders"
    assert orders.group == RateGroup("market-order", 12000, 900)
    assert (orders.lifetime_seconds, orders.cache_mode, orders.pagination) == (300, "ttl-based", "pages")
    assert orders.scope is None
    assert [parameter.name for parameter in orders.parameters] == ["region_id", "order_type", "page", "type_id"]
    order_type = orders.by_name["order_type"]
    assert (order_type.required, order_type.default, order_type.choices) == (True, "all", ("buy", "sell", "all"))
    assert orders.by_name["page"].minimum == 1


def test_what_is_no_operation_is_a_key_error() -> None:
    """Names are spelled exactly; anything else is a KeyError that holds it."""
    for name in ("get_statu", "GETSTATUS", "", "OPERATIONS"):
        with pytest.raises(KeyError, match=repr(name)):
            ops.operation(name)
