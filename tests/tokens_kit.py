"""Keys, and tokens that are sealed with them."""

from __future__ import annotations

from esipy.sso.keychain import given_keys
from esipy.sso.sealing import Sealer
from esipy.tokens import TokenStore, new_key
from tests.stores.token_stores import APP, record

OLD, NEW, LOST = new_key(), new_key(), new_key()


def sealer(*texts: str) -> Sealer:
    """With these keys, the first of which seals."""
    return Sealer(given_keys(",".join(texts)) or ())


def put(store: TokenStore, by: Sealer, *character_ids: int) -> None:
    """Keep tokens of these characters, sealed so."""
    for character_id in character_ids:
        sealed = by.seal(f"token {character_id}".encode(), (APP, character_id))
        assert store.save(APP, character_id, record(character_id, sealed), None)


def opened(store: TokenStore, by: Sealer) -> list[bytes]:
    """All tokens, opened."""
    return [by.open(each.sealed, (each.client_id, each.character_id)) for each in store.records()]
