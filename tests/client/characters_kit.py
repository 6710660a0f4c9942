"""What the tests of many characters stand on: an application's client without a login, and logins for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from esipy import EsiSecurity, ops
from esipy.runtime.blocking import run
from esipy.sandbox import RunningSandbox
from esipy.tokens import MemoryTokens
from tests.client.colours import UA, Colour
from tests.urls import query_of

WALLET, MAIL = "esi-wallet.read_character_wallet.v1", "esi-mail.read_mail.v1"
TOKEN, REVOKE = "/v2/oauth/token", "/v2/oauth/revoke"


@pytest.fixture
def options(box: RunningSandbox) -> Iterator[dict[str, Any]]:
    """What a client of this sandbox's application is given, with a store in memory."""
    box.set_tokens(rotate_refresh_tokens=True)
    yield {
        "client_id": box.client_id,
        "secret_key": box.secret_key,
        "sso_url": box.sso_url,
        "tokens": MemoryTokens(),
        "cache": None,
    }
    box.set_tokens(rotate_refresh_tokens=False)


def ids(box: RunningSandbox, count: int) -> tuple[int, ...]:
    """Some characters."""
    return tuple(box.sandbox.roster.ids[:count])


def wallet_of(who: int) -> Any:
    """A call that needs the token of a character."""
    return ops.wallet.get_characters_character_id_wallet(character_id=who)


def log_in(client: Colour, who: int, *scopes: str) -> None:
    """A character logs in, in a browser."""
    security = EsiSecurity(client.box.redirect_uri, client.box.client_id, "secret", headers=UA, sso_url=client.box.url)
    back = client.box.approve(security.get_auth_uri("state", scopes or (WALLET, MAIL)), who)
    code = query_of(back)["code"]
    claims = complete(client, code)
    assert who == claims.character_id


def complete(client: Colour, code: str) -> Any:
    """What the end of a login does with its code."""
    logins, runtime = client.client._logins, client.client._engine.runtime
    done = logins.complete(runtime, code, redirect_uri=client.box.redirect_uri)
    return run(done) if client.name == "blocking" else client.do(done)


def expire(store: Any, *characters: int) -> None:
    """Their access tokens are over, as the store tells."""
    for record in list(store.records()):
        if not characters or record.character_id in characters:
            assert store.save(*record[:2], record._replace(expires_at=1.0), record.version)


def signed_by(box: RunningSandbox, path: str) -> list[int | None]:
    """Whose tokens the calls of a path carried."""
    return [entry.character_id for entry in box.received(path)]
