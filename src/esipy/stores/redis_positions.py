"""Positions of cursors in Redis or Valkey, for programs that go on where another machine was."""

from __future__ import annotations

from typing import Any

from esipy.stores.redis import RedisServer, Script

__all__ = ["RedisPositions"]

FORMAT = "1"
"""Of what is kept; another one has other keys."""

LOAD = Script("return redis.call('GET', KEYS[1])")
SAVE = Script("redis.call('SET', KEYS[1], ARGV[1])")


class RedisPositions:
    """`esipy.lists.positions.PositionStore` on a server. Entries do not end by themselves.

    Args:
        url_or_client: as for `esipy.stores.redis.RedisServer`.
        prefix: of all keys.

    Raises (both verbs):
        StoreUnavailable: the server does not answer, or refuses.
    """

    def __init__(self, url_or_client: Any, *, prefix: str = "esipy:positions:") -> None:
        self._server = RedisServer(url_or_client)
        self._prefix = f"{prefix}{FORMAT}:"

    def load(self, name: str) -> str | None:
        """What was saved last under this name; None: nothing."""
        found: bytes | None = self._server.run(LOAD, [self._prefix + name])
        return None if found is None else found.decode("utf-8", "replace")

    def save(self, name: str, position: str) -> None:
        """Keep a text in place of what was there."""
        self._server.run(SAVE, [self._prefix + name], position)

    def close(self) -> None:
        """Close the connections; they are opened again when needed."""
        self._server.close()

    def __repr__(self) -> str:
        return f"<RedisPositions {self._server.name}>"
