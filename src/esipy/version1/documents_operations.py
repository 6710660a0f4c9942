"""The operations of other documents: the same kind of value as ESI's, that carry where they are sent.

Rules kept here: an operation goes to the server that its document names, never to ESI's, and no login of ESI's is
sent with it (T45); it holds all it needs, so that it is pickled by value.

Source: OpenAPI 3.1 and Swagger 2.0, Paths, Operation, Parameter and Response Objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from esipy.core.objects import is_array
from esipy.core.parameters import Kind, Parameter, Where
from esipy.exceptions import InvalidCallError
from esipy.operation import Call, Operation
from esipy.version1.documents_places import Place
from esipy.version1.documents_servers import openapi_server, swagger_server
from esipy.version1.documents_types import Outline, Outlines, SchemaReader, dated, reachable, types_of

__all__ = ["DocumentOperation", "read_operations"]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PATH = re.compile(r"/[!\"$->@-~]*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_GOOD = range(200, 300)
_PLACES: dict[str, Where] = {"path": "path", "query": "query", "header": "header", "body": "body"}
_KINDS: dict[str, Kind] = {"integer": "integer", "number": "number", "boolean": "boolean"}


class DocumentOperation(Operation[Any]):
    """An operation of another API than ESI's.

    Attributes:
        base_url: the address before its path; "" when the document names none.
        unsendable: what its requests need that this library cannot send; None when it can.
    """

    __slots__ = ("_outline", "_outlines", "_security", "tags", "unsendable")

    def __init__(
        self,
        id: str,
        name: str,
        method: str,
        path: str,
        *,
        base_url: str,
        parameters: tuple[Parameter, ...],
        statuses: tuple[int, ...],
        outline: Outline,
        outlines: Outlines,
        security: list[dict[str, list[str]]] | None,
        tags: tuple[str, ...],
        unsendable: str | None,
    ) -> None:
        super().__init__(id, name, "", method, path, parameters=parameters, statuses=statuses, base_url=base_url)
        # A header is no part of what a call is compared by here: it is sent as one of the request's own.
        self.by_name = {one.name: one for one in parameters if one.where != "header"}
        self._outline = outline
        self._outlines = outlines
        self._security = security
        self.tags = tags
        self.unsendable = unsendable

    @property
    def security(self) -> list[dict[str, list[str]]] | None:
        """As the document says; None when it says nothing, and for a public operation."""
        return self._security

    def result_type(self) -> Any:
        """Anything: another API's answers are data objects."""
        return Any

    def shaped(self, data: Any) -> Any:
        """The data with the dates that its schema names."""
        return dated(data, self._outline, self._outlines)

    def __call__(self, **arguments: Any) -> Call[Any]:
        """Build a call.

        Raises:
            InvalidCallError: an argument is wrong, or the request cannot be sent.
        """
        if self.unsendable is not None:
            raise InvalidCallError(f"{self.name}: {self.unsendable}")
        return super().__call__(**arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        needed = reachable(self._outline, self._outlines)
        given = {
            "id": self.id, "name": self.name, "method": self.method, "path": self.path, "base_url": self.base_url,
            "parameters": self.parameters, "statuses": self.statuses, "outline": self._outline, "outlines": needed,
            "security": self._security, "tags": self.tags, "unsendable": self.unsendable,
        }  # fmt: skip
        return (_revive, (given,))


def _revive(given: dict[str, Any]) -> DocumentOperation:
    return DocumentOperation(**given)


def read_operations(root: Place, address: str, body: bytes) -> tuple[dict[str, Operation[Any]], set[str]]:
    """All operations by id, and the servers they are at.

    Args:
        root: the document.
        address: where it was read, for servers that are named relative to it.
        body: its bytes, so that operations of two documents are told apart.

    Raises:
        DocumentError: the document is wrong; the text names the place.
    """
    swagger = root.get("swagger").text_or("").startswith("2.")
    if not swagger and not root.get("openapi").text_or("").startswith("3."):
        root.refuse("neither 'openapi': '3.x' nor 'swagger': '2.0'; other forms cannot be read")
    if not root.get("paths").is_there:
        root.refuse("has no 'paths'")
    reader = _Reader(root, address, swagger, sha256(body).hexdigest()[:12])
    found: dict[str, Operation[Any]] = {}
    servers: set[str] = set()
    for path, item in root.get("paths").fields():
        if not path.startswith("/"):
            continue  # an extension
        if not _PATH.fullmatch(path):
            item.refuse("a path has neither spaces, query nor fragment")
        for method in _METHODS:
            place = item.get(method)
            if not place.is_there:
                continue
            operation = reader.read(path, item, method, place)
            if operation.name in found:
                place.refuse(f"a second operation with the id {operation.name!r}")
            found[operation.name] = operation
            servers.add(operation.base_url or "")
    return found, servers


class _Reader:
    """Reads the operations of one document."""

    def __init__(self, root: Place, address: str, swagger: bool, digest: str) -> None:
        self._root = root
        self._address = address
        self._swagger = swagger
        self._digest = digest
        self._schemas = SchemaReader()

    def read(self, path: str, item: Place, method: str, place: Place) -> DocumentOperation:
        name = place.get("operationId").text_or("") or _made_up(method, path)
        parameters, unsendable = self._parameters(path, item, place)
        statuses, schema = self._answer(place)
        if self._swagger:
            base_url = swagger_server(self._root, self._address)
        else:
            base_url = openapi_server((place, item, self._root), self._address)
        if not base_url:
            unsendable = "its document names no server, and was not fetched from one"
        security = place.get("security") if place.get("security").is_there else self._root.get("security")
        return DocumentOperation(
            f"{name}@{self._digest}",
            name,
            method.upper(),
            path,
            base_url=base_url,
            parameters=parameters,
            statuses=statuses,
            outline=self._schemas.outline(schema),
            outlines=self._schemas.outlines,
            security=[_requirement(one) for one in security.items()] or None,
            tags=tuple(tag.text() for tag in place.get("tags").items()),
            unsendable=unsendable,
        )

    def _parameters(self, path: str, item: Place, place: Place) -> tuple[tuple[Parameter, ...], str | None]:
        """Path first, then query, then headers; the body last."""
        found: dict[tuple[str, str], Parameter] = {}
        unsendable: str | None = None
        for one in (*item.get("parameters").items(), *place.get("parameters").items()):
            where = one.get("in").text()
            if where == "formData":
                unsendable = "it takes a form, and only JSON is sent"
            elif where in _PLACES:
                parameter = self._parameter(one, _PLACES[where])
                found[(where, parameter.name)] = parameter
        bodies = place.get("requestBody")
        if bodies.is_there:
            content = [media for kind, media in bodies.get("content").fields() if _is_json(kind)]
            if not content:
                unsendable = "it takes a body that is no JSON, and only JSON is sent"
            found[("body", "body")] = Parameter("body", "body", "json", required=bodies.get("required").value is True)
        for name in re.findall(r"\{([^{}]*)\}", path):
            if ("path", name) not in found:
                place.refuse(f"the path has {{{name}}}, the parameters have not")
        order = list(_PLACES)
        return tuple(sorted(found.values(), key=lambda one: order.index(one.where))), unsendable

    def _parameter(self, one: Place, where: Where) -> Parameter:
        name = one.get("name").text()
        schema = one if self._swagger and where != "body" else one.get("schema")
        required = one.get("required").value is True or where == "path"
        if where == "header" and not _HEADER.fullmatch(name):
            one.refuse(f"{name!r} is no name of a header")
        if where == "body":
            return Parameter(name, where, "json", required=required)
        kind = _kind(schema)
        stated = schema.get("default")
        default: Any = stated.value if stated.is_there else None
        if kind in ("integers", "strings"):
            default = tuple(default) if is_array(default) else None
        return Parameter(name, where, kind, required=required, default=default)

    def _answer(self, place: Place) -> tuple[tuple[int, ...], Place]:
        """The good statuses that are declared, and the schema of the first that has one."""
        statuses: list[int] = []
        found: Place | None = None
        for status, answer in sorted(place.get("responses").fields()):
            if status.upper() == "2XX":
                statuses.extend(_GOOD)
            elif status.isascii() and status.isdigit() and int(status) in _GOOD:
                statuses.append(int(status))
            else:
                continue
            for schema in self._schemas_of(answer):
                found = found or schema
        return tuple(statuses) or (200,), found or place.get("")

    def _schemas_of(self, answer: Place) -> Iterator[Place]:
        if self._swagger:
            places = [answer.get("schema")]
        else:
            places = [media.get("schema") for kind, media in answer.get("content").fields() if _is_json(kind)]
        yield from (place for place in places if place.is_there)


def _requirement(place: Place) -> dict[str, list[str]]:
    return {name: [scope.text() for scope in scopes.items()] for name, scopes in place.fields()}


def _is_json(kind: str) -> bool:
    kind = kind.partition(";")[0].strip().lower()
    return kind in ("application/json", "*/*", "application/*") or kind.endswith("+json")


def _kind(schema: Place) -> Kind:
    name = next(iter(types_of(schema)), "string")
    if name == "array":
        return "integers" if types_of(schema.get("items")) == ["integer"] else "strings"
    return _KINDS.get(name, "string")


def _made_up(method: str, path: str) -> str:
    """An id for an operation that has none: ``get_pets_pet_id``."""
    return "_".join((method, *re.findall(r"[A-Za-z0-9]+", path)))
