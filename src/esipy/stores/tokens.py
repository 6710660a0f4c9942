"""The seam to where the tokens of many characters are kept: what is kept of each, and four verbs.

Rules for whoever implements `TokenStore` (`esipy.testing` has a check of them all):

- A record is replaced by compare-and-swap: `TokenStore.save` writes only over the version that the writer has read, so
  that of two that refreshed the same token none overwrites the other (T37, T39).
- `TokenStore.save` returns when the record is durable: its refresh token may be the only one that is still good (T38).
- A lease is given to one holder at a time, by the store's own clock, and ends by itself: its holder may be killed.
- What is secret is sealed before it comes to a store, and bound to application and character: a store sees no token,
  and one character's cannot be put in the place of another's.

The verbs are plain functions and may do I/O; the asyncio client has them run beside its loop. Any threads may call
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

__all__ = ["TokenRecord", "TokenState", "TokenStore"]

TokenState = Literal["ok", "revoked", "owner changed", "unreachable"]
"""``ok``; ``revoked``: the SSO said so, its tokens are gone; ``owner changed``: the character was sold, and the tokens
are not used for the new owner (T47); ``unreachable``: at the last try the SSO did not answer, the token is kept (T40).
"""


class TokenRecord(NamedTuple):
    """What is kept of one character's login to one application.

    Attributes:
        client_id: the application.
        character_id: the character.
        name: the character's.
        owner: the hash of the account that the character belonged to at the login.
        scopes: what the character allowed, sorted.
        state: see `TokenState`.
        expires_at: until when the access token is good, in seconds since 1970 (UTC); 0: there is none.
        refreshed_at: when the tokens in it were got, in seconds since 1970 (UTC).
        sealed: the tokens, as `esipy.sso.sealing` has sealed them; empty: there are none.
        version: counted up with each `save`; the store sets it.
    """

    client_id: str
    character_id: int
    name: str
    owner: str
    scopes: tuple[str, ...]
    state: TokenState
    expires_at: float
    refreshed_at: float
    sealed: bytes
    version: int = 0

    def __repr__(self) -> str:
        return f"<tokens of {self.name} ({self.character_id}) for {self.client_id}: {self.state}>"


class TokenStore(Protocol):
    """Keeps tokens. A database of one's own needs these four verbs.

    Each may raise `esipy.exceptions.TokenStoreError`: it cannot be read or written; nothing was changed.
    """

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        """What is kept of a character; None when nothing is."""
        ...

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        """Put a record in place, durably, if the version there is still the one expected.

        Args:
            record: the version that it is given is ``(expected or 0) + 1``; None removes what is there.
            expected: the version that was read; None: there was nothing.

        Returns:
            whether it was done; False: another was quicker, read again.
        """
        ...

    def records(self, client_id: str | None = None) -> Iterator[TokenRecord]:
        """All that is kept, of one application or of all, in the order of application and character.

        It may be a hundred thousand: they are read as they are asked for, and may change meanwhile.
        """
        ...

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Have a name for oneself for a while.

        Args:
            holder: who asks: the same may ask again, to have it longer.
            seconds: from now, by the store's clock; 0 gives it back.

        Returns:
            whether it is the holder's now (for 0: whether it was).
        """
        ...
