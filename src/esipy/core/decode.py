"""JSON bodies into the catalogue's types, strictly if they fit, leniently if not.

The strict way is msgspec's own decoder. Where a body does not fit its declared type, `lenient` builds what can be
built: unknown fields are left out, missing ones are None, a list that is null is empty, a value of another type is
kept as it came. Every such place is named, so that a signal can tell of it; none of it is an error (T48).

msgspec passes over unknown fields without a word, which is right for speed; `esipy.core.unknown` looks for them, and
`Decoder` asks it for each small body and for a sample of the large ones.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.inspect import (
    BoolType,
    DateTimeType,
    DateType,
    DictType,
    FloatType,
    IntType,
    ListType,
    NoneType,
    StrType,
    StructType,
    UnionType,
    type_info,
)

from esipy.core.objects import Reader, as_data, is_array, is_object, reader_of
from esipy.core.unknown import Drift, closed, fields_of, unknown_fields

__all__ = ["Decoder", "parse_json"]

T = TypeVar("T")

SMALL_BODY_BYTES = 2048
"""Bodies up to this size are always searched for unknown fields; of larger ones a sample is."""

SAMPLE_EVERY = 64
"""Of large bodies the 1st, 2nd, 4th, 8th ... and then each 64th is searched."""


def parse_json(body: bytes) -> Any:
    """Decoded JSON.

    Raises:
        msgspec.DecodeError: it is not JSON, not UTF-8, or nested too deeply.
    """
    try:
        return msgspec.json.decode(body)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(f"not JSON: {error}") from None


class Decoder(Generic[T]):
    """Decodes the bodies of one operation; may be used by many threads.

    Args:
        declared: the type, as msgspec reads it; None when answers have no body.
    """

    def __init__(self, declared: Any) -> None:
        self._strict: msgspec.json.Decoder[T] = msgspec.json.Decoder(declared)
        self._declared = declared
        self._large_seen = 0

    def decode(self, body: bytes) -> tuple[T, tuple[str, ...]]:
        """The data, and the places where the body differs from the declared type (empty: none).

        Raises:
            msgspec.DecodeError: the body is not JSON.
        """
        try:
            data = self._strict.decode(body)
        except _UNFIT:
            drift = Drift()
            return self._leniently(body, drift), drift.places()
        if len(body) <= SMALL_BODY_BYTES or self._wants_sample():
            try:
                self._closed.decode(body)
            except _UNFIT:
                drift = Drift()
                unknown_fields(parse_json(body), self.shape, "$", drift)
                return data, drift.places()
        return data, ()

    def decode_kept(self, body: bytes) -> T:
        """The data of a body that was told of before.

        Raises:
            msgspec.DecodeError: the body is not JSON.
        """
        try:
            return self._strict.decode(body)
        except _UNFIT:
            return self._leniently(body, Drift())

    def data(self, body: bytes) -> tuple[Any, tuple[str, ...]]:
        """Version 1's data objects, and the places where a searched body differs from the declared type.

        Raises:
            msgspec.DecodeError: the body is not JSON.
        """
        plain = parse_json(body)
        drift = Drift()
        if len(body) <= SMALL_BODY_BYTES or self._wants_sample():
            lenient(plain, self.shape, "$", drift)
        return as_data(plain, self._reader), drift.places()

    def data_kept(self, body: bytes) -> Any:
        """Version 1's data objects of a body that was told of before.

        Raises:
            msgspec.DecodeError: the body is not JSON.
        """
        return as_data(parse_json(body), self._reader)

    @property
    def is_list(self) -> bool:
        """Whether answers are lists."""
        return isinstance(self.shape, ListType)

    @cached_property
    def shape(self) -> Any:
        """msgspec's description of the type, made when first needed."""
        return type_info(self._declared)

    @cached_property
    def _closed(self) -> msgspec.json.Decoder[Any]:
        """Refuses bodies with unknown fields, in a third of the time that it takes to find them."""
        return msgspec.json.Decoder(closed(self.shape))

    @cached_property
    def _reader(self) -> Reader:
        return reader_of(self.shape)

    def _leniently(self, body: bytes, drift: Drift) -> T:
        data: T = lenient(parse_json(body), self.shape, "$", drift)
        return data

    def _wants_sample(self) -> bool:
        self._large_seen = seen = self._large_seen + 1  # two threads may count one: it is a sample
        return seen % SAMPLE_EVERY == 0 or (seen < SAMPLE_EVERY and seen & (seen - 1) == 0)


_UNFIT = (msgspec.ValidationError, UnicodeDecodeError, RecursionError)
"""What the strict decoder raises for JSON of another type, and for some of what is no JSON; `parse_json` tells."""


_NAMES = ((dict, "object"), (list, "array"), (str, "string"), (bool, "boolean"), (type(None), "null"))


def _name(data: object) -> str:
    """JSON's word for what this is."""
    return next((name for kind, name in _NAMES if isinstance(data, kind)), "number")


def lenient(data: Any, shape: object, place: str, drift: Drift) -> Any:
    """Build what can be built of ``data`` in this type."""
    read = _READERS.get(type(shape))
    return data if read is None else read(data, shape, place, drift)


def _struct(data: Any, shape: StructType, place: str, drift: Drift) -> Any:
    if not is_object(data):
        drift.note(place, f"{_name(data)} in place of an object")
        return data
    fields = fields_of(shape).by_name
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in data:
            values[field.name] = lenient(data[name], field.type, f"{place}.{name}", drift)
        elif field.required:
            drift.note(f"{place}.{name}", "missing")
            values[field.name] = None
    for name in data:
        if name not in fields:
            drift.note(f"{place}.{name}", "unknown field")
    return shape.cls(**values)


def _list(data: Any, shape: ListType, place: str, drift: Drift) -> Any:
    if not is_array(data):
        drift.note(place, f"{_name(data)} in place of an array")
        return [] if data is None else data
    return [lenient(item, shape.item_type, f"{place}[]", drift) for item in data]


def _dict(data: Any, shape: DictType, place: str, drift: Drift) -> Any:
    if not is_object(data):
        drift.note(place, f"{_name(data)} in place of an object")
        return data
    return {name: lenient(item, shape.value_type, f"{place}.*", drift) for name, item in data.items()}


def _union(data: Any, shape: UnionType, place: str, drift: Drift) -> Any:
    """``T | None``: the only unions the catalogue has."""
    if data is None and shape.includes_none:
        return None
    options = [option for option in shape.types if not isinstance(option, NoneType)]
    return lenient(data, options[0], place, drift)


def _datetime(data: Any, _shape: DateTimeType, place: str, drift: Drift) -> Any:
    try:
        moment = msgspec.convert(data, datetime.datetime)
    except msgspec.ValidationError:
        drift.note(place, f"{_name(data)} that is no date-time")
        return data
    if moment.tzinfo is None:
        drift.note(place, "date-time without a time zone")
        return moment.replace(tzinfo=datetime.UTC)
    return moment


def _scalar(python_type: type[Any], wanted: str) -> Callable[[Any, Any, str, Drift], Any]:
    def read(data: Any, _shape: Any, place: str, drift: Drift) -> Any:
        try:
            return msgspec.convert(data, python_type)
        except msgspec.ValidationError:
            drift.note(place, f"{_name(data)} in place of {wanted}")
            return data

    return read


_READERS: dict[type[Any], Callable[[Any, Any, str, Drift], Any]] = {
    StructType: _struct,
    ListType: _list,
    DictType: _dict,
    UnionType: _union,
    DateTimeType: _datetime,
    DateType: _scalar(datetime.date, "a date"),
    IntType: _scalar(int, "an integer"),
    FloatType: _scalar(float, "a number"),
    StrType: _scalar(str, "a string"),
    BoolType: _scalar(bool, "a boolean"),
}
