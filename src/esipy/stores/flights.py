"""The seam to caches that processes share: one flight for a key, whoever asks, and no answer from before a write.

`FlightStore` is what the engine sees, `SharedCache` what a store does (`esipy.stores.beside` makes the one of the
other). Rules of both:

- A claim is a lease: it ends by itself, because its holder may have died.
- A claim gives a token, and tokens only grow. `put` with a token keeps nothing when a later claim of the same key has
  been given, or its path has been dropped since (`FENCE_SECONDS`): what a process was answered before that is out of
  date, however late it comes (T02).
- Moments are those of who asks: a store keeps what is left of a lifetime on a clock of its own, which all of its
  processes share, so that a process that started before the time of day was set, or on another machine, is right (T06).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeGuard

from esipy.core.answer import Answer
from esipy.stores.base import CacheStore

__all__ = ["FENCE_SECONDS", "NO_LEASE", "FlightStore", "SharedCache", "has_flights"]

NO_LEASE = 0
"""The token of a flight that nobody else knows of: the store does not answer now. Go on by yourself."""

FENCE_SECONDS = 3600.0
"""How long it is remembered that a path was dropped: longer than any flight, with all its waits and retries."""


class FlightStore(CacheStore, Protocol):
    """`CacheStore` of several processes."""

    async def claim(self, key: str, seconds: float) -> int | None:
        """The right to fetch what is kept under this key.

        Args:
            key: as for `get`.
            seconds: after which others may claim it again.

        Returns:
            a token: fetch it, then `put` with the token, or `release`. None: another process is fetching it, or a
            task of this one: `get` it in a while, and when it is not there, claim again. `NO_LEASE`: nobody can tell.
        """
        ...

    async def put(self, key: str, answer: Answer, path: str, token: int | None = None) -> None:
        """As `CacheStore.put`. With a token: unless it is overtaken; and the claim ends."""
        ...

    async def release(self, key: str, token: int) -> None:
        """End a claim without an answer; nothing when it has ended."""
        ...


def has_flights(store: CacheStore | None) -> TypeGuard[FlightStore]:
    """Whether a store can say who fetches what."""
    return hasattr(store, "claim")


class SharedCache(Protocol):
    """A cache that processes share: the verbs as plain functions that do I/O.

    ``now`` is the clock of who asks, in which `Answer.fresh_until` is given.

    Raises (all verbs):
        StoreUnavailable: it does not answer.
    """

    remote: bool

    def get(self, key: str, now: Callable[[], float]) -> Answer | None:
        """The answer kept under this key."""
        ...

    def put(self, key: str, answer: Answer, path: str, now: Callable[[], float], token: int | None = None) -> None:
        """Keep an answer."""
        ...

    def drop(self, path: str) -> None:
        """Forget every answer that was put with this path, and what is under way to be."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def claim(self, key: str, seconds: float) -> int | None:
        """A token, or None."""
        ...

    def release(self, key: str, token: int) -> None:
        """End a claim."""
        ...

    def size(self) -> tuple[int, int] | None:
        """How many answers are kept, and the bytes that they take; None: it cannot tell.

        What was dropped may count until it makes room.
        """
        ...

    def close(self) -> None:
        """Close what is open. It can be used again afterwards."""
        ...
