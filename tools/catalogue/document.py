"""Reads the operations of an OpenAPI document into facts.

Only what is understood is read: a kind of parameter, an answer or a fact that is new stops the tool with the
operation's name, so that a new document is looked at by a person once.

Source: OpenAPI Specification 3.1, sections 4.8.10 to 4.8.17; ESI's own ``x-`` fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.catalogue import naming
from tools.catalogue.schemas import Types
from tools.catalogue.walking import referred

__all__ = ["Operation", "Parameter", "RateGroup", "read_operations", "read_scopes"]

_METHODS = ("get", "post", "put", "delete")
_WALKS = ("from_id", "last_mail_id", "from_event")
# Headers that every operation takes; the client sends them, no call does.
_COMMON = {"AcceptLanguage", "CompatibilityDate", "IfModifiedSince", "IfNoneMatch", "Tenant"}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Parameter:
    """As `esipy.operation.Parameter`."""

    name: str
    where: str
    kind: str
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    min_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique: bool = False
    struct: str | None = None


@dataclass(frozen=True)
class RateGroup:
    """As `esipy.operation.RateGroup`."""

    name: str
    max_tokens: int
    window_seconds: int


@dataclass(frozen=True)
class Operation:
    """As `esipy.operation.Operation`."""

    id: str
    name: str
    module: str
    tag: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    result: str | None
    statuses: tuple[int, ...]
    scope: str | None
    roles: tuple[str, ...]
    group: RateGroup | None
    lifetime_seconds: int | None
    server_lifetime_seconds: int | None
    cache_mode: str | None
    pagination: str | None
    since: str
    localized: bool


def read_operations(document: Mapping[str, Any], types: Types) -> list[Operation]:
    """Every operation, in the document's order; their types are put into ``types``."""
    found = [
        _operation(types, path, method, facts)
        for path, methods in document["paths"].items()
        for method, facts in methods.items()
    ]
    names = {operation.name for operation in found}
    if len(names) != len(found):
        raise ValueError("two operations have one name")
    return found


def read_scopes(document: Mapping[str, Any]) -> list[str]:
    """Every scope that a login may ask for, also one that no operation needs yet."""
    flow = document["components"]["securitySchemes"]["OAuth2"]["flows"]["authorizationCode"]
    return sorted(flow["scopes"])


def _operation(types: Types, path: str, method: str, facts: Mapping[str, Any]) -> Operation:
    identity = facts["operationId"]
    if method not in _METHODS or len(facts["tags"]) != 1:
        raise ValueError(f"{identity}: its method or its tags are not what is known")
    module = naming.module(facts["tags"][0])
    good = {int(status): answer for status, answer in facts["responses"].items() if status != "default"}
    headers = {name for answer in good.values() for name in answer.get("headers", ())}
    parameters = tuple(_parameters(types, module, path, facts))
    return Operation(
        id=identity,
        name=naming.operation_name(identity),
        module=module,
        tag=facts["tags"][0],
        method=method.upper(),
        path=path,
        parameters=parameters,
        result=_result(types, module, identity, good),
        statuses=tuple(sorted(good)),
        scope=_scope(identity, facts),
        roles=tuple(facts.get("x-required-roles", ())),
        group=_group(facts.get("x-rate-limit")),
        lifetime_seconds=facts.get("x-client-cache-ttl"),
        server_lifetime_seconds=facts.get("x-server-cache-ttl"),
        cache_mode=facts.get("x-server-cache-mode"),
        pagination=_pagination(identity, facts, headers, parameters),
        since=facts["x-compatibility-date"],
        localized="Content-Language" in headers,
    )


def _parameters(types: Types, module: str, path: str, facts: Mapping[str, Any]) -> Iterator[Parameter]:
    own = [parameter for parameter in facts["parameters"] if "$ref" not in parameter]
    for shared in facts["parameters"]:
        if "$ref" in shared and referred(shared) not in _COMMON:
            raise ValueError(f"{facts['operationId']}: the shared parameter {referred(shared)} is not known")
    in_path = {parameter["name"]: parameter for parameter in own if parameter["in"] == "path"}
    for name in re.findall(r"{(\w+)}", path):
        yield _parameter(types, facts["operationId"], in_path.pop(name))
    for parameter in own:
        if parameter["in"] == "query":
            yield _parameter(types, facts["operationId"], parameter)
        elif parameter["in"] != "path" or parameter["name"] in in_path:
            raise ValueError(f"{facts['operationId']}: parameter {parameter['name']} has no place")
    if "requestBody" in facts:
        yield _body(types, module, facts)


def _parameter(types: Types, operation: str, parameter: Mapping[str, Any]) -> Parameter:
    schema = types.resolve(parameter["schema"])
    kind = _kind(types, operation, schema)
    if kind == "object" or (kind in ("integers", "strings") and not parameter.get("explode", True)):
        raise ValueError(f"{operation}: {parameter['name']} is written in a way that is not known")
    return Parameter(
        parameter["name"], parameter["in"], kind, bool(parameter.get("required")), **_limits(types, schema)
    )


def _body(types: Types, module: str, facts: Mapping[str, Any]) -> Parameter:
    content = facts["requestBody"]["content"]["application/json"]["schema"]
    schema = types.resolve(content)
    kind = _kind(types, facts["operationId"], schema)
    struct = None
    if kind == "object":
        struct = types.expression(content, f"{facts['operationId']}Body", module, sent=True)
    required = bool(facts["requestBody"].get("required"))
    return Parameter("body", "body", kind, required, **_limits(types, schema), struct=struct)


def _kind(types: Types, operation: str, schema: Mapping[str, Any]) -> str:
    kind = schema["type"]
    if kind == "array":
        item = types.resolve(schema["items"])["type"]
        kind = {"integer": "integers", "string": "strings"}.get(item, "")
    if kind not in ("integer", "number", "boolean", "string", "integers", "strings", "object"):
        raise ValueError(f"{operation}: a parameter of type {schema['type']} is not known")
    return str(kind)


def _limits(types: Types, schema: Mapping[str, Any]) -> dict[str, Any]:
    item = types.resolve(schema["items"]) if "items" in schema else schema
    return {
        "default": schema.get("default"),
        "choices": tuple(item.get("enum", ())),
        "minimum": schema.get("minimum"),
        "maximum": schema.get("maximum"),
        "min_length": schema.get("minLength"),
        "min_items": schema.get("minItems"),
        "max_items": schema.get("maxItems"),
        "unique": bool(schema.get("uniqueItems")),
    }


def _result(types: Types, module: str, operation: str, good: Mapping[int, Mapping[str, Any]]) -> str | None:
    schemas = [answer["content"]["application/json"]["schema"] for answer in good.values() if "content" in answer]
    schemas = [schema for schema in schemas if schema]  # a 204 beside a 200 declares an empty schema
    if len(schemas) > 1:
        raise ValueError(f"{operation}: several answers have a body")
    return types.expression(schemas[0], f"{operation}Answer", module) if schemas else None


def _scope(operation: str, facts: Mapping[str, Any]) -> str | None:
    scopes = [scope for way in facts.get("security", ()) for scope in way["OAuth2"]]
    if len(scopes) > 1:
        raise ValueError(f"{operation}: several scopes")
    return scopes[0] if scopes else None


def _group(limit: Mapping[str, Any] | None) -> RateGroup | None:
    if limit is None:
        return None
    window = limit["window-size"]
    return RateGroup(limit["group"], limit["max-tokens"], int(window[:-1]) * _UNITS[window[-1]])


def _pagination(
    operation: str, facts: Mapping[str, Any], headers: set[str], parameters: tuple[Parameter, ...]
) -> str | None:
    queried = {parameter.name for parameter in parameters if parameter.where == "query"}
    kinds = [walk for walk in _WALKS if walk in queried]
    if "X-Pages" in headers:
        kinds.append("pages")
    if "x-pagination" in facts:
        kinds.append(facts["x-pagination"])
    if len(kinds) > 1:
        raise ValueError(f"{operation}: pages in several ways: {kinds}")
    return kinds[0] if kinds else None
