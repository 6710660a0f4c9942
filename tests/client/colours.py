"""One way to drive a client of either colour, so that a test is written once for both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from esipy import AsyncEsiClient, AsyncEsiSecurity, EsiClient, EsiSecurity
from esipy.runtime.shared import PROCESS
from esipy.sandbox import RunningSandbox

UA = {"User-Agent": "esipy-tests/1.0 (tests@example.com)"}
COLOURS = ("blocking", "asyncio")


def another_process() -> None:
    """What follows knows nothing of what was before, but what is in stores."""
    PROCESS.clear()


class Colour:
    """A client of one colour against a sandbox, logged in or not; every verb returns its result."""

    def __init__(self, colour: str, box: RunningSandbox, *, login: bool = False, **options: Any) -> None:
        self.name = colour
        self.box = box
        self._runner = asyncio.Runner() if colour == "asyncio" else None
        self.security: Any = options.pop("security", None)
        if login:
            kind = EsiSecurity if colour == "blocking" else AsyncEsiSecurity
            self.security = kind(box.redirect_uri, box.client_id, box.secret_key, headers=UA, sso_url=box.sso_url)
            self.security.update_token(box.login())
        client = EsiClient if colour == "blocking" else AsyncEsiClient
        self.client: Any = client(self.security, **{"headers": UA, "base_url": box.url, **options})

    def do(self, result: Any) -> Any:
        """The result of a verb: awaited where it has to be."""
        return result if self._runner is None else self._runner.run(result)

    def __getattr__(self, verb: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if self._runner is None:
                return getattr(self.client, verb)(*args, **options)

            async def within() -> Any:
                return await getattr(self.client, verb)(*args, **options)

            return self._runner.run(within())

        return call

    def close(self) -> None:
        self.do(self.client.close())
        if self.security is not None and self._runner is not None:
            self.do(self.security.close())
        if self._runner is not None:
            self._runner.close()


Connect = Callable[..., Colour]
"""What the fixture ``connect`` is: it makes clients of one colour."""
