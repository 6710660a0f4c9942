"""Requests to the misbehaving server."""

from __future__ import annotations

from esipy.core.wire import HttpRequest
from tests.transport.rawserver import RawServer

HEADERS = (("User-Agent", "Test/1.0 (mail@example.com)"), ("Accept", "application/json"))


def get(server: RawServer, path: str, method: str = "GET", body: bytes | None = None, **options: float) -> HttpRequest:
    limits = {"timeout": 10.0, "connect_timeout": 5.0, **options}
    return HttpRequest(method, server.url(path), HEADERS, body, **limits)  # type: ignore[arg-type]
