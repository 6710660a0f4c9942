"""The cache in Redis or Valkey: shared by every process, on every machine, that uses one server.

- Each verb is one Lua script (``cache.lua``) and one round trip.
- Freshness is kept on the server's clock: a machine whose clock is wrong is as right as the others (T06).
- It is bounded by an index of its own, and the least recently used goes first: whatever the server's ``maxmemory`` and
  policy are, the cache neither fills it nor pushes out a ledger beside it. What a server evicts is a miss, and no more.
- What is not refreshed ends by itself after `KEEP_SECONDS`. A path that is dropped begins a new generation: what bears
  the old one is a miss. When the server has forgotten which one it was, so is everything of that path.
- All keys lie in one slot of a cluster.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from esipy.core.answer import Answer
from esipy.stores.cache_entries import name_of, pack, unpack
from esipy.stores.flights import FENCE_SECONDS
from esipy.stores.redis import RedisServer, Script

__all__ = ["KEEP_SECONDS", "RedisCache"]

LOGGER = logging.getLogger("esipy.cache")

KEEP_SECONDS = 7 * 86400
"""How long an answer is kept after it came: a 304 then costs half, and no body."""

ENTRY_BYTES = 560
"""What an answer costs a server beside its data: its names and numbers (measured; a test measures it again)."""

HEAD_BYTES = 52
"""What stands before the data, for the script."""

FORMAT = "1"
"""Of what is kept; another one has other keys."""


class RedisCache:
    """`SharedCache` in Redis or Valkey.

    Args:
        url_or_client: ``redis://[user:password@]host[:port][/db]``, ``rediss://`` for TLS, ``unix:///path``; or a
            client of the package ``redis`` or ``valkey`` with a short ``socket_timeout`` and without
            ``decode_responses``.
        max_bytes: of all answers, and what surrounds them; one larger than a quarter of it is not kept.
        prefix: of all keys, so that several caches fit into one database.
        clock: for tests: seconds, in the place of the server's time.

    Raises:
        ImportError: a URL, and the package ``redis`` is missing.
        TypeError: a client that cannot be used.
        ValueError: not a URL of a server.
    """

    remote = True

    def __init__(
        self,
        url_or_client: Any,
        *,
        max_bytes: int = 256 * 1024 * 1024,
        prefix: str = "esipy:",
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._server = RedisServer(url_or_client)
        self._max_bytes = max_bytes
        self._clock = clock
        self._root = f"{{{prefix}}}cache{FORMAT}:"  # what stands in braces decides on the slot
        self._script = _script()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._server.name}>"

    def get(self, key: str, now: Callable[[], float]) -> Answer | None:
        name = name_of(key)
        found = self._run("get", name.hex())
        if found is None:
            return None
        moment, ends, data = float(found[0]), float(found[1]), found[2]
        try:
            answer = unpack(name, data)
        except ValueError as error:
            LOGGER.warning("an entry is forgotten: %s", error)
            self._run("forget", name.hex())
            return None
        if ends >= 0:
            answer.fresh_until = now() + (ends - moment)
        return answer

    def put(self, key: str, answer: Answer, path: str, now: Callable[[], float], token: int | None = None) -> None:
        name = name_of(key)
        data = pack(name, answer)
        if len(data) + HEAD_BYTES + ENTRY_BYTES > self._max_bytes // 4:
            data = b""
        left = "" if answer.fresh_until is None else repr(answer.fresh_until - now())
        self._run(
            "put", name.hex(), name_of(path), "" if token is None else token, left, data, self._max_bytes,
            secrets.token_hex(8),
        )  # fmt: skip

    def drop(self, path: str) -> None:
        self._run("drop", name_of(path))

    def clear(self) -> None:
        is_first = 1
        while self._run("clear", is_first):
            is_first = 0

    def claim(self, key: str, seconds: float) -> int | None:
        token = self._run("claim", name_of(key).hex(), seconds)
        return None if token is None else int(token)

    def release(self, key: str, token: int) -> None:
        self._run("release", name_of(key).hex(), token)

    def size(self) -> tuple[int, int]:
        entries, stored_bytes = self._run("size")
        return int(entries), int(stored_bytes)

    def close(self) -> None:
        self._server.close()

    def _run(self, verb: str, *arguments: Any) -> Any:
        clock = "" if self._clock is None else repr(self._clock())
        return self._server.run(self._script, [self._root], verb, clock, self._root, *arguments)


def _script() -> Script:
    constants = {
        "HEAD_BYTES": HEAD_BYTES,
        "ENTRY_BYTES": ENTRY_BYTES,
        "KEEP_SECONDS": KEEP_SECONDS,
        "FENCE_SECONDS": FENCE_SECONDS,
    }
    return Script.of(["cache.lua"], constants)
