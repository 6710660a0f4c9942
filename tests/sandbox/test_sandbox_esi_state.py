"""What is written is read: contacts, fittings, mail, labels, the calendar, fleets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.sandbox_esi_caller import Caller, data, header

FITTING: dict[str, Any] = {
    "name": "Fast",
    "description": "",
    "ship_type_id": 587,
    "items": [{"flag": "HiSlot0", "quantity": 1, "type_id": 484}],
}


def by(key: str, rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {row[key]: row for row in rows}


# ---- fittings ----


def test_a_fitting_is_added_read_and_deleted(caller: Caller) -> None:
    """POST answers 201 with an id; the list shows it as it was sent; DELETE answers 204 and it is gone."""
    path = "/characters/{me}/fittings"
    answer = caller.mine(path, method="POST", body=FITTING)
    assert 201 == answer.status
    fitting_id = data(answer)["fitting_id"]
    assert {**FITTING, "fitting_id": fitting_id} == by("fitting_id", data(caller.mine(path)))[fitting_id]
    assert (204, b"") == ((gone := caller.mine(f"{path}/{fitting_id}", method="DELETE")).status, gone.body)
    assert fitting_id not in by("fitting_id", data(caller.mine(path)))


def test_T02_a_write_changes_the_etag_of_what_is_read(caller: Caller) -> None:
    """Two writes within a second: each changes the validator, so that no 304 hides them."""
    path = "/characters/{me}/fittings"
    tags = [header(caller.mine(path), "ETag")]
    for _ in range(2):
        caller.mine(path, method="POST", body=FITTING)
        tags.append(header(caller.mine(path, headers={"if-none-match": tags[-1] or ""}), "ETag"))
    assert 3 == len(set(tags))


def test_T02_a_write_moves_the_date_of_what_is_read(caller: Caller) -> None:
    """Who asks by date alone sees every write too, though they come within a second."""
    path = "/characters/{me}/fittings"
    for _ in range(2):
        modified = header(caller.mine(path), "Last-Modified") or ""
        caller.mine(path, method="POST", body=FITTING)
        assert 200 == caller.mine(path, headers={"if-modified-since": modified}).status


def test_an_id_is_not_given_twice(caller: Caller) -> None:
    """A deleted fitting's id stays its own."""
    path = "/characters/{me}/fittings"
    first = data(caller.mine(path, method="POST", body=FITTING))["fitting_id"]
    caller.mine(f"{path}/{first}", method="DELETE")
    assert first != data(caller.mine(path, method="POST", body=FITTING))["fitting_id"]


def test_characters_have_state_of_their_own(caller: Caller) -> None:
    """What one writes the other does not read."""
    path = "/characters/{me}/fittings"
    before = caller.mine(path, place=1).body
    caller.mine(path, method="POST", body=FITTING)
    assert before == caller.mine(path, place=1).body


# ---- contacts ----


def test_contacts_are_added_changed_and_deleted(caller: Caller) -> None:
    """POST gives the ids back with 201, PUT changes standing and labels, DELETE takes them away."""
    path = "/characters/{me}/contacts"
    answer = caller.mine(path, ("standing", 5), ("watched", "true"), method="POST", body=[2112000002, 98000002])
    assert (201, [2112000002, 98000002]) == (answer.status, data(answer))
    contacts = by("contact_id", data(caller.mine(path)))
    assert (5.0, "character", True) == tuple(
        contacts[2112000002][k] for k in ("standing", "contact_type", "is_watched")
    )
    assert "corporation" == contacts[98000002]["contact_type"]

    labels = (("label_ids", 1), ("label_ids", 2))
    assert 204 == caller.mine(path, ("standing", -10), *labels, method="PUT", body=[2112000002]).status
    changed = by("contact_id", data(caller.mine(path)))[2112000002]
    assert (-10.0, [1, 2], False) == (changed["standing"], changed["label_ids"], changed["is_watched"])

    assert 204 == caller.mine(path, ("contact_ids", 2112000002), method="DELETE").status
    assert 2112000002 not in by("contact_id", data(caller.mine(path)))


def test_a_contact_that_is_none_is_not_made_by_a_change(caller: Caller) -> None:
    """PUT passes over who is not in the list."""
    path = "/characters/{me}/contacts"
    caller.mine(path, ("standing", 5), method="PUT", body=[90000001])
    assert 90000001 not in by("contact_id", data(caller.mine(path)))


def test_many_contacts_come_in_pages(caller: Caller) -> None:
    """200 on a page; X-Pages grows with what was added."""
    path = "/characters/{me}/contacts"
    assert "1" == header(caller.mine(path), "X-Pages")
    for first in (90_000_000, 90_000_100):
        caller.mine(path, ("standing", 1), method="POST", body=list(range(first, first + 100)))
    assert ("2", 200) == (header(answer := caller.mine(path), "X-Pages"), len(data(answer)))
    assert 6 == len(data(caller.mine(path, ("page", 2))))


# ---- mail ----


def mail(**changed: Any) -> dict[str, Any]:
    to = [{"recipient_id": 2112000002, "recipient_type": "character"}]
    return {"subject": "Hello", "body": "How are you?", "recipients": to, **changed}


def test_a_mail_is_sent_and_arrives(caller: Caller) -> None:
    """The sender has it under Sent; the other character of the sandbox has it unread in the inbox, and can read it."""
    caller.mine("/characters/{me}/mail", place=1)
    answer = caller.mine("/characters/{me}/mail", method="POST", body=mail())
    assert 201 == answer.status
    mail_id = data(answer)
    sent = data(caller.mine("/characters/{me}/mail"))[0]
    assert (mail_id, [2], True) == (sent["mail_id"], sent["labels"], sent["is_read"])
    got = data(caller.mine("/characters/{me}/mail", place=1))[0]
    assert (mail_id, [1], False, 2112000001) == (got["mail_id"], got["labels"], got["is_read"], got["from"])
    assert "body" not in got
    whole = data(caller.mine(f"/characters/{{me}}/mail/{mail_id}", place=1))
    assert ("How are you?", "Hello", False) == (whole["body"], whole["subject"], whole["read"])


def test_a_mail_is_marked_and_deleted(caller: Caller) -> None:
    """PUT sets what was read and the labels; after DELETE the mail is 404 and listed no more."""
    mail_id = data(caller.mine("/characters/{me}/mail"))[0]["mail_id"]
    path = f"/characters/{{me}}/mail/{mail_id}"
    assert 204 == caller.mine(path, method="PUT", body={"read": False, "labels": [8]}).status
    assert (False, [8]) == ((read := data(caller.mine(path)))["read"], read["labels"])
    assert 204 == caller.mine(path, method="PUT", body={"read": True}).status
    assert (True, [8]) == ((read := data(caller.mine(path)))["read"], read["labels"])
    assert 204 == caller.mine(path, method="DELETE").status
    assert 404 == caller.mine(path).status
    assert mail_id not in by("mail_id", data(caller.mine("/characters/{me}/mail")))


def test_mails_are_chosen_by_label(caller: Caller) -> None:
    """Headers with one of the labels that are named."""
    found = data(caller.mine("/characters/{me}/mail", ("labels", 4), ("labels", 8)))
    assert found
    assert all({4, 8} & set(header["labels"]) for header in found)


def test_labels_are_added_counted_and_deleted(caller: Caller) -> None:
    """A new label has an id, its color, and the count of its unread mails; a deleted one leaves the mails."""
    path = "/characters/{me}/mail/labels"
    answer = caller.mine(path, method="POST", body={"name": "Later", "color": "#660066"})
    assert 201 == answer.status
    label_id = data(answer)
    mail_id = data(caller.mine("/characters/{me}/mail"))[0]["mail_id"]
    caller.mine(f"/characters/{{me}}/mail/{mail_id}", method="PUT", body={"read": False, "labels": [label_id]})
    labels = data(caller.mine(path))
    expected = {"label_id": label_id, "name": "Later", "color": "#660066", "unread_count": 1}
    assert expected == by("label_id", labels["labels"])[label_id]
    assert labels["total_unread_count"] == sum(label["unread_count"] for label in labels["labels"])
    assert 204 == caller.mine(f"{path}/{label_id}", method="DELETE").status
    assert label_id not in by("label_id", data(caller.mine(path))["labels"])
    assert [] == by("mail_id", data(caller.mine("/characters/{me}/mail")))[mail_id]["labels"]


# ---- calendar ----


def test_a_response_to_an_event_is_seen_everywhere(caller: Caller) -> None:
    """The event, the list and the attendees tell the same response."""
    event = data(caller.mine("/characters/{me}/calendar"))[0]["event_id"]
    path = f"/characters/{{me}}/calendar/{event}"
    assert "not_responded" == data(caller.mine(path))["response"]
    caller.mine(path + "/attendees")
    assert 204 == caller.mine(path, method="PUT", body={"response": "accepted"}).status
    assert "accepted" == data(caller.mine(path))["response"]
    assert "accepted" == data(caller.mine("/characters/{me}/calendar"))[0]["event_response"]
    me = caller.character().character_id
    assert "accepted" == by("character_id", data(caller.mine(path + "/attendees")))[me]["event_response"]


# ---- fleets ----


@pytest.fixture
def fleet(caller: Caller) -> str:
    return f"/fleets/{data(caller.mine('/characters/{me}/fleet'))['fleet_id']}"


def test_a_fleet_and_its_members_agree(caller: Caller, fleet: str) -> None:
    """The place that a character is told is the one in the list of members; the chief leads."""
    mine = data(caller.mine("/characters/{me}/fleet", place=1))
    assert fleet == f"/fleets/{mine['fleet_id']}"
    assert caller.character().character_id == mine["fleet_boss_id"]
    member = by("character_id", data(caller.mine(fleet + "/members")))[caller.character(1).character_id]
    assert [mine["squad_id"], mine["wing_id"]] == [member["squad_id"], member["wing_id"]]


def test_the_settings_of_a_fleet_are_changed_one_by_one(caller: Caller, fleet: str) -> None:
    """What is not named stays."""
    before = data(caller.mine(fleet))
    assert 204 == caller.mine(fleet, method="PUT", body={"motd": "Jita!"}).status
    assert {**before, "motd": "Jita!"} == data(caller.mine(fleet))


def test_wings_and_squads_are_added_named_and_deleted(caller: Caller, fleet: str) -> None:
    """A wing with its squads is shown as it was built; deleting the wing takes its squads along."""
    wing = data(caller.mine(fleet + "/wings", method="POST"))["wing_id"]
    squad = data(caller.mine(f"{fleet}/wings/{wing}/squads", method="POST"))["squad_id"]
    assert 204 == caller.mine(f"{fleet}/wings/{wing}", method="PUT", body={"name": "Logi"}).status
    assert 204 == caller.mine(f"{fleet}/squads/{squad}", method="PUT", body={"name": "Boosts"}).status
    expected = {"id": wing, "name": "Logi", "squads": [{"id": squad, "name": "Boosts"}]}
    assert expected == by("id", data(caller.mine(fleet + "/wings")))[wing]
    assert 204 == caller.mine(f"{fleet}/wings/{wing}", method="DELETE").status
    assert wing not in by("id", data(caller.mine(fleet + "/wings")))
    assert 404 == caller.mine(f"{fleet}/squads/{squad}", method="PUT", body={"name": "Boosts"}).status


def test_members_join_move_and_are_kicked(caller: Caller, fleet: str) -> None:
    """POST puts a character into the fleet, PUT moves it, DELETE takes it out: it is in no fleet then."""
    wings = data(caller.mine(fleet + "/wings"))
    wing, squad = wings[1]["id"], wings[1]["squads"][0]["id"]
    path = fleet + "/members"
    body = {"character_id": 90000001, "role": "squad_member", "wing_id": wing, "squad_id": squad}
    assert 204 == caller.mine(path, method="POST", body=body).status
    joined = by("character_id", data(caller.mine(path)))[90000001]
    assert ("squad_member", wing, squad) == (joined["role"], joined["wing_id"], joined["squad_id"])
    member = caller.character(1).character_id
    body = {"role": "wing_commander", "wing_id": wing}
    assert 204 == caller.mine(f"{path}/{member}", method="PUT", body=body).status
    moved = data(caller.mine("/characters/{me}/fleet", place=1))
    assert ("wing_commander", wing, -1) == (moved["role"], moved["wing_id"], moved["squad_id"])
    assert 204 == caller.mine(f"{path}/{member}", method="DELETE").status
    assert 404 == caller.mine("/characters/{me}/fleet", place=1).status
    assert 404 == caller.mine(f"{path}/{member}", method="PUT", body=body).status


def test_names_of_roles_come_in_the_language_asked_for(caller: Caller, fleet: str) -> None:
    """A localized part of an answer follows Accept-Language."""
    rows = data(caller.mine(fleet + "/members", headers={"accept-language": "fr"}))
    assert "Fleet Commander (fr)" == rows[0]["role_name"]
