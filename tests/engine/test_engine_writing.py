"""Writes drop what they change, whatever they are answered; the table of what that is may be one's own."""

from __future__ import annotations

from typing import Any

import pytest

from esipy import ops
from esipy.core.changing import CHANGES
from esipy.exceptions import BrokenAnswerError
from esipy.stores.memory import MemoryCache
from tests.engine.kit import FRESH, Bench, Login, Script, answer

CALENDAR = ops.calendar.get_characters_character_id_calendar(character_id=91)
EVENT = ops.calendar.get_characters_character_id_calendar_event_id(character_id=91, event_id=7)
OTHER_EVENT = ops.calendar.get_characters_character_id_calendar_event_id(character_id=91, event_id=8)
ATTENDEES = ops.calendar.get_characters_character_id_calendar_event_id_attendees(character_id=91, event_id=7)
RESPOND = ops.calendar.put_characters_character_id_calendar_event_id(
    character_id=91, event_id=7, body={"response": "accepted"}
)
CONTACTS = ops.contacts.get_characters_character_id_contacts(character_id=91, page=1)
CONTACTS_2 = CONTACTS.replace(page=2)
THEIR_CONTACTS = ops.contacts.get_characters_character_id_contacts(character_id=92, page=1)
DELETE_CONTACT = ops.contacts.delete_characters_character_id_contacts(character_id=91, contact_ids=[5])
MAIL = ops.mail.get_characters_character_id_mail(character_id=91)
LABELS = ops.mail.get_characters_character_id_mail_labels(character_id=91)
LISTS = ops.mail.get_characters_character_id_mail_lists(character_id=91)
LETTER = ops.mail.get_characters_character_id_mail_mail_id(character_id=91, mail_id=3)
SEND = ops.mail.post_characters_character_id_mail(
    character_id=91,
    body={"body": "x", "subject": "y", "recipients": [{"recipient_id": 92, "recipient_type": "character"}]},
)
READ = ops.mail.put_characters_character_id_mail_mail_id(character_id=91, mail_id=3, body={"read": True})
FLEET = ops.fleets.get_fleets_fleet_id(fleet_id=5)
WINGS = ops.fleets.get_fleets_fleet_id_wings(fleet_id=5)
MEMBERS = ops.fleets.get_fleets_fleet_id_members(fleet_id=5)
IN_FLEET = ops.fleets.get_characters_character_id_fleet(character_id=91)
NAME_WING = ops.fleets.put_fleets_fleet_id_wings_wing_id(fleet_id=5, wing_id=6, body={"name": "x"})
KICK = ops.fleets.delete_fleets_fleet_id_members_member_id(fleet_id=5, member_id=91)
NAMES = ops.universe.post_universe_names(body=[1])
ASSET_NAMES = ops.assets.post_characters_character_id_assets_names(character_id=91, body=[1])
ASSETS = ops.assets.get_characters_character_id_assets(character_id=91, page=1)


def serve(request: Any) -> Any:
    """Anything at all, fresh."""
    return answer([], **FRESH) if request.method == "GET" else answer(b"", 204)


def kept_after(bench: Bench, write: Any, *reads: Any) -> set[int]:
    """The places of those reads that are still kept after the write."""
    for read in reads:
        bench.perform(read, raw_body_only=True)
    bench.perform(write, raw_body_only=True)
    return {place for place, read in enumerate(reads) if bench.perform(read, raw_body_only=True).source == "cache"}


@pytest.mark.parametrize(
    ("write", "dropped", "kept"),
    [
        (RESPOND, [CALENDAR, EVENT, ATTENDEES], [OTHER_EVENT, MAIL]),
        (DELETE_CONTACT, [CONTACTS, CONTACTS_2], [THEIR_CONTACTS]),
        (SEND, [MAIL, LABELS], [LISTS, LETTER]),
        (READ, [MAIL, LABELS, LETTER], [LISTS]),
        (NAME_WING, [WINGS], [FLEET, MEMBERS]),
        (KICK, [MEMBERS, IN_FLEET], [FLEET, WINGS]),
        (ASSET_NAMES, [], [ASSETS]),
        (NAMES, [], [FLEET]),
    ],
    ids=lambda value: value.operation.name if hasattr(value, "operation") else "",
)
def test_T02_a_write_drops_what_it_changes_and_nothing_else(write: Any, dropped: list[Any], kept: list[Any]) -> None:
    """In all pages; of no other character or thing."""
    bench = Bench("blocking", serve, signer=Login())
    survivors = kept_after(bench, write, *dropped, *kept)
    assert set(range(len(dropped), len(dropped) + len(kept))) == survivors


@pytest.mark.parametrize(
    "outcome", [answer({"error": "x"}, 403), answer(b"", 500), BrokenAnswerError("http://x", "cut")]
)
def test_T02_whatever_a_write_was_answered_it_drops(outcome: Any) -> None:
    """It may have been done all the same."""
    bench = Bench("blocking", Script(answer([], **FRESH), outcome, answer([], **FRESH)), signer=Login(), retry=False)
    bench.perform(CONTACTS)
    try:
        bench.perform(DELETE_CONTACT)
    except BrokenAnswerError:
        pass
    assert bench.perform(CONTACTS).source == "network"


def test_T02_a_table_of_ones_own_counts() -> None:
    """What a client says of a write replaces what the library says of it."""
    bench = Bench("blocking", serve, signer=Login())
    bench.engine.changes = {**CHANGES, "/fleets/{fleet_id}/wings/{wing_id}": ("/fleets/{fleet_id}",)}
    assert {0} == kept_after(bench, NAME_WING, WINGS, FLEET)


def test_T02_writes_of_one_address_leave_another_alone() -> None:
    """A store may be shared by clients of the real ESI and of a sandbox."""
    store = MemoryCache()
    real = Bench("blocking", serve, signer=Login(), cache=store)
    other = Bench("blocking", serve, signer=Login(), cache=store, settings={"base_url": "http://127.0.0.1:1"})
    real.perform(CONTACTS)
    other.perform(DELETE_CONTACT)
    assert real.perform(CONTACTS).source == "cache"
