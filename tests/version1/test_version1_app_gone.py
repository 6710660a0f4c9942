"""Operations that are gone: what is told of each, those that have another name, and the route that still works."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from esipy import EsiClient, ops
from esipy.core.objects import DataObject
from esipy.exceptions import InvalidCallError, UnknownOperationError
from esipy.sandbox import RunningSandbox
from esipy.version1.gone import GONE, RENAMED
from tests.client.colours import UA
from tests.version1.requests_kit import OP

JITA, AMARR = 30000142, 30002187


@pytest.mark.parametrize("name", GONE)
def test_what_is_gone_says_what_replaced_it(name: str) -> None:
    """A KeyError with the way out; whatever operation it names is there, and takes the parameters it names."""
    with pytest.raises(UnknownOperationError) as error:
        OP[name]
    assert f"{name!r} is gone from ESI; in its place there is {GONE[name]}" == str(error.value)
    assert name not in OP
    assert name not in ops.names()
    for word in GONE[name].replace("(", " ").split():
        if word.startswith(("get_", "post_")):
            assert word in ops.names()


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("get_search", "post_universe_ids"),
        ("get_characters_names", "post_universe_names"),
        ("get_corporations_names", "post_universe_names"),
        ("get_alliances_names", "post_universe_names"),
        ("get_sovereignty_map", "get_sovereignty_systems"),
        ("get_verify", "EsiSecurity.verify"),
        ("get_opportunities_tasks", "nothing"),
    ],
)
def test_the_ones_that_programs_use(name: str, way_out: str) -> None:
    """Each names its successor."""
    with pytest.raises(KeyError, match=way_out):
        OP[name]


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_the_same_operation_under_another_name(old: str, new: str) -> None:
    """The old id is taken for the new one's operation; `in` knows it, the list of names has today's."""
    assert OP[old] is OP[new]
    assert (True, False) == (old in OP, old in list(OP))


def test_a_character_is_read_as_before(box: RunningSandbox) -> None:
    """The operation that most programs call, by the id of that time."""
    character_id = box.sandbox.roster.ids[0]
    with EsiClient(headers=UA, base_url=box.url) as client:
        data = client.request(OP["get_characters_character_id"](character_id=character_id)).data
    assert (str, True) == (type(data.name), data.birthday.v.tzinfo is not None)


# ---- get_route_origin_destination ----

ROUTE = OP["get_route_origin_destination"]


def test_a_route_is_a_list_of_systems(box: RunningSandbox) -> None:
    """Sent to the successor, answered as before; ``raw`` is what came."""
    with EsiClient(headers=UA, base_url=box.url) as client:
        box.forget()
        response = client.request(ROUTE(origin=JITA, destination=AMARR, datasource="tranquility"))
        assert (200, list) == (response.status, type(response.data))
        assert (JITA, AMARR) == (response.data[0], response.data[-1])
        assert json.loads(response.raw) == {"route": response.data}
        assert ("POST", f"/route/{JITA}/{AMARR}") == (box.received()[-1].method, box.received()[-1].path)
        today = client.request(OP["post_route"](origin_system_id=JITA, destination_system_id=AMARR, body={}))
        assert response.data == today.data.route


def test_an_error_of_a_route_is_data(box: RunningSandbox) -> None:
    """As any other's."""
    with EsiClient(headers=UA, base_url=box.url) as client:
        box.fail("/route/1/2", 1, status=404)
        response = client.request(ROUTE(origin=1, destination=2))
    assert 404 == response.status
    assert "error" in response.data


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({}, {}),
        ({"flag": "shortest"}, {}),
        ({"flag": "secure"}, {"preference": "Safer"}),
        ({"flag": "insecure"}, {"preference": "LessSecure"}),
        ({"avoid": [1, "2", 1]}, {"avoid_systems": [1, 2]}),
        ({"avoid": "1,2"}, {"avoid_systems": [1, 2]}),
        ({"connections": [[1, 2], (3, 4), "5|6"]},
         {"connections": [{"from": 1, "to": 2}, {"from": 3, "to": 4}, {"from": 5, "to": 6}]}),
        ({"connections": "1|2,3|4"}, {"connections": [{"from": 1, "to": 2}, {"from": 3, "to": 4}]}),
        ({"avoid": None, "flag": None, "connections": None}, {}),
    ],
)  # fmt: skip
def test_old_arguments_become_todays_body(given: dict[str, Any], body: dict[str, Any]) -> None:
    """What ESI assumes anyway is not sent."""
    call = ROUTE(origin=str(JITA), destination=AMARR, **given)
    assert body == {name: value for name, value in json.loads(call.body).items() if value != "Shorter"}
    assert {"origin": str(JITA), "destination": str(AMARR)} == call._p["path"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"destination": 1}, "parameter 'origin' is missing"),
        ({"origin": 1}, "parameter 'destination' is missing"),
        ({"origin": 1, "destination": 2, "flag": "fast"}, "'flag' has to be one of shortest, secure, insecure"),
        ({"origin": 1, "destination": 2, "avoid": ["x"]}, "'x' is no system id"),
        ({"origin": 1, "destination": 2, "avoid": 5}, "'avoid' has to be a list of system ids, not 5"),
        ({"origin": 1, "destination": 2, "connections": [1]}, "pairs of system ids, not 1"),
        ({"origin": 1, "destination": 2, "connections": ["1|2|3"]}, "pairs of system ids"),
        ({"origin": "x", "destination": 2}, "has to be an integer"),
        ({"origin": 1, "destination": 2, "via": 3}, "unknown parameter 'via'"),
    ],
)
def test_wrong_arguments_of_a_route_are_refused(given: dict[str, Any], told: str) -> None:
    """A ValueError, before anything is sent."""
    with pytest.raises(InvalidCallError, match=told):
        ROUTE(**given)


def test_a_route_is_a_value() -> None:
    """The operation and its calls pickle; a changed one is a route still."""
    call = ROUTE(origin=1, destination=2, flag="secure")
    again = pickle.loads(pickle.dumps(call))
    assert call == again
    assert [5] == again.operation.shaped(DataObject(route=[5]))
    assert "get_route_origin_destination" in OP
    assert call.in_language("de").operation is call.operation
