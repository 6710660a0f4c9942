"""The keys that sign access tokens, and the signing itself.

Rules: RSA keys of 2048 bits are slow to make, so a process makes each one once and its sandboxes share them; a
key's id is its thumbprint (RFC 7638), so two processes never give one id to two keys - but a sandbox's first key
may be given the name that the real SSO's has. After a rotation the old key is still served for a while. Wrongly
signed tokens are made here too, for tests of those who check them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from threading import Lock
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from esipy.sandbox.clock import Clock

__all__ = ["KeyRing"]

_made: list[RSAKey] = []
_making = Lock()


def _key(index: int) -> RSAKey:
    """The process's key with this number."""
    with _making:
        while len(_made) <= index:
            key = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"})
            key.ensure_kid()
            _made.append(key)
        return _made[index]


class KeyRing:
    """The keys of one sandbox: one that signs, and those that were and are still served.

    Args:
        clock: what time it is in the sandbox.
        first_kid: the id of the first key; None takes its thumbprint.
    """

    def __init__(self, clock: Clock, first_kid: str | None = None) -> None:
        self._clock = clock
        self._first_kid = first_kid
        self._index = 0
        self._served: dict[int, float] = {}

    @property
    def current(self) -> RSAKey:
        """The key that signs now."""
        return _key(self._index)

    @property
    def kid(self) -> str:
        """The id of the key that signs now."""
        return self._kid(self._index)

    def rotate(self, grace_seconds: float = 3600.0) -> str:
        """Sign with a new key from now on; gives its id.

        Args:
            grace_seconds: how long the old key is still served; 0 withdraws it at once.
        """
        self._served[self._index] = self._clock.now() + grace_seconds
        self._index += 1
        return self.kid

    def served(self) -> dict[str, Any]:
        """The key set as it is published: the public halves only."""
        now = self._clock.now()
        indices = [self._index, *(index for index, until in self._served.items() if until > now)]
        return {"keys": [{**_key(index).as_dict(private=False), "kid": self._kid(index)} for index in indices]}

    def _kid(self, index: int) -> str:
        return self._first_kid if index == 0 and self._first_kid is not None else _key(index).kid or ""

    def sign(self, claims: dict[str, Any], *, algorithm: str = "RS256", kid: str | None = None) -> str:
        """A signed token.

        Args:
            claims: the payload.
            algorithm: RS256 as the real one; ``none`` leaves the signature out; HS256 signs with the public key as
                the shared secret, as attackers do.
            kid: what the header says of the key; None says the truth.

        Raises:
            ValueError: another algorithm.
        """
        header = {"alg": algorithm, "typ": "JWT", "kid": self.kid if kid is None else kid}
        if algorithm == "RS256":
            return jwt.encode(header, claims, self.current, algorithms=["RS256"])
        signed = f"{_part(header)}.{_part(claims)}"
        if algorithm == "none":
            return signed + "."
        if algorithm == "HS256":
            secret = self.current.as_pem(private=False)
            return f"{signed}.{_text(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"
        raise ValueError(f"the sandbox signs RS256, HS256 or none, not {algorithm!r}")


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
