"""Whoever can write to a token store cannot have one character's calls made with another's tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from esipy import EsiClient, ops
from esipy.exceptions import TokenInvalidError, TokenStoreError
from esipy.sandbox import RunningSandbox, serve
from esipy.sso.sealing import Sealer
from esipy.sso.vault import Kept, Stored, Vault
from esipy.stores.memory_tokens import MemoryTokens
from esipy.stores.tokens import TokenRecord
from esipy.tokens import new_key

WALLET = "esi-wallet.read_character_wallet.v1"


@pytest.fixture
def server() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.mark.parametrize("seconds_left", [1000.0, -1000.0], ids=["good", "over"])
def test_T03_a_planted_record_does_not_speak_for_a_character(server: RunningSandbox, seconds_left: float) -> None:
    """A record in clear, with the tokens of the attacker's own character: nothing is sent with them, nor is it when
    they were refreshed."""
    victim, attacker = server.sandbox.roster.ids[:2]
    answer = server.login(attacker, [WALLET])
    store = MemoryTokens()
    now = time.time()
    record = TokenRecord(server.client_id, victim, "Victim", "", (WALLET,), "ok", now + seconds_left, now - 100, b"")
    tokens = Kept(answer["access_token"], answer["refresh_token"])
    assert Vault(store, Sealer(), server.client_id)._save(Stored(record, tokens), None)
    options = {"base_url": server.url, "sso_url": server.sso_url, "user_agent": "x/1 (x@example.com)"}
    with (
        EsiClient(
            client_id=server.client_id, secret_key=server.secret_key, tokens=store, token_key=new_key(), **options
        ) as client,
        pytest.raises((TokenStoreError, TokenInvalidError), match="another character"),
    ):
        client.as_character(victim).fetch(ops.wallet.get_characters_character_id_wallet(character_id=victim))
    assert [] == [entry for entry in server.received() if entry.authorization == "bearer"]
