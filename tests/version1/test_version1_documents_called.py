"""Operations of other APIs: called at their own servers, kept apart from ESI and from each other."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from esipy import App, EsiClient, EsiSecurity
from esipy.exceptions import InvalidCallError
from esipy.sandbox import serve
from tests.client.colours import UA
from tests.version1.documents_kit import ANSWERS, OPENAPI, SWAGGER, Shop


@pytest.fixture
def client() -> Iterator[Any]:
    with EsiClient(headers=UA, base_url="http://127.0.0.1:9") as client:  # nothing may go to ESI's address
        yield client


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
