"""What each write of the catalogue makes out of date."""

from __future__ import annotations

import re
from typing import Any

import pytest

from esipy import ops
from esipy.core.changing import CHANGES, changed_by, check_changes
from esipy.operation import Operation

OPERATIONS = tuple(ops.operations())
READS = {operation.path for operation in OPERATIONS if operation.cacheable}
WRITES = [operation for operation in OPERATIONS if not operation.cacheable]

QUESTIONS = {
    "post_characters_character_id_assets_locations", "post_characters_character_id_assets_names",
    "post_characters_character_id_cspa", "post_corporations_corporation_id_assets_locations",
    "post_corporations_corporation_id_assets_names", "post_route", "post_universe_ids", "post_universe_names",
    "post_ui_autopilot_waypoint", "post_ui_openwindow_contract", "post_ui_openwindow_information",
    "post_ui_openwindow_marketdetails", "post_ui_openwindow_newmail",
}  # fmt: skip
"""Writes by their method only."""

UNTOUCHED = {
    # reads of the same noun, with the same ids, that a write all the same leaves as they are
    "/characters/{character_id}/contacts": {"/characters/{character_id}/contacts/labels"},  # made in the game only
    "/characters/{character_id}/mail": {"/characters/{character_id}/mail/lists"},  # mailing lists that one is in
    "/characters/{character_id}/mail/{mail_id}": {"/characters/{character_id}/mail/lists"},
    "/characters/{character_id}/mail/labels": {
        "/characters/{character_id}/mail", "/characters/{character_id}/mail/lists",
    },
    "/characters/{character_id}/mail/labels/{label_id}": {"/characters/{character_id}/mail/lists"},
    "/fleets/{fleet_id}": {"/fleets/{fleet_id}/members", "/fleets/{fleet_id}/wings"},
    "/fleets/{fleet_id}/members": {"/fleets/{fleet_id}", "/fleets/{fleet_id}/wings"},
    "/fleets/{fleet_id}/members/{member_id}": {"/fleets/{fleet_id}", "/fleets/{fleet_id}/wings"},
    "/fleets/{fleet_id}/wings": {"/fleets/{fleet_id}", "/fleets/{fleet_id}/members"},
    "/fleets/{fleet_id}/wings/{wing_id}": {"/fleets/{fleet_id}", "/fleets/{fleet_id}/members"},
    "/fleets/{fleet_id}/wings/{wing_id}/squads": {"/fleets/{fleet_id}", "/fleets/{fleet_id}/members"},
    "/fleets/{fleet_id}/squads/{squad_id}": {"/fleets/{fleet_id}", "/fleets/{fleet_id}/members"},
}  # fmt: skip


def names_in(path: str) -> set[str]:
    """The parameters of a path."""
    return set(re.findall(r"\{(\w+)\}", path))


def noun_of(path: str) -> str:
    """Owner and noun: ``/characters/{character_id}/mail``, ``/fleets/{fleet_id}``."""
    parts = path.split("/")
    return "/".join(parts[: 3 if parts[1] == "fleets" else 4])


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_T02_every_write_of_the_catalogue_says_what_it_changes(write: Operation[Any]) -> None:
    """All reads of the same noun that its ids can fill in, but for those named here; a question changes none."""
    reads = set(CHANGES[write.path])
    if write.name in QUESTIONS:
        assert set() == reads
        return
    near = {read for read in READS if noun_of(read) == noun_of(write.path) and names_in(read) <= names_in(write.path)}
    assert near - UNTOUCHED.get(write.path, set()) == {read for read in reads if noun_of(read) == noun_of(write.path)}
    assert reads


def test_T02_the_table_names_writes_and_reads_of_the_catalogue_only() -> None:
    """No path in it is misspelt, and each read can be filled in from its write."""
    assert {write.path for write in WRITES} == set(CHANGES)
    shapes = {re.sub(r"\{\w+\}", "{}", read) for read in READS}  # a member of a fleet is a character
    assert {re.sub(r"\{\w+\}", "{}", read) for reads in CHANGES.values() for read in reads} <= shapes
    assert all(check_changes(write, reads) == tuple(reads) for write, reads in CHANGES.items())
    assert set(UNTOUCHED) <= set(CHANGES)
    assert all(untouched <= READS for untouched in UNTOUCHED.values())


@pytest.mark.parametrize(
    ("write", "path", "expected"),
    [
        (
            "/characters/{character_id}/calendar/{event_id}",
            "/characters/91/calendar/7",
            {"/characters/91/calendar", "/characters/91/calendar/7", "/characters/91/calendar/7/attendees"},
        ),
        ("/characters/{character_id}/contacts", "/characters/91/contacts", {"/characters/91/contacts"}),
        (
            "/fleets/{fleet_id}/members/{member_id}",
            "/fleets/5/members/91",
            {"/fleets/5/members", "/characters/91/fleet"},
        ),
        ("/fleets/{fleet_id}/wings/{wing_id}/squads", "/fleets/5/wings/6/squads", {"/fleets/5/wings"}),
        (
            "/characters/{character_id}/mail",
            "/characters/91/mail",
            {"/characters/91/mail", "/characters/91/mail/labels"},
        ),
        ("/universe/names", "/universe/names", set()),
        # of another document
        ("/v1/things/{thing_id}/", "/v1/things/7/", {"/v1/things/7/", "/v1/things/7"}),
        ("/notes/{note_id}", "/notes/2", {"/notes/2", "/notes"}),
    ],
)
def test_paths_are_filled_in_from_the_writes_own(write: str, path: str, expected: set[str]) -> None:
    """Ids stay as the call wrote them; a write that nobody knows changes the thing and the list it is in."""
    assert expected == set(changed_by(write, path))


def test_a_table_of_ones_own_counts() -> None:
    """Its reads and no others."""
    own = {**CHANGES, "/fleets/{fleet_id}": ("/fleets/{fleet_id}", "/fleets/{fleet_id}/members")}
    assert ("/fleets/5", "/fleets/5/members") == changed_by("/fleets/{fleet_id}", "/fleets/5", own)


@pytest.mark.parametrize(
    ("reads", "told"),
    [(["/fleets/{fleet_id}/wings/{wing_id}"], r"\{wing_id\} is not in /fleets/\{fleet_id\}"), ("/fleets", "one path")],
)
def test_a_read_that_cannot_be_filled_in_is_refused(reads: list[str], told: str) -> None:
    """When the table is made, not when a write has been done."""
    with pytest.raises(ValueError, match=told):
        check_changes("/fleets/{fleet_id}", reads)
