"""A cache in memory, bounded by bytes; the least recently used goes first. Shared by the threads of a process."""

from __future__ import annotations

import threading
from collections import OrderedDict

from esipy._forks import forget_after_fork
from esipy.core.answer import Answer

__all__ = ["MemoryCache"]

ENTRY_BYTES = 700
"""What an entry costs beside its texts and headers (measured; a test measures it again)."""

HEADER_BYTES = 160
"""What a header costs, its text included (measured)."""


class MemoryCache:
    """`CacheStore` in a dict.

    Args:
        max_bytes: bodies and what surrounds them; an answer larger than a quarter of it is not kept, and of a list
            that would fill it no page (`esipy.lists.asking.is_too_large`).

    What it gives is what it was given: an answer is not changed once it is kept.

    Attributes:
        memory_bytes: how much memory it may take: ``max_bytes``.
    """

    def __init__(self, max_bytes: int = 256 * 1024 * 1024) -> None:
        self.memory_bytes = max_bytes
        self._begin()
        self._lock = threading.Lock()
        forget_after_fork(self)

    def __len__(self) -> int:
        return len(self._entries)

    def size(self) -> tuple[int, int]:
        """How many answers, and the bytes that they take."""
        return len(self._entries), self._bytes

    async def get(self, key: str) -> Answer | None:
        if key not in self._entries:  # nobody has to wait for that
            return None
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    async def put(self, key: str, answer: Answer, path: str) -> None:
        with self._lock:
            if key in self._entries:
                self._forget(key)
            cost = _cost(key, answer, path)
            if cost > self.memory_bytes // 4:
                return
            self._entries[key] = (answer, path, cost)
            keys = self._keys_by_path.setdefault(path, key)
            if not isinstance(keys, str):
                keys.add(key)
            elif keys != key:
                self._keys_by_path[path] = {keys, key}
            self._bytes += cost
            while self._bytes > self.memory_bytes:
                self._forget(next(iter(self._entries)))

    async def drop(self, path: str) -> None:
        with self._lock:
            keys = self._keys_by_path.get(path, ())
            for key in (keys,) if isinstance(keys, str) else tuple(keys):
                self._forget(key)

    async def clear(self) -> None:
        with self._lock:
            self._begin()

    def forget(self) -> None:
        """In a child after fork: keep the answers, unless another thread of the parent was changing them."""
        half_changed = self._lock.locked()
        self._lock = threading.Lock()
        if half_changed:
            self._begin()

    def _begin(self) -> None:
        self._bytes = 0
        self._entries: OrderedDict[str, tuple[Answer, str, int]] = OrderedDict()
        # Most paths have one key: a set for each would take as much as the key itself.
        self._keys_by_path: dict[str, str | set[str]] = {}

    def _forget(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        _, path, cost = entry
        self._bytes -= cost
        keys = self._keys_by_path[path]
        if isinstance(keys, str) or len(keys) == 1:
            del self._keys_by_path[path]
        else:
            keys.discard(key)


def _cost(key: str, answer: Answer, path: str) -> int:
    return len(answer.body) + len(key) + len(path) + ENTRY_BYTES + HEADER_BYTES * len(answer.headers.lowered)
