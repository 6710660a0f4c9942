"""What the tests of `WebLogin` stand on: it and its client in either colour, at a real sandbox."""

from __future__ import annotations

import asyncio
from typing import Any

from esipy import AsyncEsiClient, EsiClient
from esipy.login import AsyncWebLogin, WebLogin
from esipy.sandbox import RunningSandbox
from esipy.tokens import MemoryTokens
from tests.web.web_kit import ME

WALLET = "esi-wallet.read_character_wallet.v1"
SKILLS = "esi-skills.read_skills.v1"
KEY = "esipy_logins"
TOKEN = "/v2/oauth/token"


class Colour:
    """A client and its `WebLogin` in one of the two colours; ``run`` gives what either returns."""

    def __init__(self, name: str, eve: RunningSandbox) -> None:
        self.name = name
        self.eve = eve
        self._runner = asyncio.Runner()
        self._clients: list[Any] = []

    def login(self, scopes: Any = (WALLET,), **given: Any) -> Any:
        """A `WebLogin` over a client of its own, with the sandbox's first application unless others are given."""
        settings = {"base_url": self.eve.url, "sso_url": self.eve.url, "headers": ME, "cache": None}
        application = {"client_id": self.eve.client_id, "secret_key": self.eve.secret_key, "tokens": MemoryTokens()}
        blocking = self.name == "blocking"
        client: Any = (EsiClient if blocking else AsyncEsiClient)(**settings | application | given)
        self._clients.append(client)
        return (WebLogin if blocking else AsyncWebLogin)(client, self.eve.redirect_uri, scopes)

    def run(self, result: Any) -> Any:
        """The result, awaited where that is needed."""
        return self._runner.run(result) if asyncio.iscoroutine(result) else result

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients:
            self.run(client.close())
        self._runner.close()


def exchanged(eve: RunningSandbox) -> list[dict[str, str]]:
    """The forms that codes were sent in."""
    forms = [dict(entry.form) for entry in eve.received(TOKEN, "POST")]
    return [form for form in forms if form["grant_type"] == "authorization_code"]
