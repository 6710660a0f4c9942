"""Documents of other APIs: read from files and addresses, called at their own servers, wrong ones told."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from esipy import App, EsiClient, EsiSecurity, ops
from esipy.core.objects import DataObject
from esipy.exceptions import AnswerTooLargeError, DocumentError, InvalidCallError
from esipy.sandbox import RunningSandbox, serve
from tests.client.colours import UA

NODE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "born": {"type": "string", "format": "date-time"},
        "a-day": {"type": ["string", "null"], "format": "date"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
        "by_name": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Node"}},
    },
}
OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "servers": [{"url": "/api/{v}/", "variables": {"v": {"default": "v1"}}}],
    "paths": {
        "/pets/{pet_id}": {
            "parameters": [{"$ref": "#/components/parameters/Pet"}],
            "get": {
                "operationId": "get_pet",
                "tags": ["pets"],
                "security": [{"key": []}],
                "parameters": [
                    {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "X-Mood", "in": "header", "schema": {"type": "string"}},
                    {"name": "id", "in": "query", "schema": {"type": "integer", "default": 3}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}},
                    "default": {"description": "an error"},
                },
            },
            "patch": {"requestBody": {"content": {"application/json": {"schema": {}}}}, "responses": {"204": {}}},
        },
        "/photos": {
            "post": {"operationId": "post_photo", "requestBody": {"content": {"image/png": {}}}, "responses": {}}
        },
        "/elsewhere": {
            "servers": [{"url": "https://other.example/base"}],
            "get": {"operationId": "get_elsewhere", "responses": {"2XX": {}}},
        },
    },
    "components": {
        "parameters": {"Pet": {"name": "pet_id", "in": "path", "required": True, "schema": {"type": "integer"}}},
        "schemas": {"Node": NODE},
    },
}
SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Shop", "version": "1"},
    "basePath": "/shop",
    "parameters": {"page": {"name": "page", "in": "query", "type": "integer", "default": 1}},
    "paths": {
        "/things/{thing_id}/": {
            "get": {
                "operationId": "get_thing",
                "parameters": [
                    {"name": "thing_id", "in": "path", "type": "string", "required": True},
                    {"$ref": "#/parameters/page"},
                ],
                "responses": {"200": {"schema": {"allOf": [{"$ref": "#/definitions/Base"}, {"type": "object"}]}}},
            },
            "put": {
                "operationId": "put_thing",
                "parameters": [
                    {"name": "thing_id", "in": "path", "type": "string", "required": True},
                    {"name": "thing", "in": "body", "required": True, "schema": {"type": "object"}},
                ],
                "responses": {"204": {}},
            },
        },
        "/forms": {
            "post": {
                "operationId": "post_form",
                "parameters": [{"name": "x", "in": "formData", "type": "string"}],
                "responses": {"200": {}},
            }
        },
    },
    "definitions": {
        "Base": {"type": "object", "properties": {"made": {"type": "string", "format": "date-time"}}},
    },
}
ANSWERS: dict[str, Any] = {
    "/api/v1/pets/7": {
        "name": "a",
        "born": "2026-08-04T11:05:00Z",
        "a-day": "2026-08-04",
        "children": [{"name": "b", "born": "2026-08-04T11:05:00Z", "children": []}],
        "by_name": {"c": {"a-day": None, "born": "soon"}},
    },
    "/shop/things/x/": {"made": "2026-08-04T11:05:00Z", "extra": 1},
}


class Shop(BaseHTTPRequestHandler):
    """Serves the two documents and what they describe; remembers what came."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, dict[str, str], bytes]]
    status_of: dict[str, int]

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen.append((self.command, self.path, headers, self.rfile.read(length)))
        path = self.path.partition("?")[0]
        found: Any = {"/openapi.json": OPENAPI, "/v/swagger.json": SWAGGER, "/text": "no JSON"}.get(
            path, ANSWERS.get(path)
        )
        if path.startswith("/moved"):
            return self.give(301, b"", ("Location", "/openapi.json" if path == "/moved" else path))
        if path == "/to-a-file":
            return self.give(302, b"", ("Location", "file:///etc/hostname"))
        if self.command != "GET":
            return self.give(204, b"")
        if found is None:
            return self.give(404, b"{}")
        return self.give(200, b"<html>" if found == "no JSON" else json.dumps(found).encode())

    do_PATCH = do_PUT = do_GET

    def give(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def shop(server: ThreadingHTTPServer) -> str:
    """The address of the other API."""
    Shop.seen = []
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def client() -> Iterator[Any]:
    with EsiClient(headers=UA, base_url="http://127.0.0.1:9") as client:  # nothing may go to ESI's address
        yield client


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes a document into a file."""

    def written(document: Any) -> Path:
        path = tmp_path / "api.json"
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        return path

    return written


# ---- reading ----


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


# ---- calling ----


def test_a_call_goes_to_the_documents_server(shop: str, client: Any) -> None:
    """With its parameters, its header and nothing of ESI's; dates at every depth are read."""
    call = App.create(f"{shop}/openapi.json").op["get_pet"](pet_id="7", tag="a,b", X_Mood="good")
    response = client.request(call)
    method, path, headers, _ = Shop.seen[-1]
    assert ("GET", "/api/v1/pets/7?tag=a&tag=b", "good") == (method, path, headers["x-mood"])
    assert set() == {name for name in headers if name.startswith("x-")} - {"x-mood"}
    assert headers["user-agent"].startswith(UA["User-Agent"])
    data = response.data
    assert (2026, 2026) == (data.born.v.year, data["a-day"].v.year)
    assert (5, None, "soon") == (data.children[0].born.v.minute, data.by_name.c["a-day"], data.by_name.c.born)
    assert f"{shop}/api/v1/pets/7?tag=a&tag=b" == response.url


def test_bodies_and_merged_schemas(shop: str, client: Any) -> None:
    """JSON as it is given, under the document's own name; ``allOf`` is one object."""
    op = App.create(f"{shop}/v/swagger.json").op
    assert 204 == client.request(op["put_thing"](thing_id="x", thing={"a": [1, None]})).status
    assert ("PUT", "/shop/things/x/", b'{"a":[1,null]}') == (Shop.seen[-1][0], Shop.seen[-1][1], Shop.seen[-1][3])
    data = client.request(op["get_thing"](thing_id="x")).data
    assert (11, 1) == (data.made.v.hour, data.extra)
    patch = App.create(f"{shop}/openapi.json").op["patch_pets_pet_id"]
    assert [204, 204] == [client.request(patch(pet_id=1, **body)).status for body in ({}, {"body": [1]})]


def test_T45_a_login_for_esi_is_not_sent_elsewhere(shop: str) -> None:
    """Neither the login's token, nor what the client's user set as headers for ESI."""
    with serve() as box:
        security = EsiSecurity(box.redirect_uri, box.client_id, box.secret_key, headers=UA, sso_url=box.sso_url)
        security.update_token(box.login())
        headers = {**UA, "X-Secret": "s"}
        with EsiClient(security, headers=headers, base_url=box.url) as client:
            client.request(App.create(f"{shop}/openapi.json").op["get_pet"](pet_id=7))
    assert set() == {"authorization", "x-secret"} & set(Shop.seen[-1][2])


def test_a_security_of_the_users_own_decides(shop: str) -> None:
    """A callable may sign for the other API: it sees what the document asks for."""

    def sign(request: Any) -> Any:
        if request._security == [{"key": []}]:
            request._p["header"]["X-Api-Key"] = "k"
        return request

    with EsiClient(sign, headers=UA) as client:  # type: ignore[arg-type]
        client.request(App.create(f"{shop}/openapi.json").op["get_pet"](pet_id=7))
    assert "k" == Shop.seen[-1][2]["x-api-key"]


def test_an_answer_of_one_api_is_never_anothers(shop: str, client: Any) -> None:
    """The same id in two documents: two operations, two answers."""
    other = json.loads(json.dumps(SWAGGER))
    other["definitions"]["Base"]["properties"] = {}
    first = App.create(f"{shop}/v/swagger.json").op["get_thing"](thing_id="x")
    assert first != App.create(f"{shop}/openapi.json").op["get_pet"](pet_id=7)
    ANSWERS["/shop2/things/x/"] = {"other": True}
    SWAGGER["basePath"] = "/shop2"
    try:
        second = App.create(f"{shop}/v/swagger.json").op["get_thing"](thing_id="x")
    finally:
        SWAGGER["basePath"] = "/shop"
    assert first != second
    assert first.operation.id != second.operation.id
    assert ("extra", "other") == tuple(list(client.request(call).data)[-1] for call in (first, second))


def test_operations_are_pickled_by_value(shop: str) -> None:
    """A worker that never saw the document can send the call, and read its dates."""
    app = App.create(f"{shop}/openapi.json")
    call: Any = app.op["get_pet"](pet_id=7, X_Mood="good")
    again = pickle.loads(pickle.dumps(call))
    assert (call, call.url, call.headers) == (again, again.url, again.headers)
    with EsiClient(headers=UA) as client:
        assert 2026 == client.request(again).data.children[0].born.v.year
    assert list(app.op) == list(pickle.loads(pickle.dumps(app)).op)


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("get_pet", {}, "parameter 'pet_id' is missing"),
        ("get_pet", {"pet_id": "x"}, "has to be an integer"),
        ("get_pet", {"pet_id": 1, "tags": "x"}, r"unknown parameter 'tags'; did you mean 'tag'\?"),
        ("get_pet", {"pet_id": 1, "X-Mood": "a\nb"}, "'X-Mood' has to be ASCII text of one line"),
        ("get_pet", {"pet_id": 1, "token": "x"}, "unknown parameter 'token'"),
        ("post_photo", {}, "a body that is no JSON, and only JSON is sent"),
        ("patch_pets_pet_id", {"pet_id": 1, "body": object()}, "has to be JSON data"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    write: Callable[[Any], Path], name: str, given: dict[str, Any], told: str
) -> None:
    """A ValueError with the operation's and the parameter's name."""
    document = OPENAPI | {"servers": [{"url": "http://127.0.0.1:9"}]}
    with pytest.raises(InvalidCallError, match=f"{name}: .*{told}"):
        App.create(str(write(document))).op[name](**given)


def test_forms_and_documents_without_a_server_are_refused(write: Callable[[Any], Path]) -> None:
    """Reading them is no error; calling is."""
    op = App.create(str(write(SWAGGER | {"host": "a.example"}))).op
    with pytest.raises(InvalidCallError, match="post_form: it takes a form, and only JSON is sent"):
        op["post_form"](x="y")
    op = App.create(str(write(SWAGGER))).op
    with pytest.raises(InvalidCallError, match="get_thing: its document names no server, and was not fetched from one"):
        op["get_thing"](thing_id="x")


# ---- what is wrong is told with its place ----


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


def test_a_sandbox_is_esi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ``ESI_BASE_URL`` leads, every document is the catalogue."""
    with serve() as box:
        monkeypatch.setenv("ESI_BASE_URL", box.url)
        assert ops.names() == tuple(App.create(f"{box.url}/latest/swagger.json").op)
        assert [] == received(box)


def received(box: RunningSandbox) -> list[Any]:
    """What the sandbox was asked."""
    return box.received()


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
