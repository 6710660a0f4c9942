"""The Swagger 2.0 documents that ESI served until 2025, and that version 1 is made of, from the catalogue's facts.

Rules: ids are method and path in snake case, as they were then; paths end with a slash; every operation that
existed has ``datasource``, GETs ``If-None-Match``, private ones ``token``, localized ones ``language``. Which routes
stood under which number is no fact of the catalogue: every version's document holds all of them. A document is
written when it is first asked for, with the host at which it was asked for, and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import msgspec

from esipy import ops
from esipy.operation import Operation
from esipy.sandbox.answers import JSON
from esipy.sandbox.esi_access import OLDEST_DATE, asked_tenant
from esipy.sandbox.esi_asked import TENANTS
from esipy.sandbox.esi_freshness import etag_of, has_it
from esipy.sandbox.exchange import SandboxAnswer, SandboxRequest
from esipy.sandbox.swagger2_route import OLD_ROUTE
from esipy.sandbox.swagger2_schemas import answer_schema, parameter_object

__all__ = ["VERSIONS", "Documents", "document", "exists", "meta_document", "old_id", "old_operations"]

VERSIONS = ("latest", "dev", "legacy", "_latest", "_dev", "_legacy", "v1", "v2", "v3", "v4", "v5", "v6")

_LIFETIME_SECONDS = 3600
_LANGUAGES = ["de", "en-us", "fr", "ja", "ru", "zh", "ko", "es"]
# Under today's date they are described anew; the older API had the same two routes.
_REWRITTEN = frozenset({"get_characters_detail", "get_corporations_corporation_id"})

_PARAMETERS: dict[str, dict[str, Any]] = {
    "Accept-Language": {"in": "header", "type": "string", "enum": _LANGUAGES, "default": "en-us"},
    "If-None-Match": {"in": "header", "type": "string"},
    "datasource": {"in": "query", "type": "string", "enum": list(TENANTS), "default": TENANTS[0]},
    "language": {"in": "query", "type": "string", "enum": _LANGUAGES, "default": "en-us"},
    "page": {"in": "query", "type": "integer", "format": "int32", "minimum": 1, "default": 1},
    "token": {"in": "query", "type": "string"},
}
_ERRORS = {
    "400": "bad_request", "401": "unauthorized", "403": "forbidden", "404": "not_found", "420": "error_limited",
    "500": "internal_server_error", "503": "service_unavailable", "504": "gateway_timeout",
}  # fmt: skip


class Documents:
    """The documents of one sandbox, as it serves them: ``/swagger.json`` and ``/<version>/swagger.json``."""

    def __init__(self) -> None:
        self._written = lru_cache(maxsize=32)(_written)

    def answer(self, request: SandboxRequest, now: float) -> SandboxAnswer | None:
        """The document that is asked for; None when the request asks for none.

        Raises:
            Refused: 400, there is no such datasource.
        """
        folder, _, name = request.path.removeprefix("/").rpartition("/")
        if name != "swagger.json" or folder not in ("", *VERSIONS) or request.method not in ("GET", "HEAD"):
            return None
        asked_tenant(request)
        raw, etag = self._written(folder, request.headers.get("host", "127.0.0.1"))
        headers = [
            ("ETag", etag),
            ("Cache-Control", f"public, max-age={_LIFETIME_SECONDS}"),
            ("Expires", formatdate(now + _LIFETIME_SECONDS, usegmt=True)),
        ]
        if "if-none-match" in request.headers and has_it(request.headers, etag, 0):
            return SandboxAnswer(304, headers)
        return SandboxAnswer(200, [JSON, *headers], raw)


def _written(version: str, host: str) -> tuple[bytes, str]:
    raw = msgspec.json.encode(document(host, version) if version else meta_document(host))
    return raw, etag_of(raw)


def exists(operation: Operation[Any], date: str, *, old: bool) -> bool:
    """Whether an operation is there at a compatibility date, or under a version of the older API."""
    if operation is OLD_ROUTE:
        return old
    return operation.since <= date or (old and operation.name in _REWRITTEN)


def old_operations() -> Iterator[Operation[Any]]:
    """The operations that the older API had, in this or an older form."""
    yield from (operation for operation in ops.operations() if exists(operation, OLDEST_DATE, old=True))
    yield OLD_ROUTE


def old_id(operation: Operation[Any]) -> str:
    """The operation's id of that time."""
    segments = [segment.strip("{}") for segment in operation.path.strip("/").split("/")]
    return "_".join([operation.method.lower(), *segments]).replace("-", "_")


def meta_document(host: str) -> dict[str, Any]:
    """The document of documents, at ``/swagger.json``, for a server at ``HOST:PORT``."""
    paths: dict[str, dict[str, Any]] = {}
    for version in VERSIONS:
        operation = {
            "operationId": f"get_{version}_swagger",
            "tags": ["Swagger"],
            "parameters": [_reference("datasource")],
            "responses": {"200": {"description": "a document", "schema": {"type": "object"}}},
        }
        paths[f"/{version}/swagger.json"] = {"get": operation}
    return _head(host) | {"parameters": _common("datasource"), "paths": paths}


def document(host: str, version: str = "latest") -> dict[str, Any]:
    """A version's whole document, for a server at ``HOST:PORT``."""
    paths: dict[str, dict[str, Any]] = {}
    scopes: dict[str, str] = {}
    for operation in old_operations():
        paths.setdefault(f"{operation.path}/", {})[operation.method.lower()] = _operation(operation)
        if operation.scope is not None:
            scopes[operation.scope] = operation.scope
    login = {
        "type": "oauth2",
        "flow": "implicit",
        "authorizationUrl": "https://login.eveonline.com/v2/oauth/authorize",
        "scopes": scopes,
    }
    return _head(host) | {
        "basePath": f"/{version}",
        "securityDefinitions": {"evesso": login},
        "parameters": _common(*_PARAMETERS),
        "definitions": {name: _error_schema(name) for name in _ERRORS.values()},
        "paths": paths,
    }


def _head(host: str) -> dict[str, Any]:
    return {
        "swagger": "2.0",
        "info": {"title": "EVE Swagger Interface (sandbox)", "version": "1.0"},
        "host": host,
        "schemes": ["http"],
        "produces": ["application/json"],
        "consumes": ["application/json"],
    }


def _common(*names: str) -> dict[str, dict[str, Any]]:
    return {name: {"name": name, **_PARAMETERS[name]} for name in names}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/parameters/{name}"}


def _operation(operation: Operation[Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [_reference("datasource")]
    if operation.method == "GET":
        parameters.append(_reference("If-None-Match"))
    if operation.localized:
        parameters += [_reference("Accept-Language"), _reference("language")]
    for parameter in operation.parameters:
        paged = parameter.name == "page" and parameter.where == "query"
        parameters.append(_reference("page") if paged else parameter_object(operation, parameter))
    written: dict[str, Any] = {
        "operationId": old_id(operation),
        "tags": [operation.module.replace("_", " ").title()],
        "parameters": parameters,
        "responses": _responses(operation),
    }
    if operation.scope is not None:
        parameters.append(_reference("token"))
        written["security"] = [{"evesso": [operation.scope]}]
    return written


def _responses(operation: Operation[Any]) -> dict[str, Any]:
    headers: dict[str, Any] = {
        name: {"type": "string"} for name in ("Cache-Control", "ETag", "Expires", "Last-Modified")
    }
    if operation.localized:
        headers["Content-Language"] = {"type": "string"}
    if operation.pagination == "pages":
        headers["X-Pages"] = {"type": "integer", "format": "int32"}
    empty: dict[str, Any] = {"description": "an answer", "headers": headers}
    schema = answer_schema(operation)
    whole = empty if schema is None else {**empty, "schema": schema}
    responses: dict[str, Any] = {str(status): empty if status == 204 else whole for status in operation.statuses}
    if operation.method == "GET":
        responses["304"] = {"description": "not modified", "headers": headers}
    for status, name in _ERRORS.items():
        if (status == "404" and "{" not in operation.path) or (status in ("401", "403") and operation.scope is None):
            continue
        responses[status] = {"description": name, "schema": {"$ref": f"#/definitions/{name}"}}
    return responses


def _error_schema(name: str) -> dict[str, Any]:
    return {"type": "object", "title": name, "required": ["error"], "properties": {"error": {"type": "string"}}}
