"""The tokens of a character on their way to a store and back."""

from __future__ import annotations

import msgspec
import pytest
from rich.pretty import pretty_repr

from esipy.exceptions import TokenKeyError, TokenStoreError
from esipy.runtime.simulated import SimulatedRuntime
from esipy.sso.sealing import Sealer
from esipy.sso.vault import NOTHING, Kept, Vault
from esipy.stores.memory_tokens import MemoryTokens
from esipy.stores.tokens import TokenRecord
from tests.sso.logins_kit import SEALER, VirtualSso, kept, put

TOKENS = Kept("access", "refresh", ("refresh", "rotated"))


@pytest.fixture
def runtime() -> SimulatedRuntime:
    """Something to run over."""
    return VirtualSso().runtime


def test_what_is_kept_comes_back(runtime: SimulatedRuntime) -> None:
    """Each token, and what was put aside; a login that is over is kept without any."""
    store = MemoryTokens()
    vault = Vault(store, SEALER, "app")
    assert runtime.run(vault.load(runtime, 1)) is None
    for tokens in (TOKENS, NOTHING, Kept("access")):
        put(store, "app", 1, tokens)
        stored = runtime.run(vault.load(runtime, 1))
        assert stored is not None
        assert tokens == stored.kept
        assert (tokens == NOTHING) == (stored.record.sealed == b"")


def test_no_token_is_shown(runtime: SimulatedRuntime) -> None:
    """Neither the store's record nor what was opened shows one (T44)."""
    store = MemoryTokens()
    put(store, "app", 1, TOKENS)
    stored = runtime.run(Vault(store, SEALER, "app").load(runtime, 1))
    for token in ("access", "refresh", "rotated"):
        assert token not in repr(stored)
        assert token not in pretty_repr(stored), "rich asks Structs for more than their repr"
        assert token not in repr(store.load("app", 1))
        assert token.encode() not in store.load("app", 1).sealed  # type: ignore[union-attr]


def test_a_row_that_is_moved_does_not_open(runtime: SimulatedRuntime) -> None:
    """Who can write to the store cannot put one character's tokens in another's place."""
    store = MemoryTokens()
    put(store, "app", 1, TOKENS)
    record = store.load("app", 1)
    assert record is not None
    store.save("app", 2, record, None)
    with pytest.raises(TokenStoreError, match="character 2"):
        runtime.run(Vault(store, SEALER, "app").load(runtime, 2))


def test_another_key_is_said_and_changes_nothing(runtime: SimulatedRuntime) -> None:
    """The error names the character; the record stays as it is."""
    store = MemoryTokens()
    put(store, "app", 1, TOKENS)
    with pytest.raises(TokenKeyError, match="character 1"):
        runtime.run(Vault(store, Sealer([b"z" * 32]), "app").load(runtime, 1))
    assert TOKENS == kept(store, "app", 1)


@pytest.mark.parametrize("plain", [b"", b"\xc1", msgspec.msgpack.encode({"access_token": 5}), b"\x93"])
def test_what_is_none_of_ours_is_said_to_be_damaged(runtime: SimulatedRuntime, plain: bytes) -> None:
    """Without a word of what is in it."""
    store = MemoryTokens()
    sealed = SEALER.seal(plain, ("app", 1))
    store.save("app", 1, TokenRecord("app", 1, "One", "", (), "ok", 0, 0, sealed), None)
    with pytest.raises(TokenStoreError, match="of another version of EsiPy, or damaged"):
        runtime.run(Vault(store, SEALER, "app").load(runtime, 1))


def test_what_a_later_version_adds_is_no_harm(runtime: SimulatedRuntime) -> None:
    """A field that is not known is passed over."""
    store = MemoryTokens()
    plain = msgspec.msgpack.encode({"access_token": "a", "refresh_token": "r", "aside": None, "new": [1]})
    sealed = SEALER.seal(plain, ("app", 1))
    store.save("app", 1, TokenRecord("app", 1, "One", "", (), "ok", 0, 0, sealed), None)
    assert Kept("a", "r") == kept(store, "app", 1)


def test_the_error_of_somebodys_own_store_is_a_store_error(runtime: SimulatedRuntime) -> None:
    """Whatever a database raises; what it says is not repeated, as it may quote what was to be saved (T44)."""

    class Own(MemoryTokens):
        def load(self, client_id: str, character_id: int) -> TokenRecord | None:
            raise ValueError(f"INSERT ... {TOKENS.access_token}")

    with pytest.raises(TokenStoreError, match=r"Own failed \(ValueError\)") as raised:
        runtime.run(Vault(Own(), SEALER, "app").load(runtime, 1))
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
