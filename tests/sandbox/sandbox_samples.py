"""Arguments that an operation takes, made from its facts: for the test that calls all of them.

Rules: the same number gives the same arguments; what belongs to someone is the caller's own, so that a character
with all scopes and roles (the first of the roster) is answered with 2xx by every operation.
"""

from __future__ import annotations

from random import Random
from typing import Any

from esipy.operation import Operation, Parameter
from esipy.sandbox.characters import Roster
from esipy.sandbox.esi_values import Values, choices_of
from esipy.sandbox.esi_words import float_of, integer_of, text_of
from esipy.sandbox.world import KINDS, World

# Where the values of a list say nothing by their parameter's name.
_CHARACTERS = ("post_characters_affiliation", "post_characters_character_id_cspa", "contacts")
_RARE = ("page", "before", "after", "type_id", "from_id", "last_mail_id", "from_event", "max_war_id", "labels")


def sample_arguments(operation: Operation[Any], roster: Roster, number: int = 0) -> dict[str, Any]:
    """Arguments for one call, as its function in `esipy.ops` and ``app.op[...]`` take them.

    Args:
        operation: what will be called.
        roster: the sandbox's characters; the first calls.
        number: another number gives other arguments.

    Returns:
        The required ones and some of the others. ``body`` is a list or a dict.
    """
    world = World(roster.seed, roster)
    dice = world.dice("sample", operation.name, number)
    arguments: dict[str, Any] = {}
    for parameter in operation.parameters:
        # Marks and filters can come out empty: what they do is a test of its own.
        if parameter.required or (parameter.name not in _RARE and dice.random() < 0.5):
            arguments[parameter.name] = _value(operation, parameter, world, dice)
    return arguments


def _value(operation: Operation[Any], parameter: Parameter, world: World, dice: Random) -> Any:
    me = world.roster.get(world.roster.ids[0])
    owned = {"character_id": me.character_id, "corporation_id": me.corporation_id, "alliance_id": me.alliance_id}
    if parameter.name in owned and (operation.scope is not None or dice.random() < 0.5):
        return owned[parameter.name]
    if parameter.kind == "object":
        struct = operation.struct_type(parameter)
        return Values(world).maker(struct, choices_of(operation))(dice)
    if parameter.kind in ("integers", "strings"):
        return _array(operation, parameter, world, dice)
    if parameter.choices:
        return dice.choice(parameter.choices)
    if parameter.kind == "boolean":
        return dice.random() < 0.5
    if parameter.kind == "number":
        return float_of(parameter.name)(dice, world)
    if parameter.kind == "string":
        return text_of(parameter.name)(dice, world).ljust(parameter.min_length or 0, "x")
    if parameter.minimum is not None or parameter.maximum is not None:
        return dice.randint(int(parameter.minimum or 0), int(parameter.maximum or 100))
    return integer_of(parameter.name)(dice, world)


def _array(operation: Operation[Any], parameter: Parameter, world: World, dice: Random) -> list[Any]:
    size = dice.randint(1, min(5, parameter.max_items or 5))
    if parameter.choices:
        return dice.sample(parameter.choices, min(size, len(parameter.choices)))
    if parameter.kind == "strings":
        return list(dict.fromkeys(world.named(dice.choice(dice.choice(KINDS).ids)) for _ in range(size)))
    if operation.name == "post_universe_names":
        return list(dict.fromkeys(dice.choice(dice.choice(KINDS).ids) for _ in range(size)))
    name = "character_id" if operation.name.endswith(_CHARACTERS) else "item_id"
    make = integer_of(parameter.name if parameter.where == "query" else name)
    return list(dict.fromkeys(make(dice, world) for _ in range(size)))
