"""JSON bodies into the catalogue's types, strictly if they fit, leniently if not.

The strict way is msgspec's own decoder. Where a body does not fit its declared type, `lenient` builds what can be
built: unknown fields are left out, missing ones are None, a value of another type is kept as it came. Every such
place is named, so that a signal can tell of it; none of it is an error (T48).

msgspec passes over unknown fields without a word, which is right for speed; `unknown_fields` looks for them, and
`Decoder` asks it for each small body and for a sample of the large ones.
"""

from __future__ import annotations

import datetime
from typing import Any, Generic, TypeVar

import msgspec

from esipy.core.objects import as_data

__all__ = ["Decoder"]

T = TypeVar("T")

SMALL_BODY_BYTES = 2048
"""Bodies up to this size are always searched for unknown fields; of larger ones a sample is."""

SAMPLE_EVERY = 64
"""Of large bodies the 1st, 2nd, 4th, 8th ... and then each 64th is searched."""

MOST_PLACES = 20
"""How many places of one body are named."""


class Decoder(Generic[T]):
    """Decodes the bodies of one operation.

    Args:
        declared: the type, as msgspec reads it; None when answers have no body.
    """

    def __init__(self, declared: Any) -> None:
        self._strict: msgspec.json.Decoder[T] = msgspec.json.Decoder(declared)
        self._shape: Any = None
        self._declared = declared
        self._large_seen = 0

    def decode(self, body: bytes) -> tuple[T, tuple[str, ...]]:
        """The data, and the places where the body differs from the declared type (empty: none).

        Raises:
            msgspec.DecodeError: the body is not JSON.
        """
        try:
            data = self._strict.decode(body)
        except msgspec.ValidationError:
            drift = _Drift()
            return lenient(msgspec.json.decode(body), self.shape, "$", drift), drift.places()
        if self._wants_search(len(body)):
            drift = _Drift()
            unknown_fields(msgspec.json.decode(body), self.shape, "$", drift)
            return data, drift.places()
        return data, ()

    def decode_kept(self, body: bytes) -> T:
        """The data of a body that was told of before."""
        try:
            return self._strict.decode(body)
        except msgspec.ValidationError:
            data: T = lenient(msgspec.json.decode(body), self.shape, "$", _Drift())
            return data

    def data(self, body: bytes) -> tuple[Any, tuple[str, ...]]:
        """Version 1's data objects, and the places where a searched body differs from the declared type.

        Raises:
            msgspec.DecodeError: the body is not JSON.
        """
        plain = msgspec.json.decode(body)
        drift = _Drift()
        if self._wants_search(len(body)):
            lenient(plain, self.shape, "$", drift)
        return as_data(plain, self.shape), drift.places()

    def data_kept(self, body: bytes) -> Any:
        """Version 1's data objects of a body that was told of before."""
        return as_data(msgspec.json.decode(body), self.shape)

    @property
    def is_list(self) -> bool:
        """Whether answers are lists."""
        return type(self.shape).__name__ == "ListType"

    @property
    def shape(self) -> Any:
        """msgspec's description of the type, made when first needed."""
        if self._shape is None:
            import msgspec.inspect

            self._shape = msgspec.inspect.type_info(self._declared)
        return self._shape

    def _wants_search(self, size: int) -> bool:
        if size <= SMALL_BODY_BYTES:
            return True
        self._large_seen = seen = self._large_seen + 1
        return seen % SAMPLE_EVERY == 0 or (seen < SAMPLE_EVERY and seen & (seen - 1) == 0)


class _Drift:
    """The places that differ, each once: the rows of a list count as one place."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def note(self, place: str, what: str) -> None:
        if len(self._found) < MOST_PLACES:
            self._found[f"{place}: {what}"] = None

    def places(self) -> tuple[str, ...]:
        return tuple(self._found)


def _name(data: object) -> str:
    return {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(data), "number")


def unknown_fields(data: Any, shape: Any, place: str, drift: _Drift) -> None:
    """Note each field of ``data`` that the type does not have."""
    kind = type(shape).__name__
    if kind == "StructType" and type(data) is dict:
        fields = {field.encode_name: field for field in shape.fields}
        for name in data.keys() - fields.keys():
            drift.note(f"{place}.{name}", "unknown field")
        for name, field in fields.items():
            if name in data:
                unknown_fields(data[name], field.type, f"{place}.{name}", drift)
    elif kind == "ListType" and type(data) is list:
        if data and type(shape.item_type).__name__ in _NESTING:
            for item in data:
                unknown_fields(item, shape.item_type, f"{place}[]", drift)
    elif kind == "DictType" and type(data) is dict:
        for item in data.values():
            unknown_fields(item, shape.value_type, f"{place}.*", drift)
    elif kind == "UnionType":
        for option in shape.types:
            if type(option).__name__ in _NESTING:
                unknown_fields(data, option, place, drift)


_NESTING = frozenset({"StructType", "ListType", "DictType", "UnionType"})


def lenient(data: Any, shape: Any, place: str, drift: _Drift) -> Any:
    """Build what can be built of ``data`` in this type."""
    read = _READERS.get(type(shape).__name__)
    if read is None:
        return data
    return read(data, shape, place, drift)


def _struct(data: Any, shape: Any, place: str, drift: _Drift) -> Any:
    if type(data) is not dict:
        drift.note(place, f"{_name(data)} in place of an object")
        return data
    values: dict[str, Any] = {}
    known = set()
    for field in shape.fields:
        name = field.encode_name
        known.add(name)
        if name in data:
            values[field.name] = lenient(data[name], field.type, f"{place}.{name}", drift)
        elif field.required:
            drift.note(f"{place}.{name}", "missing")
            values[field.name] = None
    for name in data.keys() - known:
        drift.note(f"{place}.{name}", "unknown field")
    return shape.cls(**values)


def _list(data: Any, shape: Any, place: str, drift: _Drift) -> Any:
    if type(data) is not list:
        drift.note(place, f"{_name(data)} in place of an array")
        return [] if data is None else data
    return [lenient(item, shape.item_type, f"{place}[]", drift) for item in data]


def _dict(data: Any, shape: Any, place: str, drift: _Drift) -> Any:
    if type(data) is not dict:
        drift.note(place, f"{_name(data)} in place of an object")
        return data
    return {name: lenient(item, shape.value_type, f"{place}.*", drift) for name, item in data.items()}


def _union(data: Any, shape: Any, place: str, drift: _Drift) -> Any:
    """``T | None``: the only unions the catalogue has."""
    if data is None and any(type(option).__name__ == "NoneType" for option in shape.types):
        return None
    options = [option for option in shape.types if type(option).__name__ != "NoneType"]
    return lenient(data, options[0], place, drift) if options else data


def _datetime(data: Any, shape: Any, place: str, drift: _Drift) -> Any:  # noqa: ARG001
    try:
        moment = msgspec.convert(data, datetime.datetime)
    except msgspec.ValidationError:
        drift.note(place, f"{_name(data)} that is no date-time")
        return data
    if moment.tzinfo is None:
        drift.note(place, "date-time without a time zone")
        return moment.replace(tzinfo=datetime.timezone.utc)
    return moment


def _scalar(python_type: Any, wanted: str) -> Any:
    def read(data: Any, shape: Any, place: str, drift: _Drift) -> Any:  # noqa: ARG001
        try:
            return msgspec.convert(data, python_type)
        except msgspec.ValidationError:
            drift.note(place, f"{_name(data)} in place of {wanted}")
            return data

    return read


_READERS: dict[str, Any] = {
    "StructType": _struct,
    "ListType": _list,
    "DictType": _dict,
    "UnionType": _union,
    "DateTimeType": _datetime,
    "DateType": _scalar(datetime.date, "a date"),
    "IntType": _scalar(int, "an integer"),
    "FloatType": _scalar(float, "a number"),
    "StrType": _scalar(str, "a string"),
    "BoolType": _scalar(bool, "a boolean"),
}
