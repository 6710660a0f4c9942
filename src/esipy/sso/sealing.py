"""How tokens are sealed before they come to a store, and opened again.

- AES-256-GCM (of the package ``cryptography``) under a random nonce. Application and character are sealed in: what was
  sealed for one character does not open for another, so nobody who can write to the store can exchange them.
- What is sealed names its key by an id, a hash of it. Of several keys the first seals, and all open: so keys rotate.
- Without a key the bytes are kept as they are, and marked so; that is said once for each store. What was kept before
  there was a key can be read afterwards, too, and is sealed when it is next saved (`esipy.tokens.rekey`: at once).
- Errors name character and key id, never anything of what is inside.
- Nonces are random, so one key should seal no more than 2**32 times: with 100,000 characters that takes hundreds of
  days.

Source: NIST SP 800-38D, section 8.3.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from esipy._forks import fork_lock
from esipy.exceptions import TokenKeyError, TokenStoreError

__all__ = ["KEY_BYTES", "Sealer", "key_id_of"]

LOGGER = logging.getLogger("esipy.tokens")

KEY_BYTES = 32
"""Of a key."""

PLAIN = b"\x00"
SEALED = b"\x01"
"""The first byte says how the rest is to be read. SEALED: key id, nonce, what is sealed."""

ID_BYTES = 4
NONCE_BYTES = 12
HEAD_BYTES = 1 + ID_BYTES + NONCE_BYTES

_told: set[str] = set()
_telling = fork_lock()


def key_id_of(key: bytes) -> str:
    """What a key is called in errors: eight hexadecimal digits that tell nothing of it."""
    return hashlib.sha256(b"esipy token key\x00" + key).digest()[:ID_BYTES].hex()


class Sealer:
    """Seals and opens the tokens of a store.

    Args:
        keys: of `KEY_BYTES` each; the first seals, all open. None at all: nothing is sealed.
        kept_in: the store's place, for the warning that nothing is sealed there; None: it needs no warning.
    """

    def __init__(self, keys: Sequence[bytes] = (), *, kept_in: str | None = None) -> None:
        self._kept_in = kept_in
        self._ciphers = {key_id_of(key): AESGCM(key) for key in keys}
        self.key_id: str | None = next(iter(self._ciphers), None)

    def __repr__(self) -> str:
        return f"<Sealer with the keys {', '.join(self._ciphers)}>" if self._ciphers else "<Sealer without a key>"

    def seal(self, plain: bytes, bound_to: tuple[str, int]) -> bytes:
        """Seal something for one character of one application.

        Args:
            bound_to: client id and character id.
        """
        if self.key_id is None:
            self._warn()
            return PLAIN + plain
        head = SEALED + bytes.fromhex(self.key_id) + os.urandom(NONCE_BYTES)
        return head + self._ciphers[self.key_id].encrypt(head[-NONCE_BYTES:], plain, _bound(head, bound_to))

    def open(self, sealed: bytes, bound_to: tuple[str, int]) -> bytes:
        """What was sealed for this character of this application.

        Raises:
            TokenKeyError: it was sealed with a key that is not at hand.
            TokenStoreError: it was changed, or sealed for another character.
        """
        if sealed[:1] == PLAIN:
            return sealed[1:]
        whose = f"the tokens of character {bound_to[1]} (application {bound_to[0]})"
        if sealed[:1] != SEALED or len(sealed) < HEAD_BYTES:
            raise TokenStoreError(
                f"{whose} cannot be read: what is kept is damaged, or was written by another version of EsiPy. It is "
                "left as it is; the character can log in again"
            )
        key_id, nonce = sealed[1 : 1 + ID_BYTES].hex(), sealed[1 + ID_BYTES : HEAD_BYTES]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            at_hand = f"only {', '.join(self._ciphers)}" if self._ciphers else "no key"
            raise TokenKeyError(
                f"{whose} are sealed with the key {key_id}, and at hand is {at_hand}. Nothing is lost: give that key "
                "too, after the first and a comma (token_key=, ESI_TOKEN_KEY or ESI_TOKEN_KEY_FILE)"
            )
        try:
            return cipher.decrypt(nonce, sealed[HEAD_BYTES:], _bound(sealed, bound_to))
        except InvalidTag:
            pass
        raise TokenStoreError(
            f"{whose} do not open with their key {key_id}: they were changed, or were sealed for another character. "
            "They are left as they are, and not used; the character can log in again"
        )

    def is_current(self, sealed: bytes) -> bool:
        """Whether something is sealed with the first key (without any: whether it is not sealed)."""
        if self.key_id is None:
            return sealed[:1] == PLAIN
        return sealed[: 1 + ID_BYTES] == SEALED + bytes.fromhex(self.key_id)

    def _warn(self) -> None:
        if self._kept_in is None:
            return
        with _telling:
            if self._kept_in in _told:
                return
            _told.add(self._kept_in)
        LOGGER.warning(
            "tokens in %s are NOT encrypted: whoever can read it can act as your characters. `esipy tokens key` makes "
            "a key: give it as ESI_TOKEN_KEY, then run `esipy tokens rekey`",
            self._kept_in,
        )


def _bound(head: bytes, bound_to: tuple[str, int]) -> bytes:
    """What the seal also covers: format, key, application and character."""
    client_id, character_id = bound_to
    return head[: 1 + ID_BYTES] + f"{character_id} {client_id}".encode()
