"""Whether a request's parameters and body are what the operation takes.

Rules: everything that is wrong is told at once, each with its location and value, as ESI does; a value that
passes comes out in its own type. Shapes and bounds are refused with 422, a body that is not JSON with 400.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import inspect

from esipy.operation import Operation, Parameter
from esipy.sandbox.esi_values import choices_of

__all__ = ["Fault", "Invalid", "check_parameters"]

# What any operation takes besides its own parameters: today's, and those that the older API had.
COMMON_QUERY = frozenset({"compatibility_date", "datasource", "language", "tenant", "token", "user_agent"})
_INT64 = range(-(2**63), 2**63)
_INTEGER = re.compile(r"-?\d{1,19}")


class Fault(NamedTuple):
    """One thing that is wrong: where it stands, what is wrong, and the value that was sent."""

    location: str
    message: str
    value: Any


class Invalid(Exception):
    """A request is refused, for these faults."""

    def __init__(self, status: int, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.status = status
        self.faults = faults


def check_parameters(
    operation: Operation[Any], path_values: Iterable[str], query: list[tuple[str, str]], body: bytes, *, old: bool
) -> dict[str, Any]:
    """Read all arguments of a call.

    Args:
        operation: what is called.
        path_values: the texts in the path, in order.
        query: as sent.
        body: as sent; looked at when the operation takes one.
        old: the path is of the older API, in which arrays were written with commas, and booleans in any case.

    Returns:
        The values by parameter, ``body`` among them; defaults are filled in, absent optional ones are not there.

    Raises:
        Invalid: with everything that is wrong.
    """
    names = re.findall(r"\{(\w+)\}", operation.path)
    texts = dict(zip(names, path_values, strict=True))
    given: dict[str, list[str]] = {}
    for name, text in query:
        given.setdefault(name, []).append(text)
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    known: set[str] = set()
    for parameter in operation.parameters:
        if parameter.where == "path":
            _read(values, faults, parameter, f"path.{parameter.name}", texts[parameter.name])
        elif parameter.where == "query":
            known.add(parameter.name)
            _query(values, faults, parameter, given.get(parameter.name, []), old=old)
    faults += [
        Fault(f"query.{name}", "unknown parameter", values_sent[0])
        for name, values_sent in given.items()
        if name not in known and name not in COMMON_QUERY
    ]
    if faults:
        raise Invalid(422, faults)
    if operation.body is not None:
        values["body"] = _body(operation, operation.body, body)
    return values


def _query(values: dict[str, Any], faults: list[Fault], parameter: Parameter, texts: list[str], *, old: bool) -> None:
    location = f"query.{parameter.name}"
    if not texts:
        if parameter.default is not None:
            values[parameter.name] = parameter.default
        elif parameter.required:
            faults.append(Fault(location, "required parameter is missing", None))
    elif parameter.kind in ("integers", "strings"):
        if old:
            texts = [part for text in texts for part in text.split(",")]
        read = _READERS["integer" if parameter.kind == "integers" else "string"]
        items = [read(text) for text in texts]
        wrong = [text for text, item in zip(texts, items, strict=True) if item is None]
        faults += [Fault(location, f"expected {parameter.kind}", text) for text in wrong]
        if not wrong:
            faults += _array_faults(parameter, location, items)
            values[parameter.name] = items
    elif len(texts) > 1:
        faults.append(Fault(location, "given more than once", texts))
    else:
        text = texts[0].lower() if old and parameter.kind == "boolean" else texts[0]
        _read(values, faults, parameter, location, text)


def _read(values: dict[str, Any], faults: list[Fault], parameter: Parameter, location: str, text: str) -> None:
    value = _READERS[parameter.kind](text)
    if value is None:
        faults.append(Fault(location, f"expected {parameter.kind}", text))
        return
    values[parameter.name] = value
    if parameter.minimum is not None and value < parameter.minimum:
        faults.append(Fault(location, f"expected number >= {parameter.minimum:g}", value))
    elif parameter.maximum is not None and value > parameter.maximum:
        faults.append(Fault(location, f"expected number <= {parameter.maximum:g}", value))
    elif parameter.min_length is not None and len(value) < parameter.min_length:
        faults.append(Fault(location, f"expected at least {parameter.min_length} characters", value))
    elif parameter.choices and value not in parameter.choices:
        faults.append(Fault(location, f"expected one of {', '.join(parameter.choices)}", value))


def _array_faults(parameter: Parameter, location: str, items: list[Any]) -> list[Fault]:
    faults: list[Fault] = []
    if parameter.min_items is not None and len(items) < parameter.min_items:
        faults.append(Fault(location, f"expected at least {parameter.min_items} items", len(items)))
    if parameter.max_items is not None and len(items) > parameter.max_items:
        faults.append(Fault(location, f"expected at most {parameter.max_items} items", len(items)))
    if parameter.unique and len(set(items)) < len(items):
        faults.append(Fault(location, "expected items to be unique", next(i for i in items if items.count(i) > 1)))
    if parameter.choices:
        faults += [
            Fault(f"{location}[{place}]", f"expected one of {', '.join(parameter.choices)}", item)
            for place, item in enumerate(items)
            if item not in parameter.choices
        ]
    return faults


# ---- texts ----


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) and int(text) in _INT64 else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)


def _string(text: str) -> str:
    return text


_READERS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _string,
}


# ---- bodies ----


def _body(operation: Operation[Any], parameter: Parameter, body: bytes) -> Any:
    if not body:
        raise Invalid(400, [Fault("body", "request body is required", None)])
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(400, [Fault("body", f"body is not JSON: {error}", None)]) from None
    if parameter.kind == "object":
        return _object(operation, parameter, data)
    wanted: type = int if parameter.kind == "integers" else str
    try:
        items = msgspec.convert(data, list[Any])
    except msgspec.ValidationError:
        raise Invalid(422, [Fault("body", "expected array", data)]) from None
    faults = [
        Fault(f"body[{place}]", f"expected {'integer' if wanted is int else 'string'}", item)
        for place, item in enumerate(items)
        if type(item) is not wanted or (wanted is int and item not in _INT64)
    ]
    faults = faults or _array_faults(parameter, "body", items)
    if faults:
        raise Invalid(422, faults)
    return items


def _object(operation: Operation[Any], parameter: Parameter, data: Any) -> Any:
    struct = operation.struct_type(parameter)
    try:
        msgspec.convert(data, struct)
    except msgspec.ValidationError as error:
        # msgspec tells the place as "... - at `$.items[0].flag`".
        message, _, place = str(error).partition(" - at `$")
        raise Invalid(422, [Fault("body" + place.rstrip("`"), message, None)]) from None
    faults = list(_field_faults("body", inspect.type_info(struct), data, choices_of(operation)))
    if faults:
        raise Invalid(422, faults)
    return data


def _field_faults(
    location: str, node: inspect.Type, data: Any, choices: dict[str, tuple[str, ...]], known: tuple[str, ...] = ()
) -> Iterable[Fault]:
    """What the types do not say by themselves: known values, and items that may not repeat."""
    if isinstance(node, inspect.Metadata):
        facts = cast("dict[str, Any]", node.extra_json_schema or {})
        if facts.get("uniqueItems") and len(set(data)) < len(data):
            yield Fault(location, "expected items to be unique", data)
        node = node.type
    if isinstance(node, inspect.UnionType):
        node = next(part for part in node.types if not isinstance(part, inspect.NoneType))
        yield from _field_faults(location, node, data, choices, known)
    elif isinstance(node, inspect.StructType):
        for field in node.fields:
            if data.get(field.encode_name) is not None:
                listed = choices.get(f"{node.cls.__name__}.{field.encode_name}", ())
                place = f"{location}.{field.encode_name}"
                yield from _field_faults(place, field.type, data[field.encode_name], choices, listed)
    elif isinstance(node, inspect.ListType):
        for index, item in enumerate(data):
            yield from _field_faults(f"{location}[{index}]", node.item_type, item, choices, known)
    elif known and data not in known:
        yield Fault(location, f"expected one of {', '.join(known[:8])}", data)
