"""Walks through a document: what refers to what, and every name that occurs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

__all__ = ["Schema", "is_array", "is_object", "operations", "property_names", "reachable", "referred"]

Schema = Mapping[str, Any]


def is_object(node: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether it is an object of JSON."""
    return isinstance(node, dict)


def is_array(node: Any) -> TypeGuard[list[Any]]:
    """Whether it is an array of JSON."""
    return isinstance(node, list)


def operations(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every operation, in the document's order."""
    for methods in document["paths"].values():
        yield from methods.values()


def referred(schema: Schema) -> str:
    """The name of the schema that a reference refers to."""
    return str(schema["$ref"]).rpartition("/")[2]


def reachable(schemas: Mapping[str, Schema], node: Any) -> set[str]:
    """The schemas that are referred to from here, directly or through others."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        for name in _references(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def property_names(node: Any) -> Iterator[str]:
    """The name of every property in it."""
    for key, value in _children(node):
        if key == "properties":
            yield from value
        yield from property_names(value)


def _references(node: Any) -> Iterator[str]:
    for key, value in _children(node):
        if key == "$ref" and "/schemas/" in value:
            yield referred(node)
        else:
            yield from _references(value)


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    if is_object(node):
        yield from node.items()
    elif is_array(node):
        for value in node:
            yield "", value
