"""Answers about people and their things that have to agree: names, affiliations, members, roles, wallets, status.

Rules: what the type holds besides is made up by `Generic`; here only what other operations tell as well is set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esipy.sandbox.esi_access import Access
from esipy.sandbox.esi_asked import Asked, Handler, Refused, Reply
from esipy.sandbox.esi_lists import Generic
from esipy.sandbox.esi_values import moment
from esipy.sandbox.validate import Fault
from esipy.sandbox.world import KINDS, World, stable

__all__ = ["world_handlers"]

Patch = Callable[[Asked, dict[str, Any]], None]


def world_handlers(world: World, generic: Generic, access: Access) -> dict[str, Handler]:
    """The operations that this module answers."""

    def patched(patch: Patch) -> Handler:
        """The made-up object with some of its fields set."""

        def handler(asked: Asked) -> Reply:
            data: dict[str, Any] = generic.single(asked)
            patch(asked, data)
            return Reply({name: value for name, value in data.items() if value is not None})

        return handler

    def roles(asked: Asked) -> Reply:
        held = access.roles(asked.values["character_id"])
        return Reply({"roles": held, "roles_at_hq": [], "roles_at_base": [], "roles_at_other": []})

    def corporation_roles(asked: Asked) -> Reply:
        members = world.members_of(asked.values["corporation_id"])
        return Reply([{"character_id": member, "roles": access.roles(member)} for member in members])

    def contract_part(asked: Asked) -> Reply:
        # A contract that has none of them answers without a body.
        return Reply(status=204) if asked.values["contract_id"] % 10 == 7 else generic.reply(asked)

    return {
        "get_contracts_public_bids_contract_id": contract_part,
        "get_contracts_public_items_contract_id": contract_part,
        "get_characters_detail": patched(_character),
        "get_corporations_corporation_id": patched(_corporation),
        "get_alliances_alliance_id": patched(_alliance),
        "get_alliances": lambda asked: Reply(_alliances(asked.world)),
        "get_alliances_alliance_id_corporations": _alliance_corporations,
        "get_corporations_npccorps": lambda _: Reply(list(range(1_000_002, 1_000_281))),
        "get_corporations_corporation_id_members": lambda asked: Reply(_members(asked)),
        "get_corporations_corporation_id_members_limit": lambda asked: Reply(len(_members(asked)) + 50),
        "get_corporations_corporation_id_members_titles": lambda asked: Reply(
            [{"character_id": member, "titles": [1 << place]} for place, member in enumerate(_members(asked)[:16])]
        ),
        "get_corporations_corporation_id_membertracking": _member_tracking,
        "get_corporations_corporation_id_roles": corporation_roles,
        "get_corporations_corporation_id_wallets": _corporation_wallets,
        "get_characters_character_id_roles": roles,
        "get_characters_character_id_wallet": lambda asked: Reply(_balance(asked)),
        "get_characters_character_id_location": _location,
        "get_characters_character_id_search": _search,
        "get_status": _status,
        "post_characters_affiliation": _affiliation,
        "post_universe_names": _names,
        "post_universe_ids": _ids,
        "post_characters_character_id_assets_locations": _asset_locations,
        "post_corporations_corporation_id_assets_locations": _asset_locations,
        "post_characters_character_id_assets_names": _asset_names,
        "post_corporations_corporation_id_assets_names": _asset_names,
        "post_route": _route,
    }


# ---- people ----


def _character(asked: Asked, data: dict[str, Any]) -> None:
    character: int = asked.values["character_id"]
    corporation = asked.world.corporation_of(character)
    data.update(
        name=asked.world.named(character),
        corporation_id=corporation,
        alliance_id=asked.world.alliance_of(corporation),
    )


def _corporation(asked: Asked, data: dict[str, Any]) -> None:
    corporation: int = asked.values["corporation_id"]
    data.update(
        name=asked.world.named(corporation),
        ceo_id=asked.world.ceo_of(corporation),
        alliance_id=asked.world.alliance_of(corporation),
        member_count=len(asked.world.members_of(corporation)),
    )


def _alliance(asked: Asked, data: dict[str, Any]) -> None:
    data["name"] = asked.world.named(asked.values["alliance_id"])


def _alliances(world: World) -> list[int]:
    mine = {character.alliance_id for character in world.roster if character.alliance_id is not None}
    return sorted(mine | set(range(99_001_000, 99_001_300)))


def _alliance_corporations(asked: Asked) -> Reply:
    alliance: int = asked.values["alliance_id"]
    mine = {character.corporation_id for character in asked.world.roster if character.alliance_id == alliance}
    others = {place for place in range(98_001_000, 98_005_000) if asked.world.alliance_of(place) == alliance}
    return Reply(sorted(mine | others))


def _members(asked: Asked) -> list[int]:
    return asked.world.members_of(asked.values["corporation_id"])


def _member_tracking(asked: Asked) -> Reply:
    rows: list[dict[str, Any]] = []
    for member in _members(asked):
        dice = asked.dice(member)
        logged_on = 1_782_864_000 + dice.randrange(86_400)  # 2026-07-01
        rows.append(
            {
                "character_id": member,
                "base_id": 60_003_760,
                "location_id": dice.randint(1_021_000_000_000, 1_049_000_000_000),
                "logon_date": moment(logged_on),
                "logoff_date": moment(logged_on + dice.randrange(86_400)),
                "ship_type_id": 587,
                "start_date": moment(1_767_225_600 + dice.randrange(10**7)),
            }
        )
    return Reply(rows)


def _affiliation(asked: Asked) -> Reply:
    """One row for each id that can be a character's; others are left out (ESI does not say what becomes of them)."""
    rows: list[dict[str, Any]] = []
    for character in asked.values["body"]:
        if character < 1:
            raise Refused(404, "ensure all IDs are valid before resolving")
        kind = asked.world.kind(character)
        if character not in asked.world.roster and (kind is None or kind.category != "character"):
            continue
        corporation = asked.world.corporation_of(character)
        row = {"character_id": character, "corporation_id": corporation}
        alliance = asked.world.alliance_of(corporation)
        rows.append(row if alliance is None else {"alliance_id": alliance, **row})
    return Reply(rows)


def _names(asked: Asked) -> Reply:
    rows: list[dict[str, Any]] = []
    for place, thing in enumerate(asked.values["body"]):
        name, kind = asked.world.name(thing), asked.world.kind(thing)
        if name is None or kind is None:
            # One id that names nothing fails the whole batch.
            fault = Fault(f"body[{place}]", "no such id", thing)
            raise Refused(404, "ensure all IDs are valid before resolving", [fault])
        rows.append({"category": kind.category, "id": thing, "name": name})
    return Reply(rows)


def _ids(asked: Asked) -> Reply:
    found: dict[str, list[dict[str, Any]]] = {}
    for name in asked.values["body"]:
        match = asked.world.find(name)
        if match is not None:
            kind, thing = match
            found.setdefault(kind.plural, []).append({"id": thing, "name": asked.world.named(thing)})
    return Reply(found)


def _search(asked: Asked) -> Reply:
    """What is found in each category: the thing of exactly this name, and without ``strict`` a few more."""
    wanted: str = asked.values["search"]
    match = asked.world.find(wanted)
    found: dict[str, list[int]] = {}
    for category in asked.values["categories"]:
        ids = {match[1]} if match is not None and match[0].category == category else set[int]()
        if not asked.values.get("strict"):
            dice = asked.dice(category, wanted.lower())
            ids |= {dice.choice(kind.ids) for kind in KINDS if kind.category == category}
        if ids:
            found[category] = sorted(ids)
    return Reply(found)


# ---- things ----


def _balance(asked: Asked) -> float:
    """A character's wallet; the first character has exactly what ESI's documentation shows."""
    character: int = asked.values["character_id"]
    if character == asked.world.roster.ids[0] and not asked.bumps:
        return 29_500.01
    return round(asked.dice(asked.bumps).uniform(0, 10**9), 2)


def _corporation_wallets(asked: Asked) -> Reply:
    dice = asked.dice(asked.bumps)
    return Reply([{"balance": round(dice.uniform(0, 10**11), 2), "division": place} for place in range(1, 8)])


def _location(asked: Asked) -> Reply:
    dice = asked.dice(asked.bumps)
    where: dict[str, int] = {"solar_system_id": dice.randint(30_000_071, 30_004_970)}
    # In space, in a station or in a structure: never in two.
    place = dice.randrange(3)
    if place == 1:
        where["station_id"] = dice.randint(60_000_000, 60_014_000)
    elif place == 2:
        where["structure_id"] = dice.randint(1_021_000_000_000, 1_049_000_000_000)
    return Reply(where)


def _asset_locations(asked: Asked) -> Reply:
    rows: list[dict[str, Any]] = []
    for item in asked.values["body"]:
        dice = asked.dice(item)
        rows.append({"item_id": item, "position": {axis: round(dice.uniform(-1e12, 1e12), 1) for axis in "xyz"}})
    return Reply(rows)


def _asset_names(asked: Asked) -> Reply:
    rows = [
        {"item_id": item, "name": f"Ship {stable(asked.world.seed, item) % 1_000}"} for item in asked.values["body"]
    ]
    return Reply(rows)


def _route(asked: Asked) -> Reply:
    origin: int = asked.values["origin_system_id"]
    destination: int = asked.values["destination_system_id"]
    body: dict[str, Any] = asked.values.get("body") or {}
    avoided = set[int](body.get("avoid_systems") or ())
    step = 1 if destination >= origin else -1
    # Systems lie on a line; long ways take some of its stops.
    between = range(origin + step, destination, step)
    stops = between[:: max(1, len(between) // 20)]
    ends = [origin] if origin == destination else [origin, *(s for s in stops if s not in avoided), destination]
    return Reply({"route": ends})


def _status(asked: Asked) -> Reply:
    dice = asked.dice(asked.version)
    # The cluster starts after each daily downtime, at 11:00 UTC. One that is not told to be down is up at once: if it
    # said that it has yet to go down, batch calls would wait for that.
    eleven = (int(asked.now) - 11 * 3600) // 86_400 * 86_400 + 11 * 3600
    started = eleven + 300 if eleven + 300 <= asked.now else eleven
    return Reply(
        {
            "players": 12_000 + dice.randrange(20_000),
            "server_version": str(2_980_000 + asked.world.seed % 1_000),
            "start_time": moment(started),
        }
    )
