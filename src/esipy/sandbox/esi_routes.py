"""Which operation a path and method mean.

Rules: today's paths have no trailing slash and no version; programs written for the older API send
``/latest/.../``, ``/v1/.../``, ``/legacy/`` or ``/dev/``, and mean the same operation. A literal segment wins
over a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from esipy.operation import Operation

__all__ = ["Match", "Router"]

_VERSION = re.compile(r"_?(latest|legacy|dev)|v[1-9]\d?")


@dataclass(frozen=True, slots=True)
class Match:
    """What a path leads to.

    Attributes:
        path: without version and trailing slash: one name for one thing.
        methods: the operations at this path, by method.
        values: the texts in the path, unescaped, in the order in which they stand.
        old: the path had a version, as the older API's had.
    """

    path: str
    methods: dict[str, Operation[Any]]
    values: tuple[str, ...]
    old: bool


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    parameter: _Node | None = None
    methods: dict[str, Operation[Any]] = field(default_factory=dict[str, Operation[Any]])


class Router:
    """A tree of path segments."""

    def __init__(self, operations: Iterable[Operation[Any]]) -> None:
        self._root = _Node()
        for operation in operations:
            node = self._root
            for segment in operation.path.strip("/").split("/"):
                if segment.startswith("{"):
                    node.parameter = node.parameter or _Node()
                    node = node.parameter
                else:
                    node = node.literals.setdefault(segment, _Node())
            node.methods[operation.method] = operation

    def match(self, path: str) -> Match | None:
        """Find a path as it was sent, still escaped; None when nothing is there."""
        segments = path.removeprefix("/").removesuffix("/").split("/")
        old = len(segments) > 1 and _VERSION.fullmatch(segments[0]) is not None
        if old:
            segments = segments[1:]
        found = _walk(self._root, [unquote(segment) for segment in segments], ())
        if found is None:
            return None
        node, values = found
        return Match("/" + "/".join(segments), node.methods, values, old)


def _walk(node: _Node, segments: list[str], values: tuple[str, ...]) -> tuple[_Node, tuple[str, ...]] | None:
    if not segments:
        return (node, values) if node.methods else None
    segment, rest = segments[0], segments[1:]
    literal = node.literals.get(segment)
    found = _walk(literal, rest, values) if literal is not None else None
    if found is None and node.parameter is not None and segment:
        found = _walk(node.parameter, rest, (*values, segment))
    return found
