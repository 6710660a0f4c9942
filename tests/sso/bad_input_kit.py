"""What the tests of bad input stand on: a program with one stored login, and all the ways in which it logs in."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.login import AsyncWebLogin, WebLogin
from esipy.runtime.shared import PROCESS
from esipy.sandbox import RunningSandbox
from esipy.sso.sealing import Sealer
from esipy.sso.vault import Kept, Stored, Vault
from esipy.stores.sqlite_tokens import SqliteTokens
from esipy.stores.tokens import TokenRecord
from tests.sso.sso_kit import AGENT, TOKEN, WALLET, Colour

RIGHT_KEY, WRONG_KEY = b"right" * 6 + b"!!", b"wrong" * 6 + b"!!"
OTHER = "another-application"


class Desk:
    """A program with a stored login whose time is over, a store in a file, and all the ways to log in.

    Attributes:
        who: the character whose login is kept.
        refresh_token: of that login.
        secrets: what no error may show.
    """

    def __init__(self, colour: Colour, server: RunningSandbox, path: Path) -> None:
        self.run, self.server, self.path = colour, server, path
        self.colour = colour
        self.who = server.sandbox.roster.ids[0]
        self.clients: list[Any] = []
        self.store = self.open()
        server.register(OTHER, [server.redirect_uri], "another-secret")
        answer = server.login(self.who, scopes=[WALLET])
        self.refresh_token = answer["refresh_token"]
        self.secrets = {
            self.refresh_token,
            answer["access_token"],
            str(server.secret_key),
            "wrong-secret",
            "another-secret",
        }
        record = TokenRecord(
            server.client_id, self.who, "One", "", (WALLET,), "ok", time.time() - 60, time.time() - 1260, b""
        )
        vault = Vault(self.store, Sealer([RIGHT_KEY]), server.client_id)
        assert vault._save(Stored(record, Kept(answer["access_token"], self.refresh_token)), None)

    def open(self) -> SqliteTokens:
        return SqliteTokens(self.path, busy_seconds=0.05)

    # -- the ways to log in ----------------------------------------------------------------------------------------

    def security(self, **keywords: Any) -> Any:
        """A login of the same character, of its own."""
        security = self.colour.security(self.server, **keywords)
        answer = self.server.login(self.who, scopes=[WALLET])
        self.secrets |= {answer["access_token"], answer["refresh_token"]}
        security.update_token(answer)
        return security

    def client(self, **keywords: Any) -> Any:
        given: dict[str, Any] = {
            "base_url": self.server.url,
            "sso_url": self.server.sso_url,
            "client_id": self.server.client_id,
            "secret_key": self.server.secret_key,
            "tokens": self.store,
            "token_key": text_of(RIGHT_KEY),
            "headers": {"User-Agent": AGENT},
            "cache": None,
        } | keywords
        client: Any = (EsiClient if self.colour.name == "blocking" else AsyncEsiClient)(**given)
        self.clients.append(client)
        return client

    def web(self, redirect_uri: str | None = None, **keywords: Any) -> Any:
        client = self.client(**keywords)
        kind: Any = WebLogin if self.colour.name == "blocking" else AsyncWebLogin
        return kind(client, redirect_uri or self.server.redirect_uri, [WALLET])

    # -- what they do ----------------------------------------------------------------------------------------------

    def code(self, **about: Any) -> str:
        """A good code for the sandbox's first application, or another."""
        tokens = self.server.sandbox.tokens
        client_id, redirect_uri = about.get("client_id", self.server.client_id), self.server.redirect_uri
        code: str = tokens.new_code(client_id, redirect_uri, self.who, (WALLET,), None)
        self.secrets.add(code)
        return code

    def wallet(self, client: Any) -> Any:
        call = ops.wallet.get_characters_character_id_wallet(character_id=self.who)
        return self.run(client.as_character(self.who).fetch(call))

    def wallet_of(self, security: Any) -> Any:
        call = ops.wallet.get_characters_character_id_wallet(character_id=self.who)
        return self.run(self.client(tokens="memory").as_character(security).fetch(call))

    def finish(self, web: Any, change: Callable[[str], str] = str) -> Any:
        """A web login, from its beginning to its end."""
        session: dict[str, Any] = {}
        callback = change(self.server.approve(web.start(session), self.who))
        return self.run(web.finish(session, callback))

    def spent(self) -> int:
        """How many times the token endpoint was asked."""
        return len(self.server.received(TOKEN))

    def kept(self) -> list[TokenRecord]:
        """What is in the store, opened anew and unsealed; the state aside."""
        store, sealer = self.open(), Sealer([RIGHT_KEY])
        try:
            return [
                record._replace(state="ok", version=0, sealed=sealer.open(record.sealed, record[:2]))
                for record in store.records()
            ]
        finally:
            store.close()

    def check_nothing_is_lost(self) -> None:
        """The login that was kept is, and works."""
        PROCESS.pop("sso outages", None)  # a program that was mended is another process
        assert self.wallet(self.client()) >= 0

    def close(self) -> None:
        for client in self.clients:
            self.run(client.close())
        self.store.close()


def text_of(key: bytes) -> str:
    return b64encode(key).decode()


def fails(desk: Desk, deed: Callable[[Desk], Any], kind: type[Exception], said: str) -> None:
    """It is this error, which shows nothing secret."""
    with pytest.raises(kind, match=said) as caught:
        deed(desk)
    assert kind is type(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        shown = f"{error} {error!r} {vars(error)}"
        assert [] == [secret for secret in desk.secrets if secret in shown]
        error = error.__cause__
