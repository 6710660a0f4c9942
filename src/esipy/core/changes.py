"""What became of the rows of a list: which are new, which are gone, which are others than before.

Rows are told apart by a key, never by their place. Rules, first that holds:

- the user's own key: a field, several fields, or a function of the row;
- `COMPOSED`: of operations whose rows have no id of their own, the fields that make one;
- `IDS`: the first of these fields that the rows have;
- rows that are plain values, and all others: the row itself, so that an edit is one row gone and another new.

Where rows share a key, they are told apart by their order: the second of them is the second before and after.

A list of which only the newest rows are seen (a *window*) says nothing of what lies beyond its end: a row that fell out
of it is not gone, and one that moved into it, because others before it are gone, is not new.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec.inspect import ListType, StructType, type_info

from esipy.core.arguments import refuse_unknown
from esipy.exceptions import InvalidCallError

__all__ = [
    "COMPOSED",
    "IDS",
    "Difference",
    "Key",
    "Modified",
    "compare",
    "fields_of",
    "key_fields",
    "key_function",
    "keyed",
    "row_type_of",
]

R = TypeVar("R")

Key = str | tuple[str, ...] | Callable[[Any], Hashable]
"""What tells the rows of a list apart: a field, several, or a function of the row."""

IDS = (
    "id", "order_id", "contract_id", "mail_id", "mailing_list_id", "notification_id", "event_id", "transaction_id",
    "bid_id", "job_id", "killmail_id", "campaign_id", "fitting_id", "label_id", "title_id", "agent_id", "contact_id",
    "record_id", "planet_id", "starbase_id", "office_id", "offer_id", "item_id", "structure_id", "observer_id",
    "facility_id", "medal_id", "division", "character_id", "bloodline_id", "race_id", "constellation_id", "faction_id",
    "solar_system_id", "system_id", "type_id", "corporation_id",
)  # fmt: skip
"""Fields that name a row, the most particular first: an order has a type, but no type has one order."""

COMPOSED: Mapping[str, tuple[str, ...]] = {
    "get_characters_character_id_medals": ("medal_id", "issuer_id", "date"),
    "get_characters_character_id_mining": ("date", "solar_system_id", "type_id"),
    "get_characters_character_id_skillqueue": ("skill_id", "finished_level"),
    "get_characters_character_id_standings": ("from_type", "from_id"),
    "get_corporation_corporation_id_mining_observers_observer_id": (
        "character_id", "type_id", "recorded_corporation_id", "last_updated",
    ),
    "get_corporations_corporation_id_containers_logs": (),
    "get_corporations_corporation_id_medals_issued": ("medal_id", "character_id", "issued_at"),
    "get_corporations_corporation_id_roles_history": (),
    "get_corporations_corporation_id_shareholders": ("shareholder_type", "shareholder_id"),
    "get_corporations_corporation_id_standings": ("from_type", "from_id"),
    "get_fw_wars": ("faction_id", "against_id"),
    "get_markets_region_id_history": ("date",),
}  # fmt: skip
"""Operations whose rows are known by several fields, or by none: these are logs, whose entries are never edited."""


class Modified(NamedTuple, Generic[R]):
    """A row that is another than it was."""

    before: R
    after: R


class Difference(NamedTuple):
    """What became of rows; each in the order of the list that has it.

    Attributes:
        added: rows that were not there.
        removed: rows that are no more.
        modified: rows that were there, and are others now.
    """

    added: tuple[Any, ...]
    removed: tuple[Any, ...]
    modified: tuple[Modified[Any], ...]

    @property
    def is_none(self) -> bool:
        """Whether nothing is other than it was."""
        return not (self.added or self.removed or self.modified)


def key_fields(operation: str, row_type: Any) -> tuple[str, ...]:
    """The fields that tell the rows of an operation's list apart; none: the whole row does.

    Args:
        operation: its name, as ``get_markets_prices``.
        row_type: the type of a row, as msgspec reads it.
    """
    shape = type_info(row_type)
    if not isinstance(shape, StructType):
        return ()
    if operation in COMPOSED:
        return COMPOSED[operation]
    names = {field.name for field in shape.fields}
    return next(((name,) for name in IDS if name in names), ())


def row_type_of(result_type: Any, field: str | None = None) -> Any:
    """The type of a list's rows; None when an answer of this type is no list.

    Args:
        field: the one of the answer's fields that is the list; None: it is the list.
    """
    shape = type_info(result_type)
    if field is not None and isinstance(shape, StructType):
        shape = next(one.type for one in shape.fields if one.name == field)
    if not isinstance(shape, ListType):
        return None
    item = shape.item_type
    return item.cls if isinstance(item, StructType) else object


def fields_of(row_type: Any) -> tuple[str, ...]:
    """What the fields of rows may be called: in typed rows, and as ESI calls them; none: rows have none."""
    shape = type_info(row_type)
    if not isinstance(shape, StructType):
        return ()
    return tuple(dict.fromkeys(name for field in shape.fields for name in (field.name, field.encode_name)))


def key_function(key: Key, fields: Sequence[str] = ()) -> Callable[[Any], Hashable]:
    """What gives a row's key, or None where a row has none.

    Args:
        fields: that rows have; none: it is not known.

    Raises:
        InvalidCallError: ``key`` is neither a field's name, nor a tuple of such, nor a function; or rows have no such
            field.
    """
    if callable(key):
        return key
    names: tuple[Any, ...] = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(name, str) for name in names):
        raise InvalidCallError(
            f"key={key!r}: has to be the name of a field, a tuple of names, or a function of the row"
        )
    for name in names if fields else ():
        if name not in fields:  # each row would be its own, and each change a row that goes and one that comes
            refuse_unknown(f"key={key!r}: rows have no field", name, fields)
    return _by_fields(names)


def _by_fields(names: tuple[str, ...]) -> Callable[[Any], Hashable]:
    if not names:
        return _itself
    if len(names) == 1:
        name = names[0]
        return lambda row: _plain(getattr(row, name, None))

    def composed(row: Any) -> Hashable:
        parts = tuple(_plain(getattr(row, name, None)) for name in names)
        return None if any(part is None for part in parts) else parts

    return composed


def _plain(value: Any) -> Hashable:
    return value if isinstance(value, Hashable) else None


def _itself(row: Any) -> Hashable:
    if isinstance(row, int | str | float):
        return row
    return msgspec.json.encode(row, enc_hook=str)


def keyed(rows: Iterable[R], key: Callable[[Any], Hashable]) -> dict[Hashable, R]:
    """Rows by their keys, in their order. A row without a key is its own."""
    found: dict[Hashable, R] = {}
    for row in rows:
        known = key(row)
        name: Hashable = _Itself(_itself(row)) if known is None else known
        if name in found:
            number = 2
            while (again := _Again(name, number)) in found:
                number += 1
            name = again
        found[name] = row
    return found


class _Itself(NamedTuple):
    """The key of a row that has none."""

    row: Hashable


class _Again(NamedTuple):
    """The key of a row whose key another row has, too."""

    key: Hashable
    number: int


def compare(
    before: Sequence[Any], after: Sequence[Any], key: Callable[[Any], Hashable], *, window: bool = False
) -> Difference:
    """What became of the rows of a list.

    Args:
        window: only the newest rows are seen, first the newest: there may be more beyond the last one.
    """
    old, new = keyed(before, key), keyed(after, key)
    added = [name for name in new if name not in old]
    removed = [name for name in old if name not in new]
    if window and (common := [name for name in new if name in old]):
        places = {name: place for place, name in enumerate(new)}
        last = places[common[-1]]
        added = [name for name in added if places[name] < last]
        places = {name: place for place, name in enumerate(old)}
        last = max(places[name] for name in common)
        removed = [name for name in removed if places[name] < last]
    elif window:
        removed = []  # so much is new that all that was seen may just have fallen out
    return Difference(
        tuple(new[name] for name in added),
        tuple(old[name] for name in removed),
        tuple(Modified(old[name], row) for name, row in new.items() if name in old and old[name] != row),
    )
