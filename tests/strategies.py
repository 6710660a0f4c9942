"""Random calls from the catalogue: every operation, every parameter, within what ESI declares."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import msgspec
import msgspec.inspect
from hypothesis import strategies as st

from esipy.core.parameters import Parameter
from esipy.operation import Operation

IDS = st.integers(1, 2**40)
TEXT = st.text(st.characters(min_codepoint=48, max_codepoint=122, categories=["L", "N"]), min_size=3, max_size=12)


def arguments(operation: Operation[Any], fixed: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments that ESI takes: all required ones, any of the optional ones; ``fixed`` ones wherever they occur."""
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for parameter in operation.parameters:
        if parameter.name in ("before", "after") and operation.pagination == "cursor":
            values: st.SearchStrategy[Any] = st.just("0")  # a cursor of one's own making is none; 0 is the list's end
        elif parameter.name in fixed:
            values = st.just(fixed[parameter.name])
        else:
            values = argument(operation, parameter)
        (required if parameter.required and parameter.default is None else optional)[parameter.name] = values
    if "before" in optional:  # of the two ends of a cursor only one may be given
        optional.pop("after", None)
    return st.fixed_dictionaries(required, optional=optional)


def argument(operation: Operation[Any], parameter: Parameter) -> st.SearchStrategy[Any]:
    """Values of one parameter."""
    texts = st.sampled_from(parameter.choices) if parameter.choices else TEXT
    bounds = {"min_size": parameter.min_items or 1, "max_size": 5}
    low = int(parameter.minimum) if parameter.minimum is not None else 1
    high = int(parameter.maximum) if parameter.maximum is not None else low + 2**40
    integers = st.integers(low, min(high, 3) if parameter.name == "page" else high)
    table: dict[str, st.SearchStrategy[Any]] = {
        "integer": integers,
        "number": st.floats(
            parameter.minimum if parameter.minimum is not None else -10,
            parameter.maximum if parameter.maximum is not None else 10,
        ).map(lambda number: round(number, 2)),
        "boolean": st.booleans(),
        "string": texts,
        "integers": st.lists(integers, unique=True, **bounds),
        "strings": st.lists(texts, unique=True, **bounds),
    }
    if parameter.kind == "object":
        return struct(msgspec.inspect.type_info(operation.struct_type(parameter)))
    return table[parameter.kind]


def struct(shape: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Plain data that fits a Struct."""
    choices = getattr(sys.modules[shape.cls.__module__], "CHOICES", {})
    fields = {
        field.encode_name: value(field.type, choices.get(f"{shape.cls.__name__}.{field.encode_name}", ()))
        for field in shape.fields
    }
    needed = {field.encode_name for field in shape.fields if field.required}
    return st.fixed_dictionaries(
        {name: field for name, field in fields.items() if name in needed},
        optional={name: field for name, field in fields.items() if name not in needed},
    )


def value(shape: Any, choices: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """Plain data that fits a type, as msgspec describes it."""
    kind = type(shape).__name__
    if kind == "Metadata":
        return value(shape.type, choices)
    if kind == "UnionType":
        return value(next(option for option in shape.types if type(option).__name__ != "NoneType"), choices)
    if kind == "StructType":
        return struct(shape)
    if kind == "ListType":
        high = min(shape.max_length or 3, 3)
        return st.lists(value(shape.item_type, choices), min_size=shape.min_length or 0, max_size=high, unique_by=repr)
    if kind == "StrType" and choices:
        return st.sampled_from(choices)
    if kind == "StrType":
        high = min(shape.max_length or 12, 12)
        return st.text("abcdefgh", min_size=min(shape.min_length or 1, high), max_size=high)
    if kind == "IntType":
        return st.integers(shape.ge if shape.ge is not None else 1, shape.le if shape.le is not None else 2**40)
    table: dict[str, st.SearchStrategy[Any]] = {
        "FloatType": st.floats(0, 100),
        "BoolType": st.booleans(),
        "DateTimeType": st.just(datetime.datetime(2026, 8, 4, tzinfo=datetime.UTC)),
        "DictType": st.just({}),
    }
    return table[kind]
