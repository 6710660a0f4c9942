"""Names, ids, affiliations and the map agree with each other and with the roster."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.sandbox.characters import Roster
from esipy.sandbox.esi_values import moment
from esipy.sandbox.world import KINDS, World, stable
from tests.sandbox.sandbox_esi_caller import START, Caller, data

WORLD = World(1, Roster(1, 10))
THINGS = st.one_of([st.integers(kind.ids.start, kind.ids.stop - 1) for kind in KINDS])


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller()


@given(THINGS)
def test_a_name_leads_back_to_its_id(thing: int) -> None:
    """Whatever has a name is found by it, in any case, with its category."""
    name = WORLD.named(thing)
    found = WORLD.find(name.upper())
    assert found is not None
    assert (WORLD.kind(thing), thing) == found


@given(st.text(max_size=30))
def test_any_other_text_finds_nothing_or_its_own_name(text: str) -> None:
    """No text is taken for a thing that is named otherwise."""
    found = WORLD.find(text)
    assert found is None or WORLD.named(found[1]).lower() == text.strip().lower()


@given(st.lists(st.one_of(st.text(), st.integers())), st.lists(st.integers()))
def test_the_hash_depends_on_the_parts_alone(parts: list[Any], more: list[int]) -> None:
    """Equal parts give equal numbers of 64 bits; one part more gives another."""
    assert stable(*parts) == stable(*parts)
    assert 0 <= stable(*parts) < 2**64
    assert (stable(*parts) == stable(*parts, "more", *more)) is False


def test_the_hash_is_the_same_in_every_process() -> None:
    """A number that is written here comes out again: no hashing of Python's takes part."""
    assert 10161571554800216877 == stable(1, "orders", 10000002)


def test_names_and_ids_are_two_directions_of_one_thing(caller: Caller) -> None:
    """/universe/names and /universe/ids undo each other, for known things, made-up ones and the roster's."""
    me = caller.character()
    ids: list[int] = [me.character_id, me.corporation_id, 99000001, 34, 30000142, 10000002, 60003760, 90000001, 500001]
    named = data(caller.send("/universe/names", method="POST", body=ids))
    assert ids == [row["id"] for row in named]
    assert 99000001 == me.alliance_id
    assert me.name == named[0]["name"]
    back = data(caller.send("/universe/ids", method="POST", body=[row["name"] for row in named]))
    assert sorted(ids) == sorted(row["id"] for rows in back.values() for row in rows)
    assert [{"id": 30000142, "name": "Jita"}] == back["systems"]


def test_one_bad_id_fails_the_whole_batch_of_names(caller: Caller) -> None:
    """An id that names nothing is 404 for all, and the error says which it was."""
    answer = caller.send("/universe/names", method="POST", body=[34, 2**40])
    assert 404 == answer.status
    assert [2**40] == [detail["value"] for detail in data(answer)["details"]]


def test_one_bad_id_fails_the_whole_batch_of_affiliations(caller: Caller) -> None:
    """No character has an id below one."""
    assert 404 == caller.send("/characters/affiliation", method="POST", body=[2112000001, 0]).status


def test_ids_of_no_character_are_left_out_of_affiliations(caller: Caller) -> None:
    """A corporation's id among them, or one that nothing has, leaves the other rows as they are."""
    ids = [2112000001, 98000001, 50000000, 90000001]
    rows = data(caller.send("/characters/affiliation", method="POST", body=ids))
    assert [2112000001, 90000001] == [row["character_id"] for row in rows]


def test_an_id_that_is_nothing_is_called_unknown(caller: Caller) -> None:
    """Details of an id outside every range still have a name."""
    assert "Unknown 50000000" == data(caller.send("/characters/50000000"))["name"]


def test_a_name_that_nothing_has_is_left_out_of_ids(caller: Caller) -> None:
    """Names are resolved one by one: unknown ones are missing, not errors."""
    names = ["Nowhere At All", "Xyzzy Module", "Babababababa Module", "Jita "]
    assert {"systems": [{"id": 30000142, "name": "Jita"}]} == data(
        caller.send("/universe/ids", method="POST", body=names)
    )


@pytest.mark.parametrize("character", [2112000001, 2112000010, 90000001, 95123456])
def test_affiliation_is_what_the_details_say(caller: Caller, character: int) -> None:
    """POST affiliation, the character's details and its corporation's details tell one corporation and alliance."""
    (row,) = data(caller.send("/characters/affiliation", method="POST", body=[character]))
    details = data(caller.send(f"/characters/{character}"))
    corporation = data(caller.send(f"/corporations/{row['corporation_id']}"))
    assert [row["corporation_id"], row.get("alliance_id")] == [details["corporation_id"], details.get("alliance_id")]
    assert row.get("alliance_id") == corporation.get("alliance_id")
    names = data(caller.send("/universe/names", method="POST", body=[character, row["corporation_id"]]))
    assert [details["name"], corporation["name"]] == [name["name"] for name in names]


def test_a_corporation_has_its_characters(caller: Caller) -> None:
    """The roster's characters are members of their corporation, led by the first; its alliance lists it."""
    me = caller.character()
    assert list(caller.roster.members(me.corporation_id)) == data(caller.mine("/corporations/{corp}/members"))
    assert me.character_id == data(caller.send(f"/corporations/{me.corporation_id}"))["ceo_id"]
    assert me.corporation_id in data(caller.send(f"/alliances/{me.alliance_id}/corporations"))
    assert me.alliance_id in data(caller.send("/alliances"))
    tracked = data(caller.mine("/corporations/{corp}/membertracking"))
    assert list(caller.roster.members(me.corporation_id)) == [row["character_id"] for row in tracked]


def test_the_map_is_one(caller: Caller) -> None:
    """From The Forge down to Jita and up again."""
    region = data(caller.send("/universe/regions/10000002"))
    assert "The Forge" == region["name"]
    assert 20000020 in region["constellations"]
    constellation = data(caller.send("/universe/constellations/20000020"))
    assert ("Kimotoro", 10000002) == (constellation["name"], constellation["region_id"])
    assert 30000142 in constellation["systems"]
    system = data(caller.send("/universe/systems/30000142"))
    assert ("Jita", 20000020) == (system["name"], system["constellation_id"])


def test_every_region_constellation_and_system_is_in_the_lists(caller: Caller) -> None:
    """The lists hold exactly what the details name."""
    regions = data(caller.send("/universe/regions"))
    constellations = [one for region in regions for one in WORLD.constellations_of(region)]
    assert constellations == data(caller.send("/universe/constellations"))
    assert [one for place in constellations for one in WORLD.systems_of(place)] == data(
        caller.send("/universe/systems")
    )


def test_types_groups_and_categories_agree(caller: Caller) -> None:
    """A type is in its group's list, the group in its category's."""
    group = data(caller.send("/universe/types/587"))["group_id"]
    details = data(caller.send(f"/universe/groups/{group}"))
    assert 587 in details["types"]
    assert group in data(caller.send(f"/universe/categories/{details['category_id']}"))["groups"]


def test_the_server_started_after_the_last_downtime(caller: Caller) -> None:
    """Status tells players, version and start: five past eleven of the running day."""
    status = data(caller.send("/status"))
    assert {"players", "server_version", "start_time"} == set(status)
    assert moment(START // 86_400 * 86_400 + 11 * 3_600 + 300) == status["start_time"]


def test_a_server_that_is_never_down_does_not_say_that_it_has_yet_to_go_down(caller: Caller) -> None:
    """In the first minutes after eleven, too, it has been started: clients hold batch calls back until it has."""
    eleven = START // 86_400 * 86_400 + 86_400 + 11 * 3_600
    told: list[str] = []
    for now in (eleven - 60, eleven + 60, eleven + 360):
        caller.clock.advance(now - caller.clock.now())
        told.append(data(caller.send("/status"))["start_time"])
    assert [moment(eleven - 86_100), moment(eleven), moment(eleven + 300)] == told


def test_a_character_is_in_one_place() -> None:
    """In space, in a station or in a structure: never in two."""
    caller = Caller(size=40)
    places = [set(data(caller.mine("/characters/{me}/location", place=place))) for place in range(40)]
    kinds = {frozenset(place - {"solar_system_id"}) for place in places}
    assert {frozenset[str](), frozenset({"station_id"}), frozenset({"structure_id"})} == kinds


def test_a_route_begins_and_ends_where_it_is_asked_to(caller: Caller) -> None:
    """It passes by what is to be avoided."""
    body = {"avoid_systems": [30000143]}
    route = data(caller.send("/route/30000142/30000150", method="POST", body=body))["route"]
    assert [30000142, 30000150] == [route[0], route[-1]]
    assert 30000143 not in route
    assert [30000142] == data(caller.send("/route/30000142/30000142", method="POST", body={}))["route"]


def test_a_search_finds_what_has_the_name(caller: Caller) -> None:
    """Strictly only that, otherwise some more."""
    query = [("search", "Jita"), ("categories", "solar_system"), ("categories", "region")]
    path = "/characters/{me}/search"
    assert {"solar_system": [30000142]} == data(caller.mine(path, *query, ("strict", "true")))
    found = data(caller.mine(path, *query))
    assert 30000142 in found["solar_system"]
    assert found["region"]
