"""Fleets: members, wings and squads."""

from __future__ import annotations

from typing import Any

from esipy.sandbox.esi_asked import Asked, Handler, Refused, Reply
from esipy.sandbox.esi_values import moment
from esipy.sandbox.state_shelf import Shelf, Thing, Touch
from esipy.sandbox.world import World, stable

__all__ = ["Fleets"]

_FLEET_IDS = 1_100_000_000_000
_ROLE_NAMES = {
    "fleet_commander": "Fleet Commander",
    "wing_commander": "Wing Commander",
    "squad_commander": "Squad Commander",
    "squad_member": "Squad Member",
}


class _Fleet:
    """One fleet: from the start two wings of two squads, with the members of a corporation."""

    def __init__(self, fleet_id: int, members: list[int]) -> None:
        self.settings: Thing = {
            "is_free_move": True,
            "is_registered": False,
            "is_voice_enabled": False,
            "motd": f"Fleet {fleet_id}",
        }
        first = 2_000_000_000_000 + stable(fleet_id) % 10**9 * 1_000
        wings = {wing: {"id": wing, "name": f"Wing {number}"} for number, wing in enumerate((first, first + 1), 1)}
        self.wings = Shelf("wing", wings, lambda wing: {"id": wing, "name": "Wing"})
        squads = {
            first + 100 + place: {"id": first + 100 + place, "name": f"Squad {place + 1}", "wing": first + place // 2}
            for place in range(4)
        }
        self.squads = Shelf("squad", squads, lambda squad: {"id": squad, "name": "Squad", "wing": first})
        self.members = Shelf("fleet member", {}, lambda member: self.member(member, "squad_member"))
        for place, member in enumerate(members):
            self.members.put(member, self.member(member, "squad_member" if place else "fleet_commander"))

    def member(self, character: int, role: str, wing: int | None = None, squad: int | None = None) -> Thing:
        """A member's place; without one the first. A commander of more than a squad is in none (-1)."""
        if role in ("fleet_commander", "wing_commander"):
            squad = -1
        elif squad is None:
            squad = next(iter(self.squads.things), -1)
        if role == "fleet_commander":
            wing = -1
        elif wing is None:
            wing = (
                self.squads.things[squad]["wing"] if squad in self.squads.things else next(iter(self.wings.things), -1)
            )
        return {"character_id": character, "role": role, "wing_id": wing, "squad_id": squad}


class Fleets:
    """All fleets. A corporation's characters are in one, led by their chief."""

    def __init__(self, world: World, touch: Touch) -> None:
        self._world = world
        self._touch = touch
        self._fleets: dict[int, _Fleet] = {}

    def handlers(self) -> dict[str, Handler]:
        """The operations that this book answers."""
        return {
            "get_characters_character_id_fleet": self._of_character,
            "get_fleets_fleet_id": lambda asked: Reply(self._fleet(asked).settings),
            "put_fleets_fleet_id": self._set,
            "get_fleets_fleet_id_members": self._members,
            "post_fleets_fleet_id_members": self._invite,
            "put_fleets_fleet_id_members_member_id": self._move,
            "delete_fleets_fleet_id_members_member_id": self._kick,
            "get_fleets_fleet_id_wings": self._wings,
            "post_fleets_fleet_id_wings": self._add_wing,
            "put_fleets_fleet_id_wings_wing_id": self._name_wing,
            "delete_fleets_fleet_id_wings_wing_id": self._delete_wing,
            "post_fleets_fleet_id_wings_wing_id_squads": self._add_squad,
            "put_fleets_fleet_id_squads_squad_id": self._name_squad,
            "delete_fleets_fleet_id_squads_squad_id": self._delete_squad,
        }

    def _get(self, fleet_id: int) -> _Fleet:
        if fleet_id not in self._fleets:
            members = self._world.members_of(fleet_id - _FLEET_IDS) if fleet_id > _FLEET_IDS else []
            self._fleets[fleet_id] = _Fleet(fleet_id, members or list(self._world.roster.ids[:5]))
        return self._fleets[fleet_id]

    def _fleet(self, asked: Asked) -> _Fleet:
        return self._get(asked.values["fleet_id"])

    def _changed(self, asked: Asked, what: str = "") -> Reply:
        fleet: int = asked.values["fleet_id"]
        self._touch(f"/fleets/{fleet}{what}")
        for member in self._get(fleet).members.things:
            self._touch(f"/characters/{member}/fleet")
        return Reply(status=204)

    def _of_character(self, asked: Asked) -> Reply:
        character: int = asked.values["character_id"]
        corporation = self._world.corporation_of(character)
        fleet_id = _FLEET_IDS + corporation
        member = self._get(fleet_id).members.things.get(character)
        if member is None:
            raise Refused(404, "character is not in a fleet")
        place = {name: value for name, value in member.items() if name != "character_id"}
        return Reply({"fleet_boss_id": self._world.ceo_of(corporation), "fleet_id": fleet_id, **place})

    def _set(self, asked: Asked) -> Reply:
        given: dict[str, Any] = asked.values["body"]
        self._fleet(asked).settings.update({name: value for name, value in given.items() if value is not None})
        return self._changed(asked)

    # ---- members ----

    def _members(self, asked: Asked) -> Reply:
        rows: list[Thing] = []
        for member in self._fleet(asked).members.things.values():
            dice = asked.dice(member["character_id"])
            role_name = _ROLE_NAMES[member["role"]]
            rows.append(
                {
                    **member,
                    "join_time": moment(1_788_220_800 + dice.randrange(3_600)),
                    "role_name": role_name if asked.language == "en" else f"{role_name} ({asked.language})",
                    "ship_type_id": 587,
                    "solar_system_id": 30_000_142,
                    "takes_fleet_warp": dice.random() < 0.5,
                }
            )
        return Reply(rows)

    def _invite(self, asked: Asked) -> Reply:
        """Whoever is invited comes at once."""
        fleet, body = self._fleet(asked), asked.values["body"]
        character: int = body["character_id"]
        member = fleet.member(character, body["role"], body.get("wing_id"), body.get("squad_id"))
        fleet.members.put(character, member)
        return self._changed(asked, "/members")

    def _move(self, asked: Asked) -> Reply:
        fleet, body = self._fleet(asked), asked.values["body"]
        character: int = asked.values["member_id"]
        fleet.members.get(character).update(
            fleet.member(character, body["role"], body.get("wing_id"), body.get("squad_id"))
        )
        return self._changed(asked, "/members")

    def _kick(self, asked: Asked) -> Reply:
        member: int = asked.values["member_id"]
        self._fleet(asked).members.delete(member)
        self._touch(f"/characters/{member}/fleet")
        return self._changed(asked, "/members")

    # ---- wings and squads ----

    def _wings(self, asked: Asked) -> Reply:
        fleet = self._fleet(asked)
        rows: list[Thing] = []
        for wing in fleet.wings.things.values():
            squads = [squad for squad in fleet.squads.things.values() if squad["wing"] == wing["id"]]
            rows.append({**wing, "squads": [{"id": squad["id"], "name": squad["name"]} for squad in squads]})
        return Reply(rows)

    def _add_wing(self, asked: Asked) -> Reply:
        wing = self._fleet(asked).wings.add(lambda new_id: {"id": new_id, "name": "Wing"})
        self._changed(asked, "/wings")
        return Reply({"wing_id": wing}, 201)

    def _name_wing(self, asked: Asked) -> Reply:
        self._fleet(asked).wings.get(asked.values["wing_id"])["name"] = asked.values["body"]["name"]
        return self._changed(asked, "/wings")

    def _delete_wing(self, asked: Asked) -> Reply:
        fleet, wing = self._fleet(asked), asked.values["wing_id"]
        fleet.wings.delete(wing)
        for squad in [squad["id"] for squad in fleet.squads.things.values() if squad["wing"] == wing]:
            fleet.squads.delete(squad)
        return self._changed(asked, "/wings")

    def _add_squad(self, asked: Asked) -> Reply:
        fleet, wing = self._fleet(asked), asked.values["wing_id"]
        fleet.wings.get(wing)
        squad = fleet.squads.add(lambda new_id: {"id": new_id, "name": "Squad", "wing": wing})
        self._changed(asked, "/wings")
        return Reply({"squad_id": squad}, 201)

    def _name_squad(self, asked: Asked) -> Reply:
        self._fleet(asked).squads.get(asked.values["squad_id"])["name"] = asked.values["body"]["name"]
        return self._changed(asked, "/wings")

    def _delete_squad(self, asked: Asked) -> Reply:
        self._fleet(asked).squads.delete(asked.values["squad_id"])
        return self._changed(asked, "/wings")
