"""Documents of other APIs that are wrong: each error tells the place, and none is of another kind."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from esipy import App
from esipy.core.objects import DataObject
from esipy.exceptions import DocumentError, InvalidCallError
from tests.version1.documents_kit import OPENAPI, SWAGGER


def changed(path: str, value: Any, original: dict[str, Any] = OPENAPI) -> dict[str, Any]:
    """The document with one place changed, named by a pointer."""
    document: dict[str, Any] = json.loads(json.dumps(original))
    steps = [step.replace("~1", "/") for step in path.split("/")[1:]]
    place: Any = document
    for step in steps[:-1]:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(steps[-1]) if isinstance(place, list) else steps[-1]] = value
    return document


PETS = "/paths/~1pets~1{pet_id}"
GET = f"{PETS}/get"
NODES = "/components/schemas/Node"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "#: has to be an object"),
        ({}, "#: neither 'openapi': '3.x' nor 'swagger': '2.0'"),
        ({"swagger": "1.2"}, "#: neither"),
        ({"openapi": "3.0.0"}, "#: has no 'paths'"),
        (changed("/paths", []), "#/paths: has to be an object, not list"),
        (changed(GET, 3), f"#{GET}: has to be an object, not int"),
        (changed(f"{GET}/parameters", {}), f"#{GET}/parameters: has to be an array, not dict"),
        (changed(f"{GET}/parameters/0", {}), f"#{GET}/parameters/0/in: is missing"),
        (changed(f"{GET}/parameters/0/name", 5), f"#{GET}/parameters/0/name: has to be text, not int"),
        (changed(f"{PETS}/parameters", []), f"#{GET}: the path has {{pet_id}}, the parameters have not"),
        (changed(f"{GET}/operationId", "post_photo"), "/post: a second operation with the id 'post_photo'"),
        (changed(f"{NODES}/properties", 1), f"#{NODES}/properties: has to be an object"),
        (changed(f"{NODES}/properties/born/type", 1), "Node/properties/born/type: has to be an array"),
        (changed(NODES, {"$ref": "#/nothing"}), f"#{NODES}: $ref '#/nothing' leads nowhere"),
        (changed(NODES, {"$ref": "other.json#/Node"}), "leads out of the document"),
        (changed(NODES, {"$ref": "https://a.example/b.json"}), "leads out of the document"),
        (changed(NODES, {"$ref": f"#{NODES}"}), "its $ref leads around in a circle"),
        (changed("/servers/0/url", "http://["), "#/servers/0: 'http://[' is no address of a server"),
        (changed("/servers/0/url", "http://me:secret@a.example"), "#/servers/0: a server's address has neither user"),
        (changed("/paths/~1photos?x", {}), "#/paths/~1photos?x: a path has neither spaces, query nor fragment"),
        (changed(f"{GET}/parameters/1/name", "X:\r\nY"), f"#{GET}/parameters/1: 'X:\\r\\nY' is no name of a header"),
        (changed("/servers/0/variables/v", {}), "#/servers/0/variables/v/default: is missing"),
    ],
)  # fmt: skip
def test_errors_name_the_place(write: Callable[[Any], Path], document: Any, told: str) -> None:
    """The document's address and a JSON pointer."""
    path = write(document)
    with pytest.raises(DocumentError) as error:
        App.create(str(path))
    assert told in str(error.value)
    assert str(error.value).startswith(path.as_uri())


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "'' is no address of a document"),
        (None, "None is no address of a document"),
        ("http://[", "is no address of a document"),
        ("http://me:secret@a.example/swagger.json", "^a document's address has no user in it$"),
        ("ftp://a.example/swagger.json", "cannot read documents by ftp://"),
        ("/nowhere/at/all.json", "/nowhere/at/all.json: No such file or directory"),
        ("nowhere.json", "nowhere.json: No such file"),
    ],
)
def test_addresses_that_lead_nowhere(address: Any, told: str) -> None:
    """A ValueError, as in version 1."""
    with pytest.raises(ValueError, match=told):
        App.create(address)


def test_what_is_no_document_is_told(shop: str, write: Callable[[Any], Path]) -> None:
    """A status, HTML, and a file that is no JSON."""
    with pytest.raises(DocumentError, match="/nothing: HTTP status 404"):
        App.create(f"{shop}/nothing")
    with pytest.raises(DocumentError, match="/text: not JSON"):
        App.create(f"{shop}/text")
    with pytest.raises(DocumentError, match="not JSON"):
        App.create(str(write(b"openapi: 3.1.0\n")))
    with pytest.raises(DocumentError, match=r"not JSON: .*(nested|depth|recursion)"):
        App.create(str(write(b"[" * 100_000)))


def places(value: Any, pointer: str = "") -> Iterator[str]:
    """The pointer of every value in a document, its own left out."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        below = f"{pointer}/{str(name).replace('/', '~1')}"
        yield below
        yield from places(item, below)


ODD: list[Any] = [None, True, 7, "", "http://[", "{x}", [], [None], {}, {"": 1}, {"$ref": "#/info"}, {"type": []}]


@pytest.mark.parametrize("document", [OPENAPI, SWAGGER], ids=["openapi", "swagger"])
def test_no_document_is_wrong_in_another_way(write: Callable[[Any], Path], document: dict[str, Any]) -> None:
    """Whatever stands at whatever place: it is read and its calls are built, or the error is one of ours."""
    for pointer in places(document):
        for odd in ODD:
            path = write(changed(pointer, odd, document))
            try:
                app = App.create(str(path))
                for operation in app.op.values():
                    assert operation.id == pickle.loads(pickle.dumps(operation)).id
                    operation.shaped(DataObject())
                    operation(pet_id=1)
            except (DocumentError, InvalidCallError):
                continue


def test_a_schema_that_refers_around_is_read(write: Callable[[Any], Path]) -> None:
    """Many schemas that all contain each other: each is read once."""
    names = [f"S{number}" for number in range(60)]
    fields = {name: {"$ref": f"#/components/schemas/{name}"} for name in names} | {
        "at": {"type": "string", "format": "date-time"}
    }
    document = json.loads(json.dumps(OPENAPI)) | {"servers": [{"url": "http://127.0.0.1:9"}]}
    document["components"]["schemas"] |= {name: {"properties": fields} for name in names}
    document["components"]["schemas"]["Node"] = {"$ref": "#/components/schemas/S0"}
    operation = App.create(str(write(document))).op["get_pet"]
    data = operation.shaped(DataObject(S1=DataObject(S2=DataObject(at="2026-08-04T11:05:00Z"))))
    assert 2026 == data.S1.S2.at.v.year
