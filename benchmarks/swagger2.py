"""The Swagger 2.0 document that version 1 needs, from the facts of `esipy.ops`.

``python -m benchmarks.swagger2 HOST:PORT`` prints it.
Version 1 was written for the document that ESI served until 2025: old ids, types written out where they are used,
no text. ESI's sentences are not in the catalogue, so this one is smaller, in version 1's favour.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from esipy import ops
from esipy.operation import Operation
from esipy.sandbox.swagger2_schemas import answer_schema, parameter_object

__all__ = ["document"]


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
        "parameters": [parameter_object(operation, parameter) for parameter in operation.parameters],
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
    schema = answer_schema(operation)
    if schema is not None:
        answer["schema"] = schema
    return answer


if __name__ == "__main__":
    json.dump(document(sys.argv[1]), sys.stdout)
