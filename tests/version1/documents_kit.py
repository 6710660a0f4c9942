"""Another API for version 1's programs: its two documents, and a server that gives them and what they describe."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

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
def shop_server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def shop(shop_server: ThreadingHTTPServer) -> str:
    """The address of the other API."""
    Shop.seen = []
    return f"http://127.0.0.1:{shop_server.server_port}"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes a document into a file."""

    def written(document: Any) -> Path:
        path = tmp_path / "api.json"
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        return path

    return written
