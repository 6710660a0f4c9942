"""One parameter of an operation, as ESI declares it. How a value is checked against that is `esipy.core.arguments`.

Source: ESI's OpenAPI document, ``parameters`` and ``requestBody``.
"""

from __future__ import annotations

from typing import Any, Literal

__all__ = ["Kind", "Parameter", "Where"]

Kind = Literal["integer", "number", "boolean", "string", "integers", "strings", "object", "json"]
Where = Literal["path", "query", "header", "body"]

_WORDS: dict[Kind, str] = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "True or False",
    "string": "text",
    "integers": "a list of integers",
    "strings": "a list of texts",
    "object": "a dict or its Struct",
    "json": "JSON data",
}


class Parameter:
    """One parameter of an operation.

    Attributes:
        name: ESI's name; a body has the name ``body``.
        where: in the path, the query, a header (other documents than ESI's have some), or as the body.
        kind: the JSON type; ``integers`` and ``strings`` are arrays; ``object`` is a body with fields; ``json`` takes
            anything that JSON can say (other documents' bodies).
        required: must be given, unless ``default`` is there.
        default: the value ESI takes when none is given; None when there is none.
        choices: known values (of the items, if it is an array). They are documentation: any text passes.
        minimum, maximum: bounds of a number; None when there is none.
        min_length: how many characters a text has at least; None when not bounded.
        min_items, max_items: how long an array may be; None when not bounded. Checked when the call is sent.
        unique: the items of an array may not repeat. Checked when the call is sent.
        struct: for ``object``: the name of its type in the module's ``types``.
    """

    __slots__ = (
        "choices", "default", "kind", "max_items", "maximum", "min_items", "min_length", "minimum", "name",
        "required", "struct", "unique", "where",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        where: Where,
        kind: Kind,
        *,
        required: bool = False,
        default: Any = None,
        choices: tuple[str, ...] = (),
        minimum: float | None = None,
        maximum: float | None = None,
        min_length: int | None = None,
        min_items: int | None = None,
        max_items: int | None = None,
        unique: bool = False,
        struct: str | None = None,
    ) -> None:
        self.name = name
        self.where: Where = where
        self.kind: Kind = kind
        self.required = required
        self.default = default
        self.choices = choices
        self.minimum = minimum
        self.maximum = maximum
        self.min_length = min_length
        self.min_items = min_items
        self.max_items = max_items
        self.unique = unique
        self.struct = struct

    @property
    def wanted(self) -> str:
        """What it takes, in words, for errors."""
        return self.in_words(self.kind)

    def in_words(self, kind: Kind) -> str:
        """What it takes, or, with the kind of one of its items, what each item has to be."""
        text = _WORDS[kind]
        return f"{text}, such as {', '.join(map(repr, self.choices[:3]))}" if self.choices else text

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, {self.where!r}, {self.kind!r}, required={self.required})"
