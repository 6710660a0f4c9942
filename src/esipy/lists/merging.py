"""The answers of several bulk calls as one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from esipy.operation import Operation

__all__ = ["items_of", "merged"]

ROW_KEYS = {
    "post_characters_affiliation": "character_id",
    "post_characters_character_id_assets_locations": "item_id",
    "post_characters_character_id_assets_names": "item_id",
    "post_characters_character_id_contacts": "",
    "post_corporations_corporation_id_assets_locations": "item_id",
    "post_corporations_corporation_id_assets_names": "item_id",
    "post_universe_names": "id",
}
"""By operation, the field of a row that names the item it was asked for; empty: the row is the item itself."""


def merged(operation: Operation[Any], parts: Iterable[Any], asked: Sequence[Hashable]) -> Any:
    """One answer of many.

    Lists are joined, in the order asked where rows name their item; numbers are added up; an object's lists are joined
    field by field; where nothing is answered, it is None.

    Args:
        parts: the data of the answers.
        asked: all items in the order asked.
    """
    answers = [part for part in parts if part is not None]
    if not answers:
        return [] if (operation.result or "").startswith("list[") else None
    first = answers[0]
    if isinstance(first, list):
        return _in_order(operation, [row for part in answers for row in part], asked)
    if isinstance(first, (int, float)):
        return sum(answers)
    return _joined(answers)


def items_of(operation: Operation[Any], rows: Any) -> frozenset[Hashable] | None:
    """The items that an answer names; None when its rows name none."""
    field = ROW_KEYS.get(operation.name)
    if field is None or not isinstance(rows, list):
        return None
    known: list[Any] = rows  # pyright: ignore[reportUnknownVariableType]
    return frozenset(_item(field, row) for row in known)


def _item(field: str, row: Any) -> Hashable:
    item: Hashable = getattr(row, field) if field else row
    return item


def _in_order(operation: Operation[Any], rows: list[Any], asked: Sequence[Hashable]) -> list[Any]:
    field = ROW_KEYS.get(operation.name)
    if field is not None:
        places = {item: place for place, item in enumerate(asked)}
        rows.sort(key=lambda row: places.get(_item(field, row), len(places)))
    return rows


def _joined(answers: list[Any]) -> Any:
    """Objects whose fields are lists, a Struct or version 1's data objects, as one: the first, with all lists."""
    whole = answers[0]
    is_struct = hasattr(whole, "__struct_fields__")
    for part in answers[1:]:
        for name in part.__struct_fields__ if is_struct else tuple(part):
            more = getattr(part, name)
            if more is None:
                continue
            have: Any = getattr(whole, name, None)
            joined: Any = [*have, *more] if isinstance(have, list) else more
            if is_struct:
                setattr(whole, name, joined)
            else:
                whole[name] = joined
    return whole
