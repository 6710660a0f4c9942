"""PKCE: the two helpers that programs use to log in without a secret. And version 1's helpers about caches.

Source: RFC 7636, sections 4.1 and 4.2.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Hashable
from hashlib import sha256
from os import urandom
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esipy.cache import BaseCache

__all__ = [
    "check_cache",
    "generate_code_challenge",
    "generate_code_verifier",
    "get_cache_time_left",
    "make_cache_key",
]


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


def make_cache_key(request: Any) -> tuple[Hashable, ...]:
    """What version 1 kept an answer under: address, headers and parameters of its request object.

    The engine's own key is another: it names who asks, and no header that may hold a token.
    """
    parts = request._p
    return (
        request.url,
        frozenset(parts["header"].items()),
        frozenset(parts["path"].items()),
        frozenset(parts["query"]),
    )


def check_cache(cache: BaseCache | bool | None) -> BaseCache:
    """The cache that version 1's argument ``cache=`` means: False one in memory, None none.

    Raises:
        ValueError: it is not derived from `esipy.cache.BaseCache`.
    """
    from esipy.cache import BaseCache, DictCache, DummyCache

    if isinstance(cache, BaseCache):
        return cache
    if cache is False:
        return DictCache()
    if cache is None:
        return DummyCache()
    raise ValueError("Provided cache must implement BaseCache")


def get_cache_time_left(expires_header: str) -> int:
    """Seconds from now to the moment that an ``Expires`` header names; below 0 when it is past.

    By this machine's clock: the engine counts from the server's own date.

    Raises:
        ValueError: it is no date.
    """
    from time import time

    from esipy.core.freshness import http_date

    expires = http_date(expires_header)
    if expires is None:
        raise ValueError(f"no date: {expires_header!r}")
    return int(expires) - int(time())


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The caches that could be had from here in version 1."""
        if name in ("BaseCache", "DictCache", "DummyCache"):
            from esipy import cache

            return getattr(cache, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
