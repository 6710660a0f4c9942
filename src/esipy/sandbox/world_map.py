"""Answers about the universe: regions, constellations, systems, types and what lists them.

Rules: a list and the details of what it lists agree; names come from `World`, in the language that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from esipy.sandbox.esi_asked import Asked, Handler, Reply
from esipy.sandbox.esi_lists import Generic, page_of
from esipy.sandbox.world import World, stable

__all__ = ["map_handlers"]

PAGE_IDS = 1_000
_REGIONS = range(10_000_001, 10_000_071)
_CONSTELLATIONS = range(20_000_010, 20_000_710)
_SYSTEMS = range(30_000_071, 30_004_971)
_TYPES = range(1, 20_001)
_GROUPS = range(1, 1_501)
_CATEGORIES = range(1, 91)


def map_handlers(world: World, generic: Generic) -> dict[str, Handler]:
    """The operations that this module answers."""

    def detail(key: str, patch: Callable[[int], dict[str, Any]]) -> Handler:
        """The made-up object of an id with its name, and what else is known of it."""

        def handler(asked: Asked) -> Reply:
            data: dict[str, Any] = generic.single(asked)
            thing: int = asked.values[key]
            name = world.named(thing) if key in _NAMED else data["name"]
            if asked.language != "en":
                name = f"{name} ({asked.language})"
            return Reply({**data, "name": name, **patch(thing)})

        return handler

    return {
        "get_universe_regions": lambda _: Reply(list(_REGIONS)),
        "get_universe_constellations": lambda _: Reply(list(_CONSTELLATIONS)),
        "get_universe_systems": lambda _: Reply(list(_SYSTEMS)),
        "get_universe_types": lambda asked: _paged(asked, _TYPES),
        "get_universe_groups": lambda asked: _paged(asked, _GROUPS),
        "get_universe_categories": lambda _: Reply(list(_CATEGORIES)),
        "get_universe_graphics": lambda _: Reply(list(range(10, 5_000, 3))),
        "get_dogma_attributes": lambda _: Reply(list(range(2, 2_800))),
        "get_dogma_effects": lambda _: Reply(list(range(4, 8_000, 3))),
        "get_markets_groups": lambda _: Reply(list(range(2, 2_500))),
        "get_universe_structures": _structures,
        "get_universe_regions_region_id": detail(
            "region_id", lambda region: {"constellations": list(world.constellations_of(region))}
        ),
        "get_universe_constellations_constellation_id": detail(
            "constellation_id",
            lambda constellation: {
                "region_id": world.region_of(constellation),
                "systems": list(world.systems_of(constellation)),
            },
        ),
        "get_universe_systems_system_id": detail(
            "system_id", lambda system: {"constellation_id": world.constellation_of(system)}
        ),
        "get_universe_types_type_id": detail("type_id", lambda type_id: {"group_id": 1 + type_id % len(_GROUPS)}),
        "get_universe_groups_group_id": detail(
            "group_id",
            lambda group: {
                "category_id": 1 + group % len(_CATEGORIES),
                "types": [type_id for type_id in _TYPES if 1 + type_id % len(_GROUPS) == group],
            },
        ),
        "get_universe_categories_category_id": detail(
            "category_id",
            lambda category: {"groups": [group for group in _GROUPS if 1 + group % len(_CATEGORIES) == category]},
        ),
        "get_universe_stations_station_id": detail("station_id", lambda _: {}),
        "get_universe_system_jumps": _jumps,
        "get_universe_system_kills": _kills,
        "get_wars": _wars,
    }


_NAMED = ("region_id", "constellation_id", "system_id", "type_id", "station_id")


def _paged(asked: Asked, ids: Sequence[int]) -> Reply:
    pages = -(-len(ids) // PAGE_IDS)
    first = (page_of(asked, pages) - 1) * PAGE_IDS
    return Reply(list(ids[first : first + PAGE_IDS]), pages=pages, page_rows=PAGE_IDS)


def _structures(asked: Asked) -> Reply:
    dice = asked.dice(asked.values.get("filter"), asked.bumps)
    return Reply(sorted({dice.randint(1_021_000_000_000, 1_049_000_000_000) for _ in range(200)}))


def _jumps(asked: Asked) -> Reply:
    dice = asked.dice(asked.version)
    return Reply([{"ship_jumps": dice.randrange(3_000), "system_id": system} for system in _SYSTEMS[::5]])


def _kills(asked: Asked) -> Reply:
    dice = asked.dice(asked.version)
    rows = [
        {
            "npc_kills": dice.randrange(2_000),
            "pod_kills": dice.randrange(30),
            "ship_kills": dice.randrange(60),
            "system_id": system,
        }
        for system in _SYSTEMS[::7]
    ]
    return Reply(rows)


def _wars(asked: Asked) -> Reply:
    """Newest first, those older than the id that is named."""
    newest = 700_000 + stable(asked.world.seed, "wars") % 50_000
    before: int = asked.values.get("max_war_id", newest + 1)
    return Reply(list(range(min(before, newest + 1) - 1, 0, -1)[:2_000]))
