"""The tokens of one application's characters, as they lie in a `TokenStore`: sealed there, open here.

Owns the way between both, and its rules:

- A store's verbs do I/O: they run beside an event loop. Whatever a store of somebody else's raises is a
  `TokenStoreError`; what it says is not repeated, because it may hold what was to be saved (T44).
- What is sealed is bound to application and character, so that no row opens in another's place.
- Nothing here shows a token in its repr.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from esipy.exceptions import TokenStoreError
from esipy.runtime.base import Runtime
from esipy.stores.tokens import TokenRecord, TokenState, TokenStore

if TYPE_CHECKING:
    from esipy.sso.sealing import Sealer

__all__ = ["NOTHING", "Kept", "Stored", "Vault"]

T = TypeVar("T")


class Kept(msgspec.Struct, frozen=True):
    """The tokens of one character. They are sealed as a map, to which later versions may add.

    Attributes:
        access_token, refresh_token: None when there is none.
        aside: a refresh token that was sent, and the one that came for it in an answer that was refused (T42); None:
            there is none.
    """

    access_token: str | None = None
    refresh_token: str | None = None
    aside: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return "<tokens>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # what the package rich shows of a Struct, as in tracebacks with variables, is not its repr


NOTHING = Kept()
"""The tokens of a login that is over."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


class Stored(NamedTuple):
    """A record, opened."""

    record: TokenRecord
    kept: Kept

    def with_state(self, state: TokenState, kept: Kept) -> Stored:
        """The same character in another state, with these tokens and no time of an access token."""
        expires_at = self.record.expires_at if kept.access_token else 0.0
        return Stored(self.record._replace(state=state, expires_at=expires_at), kept)


class Vault:
    """A store, as one application's logins see it.

    Attributes:
        store: keeps what is sealed.
        client_id: the application.
    """

    def __init__(self, store: TokenStore, sealer: Sealer, client_id: str) -> None:
        self.store = store
        self.client_id = client_id
        self._sealer = sealer

    async def load(self, runtime: Runtime, character_id: int) -> Stored | None:
        """What is kept of a character; None when nothing is.

        Raises:
            TokenStoreError: it cannot be read.
            TokenKeyError: it is sealed with a key that is not at hand.
        """
        return await self.do(runtime, self._load, character_id)

    async def record(self, runtime: Runtime, character_id: int) -> TokenRecord | None:
        """What is kept of a character, its tokens sealed; None when nothing is.

        Raises:
            TokenStoreError: it cannot be read.
        """
        return await self.do(runtime, self.store.load, self.client_id, character_id)

    async def save(self, runtime: Runtime, stored: Stored, expected: int | None) -> bool:
        """Put it in place, durably, if the version there is the one expected (None: nothing); whether it was.

        Raises:
            TokenStoreError: it cannot be written.
        """
        return await self.do(runtime, self._save, stored, expected)

    async def remove(self, runtime: Runtime, character_id: int, expected: int) -> bool:
        """Remove what is there, if it is the version expected; whether it was.

        Raises:
            TokenStoreError: it cannot be written.
        """
        return await self.do(runtime, self.store.save, self.client_id, character_id, None, expected)

    async def lease(self, runtime: Runtime, name: str, holder: str, seconds: float) -> bool:
        """See `TokenStore.lease`.

        Raises:
            TokenStoreError: it cannot be written.
        """
        return await self.do(runtime, self.store.lease, name, holder, seconds)

    async def do(self, runtime: Runtime, work: Callable[..., T], *arguments: Any) -> T:
        """Have something done with the store.

        Raises:
            TokenStoreError: it failed.
        """
        try:
            return await runtime.join(runtime.begin(work, *arguments))
        except TokenStoreError:
            raise
        except Exception as error:
            failed = type(error).__name__
        raise TokenStoreError(f"the token store {type(self.store).__name__} failed ({failed}); nothing is lost")

    def open(self, record: TokenRecord) -> Kept:
        """The tokens of a record.

        Raises:
            TokenStoreError: they cannot be read.
            TokenKeyError: they are sealed with a key that is not at hand.
        """
        if not record.sealed:
            return NOTHING
        plain = self._sealer.open(record.sealed, (record.client_id, record.character_id))
        try:
            return _decode(plain)
        except ValueError:
            pass  # what it says may quote them
        raise TokenStoreError(
            f"the tokens of character {record.character_id} are of another version of EsiPy, or damaged; "
            "they are left as they are, and the character can log in again"
        )

    def _load(self, character_id: int) -> Stored | None:
        record = self.store.load(self.client_id, character_id)
        return None if record is None else Stored(record, self.open(record))

    def _save(self, stored: Stored, expected: int | None) -> bool:
        record, kept = stored
        whose = (record.client_id, record.character_id)
        sealed = b"" if kept == NOTHING else self._sealer.seal(_encode(kept), whose)
        return self.store.save(*whose, record._replace(sealed=sealed, version=(expected or 0) + 1), expected)
