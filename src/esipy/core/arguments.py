"""The arguments of a call: how each is checked against its parameter, and put into a body.

Rules kept here: a value that cannot be meant is refused with the operation's and the parameter's name and a way
out; what is let through is plain data (int, float, bool, str, tuples, dicts), in one form for one meaning, so that
calls can be compared. Bounds of single values are refused at once. How many items an array may hold is checked only
when it is sent, so that a longer one can be cut into several calls first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from esipy.core.parameters import Kind, Parameter
from esipy.exceptions import InvalidCallError

__all__ = ["check", "check_size", "encode", "refuse_unknown"]

T = TypeVar("T")

_INTEGERS = range(-(2**63), 2**63)  # ESI's integers are int64
_ITEMS: dict[Kind, Kind] = {"integers": "integer", "strings": "string"}


def check(operation: str, parameter: Parameter, value: Any, struct: Callable[[Parameter], Any]) -> Any:
    """The value as plain data.

    Args:
        operation: its name, for errors.
        parameter: what the value is for.
        value: as it was given, not None.
        struct: gives the type of a body of kind ``object``; called for such a body only.

    Raises:
        InvalidCallError: the value is of the wrong type or out of bounds.
    """
    if parameter.kind == "object":
        return _fields(operation, parameter, value, struct(parameter))
    return _CHECKS[parameter.kind](operation, parameter, value)


def check_size(operation: str, parameter: Parameter, items: tuple[Any, ...]) -> None:
    """Refuse an array that is longer or shorter than ESI takes, or repeats an item where it may not.

    Raises:
        InvalidCallError: names the parameter and the limit or the item.
    """
    low, high, size = parameter.min_items, parameter.max_items, len(items)
    if high is not None and size > high:
        raise InvalidCallError(
            f"{operation}: {parameter.name!r} has {size} items, ESI takes {high} at once: send it in several calls"
        )
    if low is not None and size < low:
        raise InvalidCallError(f"{operation}: {parameter.name!r} has {size} items, ESI wants at least {low}")
    if parameter.unique and len(set(items)) < size:
        twice = next(item for place, item in enumerate(items) if item in items[:place])
        raise InvalidCallError(f"{operation}: {parameter.name!r} holds {twice!r} twice, ESI takes each item once")


def encode(operation: str, value: Any) -> bytes:
    """A checked body as JSON.

    Raises:
        InvalidCallError: a text in it is not Unicode.
    """
    import msgspec

    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError as error:
        raise InvalidCallError(f"{operation}: a text in 'body' cannot be sent: {error.reason}") from None


def refuse_unknown(what: str, name: object, known: Iterable[str]) -> NoReturn:
    """Raise for a name that is not known, with the nearest that is.

    Raises:
        InvalidCallError: always.
    """
    from difflib import get_close_matches  # here: a start without mistakes does not pay for it

    names = list(known)
    near = get_close_matches(str(name), names, 1, 0.6)
    way_out = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(names) or 'none'}"
    raise InvalidCallError(f"{what} {name!r}; {way_out}")


# ---- one function a kind ----


def _refuse(operation: str, parameter: Parameter, value: object, place: int | None = None) -> NoReturn:
    where, kind = ("", parameter.kind) if place is None else (f" at [{place}]", _ITEMS[parameter.kind])
    what = f"{operation}: parameter {parameter.name!r}{where} has to be"
    if kind == "integer" and type(value) is int:
        raise InvalidCallError(f"{what} between -2**63 and 2**63 - 1")  # ESI's integers; a long one cannot be shown
    shown = repr(value)
    shown = shown if len(shown) <= 80 else shown[:80] + "..."
    raise InvalidCallError(f"{what} {parameter.in_words(kind)}, not {type(value).__name__} {shown}")


def _check_bounds(operation: str, parameter: Parameter, value: float) -> None:
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
        raise InvalidCallError(f"{operation}: parameter {parameter.name!r} has to be {bounds}, not {value}")


def _as_integer(value: Any) -> int | None:
    """The value as an int; None when it is not one, or one that ESI cannot hold."""
    if type(value) is not int:
        # Programs of version 1 pass ids as text; numpy's integers and IntEnums answer __index__.
        if isinstance(value, bool):
            return None
        if isinstance(value, str):
            text = value.strip()
            if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 21):
                return None
            value = int(text)
        else:
            try:
                value = int(operator.index(value))
            except TypeError:
                return None
    return value if value in _INTEGERS else None


def _integer(operation: str, parameter: Parameter, value: Any) -> int:
    number = _as_integer(value)
    if number is None:
        _refuse(operation, parameter, value)
    if parameter.minimum is not None or parameter.maximum is not None:
        _check_bounds(operation, parameter, number)
    return number


def _number(operation: str, parameter: Parameter, value: Any) -> float:
    number = None
    if not isinstance(value, (bool, str, bytes)):
        try:
            number = value if type(value) is int else float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    if number is None or number != number or number in (float("inf"), float("-inf")):
        _refuse(operation, parameter, value)
    _check_bounds(operation, parameter, number)
    return int(number) if number == int(number) else number  # 5 and 5.0 are one call


def _boolean(operation: str, parameter: Parameter, value: Any) -> bool:
    if isinstance(value, str):  # as version 1 took it
        value = {"true": True, "false": False}.get(value)
    if isinstance(value, bool):
        return value
    _refuse(operation, parameter, value)


def _as_text(value: Any) -> str | None:
    """The value as a plain str; None when it is not one, or cannot be sent."""
    if not isinstance(value, str):
        return None
    text = str.__str__(value)  # of an enum's member: its value, not its name
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


def _string(operation: str, parameter: Parameter, value: Any) -> str:
    text = _as_text(value)
    if text is None:
        _refuse(operation, parameter, value)
    if parameter.where == "path" and text in ("", ".", ".."):
        raise InvalidCallError(f"{operation}: parameter {parameter.name!r} cannot be {text!r} in a path")
    if parameter.min_length is not None and len(text) < parameter.min_length:
        raise InvalidCallError(
            f"{operation}: parameter {parameter.name!r} has to have at least {parameter.min_length} characters"
        )
    return text


def _several(operation: str, parameter: Parameter, value: Any, read: Callable[[Any], T | None]) -> tuple[T, ...]:
    if isinstance(value, (str, bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        _refuse(operation, parameter, value)  # pyright: ignore[reportUnknownArgumentType]
    items: Iterable[Any] = value  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (set, frozenset)):
        items = sorted(items, key=repr)  # a set has no order; the call has one, the same in each process (T08)
    checked: list[T] = []
    for place, item in enumerate(items):
        found = read(item)
        if found is None:
            _refuse(operation, parameter, item, place)
        checked.append(found)
    return tuple(checked)


def _integers(operation: str, parameter: Parameter, value: Any) -> tuple[int, ...]:
    return _several(operation, parameter, value, _as_integer)


def _strings(operation: str, parameter: Parameter, value: Any) -> tuple[str, ...]:
    return _several(operation, parameter, value, _as_text)


def _json(operation: str, parameter: Parameter, value: Any) -> Any:
    import msgspec

    try:
        return msgspec.to_builtins(value)
    except (TypeError, RecursionError):
        _refuse(operation, parameter, value)


_CHECKS: dict[Kind, Callable[[str, Parameter, Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _string,
    "integers": _integers,
    "strings": _strings,
    "json": _json,
}


def _fields(operation: str, parameter: Parameter, value: Any, struct: Any) -> dict[str, Any]:
    """A body with fields, as plain data in the Struct's own order: from the Struct, or a mapping that fits it."""
    import msgspec

    if not isinstance(value, (Mapping, msgspec.Struct)):
        _refuse(operation, parameter, value)
    try:
        data = msgspec.to_builtins(dict(value) if isinstance(value, Mapping) else value)  # pyright: ignore[reportUnknownArgumentType]
        known: tuple[str, ...] = struct.__struct_encode_fields__
        for name in data:
            if name not in known:
                refuse_unknown(f"{operation}: {parameter.name!r} has no field", name, known)
        given = {name: item for name, item in data.items() if item is not None}
        plain: dict[str, Any] = msgspec.to_builtins(msgspec.convert(given, struct))
    except (TypeError, msgspec.ValidationError) as error:
        raise InvalidCallError(f"{operation}: {parameter.name!r}: {error}") from None
    return plain
