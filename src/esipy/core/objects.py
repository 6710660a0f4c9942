"""Version 1's data objects: dicts with attributes at every depth, and date-times with ``.v``.

They hold what came, unknown fields too. Which texts are date-times is read from the declared type, as version 1
read it from ESI's document.
"""

from __future__ import annotations

import datetime
from typing import Any

import msgspec

__all__ = ["DataDate", "DataDateTime", "DataObject", "MissingFieldError", "as_data"]


class MissingFieldError(KeyError, AttributeError):
    """A field that the answer does not have, asked for as an attribute or an item."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class DataObject(dict[str, Any]):
    """A JSON object: ``data.name`` and ``data["name"]`` are the same."""

    def __getattr__(self, name: str) -> Any:
        try:
            return dict.__getitem__(self, name)
        except KeyError:
            if name.startswith("__"):
                raise AttributeError(name) from None
            raise self._missing(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __missing__(self, name: str) -> Any:
        raise self._missing(name)

    def _missing(self, name: str) -> MissingFieldError:
        return MissingFieldError(f"no field {name!r} in this answer; it has {', '.join(self) or 'none'}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (dict(self),))


class DataDateTime(datetime.datetime):
    """An aware datetime that also answers ``.v`` and ``.to_json()``, as version 1's did."""

    @property
    def v(self) -> datetime.datetime:
        """The plain datetime."""
        return datetime.datetime.combine(self.date(), self.timetz())

    def to_json(self) -> str:
        """ISO 8601, as ESI writes it."""
        return self.isoformat().replace("+00:00", "Z")


class DataDate(datetime.date):
    """A date that also answers ``.v`` and ``.to_json()``."""

    @property
    def v(self) -> datetime.date:
        """The plain date."""
        return datetime.date(self.year, self.month, self.day)

    def to_json(self) -> str:
        """ISO 8601."""
        return self.isoformat()


def as_data(value: Any, shape: Any) -> Any:
    """Decoded JSON as data objects.

    Args:
        value: what a JSON decoder gave.
        shape: msgspec's description of the declared type; None when there is none.
    """
    kind = type(shape).__name__
    if type(value) is dict:
        fields: dict[str, Any] = {}
        rest = None
        if kind == "StructType":
            fields = {field.encode_name: field.type for field in shape.fields}
        elif kind == "DictType":
            rest = shape.value_type
        elif kind == "UnionType":
            return as_data(value, _option(shape, "StructType", "DictType"))
        return DataObject((name, as_data(item, fields.get(name, rest))) for name, item in value.items())
    if type(value) is list:
        if kind == "UnionType":
            shape = _option(shape, "ListType")
        item_shape = getattr(shape, "item_type", None)
        return [as_data(item, item_shape) for item in value]
    if type(value) is str and shape is not None:
        if kind == "UnionType":
            kind = type(_option(shape, "DateTimeType", "DateType")).__name__
        if kind == "DateTimeType":
            return _moment(value)
        if kind == "DateType":
            return _day(value)
    return value


def _option(shape: Any, *kinds: str) -> Any:
    return next((option for option in shape.types if type(option).__name__ in kinds), None)


def _moment(text: str) -> Any:
    try:
        moment = msgspec.convert(text, datetime.datetime)
    except msgspec.ValidationError:
        return text  # ESI's mistake is the program's to see, not ours to hide
    zone = moment.tzinfo or datetime.timezone.utc
    return DataDateTime.combine(moment.date(), moment.time(), tzinfo=zone)


def _day(text: str) -> Any:
    try:
        return DataDate.fromisoformat(text)
    except ValueError:
        return text
