"""Parameters and bodies that are not what the operation takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_esi_caller import Caller, data

FITTING: dict[str, Any] = {
    "name": "Fast",
    "description": "",
    "ship_type_id": 587,
    "items": [{"flag": "HiSlot0", "quantity": 1, "type_id": 484}],
}
ORDERS = "/markets/10000002/orders"


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller()


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        (ORDERS, [("page", 0)], "query.page"),
        (ORDERS, [("page", "one")], "query.page"),
        (ORDERS, [("page", 1), ("page", 2)], "query.page"),
        (ORDERS, [("order_type", "both")], "query.order_type"),
        (ORDERS, [("pages", 1)], "query.pages"),
        (ORDERS, [("type_id", 2**63)], "query.type_id"),
        ("/markets/the-forge/orders", [], "path.region_id"),
        ("/markets/10000002/history", [], "query.type_id"),
        ("/freelance-jobs", [("limit", 9)], "query.limit"),
        ("/freelance-jobs", [("limit", 101)], "query.limit"),
        ("/freelance-jobs", [("before", "nonsense")], "query.before"),
    ],
)
def test_a_wrong_parameter_is_422_with_its_place(
    caller: Caller, path: str, query: list[tuple[str, object]], location: str
) -> None:
    """Wrong types, bounds, values, names and repeats are refused; the error says where and shows the value."""
    answer = caller.send(path, *query)
    assert 422 == answer.status
    detail = data(answer)["details"][0]
    assert location == detail["location"]
    assert {"location", "message", "value"} == set(detail)


def test_everything_that_is_wrong_is_told_at_once(caller: Caller) -> None:
    """Two mistakes are two details."""
    answer = caller.send(ORDERS, ("page", 0), ("order_type", "both"), ("colour", "red"))
    assert {"query.page", "query.order_type", "query.colour"} == {one["location"] for one in data(answer)["details"]}


def test_a_search_has_to_be_long_enough_and_in_known_categories(caller: Caller) -> None:
    """Texts have a least length; arrays are checked item by item, and repeat nothing."""
    path = "/characters/{me}/search"
    assert 200 == caller.mine(path, ("search", "jita"), ("categories", "solar_system")).status
    assert 422 == caller.mine(path, ("search", "ji"), ("categories", "solar_system")).status
    assert 422 == caller.mine(path, ("search", "jita"), ("categories", "planetoid")).status
    assert 422 == caller.mine(path, ("search", "jita"), ("categories", "agent"), ("categories", "agent")).status
    assert 422 == caller.mine(path, ("search", "jita")).status


def test_booleans_are_true_or_false(caller: Caller) -> None:
    """ESI's booleans are written in one way."""
    path = "/characters/{me}/industry/jobs"
    assert 200 == caller.mine(path, ("include_completed", "true")).status
    assert 422 == caller.mine(path, ("include_completed", "True")).status


@pytest.mark.parametrize("standing", ["high", "nan", "1e999", ""])
def test_numbers_are_finite(caller: Caller, standing: str) -> None:
    """A number that is none, or has no end, is refused."""
    answer = caller.mine("/characters/{me}/contacts", ("standing", standing), method="POST", body=[90000001])
    assert ["query.standing"] == [detail["location"] for detail in data(answer)["details"]]


def test_who_may_not_ask_is_told_before_what_is_wrong(caller: Caller) -> None:
    """Without a token a wrong call is 401, not 422."""
    assert 401 == caller.send("/characters/2112000001/assets", ("page", 0)).status


# ---- bodies ----


def post(caller: Caller, path: str, body: Any) -> list[str]:
    """The places that are refused with 422; none when the call is good."""
    answer = caller.mine(path, method="POST", body=body)
    if answer.status < 300:
        return []
    assert 422 == answer.status
    return [detail["location"] for detail in data(answer)["details"]]


@pytest.mark.parametrize("raw", [b"", b"{", b"name=Fast", b"\xff\xfe"])
def test_a_body_that_is_no_json_is_400(caller: Caller, raw: bytes) -> None:
    """No body, a cut one, a form, and bytes that are no text."""
    assert 400 == caller.mine("/characters/{me}/fittings", method="POST", raw=raw).status


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"name": None}, "body.name"),
        ({"name": ""}, "body.name"),
        ({"name": "x" * 51}, "body.name"),
        ({"ship_type_id": "587"}, "body.ship_type_id"),
        ({"items": []}, "body.items"),
        ({"items": [{"flag": "Roof", "quantity": 1, "type_id": 484}]}, "body.items[0].flag"),
        ({"items": [{"flag": "HiSlot0", "quantity": 1}]}, "body.items[0]"),
        ({"colour": "red"}, "body"),
    ],
)
def test_a_wrong_field_is_422_with_its_place(caller: Caller, change: dict[str, Any], location: str) -> None:
    """Types, lengths, known values, missing and unknown fields, also of objects within the body."""
    assert [location] == post(caller, "/characters/{me}/fittings", {**FITTING, **change})


def test_a_missing_field_is_422(caller: Caller) -> None:
    """A field that is required cannot be left out."""
    assert ["body"] == post(caller, "/characters/{me}/fittings", {"name": "Fast"})


def test_a_good_body_is_taken(caller: Caller) -> None:
    """The fitting on which the others are built is right."""
    assert [] == post(caller, "/characters/{me}/fittings", FITTING)


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"ids": [34]}, "body"),
        ([], "body"),
        ([34, "35"], "body[1]"),
        ([34, 35.5], "body[1]"),
        ([True], "body[0]"),
        ([34, 34], "body"),
        (list(range(1, 1_002)), "body"),
        ([2**63], "body[0]"),
    ],
)
def test_a_wrong_batch_is_422(caller: Caller, body: Any, location: str) -> None:
    """A batch is an array of integers, not empty, without repeats, and not above its limit."""
    assert [location] == post(caller, "/universe/names", body)


def test_the_limit_of_a_batch_itself_is_taken(caller: Caller) -> None:
    """A thousand ids are as many as names are resolved for at once."""
    answer = caller.send("/universe/names", method="POST", body=list(range(1, 1_001)))
    assert 1_000 == len(data(answer))


def test_items_of_a_field_may_not_repeat(caller: Caller) -> None:
    """Uniqueness is asked of arrays within a body too; a body that is optional may be left out."""
    path = "/route/30000142/30000144"
    assert 200 == caller.send(path, method="POST", body={}).status
    answer = caller.send(path, method="POST", body={"avoid_systems": [30000143, 30000143]})
    assert ["body.avoid_systems"] == [detail["location"] for detail in data(answer)["details"]]
    assert 422 == caller.send(path, method="POST", body={"security_penalty": 101}).status
    assert 422 == caller.send(path, method="POST", body={"preference": "Scenic"}).status
