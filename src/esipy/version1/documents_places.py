"""A place in a JSON document: its value, and the JSON pointer that says where it is.

Every step down checks what it finds, so that whatever is wrong in a document is told with its place. A ``$ref`` is
followed where a value is asked for, within the document only.

Source: RFC 6901 (JSON pointer); OpenAPI 3.1, Reference Object.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn
from urllib.parse import unquote

import msgspec

from esipy.core.decode import parse_json
from esipy.core.objects import is_array, is_object
from esipy.exceptions import DocumentError

__all__ = ["Place"]

_ABSENT: Any = object()


class Place:
    """One value in a document.

    Attributes:
        value: decoded JSON.
        pointer: ``#/paths/~1pets/get``.
    """

    __slots__ = ("_address", "_root", "pointer", "value")

    def __init__(self, value: Any, pointer: str, root: Any, address: str) -> None:
        self.value = value
        self.pointer = pointer
        self._root = root
        self._address = address

    @classmethod
    def of_document(cls, body: bytes, address: str) -> Place:
        """The whole document.

        Raises:
            DocumentError: it is no JSON object.
        """
        try:
            root = parse_json(body.removeprefix(b"\xef\xbb\xbf"))
        except msgspec.DecodeError as error:
            raise DocumentError(f"{address}: not JSON: {error}") from None
        place = cls(root, "#", root, address)
        if not is_object(root):
            place.refuse("has to be an object")
        return place

    def refuse(self, what: str) -> NoReturn:
        """Raise for this place.

        Raises:
            DocumentError: always.
        """
        raise DocumentError(f"{self._address}{self.pointer}: {what}")

    @property
    def is_there(self) -> bool:
        """Whether the document has this place."""
        return self.value is not _ABSENT

    def get(self, name: str) -> Place:
        """A field of this object, its reference followed; a place that is not there when it has none."""
        if not self.is_there:
            return self
        if not is_object(self.value):
            self.refuse(f"has to be an object, not {type(self.value).__name__}")
        return self._down(name, self.value.get(name, _ABSENT)).resolved()

    def fields(self) -> Iterator[tuple[str, Place]]:
        """The fields of this object, their references followed; none when it is not there."""
        if self.is_there:
            if not is_object(self.value):
                self.refuse(f"has to be an object, not {type(self.value).__name__}")
            for name in self.value:
                yield name, self.get(name)

    def items(self) -> Iterator[Place]:
        """The items of this array, their references followed; none when it is not there."""
        if self.is_there:
            if not is_array(self.value):
                self.refuse(f"has to be an array, not {type(self.value).__name__}")
            for number, item in enumerate(self.value):
                yield self._down(str(number), item).resolved()

    def text(self) -> str:
        """This text; it has to be one."""
        if not isinstance(self.value, str):
            self.refuse("is missing" if not self.is_there else f"has to be text, not {type(self.value).__name__}")
        return self.value

    def text_or(self, default: str) -> str:
        """This text, or another when it is not there or none."""
        return self.value if isinstance(self.value, str) else default

    def resolved(self) -> Place:
        """This place, or the one that its ``$ref`` names.

        Raises:
            DocumentError: the reference leads nowhere, around in a circle, or out of the document.
        """
        place, passed = self, {self.pointer}
        while place.is_there and is_object(place.value) and isinstance(place.value.get("$ref"), str):
            target = place._follow(place.value["$ref"])
            if target.pointer in passed:
                self.refuse("its $ref leads around in a circle")
            passed.add(target.pointer)
            place = target
        return place

    def _follow(self, reference: str) -> Place:
        if not reference.startswith("#"):
            self.refuse(f"$ref {reference!r} leads out of the document: put everything into one")
        value, pointer = self._root, "#"
        for step in unquote(reference[1:]).split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if is_object(value) and name in value:
                value = value[name]
            elif is_array(value) and name.isascii() and name.isdigit() and int(name) < len(value):
                value = value[int(name)]
            else:
                self.refuse(f"$ref {reference!r} leads nowhere")
            pointer = f"{pointer}/{step}"
        return Place(value, pointer, self._root, self._address)

    def _down(self, name: str, value: Any) -> Place:
        step = name.replace("~", "~0").replace("/", "~1")
        return Place(value, f"{self.pointer}/{step}", self._root, self._address)
