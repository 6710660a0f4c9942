"""What a field with a given name plausibly holds: tables from field names to values.

Rules: a table row is (pattern, maker); the first pattern that fits the whole field name wins. A maker gets the
dice and the world and nothing else, so that a value depends on the seed and the place it stands at alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

from esipy.sandbox.world import World

__all__ = ["date_of", "float_of", "integer_of", "text_of"]

Maker = Callable[[Random, World], Any]


def _between(low: int, high: int) -> Maker:
    return lambda dice, _: dice.randint(low, high)


def _character(dice: Random, world: World) -> int:
    # Half of all people met are characters one can log in as, so that data cross over.
    if dice.random() < 0.5:
        return dice.choice(world.roster.ids)
    return dice.randint(90_000_000, 97_999_999)


def _corporation(dice: Random, world: World) -> int:
    return world.corporation_of(_character(dice, world))


def _place(dice: Random, _: World) -> int:
    """A station, or a structure: an id beyond 32 bits."""
    return dice.randint(60_000_000, 60_014_000) if dice.random() < 0.5 else _structure(dice, _)


def _structure(dice: Random, _: World) -> int:
    return dice.randint(1_021_000_000_000, 1_049_000_000_000)


_item = _between(1_000_000_000_000, 1_020_999_999_999)
_faction = _between(500_001, 500_027)
_system = _between(30_000_071, 30_004_970)
_type = _between(34, 20_000)
_level = _between(0, 5)

_INTEGERS: list[tuple[str, Maker]] = [
    (r"(character|creator|ceo|issuer|assignee|acceptor|bidder|client|sender_character|installer"
     r"|completed_character|sender|owner|tax_receiver|fleet_boss|recipient|contact|shareholder|created_by|from|.*_party)(_id)?"
     r"|characters|issued_by|defender_id", _character),
    (r"agent_id|agents?", _between(3_008_000, 3_020_000)),
    (r"(.*_)?corporation(_id|s)|members|npccorps", _corporation),
    (r"(.*_)?alliance(_id|s)", _between(99_000_001, 99_001_300)),
    (r"(.*_)?faction_id|factions?|against_id", _faction),
    (r"(.*_)?region(_id|s)?", _between(10_000_001, 10_000_070)),
    (r"(.*_)?constellation(_id|s)?", _between(20_000_010, 20_000_709)),
    (r"(.*_)?(solar_)?system(_id|s)?|infested_solar_systems|avoid_systems|route|to", _system),
    (r"planets?(_id)?|moons?(_id)?|asteroid_belts?(_id)?", _between(40_000_001, 40_350_000)),
    (r"stargates?(_id)?", _between(50_000_001, 50_016_000)),
    (r"stars?_id", _between(40_000_001, 40_350_000)),
    (r"(home_)?station(_id|s)|base_id", _between(60_000_000, 60_014_000)),
    (r"(.*_)?(structure|facility|observer|sovereignty_hub|mercenary_den|skyhook)(_id|s)?", _structure),
    (r"(.*_)?location_id", _place),
    (r"(.*_)?(item|blueprint|container|starbase|office|pin)_id|id", _item),
    (r"(.*_)?(type|skill)_id|types|implants|inventory_type|waypoints", _type),
    (r"order_id", _between(6_000_000_000, 6_999_999_999)),
    (r"transaction_id|market_transaction_id|context_id", _between(5_900_000_000, 6_400_000_000)),
    (r"journal_ref_id", _between(20_000_000_000, 23_999_999_999)),
    (r"killmail_id", _between(100_000_000, 139_999_999)),
    (r"contract_id", _between(190_000_000, 229_999_999)),
    (r"job_id|record_id|bid_id|notification_id|fleet_id", _between(500_000_000, 1_999_999_999)),
    (r"mail_id", _between(360_000_000, 399_999_999)),
    (r"(.*_)?attribute_id", _between(2, 2_800)),
    (r"(.*_)?effect_id", _between(4, 8_000)),
    (r"(.*_)?group(_id|s)", _between(1, 1_500)),
    (r"category_id", _between(1, 90)),
    (r"race_id", lambda dice, _: dice.choice((1, 2, 4, 8))),
    (r"bloodline_id", _between(1, 15)),
    (r"division|wallet_division", _between(1, 7)),
    (r"label_ids?|labels", _between(1, 63)),
    (r"titles|title_id", lambda dice, _: 1 << dice.randrange(16)),
    (r"(.*_)?level|rank|.*_rank|upgrade_level|charisma|intelligence|memory|perception|willpower", _level),
    (r"material_efficiency", _between(0, 10)),
    (r"time_efficiency", lambda dice, _: 2 * dice.randint(0, 10)),
    (r"runs|licensed_runs|successful_runs", _between(1, 300)),
    (r"duration", lambda dice, _: dice.choice((1, 3, 7, 14, 30, 90, 365))),
    (r"players", _between(8_000, 45_000)),
    (r".*_hour|reinforce_exit_(start|end)", _between(0, 23)),
    (r"singleton|importance|layer|part|is_.*", _between(0, 1)),
    (r".*_sp|skillpoints_in_skill|shares|loyalty_points", _between(1_000, 90_000_000)),
    (r".*_(cost|price)", _between(1_000, 900_000_000)),
    (r"quantity|volume.*|amount|.*_volume", _between(1, 1_000_000)),
    (r"flag", _between(5, 160)),
    (r"(.*_)?id", _between(1, 9_999)),
]  # fmt: skip

_FLOATS: list[tuple[str, Maker]] = [
    (r"standing.*", lambda dice, _: round(dice.uniform(-10, 10), 2)),
    (r"security_status", lambda dice, _: round(dice.uniform(-1, 1), 4)),
    (r"latitude|longitude", lambda dice, _: round(dice.uniform(-3, 3), 6)),
    (r"[xyz]", lambda dice, _: round(dice.uniform(-1e12, 1e12), 1)),
    (r".*(rate|index|probability|influence|efficiency|_take)|isk|loyalty_point",
     lambda dice, _: round(dice.uniform(0, 1), 4)),
    (r"size_factor|.*multiplier", lambda dice, _: round(dice.uniform(1, 5), 2)),
    (r"luminosity|head_radius|radius", lambda dice, _: round(dice.uniform(0, 5), 6)),
]  # fmt: skip

_TEXTS: list[tuple[str, Maker]] = [
    (r"(.*_)?id", lambda dice, _: str(UUID(int=dice.getrandbits(128), version=4))),
    (r"killmail_hash", lambda dice, _: f"{dice.getrandbits(160):040x}"),
    (r"ticker", lambda dice, _: "".join(dice.choices("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", k=dice.randint(3, 5)))),
    (r"px(\d+)x\d+", lambda dice, _: f"https://images.evetech.net/types/{dice.randint(34, 20_000)}/icon"),
    (r"url", lambda dice, _: f"https://example.com/{dice.randrange(10**6)}"),
    (r"server_version", lambda dice, _: str(dice.randint(2_900_000, 3_100_000))),
    (r".*color", lambda dice, _: f"#{dice.getrandbits(24):06x}"),
    (r"before|after", lambda dice, _: f"{dice.getrandbits(64):016x}"),
    (r"description|text|body|motd|message|reason|.*_description", lambda dice, _: _sentence(dice, dice.randint(4, 16))),
    (r"title|subject", lambda dice, _: _sentence(dice, dice.randint(2, 5))),
    (r"response", lambda dice, _: dice.choice(("accepted", "declined", "tentative", "not_responded"))),
    (r"(.*_)?name", lambda dice, _: _sentence(dice, 2).rstrip(".").title()),
    (r"method", lambda dice, _: dice.choice(("BoostShield", "DamageShip", "DeliverItem"))),
]  # fmt: skip

_SYLLABLES = ("ka", "lo", "mi", "ren", "tas", "vel", "dor", "in", "es", "ar", "no", "thu")

_FUTURE = re.compile(
    r".*(expir|end|finish|arrival|decay|unanchor|completed|logoff|logout|closed|retracted|until|accepted).*"
)
_PAST_START = 1_767_225_600  # 2026-01-01T00:00:00Z: fixed, so that data do not depend on the clock
_HALF_YEAR = 181 * 86_400


def _sentence(dice: Random, words: int) -> str:
    made = ["".join(dice.choices(_SYLLABLES, k=dice.randint(1, 3))) for _ in range(words)]
    return (" ".join(made)).capitalize() + "."


def _find(table: list[tuple[str, Maker]], name: str, otherwise: Maker) -> Maker:
    return next((maker for pattern, maker in table if re.fullmatch(pattern, name)), otherwise)


def integer_of(name: str) -> Maker:
    """Makes integers for a field of this name."""
    return _find(_INTEGERS, name, _between(0, 1_000))


def float_of(name: str) -> Maker:
    """Makes numbers for a field of this name: by default a price with cents; sometimes a whole number."""
    # ESI's numbers arrive without a fraction when they have none (29500, not 29500.0): now and then do so too.
    return _find(
        _FLOATS,
        name,
        lambda dice, _: dice.randint(1, 10**6) if dice.random() < 0.2 else round(dice.uniform(1, 10**7), 2),
    )


def text_of(name: str) -> Maker:
    """Makes texts for a field of this name."""
    return _find(_TEXTS, name, lambda dice, _: _sentence(dice, dice.randint(1, 4)))


def date_of(name: str) -> Callable[[Random], int]:
    """Makes moments, as unix seconds in 2026: things that end lie in its second half, all others in its first."""
    start = _PAST_START + _HALF_YEAR if _FUTURE.fullmatch(name) else _PAST_START
    return lambda dice: start + dice.randrange(_HALF_YEAR)
