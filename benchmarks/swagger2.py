"""The Swagger 2.0 document that version 1 needs, from the facts of `esipy.ops`.

``python -m benchmarks.swagger2 HOST:PORT`` prints it.
Version 1 was written for the document that ESI served until 2025: old ids, types written out where they are used,
no text. ESI's sentences are not in the catalogue, so this one is smaller, in version 1's favour.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec.inspect

from esipy import ops
from esipy.operation import Operation, Parameter

__all__ = ["document"]

_KINDS: dict[str, dict[str, Any]] = {
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "string": {"type": "string"},
    "integers": {"type": "array", "items": {"type": "integer", "format": "int64"}},
    "strings": {"type": "array", "items": {"type": "string"}},
}
_SCALARS: dict[str, dict[str, Any]] = {
    "IntType": _KINDS["integer"],
    "FloatType": _KINDS["number"],
    "BoolType": _KINDS["boolean"],
    "StrType": _KINDS["string"],
    "DateTimeType": {"type": "string", "format": "date-time"},
    "DateType": {"type": "string", "format": "date"},
    "AnyType": {"type": "object"},
}


def document(host: str) -> dict[str, Any]:
    """The whole document, for a server at ``HOST:PORT``."""
    paths: dict[str, dict[str, Any]] = {}
    scopes: dict[str, str] = {}
    for operation in ops.operations():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
        if operation.scope is not None:
            scopes[operation.scope] = operation.scope
    return {
        "swagger": "2.0",
        "info": {"title": "ESI", "version": ops.COMPATIBILITY_DATE},
        "host": host,
        "schemes": ["http"],
        "basePath": "/",
        "produces": ["application/json"],
        "consumes": ["application/json"],
        "securityDefinitions": {
            "evesso": {
                "type": "oauth2",
                "flow": "accessCode",
                "authorizationUrl": "https://login.eveonline.com/v2/oauth/authorize",
                "tokenUrl": "https://login.eveonline.com/v2/oauth/token",
                "scopes": scopes,
            }
        },
        "paths": paths,
    }


def _operation(operation: Operation[Any]) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.module],
        "parameters": [_parameter(operation, parameter) for parameter in operation.parameters],
        "responses": {str(status): _answer(operation) for status in operation.statuses},
    }
    if operation.scope is not None:
        written["security"] = [{"evesso": [operation.scope]}]
    return written


def _answer(operation: Operation[Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": "an answer",
        "headers": {"ETag": {"type": "string"}, "Last-Modified": {"type": "string"}},
    }
    if operation.pagination == "pages":
        answer["headers"]["X-Pages"] = {"type": "integer", "format": "int32"}
    if operation.result is not None:
        answer["schema"] = _schema(msgspec.inspect.type_info(operation.result_type()))
    return answer


def _parameter(operation: Operation[Any], parameter: Parameter) -> dict[str, Any]:
    written: dict[str, Any] = {"name": parameter.name, "in": parameter.where, "required": parameter.required}
    if parameter.kind == "object":
        return {**written, "schema": _schema(msgspec.inspect.type_info(operation.struct_type(parameter)))}
    kind = dict(_KINDS[parameter.kind])
    if parameter.choices:
        kind["enum"] = list(parameter.choices)
    if parameter.default is not None:
        kind["default"] = parameter.default
    return {**written, "schema": kind} if parameter.where == "body" else {**written, **kind}


def _schema(shape: Any) -> dict[str, Any]:
    kind = type(shape).__name__
    if kind == "StructType":
        return {
            "type": "object",
            "required": [field.encode_name for field in shape.fields if field.required],
            "properties": {field.encode_name: _schema(field.type) for field in shape.fields},
        }
    if kind == "ListType":
        return {"type": "array", "items": _schema(shape.item_type)}
    if kind == "DictType":
        return {"type": "object", "additionalProperties": _schema(shape.value_type)}
    if kind == "UnionType":  # a type or null: Swagger 2.0 cannot say null
        return _schema(next(option for option in shape.types if type(option).__name__ != "NoneType"))
    if kind == "Metadata":
        return _schema(shape.type)
    return dict(_SCALARS[kind])


if __name__ == "__main__":
    json.dump(document(sys.argv[1]), sys.stdout)
