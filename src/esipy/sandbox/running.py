"""A sandbox that runs in this process: its state, and the server that a thread of its own serves it with."""

from __future__ import annotations

from typing import Self, Unpack

from esipy.sandbox import browser
from esipy.sandbox.app import Sandbox
from esipy.sandbox.journal import Entry
from esipy.sandbox.options import SandboxOptions, refuse_unknown
from esipy.sandbox.server import Server
from esipy.sandbox.verbs import Verbs

__all__ = ["RunningSandbox", "serve"]


class RunningSandbox(Verbs):
    """A sandbox that serves; with the verbs of `Verbs`. Close it, or use it in a with-block.

    Attributes:
        sandbox: its state, open to tests.
        url: the address of ESI, as ``http://127.0.0.1:12345``; ``sso_url`` is the same.
        client_id, secret_key, redirect_uri: its first application.
    """

    def __init__(self, sandbox: Sandbox, server: Server) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox
        self._server = server
        self.url = self.sso_url = sandbox.url = server.url
        client = next(iter(sandbox.clients.values()))
        self.client_id = client.client_id
        self.secret_key = client.secret
        self.redirect_uri = client.redirect_uris[0]

    def received(self, path: str | None = None, method: str | None = None) -> list[Entry]:
        """What the sandbox received, oldest first: all, or of a path and method.

        Raises:
            ValueError: the sandbox has no such path, and nothing came there.
        """
        self.sandbox.refuse_vain(path)
        return self.sandbox.journal.received(path, method)

    def wait_received(
        self, times: int, path: str | None = None, method: str | None = None, timeout: float = 10.0
    ) -> list[Entry]:
        """Wait until so many requests (of this path and method) have come, answered or not; gives them.

        Raises:
            TimeoutError: they did not come within ``timeout`` seconds.
            ValueError: as `received`.
        """
        self.sandbox.refuse_vain(path)
        self.sandbox.journal.wait(times, path, method, timeout)
        return self.received(path, method)

    def most_at_once(self, path: str | None = None) -> int:
        """How many requests (of this path) were being answered at the same time, at the most.

        Raises:
            ValueError: as `received`.
        """
        self.sandbox.refuse_vain(path)
        return self.sandbox.journal.most_at_once(path)

    def approve(self, auth_uri: str, character_id: int | None = None) -> str:
        """Log a character in at the login page, over HTTP; see `browser.approve`. None takes the first one."""
        return browser.approve(auth_uri, self.sandbox.roster.ids[0] if character_id is None else character_id)

    def deny(self, auth_uri: str) -> str:
        """Refuse the login at the login page, over HTTP; see `browser.deny`."""
        return browser.deny(auth_uri)

    def close(self) -> None:
        """Stop serving: no thread or socket is left. Closing twice is no error."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def serve(*, host: str = "127.0.0.1", port: int = 0, **options: Unpack[SandboxOptions]) -> RunningSandbox:
    """Start a sandbox; it serves when this returns.

    Args:
        host: a loopback address.
        port: 0 takes a free one.
        options: as `Sandbox` takes them.

    Raises:
        ValueError: an argument cannot be meant.
        TypeError: there is no such option.
        OSError: the port is taken.
        ImportError: the extra ``sandbox`` is not installed.
    """
    refuse_unknown(options)
    sandbox = Sandbox(**options)
    return RunningSandbox(sandbox, Server(sandbox.answer, sandbox.clock.http_date, host=host, port=port))
