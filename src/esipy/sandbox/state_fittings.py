"""Characters' saved fittings."""

from __future__ import annotations

from esipy.sandbox.esi_asked import Asked, Handler, Reply
from esipy.sandbox.state_shelf import Shelf, Thing, Touch
from esipy.sandbox.world import World

__all__ = ["Fittings"]


class Fittings:
    """Which fittings a character has saved: two from the start."""

    def __init__(self, world: World, touch: Touch) -> None:
        self._world = world
        self._touch = touch
        self._shelves: dict[int, Shelf] = {}

    def handlers(self) -> dict[str, Handler]:
        """The operations that this book answers."""
        return {
            "get_characters_character_id_fittings": self._list,
            "post_characters_character_id_fittings": self._add,
            "delete_characters_character_id_fittings_fitting_id": self._delete,
        }

    def _shelf(self, asked: Asked) -> Shelf:
        character: int = asked.values["character_id"]
        if character not in self._shelves:
            dice = self._world.dice("fittings", character)
            first = dice.randint(10_000_000, 90_000_000)
            fittings = {first + place: _made_up(first + place) for place in range(2)}
            self._shelves[character] = Shelf("fitting", fittings)
        return self._shelves[character]

    def _list(self, asked: Asked) -> Reply:
        return Reply(list(self._shelf(asked).things.values()))

    def _add(self, asked: Asked) -> Reply:
        body: Thing = asked.values["body"]
        fitting_id = self._shelf(asked).add(lambda new_id: {**body, "fitting_id": new_id})
        self._touch(asked.path)
        return Reply({"fitting_id": fitting_id}, 201)

    def _delete(self, asked: Asked) -> Reply:
        self._shelf(asked).delete(asked.values["fitting_id"])
        self._touch(asked.path.rpartition("/")[0])
        return Reply(status=204)


def _made_up(fitting_id: int) -> Thing:
    return {
        "fitting_id": fitting_id,
        "name": f"Rifter {fitting_id % 100}",
        "description": "",
        "ship_type_id": 587,
        "items": [
            {"flag": "HiSlot0", "quantity": 1, "type_id": 484},
            {"flag": "MedSlot0", "quantity": 1, "type_id": 439},
            {"flag": "Cargo", "quantity": 100 + fitting_id % 900, "type_id": 178},
        ],
    }
