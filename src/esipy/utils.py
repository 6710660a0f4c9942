"""PKCE: the two helpers that programs use to log in without a secret.

Source: RFC 7636, sections 4.1 and 4.2.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from os import urandom

__all__ = ["generate_code_challenge", "generate_code_verifier"]


def generate_code_verifier(n_bytes: int = 64) -> str:
    """A new random verifier: keep it until the code is exchanged, and show it to nobody.

    Args:
        n_bytes: bytes of randomness, 31 to 96, which give 43 to 128 characters.

    Raises:
        ValueError: the verifier would be shorter or longer than the RFC allows.
    """
    if n_bytes <= 30:
        raise ValueError("Verifier too short. n_bytes must be > 30.")
    if n_bytes >= 97:
        raise ValueError("Verifier too long. n_bytes must be < 97.")
    return _unpadded(urandom(n_bytes))


def generate_code_challenge(verifier: str) -> str:
    """The S256 challenge that belongs to a verifier."""
    return _unpadded(sha256(verifier.encode()).digest())


def _unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
