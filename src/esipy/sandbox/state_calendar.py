"""Characters' calendars: events, and how they responded."""

from __future__ import annotations

from typing import Any

from esipy.sandbox.esi_asked import Asked, Handler, Reply
from esipy.sandbox.esi_lists import Generic
from esipy.sandbox.esi_values import moment
from esipy.sandbox.state_shelf import Shelf, Thing, Touch
from esipy.sandbox.world import World

__all__ = ["Calendar"]

PAGE_EVENTS = 50
_EVENTS = 120


class Calendar:
    """Whose calendar holds which events; an event that is in none is made up, and can be responded to."""

    def __init__(self, world: World, generic: Generic, touch: Touch) -> None:
        self._world = world
        self._generic = generic
        self._touch = touch
        self._shelves: dict[int, Shelf] = {}

    def handlers(self) -> dict[str, Handler]:
        """The operations that this book answers."""
        return {
            "get_characters_character_id_calendar": self._list,
            "get_characters_character_id_calendar_event_id": self._read,
            "put_characters_character_id_calendar_event_id": self._respond,
            "get_characters_character_id_calendar_event_id_attendees": self._attendees,
        }

    def _shelf(self, asked: Asked) -> Shelf:
        character: int = asked.values["character_id"]
        if character not in self._shelves:
            first = self._world.dice("calendar", character).randint(1_000_000, 4_000_000)
            events = {first + place * 11: _event(first + place * 11) for place in range(_EVENTS)}
            self._shelves[character] = Shelf("event", events, _event)
        return self._shelves[character]

    def _list(self, asked: Asked) -> Reply:
        """The next events in the order of time, after the one that is named."""
        events = sorted(self._shelf(asked).things.values(), key=lambda event: int(event["event_id"]))
        after = asked.values.get("from_event")
        return Reply([event for event in events if after is None or event["event_id"] > after][:PAGE_EVENTS])

    def _read(self, asked: Asked) -> Reply:
        event = self._shelf(asked).peek(asked.values["event_id"])
        made: dict[str, Any] = self._generic.single(asked)
        for name, value in event.items():
            made[{"event_date": "date", "event_response": "response"}.get(name, name)] = value
        return Reply(made)

    def _respond(self, asked: Asked) -> Reply:
        self._shelf(asked).get(asked.values["event_id"])["event_response"] = asked.values["body"]["response"]
        for path in (asked.path, asked.path + "/attendees", asked.path.rpartition("/")[0]):
            self._touch(path)
        return Reply(status=204)

    def _attendees(self, asked: Asked) -> Reply:
        character: int = asked.values["character_id"]
        mine: str = self._shelf(asked).peek(asked.values["event_id"])["event_response"]
        rows = [{"character_id": character, "event_response": mine}]
        for member in self._world.members_of(self._world.corporation_of(character)):
            if member != character:
                response = asked.dice(member).choice(("accepted", "declined", "tentative", "not_responded"))
                rows.append({"character_id": member, "event_response": response})
        return Reply(rows)


def _event(event_id: int) -> Thing:
    return {
        "event_date": moment(1_788_220_800 + abs(event_id) % 10_000_000),  # from 2026-09-01 on, in the order of ids
        "event_id": event_id,
        "event_response": "not_responded",
        "importance": event_id % 2,
        "title": f"Event {event_id}",
    }
