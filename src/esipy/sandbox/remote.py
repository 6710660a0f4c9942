"""A sandbox that is another process, driven over its control interface with the standard library alone.

The verbs are those of `Verbs`: their arguments travel as JSON, so bodies of faults are text here.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from esipy.sandbox import browser
from esipy.sandbox.control import VERBS
from esipy.sandbox.journal import Entry
from esipy.sandbox.verbs import Verbs

__all__ = ["ControlClient"]


class ControlClient(Verbs):
    """Speaks with the sandbox at ``url``, as ``http://127.0.0.1:12345``. Each call opens a connection of its own.

    Attributes:
        url: the address, of ESI and the SSO alike.
        client_id, secret_key, redirect_uri: the sandbox's first application.
    """

    def __init__(self, url: str) -> None:
        self.url = self.sso_url = url.rstrip("/")
        first = self.about()["clients"][0]
        self.client_id: str = first["client_id"]
        self.secret_key: str | None = first["secret_key"]
        self.redirect_uri: str = first["redirect_uris"][0]

    def about(self) -> dict[str, Any]:
        """The sandbox's address, clock, settings, applications and planned faults."""
        about: dict[str, Any] = self.ask("GET", "about")
        return about

    def characters(self, first: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """Some of the characters."""
        found: list[dict[str, Any]] = self.ask("GET", f"characters?{urlencode({'first': first, 'limit': limit})}")
        return found

    def received(self, path: str | None = None, method: str | None = None) -> list[Entry]:
        """What the sandbox received, oldest first: all, or of a path and method.

        Raises:
            ValueError: the sandbox has no such path, and nothing came there.
        """
        return self._received({"path": path, "method": method})

    def wait_received(
        self, times: int, path: str | None = None, method: str | None = None, timeout: float = 10.0
    ) -> list[Entry]:
        """Wait until so many requests (of this path and method) have come.

        Raises:
            TimeoutError: they did not come within ``timeout`` seconds.
            ValueError: as `received`.
        """
        entries = self._received({"path": path, "method": method, "times": times, "timeout": timeout})
        if len(entries) < times:
            raise TimeoutError(f"{len(entries)} of {times} requests came in {timeout} s")
        return entries

    def approve(self, auth_uri: str, character_id: int) -> str:
        """See `browser.approve`."""
        return browser.approve(auth_uri, character_id)

    def deny(self, auth_uri: str) -> str:
        """See `browser.deny`."""
        return browser.deny(auth_uri)

    def _received(self, query: dict[str, Any]) -> list[Entry]:
        given = urlencode({name: value for name, value in query.items() if value is not None})
        found: list[dict[str, Any]] = self.ask("GET", f"received?{given}")
        return [Entry.from_dict(entry) for entry in found]

    def ask(self, method: str, what: str, arguments: dict[str, Any] | None = None) -> Any:
        """One request of the control interface, as docs/sandbox.md lists them.

        Raises:
            ValueError: the sandbox refuses; the text is its own.
        """
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, f"/_sandbox/{what}", None if arguments is None else json.dumps(arguments))
            answer = connection.getresponse()
            value = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(value["error"])
        return value


def _remote(name: str) -> Callable[..., Any]:
    signature = inspect.signature(getattr(Verbs, name))

    def call(self: ControlClient, *args: Any, **options: Any) -> Any:
        bound = signature.bind(self, *args, **options)
        names = list(signature.parameters)[1:]
        # Options that a verb hands on (**options) are bound apart; no verb takes *args.
        return self.ask("POST", name, {**dict(zip(names, bound.args[1:], strict=False)), **bound.kwargs})["result"]

    return call


for _name in VERBS:
    setattr(ControlClient, _name, _remote(_name))
