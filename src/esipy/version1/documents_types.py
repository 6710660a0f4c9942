"""Schemas of other documents, as far as data objects need them: which texts are dates, and what is in what.

What is kept is plain data, so that operations are pickled by value: a word (``any``, ``date``, ``datetime``), or a pair
of a word and what is in it (``list``, ``map``, ``object``, and ``ref`` with the pointer of another schema). What a
schema leaves open (``oneOf``, ``anyOf``) is as JSON says it: there is no telling which one came.

Source: OpenAPI 3.1 and Swagger 2.0, Schema Object; JSON Schema 2020-12.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from msgspec.inspect import type_info

from esipy.core.objects import DataObject, Reader, reader_of
from esipy.version1.documents_places import Place

__all__ = ["Outline", "Outlines", "SchemaReader", "dated", "reachable", "types_of"]

Outline = Any
Outlines = dict[str, Outline]
"""Outlines by the pointers of their schemas."""

_WORDS = {("string", "date-time"): "datetime", ("string", "date"): "date"}
_READERS: dict[str, Reader] = {
    "datetime": reader_of(type_info(datetime.datetime)),
    "date": reader_of(type_info(datetime.date)),
}


class SchemaReader:
    """Reads the schemas of one document, each once.

    Attributes:
        outlines: what was read; schemas refer to each other by it.
    """

    def __init__(self) -> None:
        self.outlines: Outlines = {}

    def outline(self, schema: Place) -> Outline:
        """What is kept of a schema.

        Raises:
            DocumentError: it is no schema.
        """
        if not schema.is_there or isinstance(schema.value, bool):
            return "any"
        known = self.outlines.get(schema.pointer)
        if known is None:
            self.outlines[schema.pointer] = "any"  # what it is within itself is seen when it is used: by its pointer
            known = self.outlines[schema.pointer] = self._read(schema)
            if isinstance(known, str):
                return known
        return ("ref", schema.pointer)

    def _read(self, schema: Place) -> Outline:
        parts = [self._behind(self.outline(part)) for part in schema.get("allOf").items()]
        properties = {name: self.outline(field) for name, field in schema.get("properties").fields()}
        for part in parts:
            if part[0] == "object":
                properties = {**part[1], **properties}
        if properties:
            return ("object", properties)
        if len(parts) == 1:
            return parts[0]
        kinds = types_of(schema)
        if kinds == ["array"]:
            return ("list", self.outline(schema.get("items")))
        if kinds == ["object"]:
            return ("map", self.outline(schema.get("additionalProperties")))
        return _WORDS.get((kinds[0], schema.get("format").text_or("")), "any") if len(kinds) == 1 else "any"

    def _behind(self, kept: Outline) -> Outline:
        return self.outlines[kept[1]] if kept[0] == "ref" else kept


def types_of(schema: Place) -> list[str]:
    """The JSON types a schema names, ``null`` left out: since 3.1 there may be several."""
    named = schema.get("type")
    if not named.is_there:
        return []
    names = [named.text()] if isinstance(named.value, str) else [name.text() for name in named.items()]
    return [name for name in names if name != "null"]


def dated(data: Any, kept: Outline, outlines: Mapping[str, Outline]) -> Any:
    """Data objects with their dates read, in place; what does not fit its outline is left as it came."""
    if isinstance(kept, str):
        return _READERS[kept](data) if kept in _READERS else data
    kind, inner = kept
    if kind == "ref":
        return dated(data, outlines[inner], outlines)
    if kind == "list" and isinstance(data, list):
        data[:] = [dated(item, inner, outlines) for item in data]  # pyright: ignore[reportUnknownVariableType]
    elif kind == "map" and isinstance(data, DataObject):
        data.update({name: dated(item, inner, outlines) for name, item in data.items()})
    elif kind == "object" and isinstance(data, DataObject):
        data.update({name: dated(data[name], field, outlines) for name, field in inner.items() if name in data})
    return data  # pyright: ignore[reportUnknownVariableType]


def reachable(kept: Outline, outlines: Mapping[str, Outline]) -> Outlines:
    """The outlines that one needs."""
    found: Outlines = {}
    waiting = [kept]
    while waiting:
        now = waiting.pop()
        if isinstance(now, str):
            continue
        kind, inner = now
        if kind == "object":
            waiting.extend(inner.values())
        elif kind != "ref":
            waiting.append(inner)
        elif inner not in found:
            found[inner] = outlines[inner]
            waiting.append(outlines[inner])
    return found
