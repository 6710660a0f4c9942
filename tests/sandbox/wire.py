"""What the sandbox's own tests speak HTTP with: the standard library and bare sockets, nothing of ours."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from esipy.sandbox.exchange import SandboxAnswer, SandboxRequest


@dataclass
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, target: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None) -> Got:
    """One request over a connection of its own."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, names, answer.read())
    finally:
        connection.close()


def dial(url: str) -> socket.socket:
    """A bare connection."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)


def raw(url: str, sent: bytes) -> bytes:
    """Everything that comes back for these bytes until the sandbox closes."""
    with dial(url) as connection:
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


class Echo:
    """An ESI half that answers what it is asked for, to see the server alone."""

    def __init__(self) -> None:
        self.requests: list[SandboxRequest] = []

    async def handle(self, request: SandboxRequest) -> SandboxAnswer:
        self.requests.append(request)
        if request.path.startswith("/status/"):
            return SandboxAnswer(int(request.path.rpartition("/")[2]), [("ETag", '"e"')], b"body")
        if request.path == "/fail":
            raise RuntimeError("a mistake of the sandbox")
        if request.path.startswith("/large/"):
            return SandboxAnswer(200, [("Content-Type", "text/plain")], b"x" * int(request.path.rpartition("/")[2]))
        return SandboxAnswer(200, [("Content-Type", "text/plain")], f"{request.method} {request.path}".encode())
