"""Characters' contacts."""

from __future__ import annotations

from typing import Any

from esipy.sandbox.esi_asked import Asked, Handler, Reply
from esipy.sandbox.esi_lists import page_of
from esipy.sandbox.state_shelf import Shelf, Thing, Touch
from esipy.sandbox.world import World

__all__ = ["Contacts"]

PAGE_CONTACTS = 200
_LABELS = ("Friends", "Trade", "Enemies")


class Contacts:
    """Who is whose contact. A contact that is not in the list cannot be changed, and is passed over."""

    def __init__(self, world: World, touch: Touch) -> None:
        self._world = world
        self._touch = touch
        self._shelves: dict[int, Shelf] = {}

    def handlers(self) -> dict[str, Handler]:
        """The operations that this book answers."""
        return {
            "get_characters_character_id_contacts": self._list,
            "get_characters_character_id_contacts_labels": self._labels,
            "post_characters_character_id_contacts": self._add,
            "put_characters_character_id_contacts": self._change,
            "delete_characters_character_id_contacts": self._delete,
        }

    def _shelf(self, asked: Asked) -> Shelf:
        character: int = asked.values["character_id"]
        if character not in self._shelves:
            dice = self._world.dice("contacts", character)
            first = [1_000_035, *(90_000_000 + dice.randrange(7_000_000) for _ in range(5))]
            contacts = {one: self._contact(one, round(dice.uniform(-10, 10), 1)) for one in first}
            self._shelves[character] = Shelf("contact", contacts)
        return self._shelves[character]

    def _contact(self, contact: int, standing: float) -> Thing:
        kind = self._world.kind(contact)
        known = kind is not None and kind.category in ("character", "corporation", "alliance", "faction")
        return {
            "contact_id": contact,
            "contact_type": kind.category if kind is not None and known else "character",
            "standing": standing,
        }

    def _list(self, asked: Asked) -> Reply:
        contacts = list(self._shelf(asked).things.values())
        pages = max(1, -(-len(contacts) // PAGE_CONTACTS))
        first = (page_of(asked, pages) - 1) * PAGE_CONTACTS
        return Reply(contacts[first : first + PAGE_CONTACTS], pages=pages)

    def _labels(self, _: Asked) -> Reply:
        return Reply([{"label_id": 1 << place, "label_name": name} for place, name in enumerate(_LABELS)])

    def _add(self, asked: Asked) -> Reply:
        shelf = self._shelf(asked)
        contacts: list[int] = asked.values["body"]
        for contact in contacts:
            shelf.put(contact, {**self._contact(contact, asked.values["standing"]), **_options(asked)})
        self._touch(asked.path)
        return Reply(contacts, 201)

    def _change(self, asked: Asked) -> Reply:
        shelf = self._shelf(asked)
        for contact in asked.values["body"]:
            if contact in shelf.things:
                shelf.things[contact].update(standing=asked.values["standing"], **_options(asked))
        self._touch(asked.path)
        return Reply(status=204)

    def _delete(self, asked: Asked) -> Reply:
        for contact in asked.values["contact_ids"]:
            self._shelf(asked).delete(contact)
        self._touch(asked.path)
        return Reply(status=204)


def _options(asked: Asked) -> dict[str, Any]:
    options: dict[str, Any] = {"is_watched": asked.values.get("watched", False)}
    if "label_ids" in asked.values:
        options["label_ids"] = asked.values["label_ids"]
    return options
