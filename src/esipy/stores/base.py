"""The seams to where things are kept.

Their verbs are ``async def`` so that one text serves both runtimes; a store whose verbs never suspend (memory)
serves the blocking client as it is.
"""

from __future__ import annotations

from typing import Protocol

from esipy.core.answer import Answer

__all__ = ["CacheStore"]


class CacheStore(Protocol):
    """Keeps answers by key. What it lost or cannot read is a miss, never an error."""

    async def get(self, key: str) -> Answer | None:
        """The answer kept under this key, fresh or not: its validators outlive its freshness (T08)."""
        ...

    async def put(self, key: str, answer: Answer, path: str) -> None:
        """Keep an answer, in place of what was there; ``path`` is what a write on it drops."""
        ...

    async def drop(self, path: str) -> None:
        """Forget every answer that was put with this path (T02)."""
        ...

    async def clear(self) -> None:
        """Forget everything."""
        ...
