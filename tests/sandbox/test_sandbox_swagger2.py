"""The Swagger 2.0 documents that the sandbox serves to version 1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from esipy import ops
from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.swagger2 import VERSIONS, document, meta_document, old_id, old_operations
from esipy.sandbox.swagger2_schemas import BODY_NAMES
from esipy.version1.names import BODY_NAMES as version1_names


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture(scope="module")
def latest() -> dict[str, Any]:
    return document("127.0.0.1:8080")


def ask(
    server: RunningSandbox, target: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, target, headers=headers or {})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def operations_of(whole: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for methods in whole["paths"].values() for one in methods.values()}


def resolve(whole: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    reference = given.get("$ref")
    if reference is None:
        return given
    found: Any = whole
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    assert isinstance(found, dict)
    return found


def references(value: Any) -> Iterator[dict[str, Any]]:
    """Every ``{"$ref": ...}`` of a document."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_is_served_as_a_document_of_this_server(server: RunningSandbox, version: str) -> None:
    """Host and scheme are the sandbox's own, the base path is the version, and the address may name a datasource."""
    answer, body = ask(server, f"/{version}/swagger.json?datasource=tranquility")
    whole = json.loads(body)
    assert (200, "2.0", f"/{version}", ["http"]) == (
        answer.status, whole["swagger"], whole["basePath"], whole["schemes"],
    )  # fmt: skip
    assert server.url == f"http://{whole['host']}"


def test_the_meta_document_lists_every_version(server: RunningSandbox) -> None:
    """Its operations are named as version 1's EsiApp asks for them, at the paths where the documents are."""
    _, body = ask(server, "/swagger.json")
    whole = json.loads(body)
    listed = {methods["get"]["operationId"]: path for path, methods in whole["paths"].items()}
    assert {f"get_{version}_swagger": f"/{version}/swagger.json" for version in VERSIONS} == listed
    assert "get__latest_swagger" in listed
    assert {200} == {ask(server, path)[0].status for path in listed.values()}
    assert whole == meta_document(whole["host"])


def test_a_document_can_be_kept_and_asked_for_again(server: RunningSandbox) -> None:
    """HEAD gives ETag and Expires without a body; who shows the ETag is told that nothing changed."""
    head, nothing = ask(server, "/latest/swagger.json", "HEAD")
    etag = head.headers["ETag"]
    again, empty = ask(server, "/latest/swagger.json", headers={"If-None-Match": etag})
    other, _ = ask(server, "/latest/swagger.json", headers={"If-None-Match": '"another"'})
    assert (200, b"", 304, b"", 200) == (head.status, nothing, again.status, empty, other.status)
    assert head.headers["Expires"] > ""
    assert etag == again.headers["ETag"] == other.headers["ETag"]


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v7/swagger.json", 404),
        ("GET", "/latest/openapi.json", 404),
        ("POST", "/latest/swagger.json", 404),
        ("GET", "/latest/swagger.json?datasource=serenity2", 400),
    ],
)
def test_what_is_no_document_is_refused(server: RunningSandbox, method: str, target: str, status: int) -> None:
    """Other versions, names, methods and datasources are not served."""
    assert status == ask(server, target, method)[0].status


def test_ids_and_paths_are_those_of_that_time(latest: dict[str, Any]) -> None:
    """An id is method and path in snake case, a path ends with a slash; what is newer than the older API is absent."""
    listed = operations_of(latest)
    assert {old_id(one) for one in old_operations()} == set(listed)
    assert {path for path in latest["paths"] if path.endswith("/")} == set(latest["paths"])
    assert {"get_characters_character_id", "get_markets_region_id_orders", "post_universe_names"} <= set(listed)
    assert not {"post_route_origin_system_id_destination_system_id", "get_freelance_jobs"} & set(listed)


def test_private_operations_name_their_scope(latest: dict[str, Any]) -> None:
    """Version 1's login looks for ``evesso``; every scope that is asked for is defined."""
    defined = latest["securityDefinitions"]["evesso"]["scopes"]
    asked = {one["operationId"]: one["security"] for one in operations_of(latest).values() if "security" in one}
    assert [{"evesso": ["esi-wallet.read_character_wallet.v1"]}] == asked["get_characters_character_id_wallet"]
    assert set(defined) == {scope for rules in asked.values() for rule in rules for scope in rule["evesso"]}


def test_every_body_has_its_old_name(latest: dict[str, Any]) -> None:
    """All operations of the older API that have a body are in the table, and the document says so."""
    with_body = {one.name for one in old_operations() if one.body is not None}
    assert with_body == set(BODY_NAMES)
    written = {
        name: parameter["name"]
        for name, operation in operations_of(latest).items()
        for parameter in operation["parameters"]
        if parameter.get("in") == "body"
    }
    assert written == BODY_NAMES
    # Written apart from the library's own table, so that neither can share the other's mistakes.
    assert {**BODY_NAMES, "post_route": "body"} == version1_names


def test_common_parameters_stand_where_they_stood(latest: dict[str, Any]) -> None:
    """``datasource`` everywhere, ``token`` on private ones, ``language`` on localized ones, ``page`` from 1."""
    listed = {
        name: {resolve(latest, parameter)["name"] for parameter in operation["parameters"]}
        for name, operation in operations_of(latest).items()
    }
    assert {"datasource"} == set.intersection(*listed.values())
    assert {"datasource", "If-None-Match", "token", "character_id"} == listed["get_characters_character_id_wallet"]
    assert {"datasource", "If-None-Match", "Accept-Language", "language", "type_id"} == (
        listed["get_universe_types_type_id"]
    )
    assert 1 == latest["parameters"]["page"]["default"]


def test_everything_that_is_referred_to_is_there(latest: dict[str, Any]) -> None:
    """No reference leads nowhere."""
    found = list(references(latest["paths"]))
    assert len(found) > 100
    assert all(resolve(latest, reference) for reference in found)


def test_an_empty_answer_has_no_schema(latest: dict[str, Any]) -> None:
    """A contract without items answers 204 with nothing: there is nothing to describe."""
    responses = operations_of(latest)["get_contracts_public_items_contract_id"]["responses"]
    assert (True, False) == ("schema" in responses["200"], "schema" in responses["204"])
    assert "X-Pages" in responses["200"]["headers"]


def test_the_older_api_takes_version_1s_spellings(server: RunningSandbox) -> None:
    """Under a version, characters and corporations exist without a date, and booleans are Python's."""
    character = server.sandbox.roster.ids[0]
    assert 200 == ask(server, f"/latest/characters/{character}/?datasource=tranquility")[0].status
    assert 404 == ask(server, f"/characters/{character}")[0].status
    token = server.mint(scopes=["esi-search.search_structures.v1"])
    target = f"/characters/{character}/search/?search=Jita&categories=solar_system&strict=True"
    signed = {"Authorization": f"Bearer {token}", "X-Compatibility-Date": ops.COMPATIBILITY_DATE}
    assert (200, 422) == (
        ask(server, f"/v3{target}", headers=signed)[0].status, ask(server, target, headers=signed)[0].status,
    )  # fmt: skip


def test_the_old_route_is_todays_as_a_bare_list(server: RunningSandbox) -> None:
    """``get_route_origin_destination`` is served under a version, and gives the systems that today's gives."""
    _, body = ask(
        server, "/latest/route/30000142/30000160/?datasource=tranquility&flag=shortest&avoid=30000150,30000151"
    )
    route = json.loads(body)
    assert (30000142, 30000160) == (route[0], route[-1])
    assert not {30000150, 30000151} & set(route)
    assert 404 == ask(server, "/route/30000142/30000160")[0].status


def test_the_first_key_may_have_the_name_that_the_real_one_has() -> None:
    """Version 1 looks for ``JWT-Signature-Key``; tokens and the key set say it, until the keys are rotated."""
    with serve(first_kid="JWT-Signature-Key") as server:
        _, body = ask(server, "/oauth/jwks")
        server.rotate_keys()
        _, rotated = ask(server, "/oauth/jwks")
    assert ["JWT-Signature-Key"] == [key["kid"] for key in json.loads(body)["keys"]]
    new, old = (key["kid"] for key in json.loads(rotated)["keys"])
    assert "JWT-Signature-Key" == old != new
