"""Documents of other APIs: read from files and addresses, as version 1 read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esipy import App, ops
from esipy.exceptions import AnswerTooLargeError, DocumentError
from esipy.sandbox import RunningSandbox, serve
from tests.version1.documents_kit import OPENAPI, SWAGGER


def test_an_openapi_document_by_its_address(shop: str) -> None:
    """Its operations by id, by tag and id, and by a made-up id where it has none."""
    app: Any = App.create(f"{shop}/openapi.json")
    assert ["get_pet", "patch_pets_pet_id", "post_photo", "get_elsewhere"] == list(app.op)
    assert app.op["pets", "get_pet"] is app.op["pets!##!get_pet"] is app.op["get_pet"]
    assert ("<App of Pets>", "3.1.0", ["http", "https"]) == (repr(app), app.version, app.schemes)
    assert ("GET", "/pets/{pet_id}", ("pets",)) == (
        app.op["get_pet"].method,
        app.op["get_pet"].path,
        app.op["get_pet"].tags,
    )
    assert f"//{shop[7:]}/api/v1/pets/{{pet_id}}" == app.op["get_pet"].url
    assert "https://other.example/base/elsewhere" == app.op["get_elsewhere"]().url
    with pytest.raises(KeyError, match=r"no operation 'get_pat'; near ones are get_pet"):
        app.op["get_pat"]
    with pytest.raises(KeyError, match="no operation 'xyzzy'; it has 4 others"):
        app.op["xyzzy"]


def test_a_swagger_document_by_its_address(shop: str) -> None:
    """Host and scheme are those it was fetched from, when it names none."""
    app = App.load(f"{shop}/v/swagger.json")
    app.prepare()
    assert ["get_thing", "put_thing", "post_form"] == list(app.op)
    assert (f"{shop}/shop", "2.0") == (app.op["get_thing"].base_url, app.version)


@pytest.mark.parametrize(
    ("stated", "base"),
    [
        ({"host": "a.example"}, "https://a.example/shop"),
        ({"host": "a.example", "schemes": ["http"]}, "http://a.example/shop"),
        ({"host": "a.example", "schemes": ["ws", "http", "https"]}, "https://a.example/shop"),
        ({"host": "a.example:81", "basePath": "/"}, "https://a.example:81"),
    ],
)
def test_swagger_says_where_it_is(write: Callable[[Any], Path], stated: dict[str, Any], base: str) -> None:
    """``schemes``, ``host`` and ``basePath``; https where there is a choice."""
    app = App.create(str(write(SWAGGER | stated)))
    assert base == app.op["get_thing"].base_url


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_document_from_a_file(write: Callable[[Any], Path], form: str) -> None:
    """By path or ``file://``; a byte order mark is passed over."""
    path = write(b"\xef\xbb\xbf" + json.dumps(OPENAPI).encode())
    assert "get_pet" in App.create(form.format(path)).op


def test_a_folder_holds_a_swagger_json(tmp_path: Path) -> None:
    """As pyswagger looked for it."""
    (tmp_path / "swagger.json").write_text(json.dumps(SWAGGER))
    assert "get_thing" in App.create(str(tmp_path)).op


@pytest.mark.parametrize(
    "document",
    [
        SWAGGER | {"host": "esi.evetech.net", "basePath": "/latest"},
        SWAGGER | {"host": "esi.tech.ccp.is", "schemes": ["https"]},
        OPENAPI | {"servers": [{"url": "https://esi.evetech.net"}]},
    ],
)
def test_a_saved_document_of_esi_is_the_catalogue(write: Callable[[Any], Path], document: Any) -> None:
    """Programs shipped ESI's document as a file: today's operations are what they get."""
    text = json.dumps(document).replace("get_pet", "get_status").replace("get_thing", "get_search")
    assert ops.names() == tuple(App.create(str(write(text.encode()))).op)


def test_a_document_of_ones_own_is_read_wherever_it_is_served(write: Callable[[Any], Path]) -> None:
    """Nothing in it is ESI's, so it is no copy of ESI's document, although it names ESI's host."""
    app = App.create(str(write(SWAGGER | {"host": "esi.evetech.net", "schemes": ["https"]})))
    assert "get_thing" in app.op
    assert "get_status" not in app.op


def test_a_document_is_fetched_over_redirects(shop: str) -> None:
    """A bounded number of them, and to HTTP only."""
    assert "get_pet" in App.create(f"{shop}/moved").op
    with pytest.raises(DocumentError, match="moved-in-a-circle: more than 5 redirects"):
        App.create(f"{shop}/moved-in-a-circle")
    with pytest.raises(DocumentError, match="file:///etc/hostname: a document is not fetched from there"):
        App.create(f"{shop}/to-a-file")


def test_T35_a_document_that_is_too_large_is_refused(
    shop: str, write: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is that of answers."""
    monkeypatch.setenv("ESI_MAX_ANSWER_BYTES", "100")
    with pytest.raises(AnswerTooLargeError):
        App.create(f"{shop}/openapi.json")
    with pytest.raises(DocumentError, match="larger than 100 bytes; ESI_MAX_ANSWER_BYTES sets the limit"):
        App.create(str(write(OPENAPI)))


def test_a_sandbox_is_esi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ``ESI_BASE_URL`` leads, every document is the catalogue."""
    with serve() as box:
        monkeypatch.setenv("ESI_BASE_URL", box.url)
        assert ops.names() == tuple(App.create(f"{box.url}/latest/swagger.json").op)
        assert [] == received(box)


def received(box: RunningSandbox) -> list[Any]:
    """What the sandbox was asked."""
    return box.received()
