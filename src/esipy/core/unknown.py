"""Fields that a body has and its declared type has not: msgspec passes over them without a word.

Whether there are any is asked of a type that refuses them (`closed`), which costs no more than decoding once more;
which they are is looked for only then (`unknown_fields`).
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.inspect import DictType, Field, ListType, StructType, UnionType

from esipy.core.objects import is_array, is_object

__all__ = ["MOST_PLACES", "Drift", "closed", "fields_of", "unknown_fields"]

MOST_PLACES = 20
"""How many places of one body are named."""


class Drift:
    """The places that differ, each once: the rows of a list count as one place."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def note(self, place: str, what: str) -> None:
        """Name a place, if there is room for one more."""
        if len(self._found) < MOST_PLACES:
            self._found[f"{place}: {what}"] = None

    def places(self) -> tuple[str, ...]:
        """Those that were named."""
        return tuple(self._found)


class Fields:
    """A Struct's fields by their names in JSON, and which of them may hold further objects."""

    def __init__(self, shape: StructType) -> None:
        self.by_name: dict[str, Field] = {field.encode_name: field for field in shape.fields}
        self.nesting = tuple((field.encode_name, field.type) for field in shape.fields if _nests(field.type))


_FIELDS: dict[type[Any], Fields] = {}


def fields_of(shape: StructType) -> Fields:
    """Those of a Struct; looked at once."""
    fields = _FIELDS.get(shape.cls)
    if fields is None:
        fields = _FIELDS[shape.cls] = Fields(shape)
    return fields


def _nests(shape: object) -> bool:
    """Whether objects with fields may be within."""
    match shape:
        case StructType():
            return True
        case ListType():
            return _nests(shape.item_type)
        case DictType():
            return _nests(shape.value_type)
        case UnionType():
            return any(map(_nests, shape.types))
        case _:
            return False


def closed(shape: object) -> Any:
    """The type without room for unknown fields; what holds no objects may be anything."""
    match shape:
        case StructType():
            fields = [(field.name, closed(field.type), None) for field in shape.fields]
            names = {field.name: field.encode_name for field in shape.fields}
            return msgspec.defstruct(shape.cls.__name__, fields, rename=names, forbid_unknown_fields=True)
        case ListType() if _nests(shape):
            return list.__class_getitem__(closed(shape.item_type))
        case DictType() if _nests(shape):
            return dict.__class_getitem__((str, closed(shape.value_type)))
        case UnionType() if _nests(shape):  # ``T | None``: the only unions the catalogue has
            return next(closed(one) for one in shape.types if _nests(one)) | None
        case _:
            return Any


def unknown_fields(data: Any, shape: Any, place: str, drift: Drift) -> None:
    """Note each field of ``data``, which fits this type, that the type does not have."""
    match shape:
        case StructType() if is_object(data):
            fields = fields_of(shape)
            for name in data:
                if name not in fields.by_name:
                    drift.note(f"{place}.{name}", "unknown field")
            for name, inner in fields.nesting:
                if name in data:
                    unknown_fields(data[name], inner, f"{place}.{name}", drift)
        case ListType() if _nests(shape.item_type) and is_array(data):
            for item in data:
                unknown_fields(item, shape.item_type, f"{place}[]", drift)
        case DictType() if _nests(shape.value_type) and is_object(data):
            for item in data.values():
                unknown_fields(item, shape.value_type, f"{place}.*", drift)
        case UnionType():
            for option in shape.types:
                unknown_fields(data, option, place, drift)
        case _:
            pass
