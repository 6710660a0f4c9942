"""The sandbox's markets: orders in regions and structures, the types that are traded there, prices, history.

Rules: a region's orders are numbered from 0; everything about an order follows from its number, so that it is the
same in every page set it appears in, and any page is made alone. 100 orders a type, of which every fifth two are
to buy. The Forge has 400 pages of 1,000 orders; other regions a few. With each lifetime some orders trade,
and some have another price.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from esipy.sandbox.esi_asked import Asked, Handler, Reply
from esipy.sandbox.esi_lists import page_of
from esipy.sandbox.esi_values import moment
from esipy.sandbox.world import THE_FORGE, World, stable

__all__ = ["market_handlers", "traded_types"]

PAGE_ORDERS = 1_000
FIRST_TYPE = 34
JITA, JITA_4_4 = 30_000_142, 60_003_760
_PER_TYPE = 100
_SIDES = {
    "all": range(_PER_TYPE),
    "sell": [place for place in range(_PER_TYPE) if place % 5 < 3],
    "buy": [place for place in range(_PER_TYPE) if place % 5 >= 3],
}
_RANGES = ("station", "solarsystem", "region", "1", "5", "10", "20", "40")
_DURATIONS = (1, 3, 7, 14, 30, 90, 90, 365)
_MASK = (1 << 64) - 1
_ISSUED = [moment(1_779_494_400 + place * 7_717) for place in range(1_024)]  # from 2026-05-23 on, for 91 days


def market_handlers() -> dict[str, Handler]:
    """The operations that this module answers."""
    return {
        "get_markets_region_id_orders": _region_orders,
        "get_markets_structures_structure_id": _structure_orders,
        "get_markets_region_id_types": _types,
        "get_markets_prices": _prices,
        "get_markets_region_id_history": _history,
    }


def traded_types(world: World, region_id: int) -> range:
    """The types that are on a region's market."""
    if region_id == THE_FORGE:
        return range(FIRST_TYPE, FIRST_TYPE + 4_000)
    return range(FIRST_TYPE, FIRST_TYPE + 20 + stable(world.seed, "market", region_id) % 100)


def _mixed(number: int, salt: int) -> int:
    """64 well mixed bits; Python's own hashing would take most of a page's time."""
    bits = (number * 0x9E3779B97F4A7C15 + salt) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    return bits ^ (bits >> 31)


def _region_orders(asked: Asked) -> Reply:
    region: int = asked.values["region_id"]
    types = traded_types(asked.world, region)
    chosen = asked.values.get("type_id")
    if chosen is not None:
        types = range(chosen, chosen + 1) if chosen in types else range(0)
    side = _SIDES[asked.values["order_type"]]
    total = len(types) * len(side)
    pages = max(1, -(-total // PAGE_ORDERS))
    first = (page_of(asked, pages) - 1) * PAGE_ORDERS
    numbers = [
        (types[place // len(side)] - FIRST_TYPE) * _PER_TYPE + side[place % len(side)]
        for place in range(first, min(first + PAGE_ORDERS, total))
    ]
    salt = stable(asked.world.seed, "orders", region)
    first_order = 6_000_000_000 + (region % 100) * 4_000_000
    return Reply(
        pages=pages, page_rows=PAGE_ORDERS, raw=_orders(asked, numbers, salt, first_order, _places(asked.world, region))
    )


def _structure_orders(asked: Asked) -> Reply:
    structure: int = asked.values["structure_id"]
    types = 10 + stable(asked.world.seed, "structure", structure) % 20
    pages = -(-types * _PER_TYPE // PAGE_ORDERS)
    first = (page_of(asked, pages) - 1) * PAGE_ORDERS
    numbers = list(range(first, min(first + PAGE_ORDERS, types * _PER_TYPE)))
    salt = stable(asked.world.seed, "orders", structure)
    first_order = 6_500_000_000 + structure % 100_000 * 1_000
    return Reply(pages=pages, page_rows=PAGE_ORDERS, raw=_orders(asked, numbers, salt, first_order, [(structure, "")]))


def _places(world: World, region: int) -> list[tuple[int, str]]:
    """Where a region trades: (location, the text of its system); the hub is first."""
    systems = [system for place in world.constellations_of(region) for system in world.systems_of(place)][:10]
    places = [(60_000_000 + system % 100_000 * 3, f'"system_id":{system},') for system in systems]
    return [(JITA_4_4, f'"system_id":{JITA},'), *places] if region == THE_FORGE else places


def _orders(asked: Asked, numbers: list[int], salt: int, first_order: int, places: list[tuple[int, str]]) -> bytes:
    """The rows as JSON. Written out by hand, because a page of 1,000 has to be made in a few milliseconds; byte for
    byte as it would be encoded, so that a page keeps its ``ETag`` when others are edited.
    """
    version_salt = salt + asked.version * 0xD1B54A32D192ED03
    hub, elsewhere = places[0], len(places)
    rows: list[str] = []
    append = rows.append
    for number in numbers:
        bits = _mixed(number, salt)
        type_id = FIRST_TYPE + number // _PER_TYPE
        total = 1 + (bits >> 8) % 50_000
        # One order in four trades within a lifetime, and half of these have another price; the others stay as they are.
        moved = bits if bits & 3 else _mixed(number, version_salt)
        remain = 1 + (moved >> 24) % total
        priced = bits if bits & 4 else moved
        # Most trade is in the hub.
        location, system = hub if bits & 0x30 else places[(bits >> 6) % elsewhere]
        if number % 5 >= 3:
            percent, buy, reach = 700 + (priced >> 40) % 250, "true", _RANGES[(bits >> 45) & 7]
        else:
            percent, buy, reach = 1_000 + (priced >> 40) % 250, "false", "region"
        cents = _fair_cents(type_id) * percent // 1_000
        append(
            f'{{"duration":{_DURATIONS[(bits >> 12) & 7]},"is_buy_order":{buy},'
            f'"issued":"{_ISSUED[(bits >> 16) & 1023]}","location_id":{location},"min_volume":1,'
            f'"order_id":{first_order + number * 7 + bits % 7},"price":{cents / 100},'
            f'"range":"{reach}",{system}"type_id":{type_id},"volume_remain":{remain},"volume_total":{total}}}'
        )
    return f"[{','.join(rows)}]".encode()


@cache
def _fair_cents(type_id: int) -> int:
    """What a type is worth, in hundredths of ISK: from 10 ISK to 10 million."""
    return int(10 ** (3 + type_id * 7_919 % 60 / 10))


def _types(asked: Asked) -> Reply:
    types = traded_types(asked.world, asked.values["region_id"])
    pages = max(1, -(-len(types) // PAGE_ORDERS))
    first = (page_of(asked, pages) - 1) * PAGE_ORDERS
    return Reply(list(types[first : first + PAGE_ORDERS]), pages=pages, page_rows=PAGE_ORDERS)


def _prices(asked: Asked) -> Reply:
    """Adjusted prices stay; averages move with each lifetime, those of every second type."""
    rows: list[dict[str, Any]] = []
    salt = stable(asked.world.seed, "prices", asked.version)
    for type_id in range(FIRST_TYPE, FIRST_TYPE + 500):
        fair = _fair_cents(type_id) / 100
        per_mille = 980 + _mixed(type_id, salt) % 101 if type_id % 2 else 1_030
        rows.append({"adjusted_price": fair, "average_price": round(fair * per_mille / 1_000, 2), "type_id": type_id})
    return Reply(rows)


def _history(asked: Asked) -> Reply:
    type_id: int = asked.values["type_id"]
    dice = asked.dice(type_id)
    fair = _fair_cents(type_id) / 100
    today = int(asked.now) // 86_400
    rows: list[dict[str, Any]] = []
    for day in range(today - 365, today):
        average = round(fair * dice.uniform(0.9, 1.1), 2)
        rows.append(
            {
                "average": average,
                "date": moment(day * 86_400)[:10],
                "highest": round(average * 1.05, 2),
                "lowest": round(average * 0.95, 2),
                "order_count": dice.randint(1, 5_000),
                "volume": dice.randint(1, 10**10),
            }
        )
    return Reply(rows)
