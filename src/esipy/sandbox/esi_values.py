"""Data for any type of the catalogue, made from dice: what a body holds when nothing better is known about it.

Rules: the same dice give the same data; what comes out fits the type strictly; known enum values are used where
the catalogue knows them; of the objects that are alternatives exactly one key is present; facts that hang
together (a person and its corporation, what remains and the total) agree within one object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from random import Random
from typing import Any, cast

from msgspec import NODEFAULT, inspect

from esipy.operation import Operation
from esipy.sandbox.esi_words import date_of, float_of, integer_of, text_of
from esipy.sandbox.world import World

__all__ = ["ValueMaker", "Values", "choices_of", "moment"]

ValueMaker = Callable[[Random], Any]
Choices = Mapping[str, tuple[str, ...]]

# The objects that ESI's document calls alternatives (`oneOf`): by the set of their keys, or a part of it.
_ALTERNATIVES = (
    frozenset({"solar_system_id", "constellation_id", "region_id"}),
    frozenset({"character_id", "corporation_id", "alliance_id", "faction_id"}),
    frozenset({"type_id", "group_id"}),
    frozenset({"structure_id", "station_id"}),
    frozenset({"matcher", "options", "boolean", "corporation_item_delivery"}),
    frozenset({"import", "export", "transit"}),
    frozenset({"faction", "alliance", "unclaimed"}),
)
_WHOSE = (
    ("Character", "character_id"),
    ("Creator", "character_id"),
    ("Corporation", "corporation_id"),
    ("BroadcastLocations", "solar_system_id"),
)
_MANY_ALTERNATIVES = frozenset({"deliver_item", "destroy_npc", "lost_ship", "manual"})


def moment(seconds: float, fraction: bool = False) -> str:
    """A date-time as ESI writes it; some of ESI's have a fraction, most have none."""
    text = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{int(seconds * 7919) % 1_000_000:06d}Z" if fraction else f"{text}Z"


def choices_of(operation: Operation[Any]) -> dict[str, tuple[str, ...]]:
    """The known values of an operation's types, by ``Struct.field``."""
    types = import_module(f"esipy.ops.types.{operation.module}")
    shared = import_module("esipy.ops.types.common")
    return {**getattr(shared, "CHOICES", {}), **getattr(types, "CHOICES", {})}


class Values:
    """Makers of data, compiled once a type."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[Any, ValueMaker] = {}

    def maker(self, type_: Any, choices: Choices, name: str = "") -> ValueMaker:
        """A function that makes data for this type from dice.

        Args:
            type_: as msgspec reads it.
            choices: known values by ``Struct.field``.
            name: of the field that will hold the data.
        """
        # Types that are aliases (list[Row]) are equal and hashable; a module's choices go with its types.
        key = (type_, name)
        if key not in self._made:
            self._made[key] = self._compile(inspect.type_info(type_), name, (), choices)
        return self._made[key]

    def item_maker(self, node: inspect.Type, choices: Choices, name: str = "") -> ValueMaker:
        """The same for the items of a list that was looked into already; it is not kept."""
        return self._compile(node, name, (), choices)

    def _compile(self, node: inspect.Type, name: str, known: tuple[str, ...], choices: Choices) -> ValueMaker:
        world = self._world
        match node:
            case inspect.StructType():
                return self._struct(node, choices)
            case inspect.ListType():
                return _several(self._compile(node.item_type, name, known, choices))
            case inspect.Metadata():
                return self._compile(node.type, name, known, choices)
            case inspect.DictType():
                value = self._compile(node.value_type, name, known, choices)
                return lambda dice: {f"key_{index}": value(dice) for index in range(dice.randint(1, 3))}
            case inspect.UnionType():
                first = next(part for part in node.types if not isinstance(part, inspect.NoneType))
                return self._compile(first, name, known, choices)
            case inspect.BoolType():
                return lambda dice: dice.random() < 0.5
            case inspect.IntType() if node.ge is not None and node.le is not None:
                low, high = node.ge, node.le
                return lambda dice: dice.randint(low, high)
            case inspect.IntType():
                integer = integer_of(name)
                return lambda dice: integer(dice, world)
            case inspect.FloatType():
                number = float_of(name)
                return lambda dice: number(dice, world)
            case inspect.StrType():
                text, longest = text_of(name), node.max_length
                return (lambda dice: dice.choice(known)) if known else (lambda dice: text(dice, world)[:longest])
            case inspect.DateTimeType():
                date = date_of(name)
                return lambda dice: moment(date(dice), fraction=dice.random() < 0.25)
            case inspect.DateType():
                day = date_of(name)
                return lambda dice: moment(day(dice))[:10]
            case _:
                return lambda _: {"note": "anything"}

    def _struct(self, node: inspect.StructType, choices: Choices) -> ValueMaker:
        owner = node.cls.__name__
        fields: list[tuple[str, bool, ValueMaker]] = []
        for field in node.fields:
            known = choices.get(f"{owner}.{field.encode_name}", ())
            required = field.default is NODEFAULT and field.default_factory is NODEFAULT
            meaning = _whose_id(owner) if field.encode_name == "id" else field.encode_name
            fields.append((field.encode_name, required, self._compile(field.type, meaning, known, choices)))
        names = frozenset(name for name, _, _ in fields)
        optional = frozenset(name for name, required, _ in fields if not required)
        if names and not any(required for _, required, _ in fields) and _is_alternative(names):
            return lambda dice: _one_of(dice, fields)
        world = self._world

        def make(dice: Random) -> dict[str, Any]:
            # Optional fields are there three times in four: present and absent ones are both met.
            made = {name: value(dice) for name, required, value in fields if required or dice.random() < 0.75}
            return _tidy(made, optional, world)

        return make


def _whose_id(owner: str) -> str:
    """What a field that is called only ``id`` is the id of, by the name of its type."""
    return next((meaning for ending, meaning in _WHOSE if owner.endswith(ending)), "id")


def _is_alternative(names: frozenset[str]) -> bool:
    return names >= _MANY_ALTERNATIVES or names in _ALTERNATIVES


def _one_of(dice: Random, fields: list[tuple[str, bool, ValueMaker]]) -> dict[str, Any]:
    name, _, value = dice.choice(fields)
    return {name: value(dice)}


def _several(item: ValueMaker) -> ValueMaker:
    def make(dice: Random) -> list[Any]:
        made = [item(dice) for _ in range(dice.randint(1, 4))]
        if made and not isinstance(made[0], (dict, list)):
            return list(dict.fromkeys(made))
        return made

    return make


def _tidy(made: dict[str, Any], optional: frozenset[str], world: World) -> dict[str, Any]:
    """Make what stands in one object agree with itself."""
    character = made.get("character_id")
    if isinstance(character, int) and "corporation_id" in made:
        made["corporation_id"] = world.corporation_of(character)
    corporation = made.get("corporation_id")
    if isinstance(corporation, int) and "alliance_id" in made:
        alliance = world.alliance_of(corporation)
        if alliance is not None:
            made["alliance_id"] = alliance
        elif "alliance_id" in optional:
            del made["alliance_id"]
    if "volume_remain" in made and "volume_total" in made:
        made["volume_total"] = made["volume_remain"] + made["volume_total"]
    if "name" in made and isinstance(made.get("id"), int):
        made["name"] = world.name(cast(int, made["id"])) or made["name"]
    return made
