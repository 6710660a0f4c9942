"""Token stores as programs have them; only checked, never run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_type

from esipy import AsyncEsiClient, EsiClient
from esipy.testing import check_token_store
from esipy.tokens import (
    MemoryTokens,
    RedisTokens,
    Rekeyed,
    SqliteTokens,
    TokenRecord,
    TokenState,
    TokenStore,
    new_key,
    open_tokens,
    rekey,
    sealer_for,
)


class Mine:
    """A store of one's own: it derives from nothing."""

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        """Nothing is kept."""

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        """As if it were done."""
        return True

    def records(self, client_id: str | None = None) -> Iterator[TokenRecord]:
        """None."""
        yield from ()

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        """For everybody."""
        return True


def stores() -> list[TokenStore]:
    """Each may be given to a client."""
    found: list[TokenStore] = [Mine(), MemoryTokens(), SqliteTokens("tokens.sqlite3"), RedisTokens("redis://localhost")]
    for store in found:
        EsiClient(tokens=store, token_key=new_key())
        AsyncEsiClient(tokens=store)
    check_token_store(Mine)
    check_token_store(lambda: SqliteTokens("tokens.sqlite3"), wait=lambda seconds: None)
    EsiClient(tokens="sqlite:///tokens.sqlite3")
    return found


def what_is_in_one() -> None:
    """Its records, and what seals them."""
    store = open_tokens()
    assert_type(store, TokenStore)
    for record in store.records():
        state: TokenState = record.state
        assert_type(record.scopes, tuple[str, ...])
        assert_type(record.sealed, bytes)
        print(state)
    done = rekey(store, sealer_for(store))
    assert_type(done, Rekeyed)
    assert_type(done.sealed, int)
