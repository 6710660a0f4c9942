"""Version 1's data objects: dicts with attributes at every depth, and date-times with ``.v``.

They hold what came, unknown fields too, and are plain JSON again for ``json.dumps``: a date-time is a text that
also answers as a moment. Which texts are date-times is read from the declared type, as version 1 read it from
ESI's document. A field with the name of a dict's method (``items``) is an item only: ``data["items"]``.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeGuard

import msgspec
from msgspec.inspect import DateTimeType, DateType, DictType, ListType, NoneType, StructType, UnionType

from esipy.exceptions import MissingFieldError

__all__ = ["DataDate", "DataDateTime", "DataObject", "Reader", "as_data", "is_array", "is_object", "reader_of"]

Reader = Callable[[Any], Any]
"""Turns decoded JSON into data objects."""


class DataObject(dict[str, Any]):
    """A JSON object: ``data.name`` and ``data["name"]`` are the same."""

    __slots__ = ()

    def __missing__(self, name: str) -> Any:
        raise MissingFieldError(f"no field {name!r} in this answer; it has {', '.join(self) or 'none'}")

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self:
            self.__missing__(name)
        del self[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def copy(self) -> DataObject:
        """A shallow copy, with attributes too."""
        return DataObject(self)


class _Dated(str):
    """A text that means a date: among themselves compared as texts, which sort as what they mean."""

    __slots__ = ()

    @property
    def v(self) -> datetime.date:
        """The date."""
        return datetime.date.fromisoformat(self)

    def to_json(self) -> str:
        """ISO 8601, as version 1 wrote it: this text."""
        return str(self)

    # The hash is the text's. As keys among datetimes, take ``.v``.
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return self.v == other if isinstance(other, datetime.date) else str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return self.v < other if isinstance(other, datetime.date) else str.__lt__(self, other)

    def __le__(self, other: Any) -> bool:
        return self.v <= other if isinstance(other, datetime.date) else str.__le__(self, other)

    def __gt__(self, other: Any) -> bool:
        return self.v > other if isinstance(other, datetime.date) else str.__gt__(self, other)

    def __ge__(self, other: Any) -> bool:
        return self.v >= other if isinstance(other, datetime.date) else str.__ge__(self, other)


class DataDateTime(_Dated):
    """A date-time as text in UTC, ``2026-08-04T11:05:00+00:00``; ``.v`` is its datetime."""

    __slots__ = ()

    @property
    def v(self) -> datetime.datetime:
        """The moment, aware, in UTC."""
        return datetime.datetime.fromisoformat(self)


class DataDate(_Dated):
    """A date as text, ``2026-08-04``; ``.v`` is its date."""

    __slots__ = ()


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether decoded JSON is an object."""
    return type(value) is dict


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Whether decoded JSON is an array."""
    return type(value) is list


def as_data(value: Any, reader: Reader | None = None) -> Any:
    """Decoded JSON as data objects.

    Args:
        value: what a JSON decoder gave.
        reader: of the declared type, from `reader_of`; None when there is none.

    Raises:
        msgspec.DecodeError: it is nested deeper than Python can follow.
    """
    try:
        return (reader or _plain)(value)
    except RecursionError:
        raise msgspec.DecodeError("JSON is nested too deeply") from None


def reader_of(shape: Any) -> Reader:
    """What turns JSON of this type into data objects; made once for a type, used for each body.

    Args:
        shape: msgspec's description of the type, which does not contain itself.
    """
    match shape:
        case StructType():
            readers = {field.encode_name: reader_of(field.type) for field in shape.fields}
            return partial(_object, {name: reader for name, reader in readers.items() if reader is not _plain})
        case DictType():
            return partial(_mapping, reader_of(shape.value_type))
        case ListType():
            return partial(_array, reader_of(shape.item_type))
        case UnionType():  # ``T | None``: the only unions the catalogue has
            return next((reader_of(option) for option in shape.types if not isinstance(option, NoneType)), _plain)
        case DateTimeType():
            return _moment
        case DateType():
            return _day
        case _:
            return _plain


def _plain(value: Any) -> Any:
    if is_object(value):
        return _object(_NO_READERS, value)
    return [_plain(item) for item in value] if is_array(value) else value


_NO_READERS: Mapping[str, Reader] = {}
_NESTED = frozenset({dict, list})


def _object(readers: Mapping[str, Reader], value: Any) -> Any:
    if not is_object(value):
        return _plain(value)
    data = DataObject(value)
    for name, item in value.items():
        if name in readers:
            data[name] = readers[name](item)
        elif type(item) in _NESTED:
            data[name] = _plain(item)
    return data


def _mapping(reader: Reader, value: Any) -> Any:
    return DataObject({name: reader(item) for name, item in value.items()}) if is_object(value) else _plain(value)


def _array(reader: Reader, value: Any) -> Any:
    return [reader(item) for item in value] if is_array(value) else _plain(value)


def _moment(value: Any) -> Any:
    if type(value) is not str:
        return _plain(value)
    try:
        moment = msgspec.convert(value, datetime.datetime)
        zone = moment.tzinfo
        if zone is not datetime.UTC:
            moment = moment.replace(tzinfo=datetime.UTC) if zone is None else moment.astimezone(datetime.UTC)
    except (msgspec.ValidationError, OverflowError):
        return value  # ESI's mistake is the program's to see, not ours to hide
    return DataDateTime(moment.isoformat())


def _day(value: Any) -> Any:
    if type(value) is not str:
        return _plain(value)
    try:
        return DataDate(msgspec.convert(value, datetime.date).isoformat())
    except msgspec.ValidationError:
        return value
