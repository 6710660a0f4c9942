"""Version 1's caches: give one to `EsiClient(cache=...)` or `EsiApp(cache=...)`, or derive your own from `BaseCache`.

==================  =================================================================================================
`DictCache`         in this process; keeps any object; bounded, the least recently used goes first
`FileCache`         in a folder, for the processes of one machine; plain data
`MemcachedCache`    on a memcached server; plain data
`RedisCache`        on a Redis or Valkey server; plain data
`DummyCache`        keeps nothing
==================  =================================================================================================

Rules: None is a miss. ``expire`` is in seconds; 0 and None mean: no end; a number below 0 forgets what was there.
Keys may be texts, numbers, and tuples, sets and dicts of such. Plain data is None, bool, int, float, str, bytes,
datetime, and list, tuple, set and dict of such: what comes out of a shared store is data, never code, and an entry
that is not ours, or is corrupt, is a miss.

These caches are called in the thread, and in the event loop, of whoever makes the request: short for a server
nearby. A server that does not answer stops an event loop for as long as your client waits: give it a short
time limit (``redis.Redis(socket_timeout=1)``).

Kept answers bear the moment at which they cease to be fresh, so machines that share a server need clocks that agree.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, cast

from esipy._forks import forget_after_fork
from esipy.stores.doors_clients import memcached_reader, require_redis
from esipy.stores.doors_file import FileShelf
from esipy.stores.doors_records import digest as _hash
from esipy.stores.doors_records import pack, unpack

__all__ = ["BaseCache", "DictCache", "DummyCache", "FileCache", "MemcachedCache", "RedisCache", "_hash"]

LOGGER = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024


class BaseCache:
    """What a cache has to have. Derive from it; the names and defaults of the arguments are yours."""

    def set(self, key: Any, value: Any, expire: Any = 300, /) -> Any:
        """Keep a value for so many seconds."""
        raise NotImplementedError

    def get(self, key: Any, default: Any = None, /) -> Any:
        """The value, or ``default`` when there is none."""
        raise NotImplementedError

    def invalidate(self, key: Any, /) -> Any:
        """Forget a value; it is no error when there is none."""
        raise NotImplementedError


class DictCache(BaseCache):
    """In a dict of this process. As in version 1 nothing expires; but it is bounded, and threads may share it.

    Args:
        max_bytes: of all values, as near as can be told; one that is larger is not kept.
        max_entries: how many values.
    """

    def __init__(self, max_bytes: int = 256 * MEGABYTE, max_entries: int = 100_000) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._begin()
        self._lock = threading.Lock()
        forget_after_fork(self)

    def get(self, key: Any, default: Any = None) -> Any:
        with self._lock:
            if key not in self._dict:
                return default
            self._dict.move_to_end(key)
            value = self._dict[key]
            return default if value is None else value

    def set(self, key: Any, value: Any, expire: float | None = 300) -> None:  # noqa: ARG002 (nothing expires)
        with self._lock:
            self._forget(key)
            size = _size(value)
            if size > self._max_bytes:
                return
            self._dict[key] = value
            self._sizes[key] = size
            self._bytes += size
            while self._bytes > self._max_bytes or len(self._dict) > self._max_entries:
                self._forget(next(iter(self._dict)))

    def invalidate(self, key: Any) -> None:
        with self._lock:
            self._forget(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._begin()

    def forget(self) -> None:
        """In a child after fork: keep the values, unless another thread of the parent was changing them."""
        half_changed = self._lock.locked()
        self._lock = threading.Lock()
        if half_changed:
            self._begin()

    def _begin(self) -> None:
        self._dict: OrderedDict[Hashable, Any] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._bytes = 0

    def _forget(self, key: Hashable) -> None:
        self._dict.pop(key, None)
        self._bytes -= self._sizes.pop(key, 0)


class DummyCache(BaseCache):
    """Keeps nothing."""

    def get(self, key: Any, default: Any = None) -> Any:  # noqa: ARG002
        return default

    def set(self, key: Any, value: Any, expire: float | None = 300) -> None:
        """Nothing is kept."""

    def invalidate(self, key: Any) -> None:
        """There is nothing to forget."""

    def clear(self) -> None:
        """There is nothing to forget."""


class FileCache(BaseCache):
    """In a folder, which is made when it is not there. Threads and processes of one machine may share it.

    Args:
        path: the folder. What version 1's diskcache left there stays, and is not read: it was code.
        settings: of diskcache's, ``size_limit`` (bytes) and ``timeout`` (seconds to wait for another process that
            writes) mean the same; the others warn and are ignored.

    Raises:
        OSError: the folder cannot be made.
        StoreUnavailable: (all verbs, too) the file in it cannot be used; the text says why.
    """

    def __init__(self, path: str | os.PathLike[str], **settings: Any) -> None:
        max_bytes = settings.pop("size_limit", 1024 * MEGABYTE)
        timeout = settings.pop("timeout", 60)
        if settings:
            message = f"FileCache ignores {', '.join(sorted(settings))}: it does not stand on diskcache any more"
            warnings.warn(message, UserWarning, stacklevel=2)
        self._shelf = FileShelf(path, max_bytes=max_bytes, busy_seconds=timeout)

    def get(self, key: Any, default: Any = None) -> Any:
        return _unpacked(self._shelf.get(_hash(key)), default)

    def set(self, key: Any, value: Any, expire: float | None = 300) -> None:
        """Keep plain data.

        Raises:
            TypeError: the value is anything else.
        """
        seconds = _seconds(expire)
        if seconds is not None and seconds < 0:
            self.invalidate(key)
        else:
            self._shelf.put(_hash(key), pack(value), seconds)

    def invalidate(self, key: Any) -> None:
        self._shelf.drop(_hash(key))

    def clear(self) -> None:
        """Forget everything."""
        self._shelf.clear()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._shelf.close()

    def __del__(self) -> None:
        shelf = getattr(self, "_shelf", None)
        if shelf is not None:
            shelf.close()


class MemcachedCache(BaseCache):
    """On memcached. What is larger than a megabyte, memcached's own bound, is not kept.

    Args:
        memcache_client: of python-memcached, or of pymemcache without ``serde``. It has to be safe for your threads.

    Raises:
        TypeError: it is no such client, or one that unpickles what it reads.
    """

    def __init__(self, memcache_client: Any) -> None:
        self._read = memcached_reader(memcache_client)
        self._mc = memcache_client

    def get(self, key: Any, default: Any = None) -> Any:
        return _unpacked(self._read(_hash(key)), default)

    def set(self, key: Any, value: Any, expire: float | None = 300) -> bool:
        """Keep plain data; True when it is kept.

        Raises:
            TypeError: the value is anything else.
        """
        seconds, data = _seconds(expire) or 0, pack(value)
        if seconds > _LONGEST_RELATIVE:
            seconds = min(seconds + int(time.time()), _LAST_DATE)
        if seconds >= 0 and len(data) < MEGABYTE - 512 and self._mc.set(_hash(key), data, seconds):
            return True
        self.invalidate(key)  # what was there before is out of date
        return False

    def invalidate(self, key: Any) -> Any:
        return self._mc.delete(_hash(key))


class RedisCache(BaseCache):
    """On Redis or Valkey.

    Args:
        redis_client: of redis-py or valkey-py, blocking, and without ``decode_responses``: any with ``get(name)``,
            ``set(name, value, ex=seconds)`` and ``delete(name)``.

    Raises:
        TypeError: it is no such client.
    """

    def __init__(self, redis_client: Any) -> None:
        require_redis(redis_client)
        self._r = redis_client

    def get(self, key: Any, default: Any = None) -> Any:
        return _unpacked(self._r.get(_hash(key)), default)

    def set(self, key: Any, value: Any, expire: float | None = 300) -> Any:
        """Keep plain data.

        Raises:
            TypeError: the value is anything else.
        """
        seconds = _seconds(expire)
        if seconds is not None and seconds < 0:
            return self.invalidate(key)
        return self._r.set(_hash(key), pack(value), ex=seconds)

    def invalidate(self, key: Any) -> Any:
        return self._r.delete(_hash(key))


_LONGEST_RELATIVE = 30 * 86400
"""More seconds than this are a date to memcached. Source: memcached's protocol.txt, expiration times."""

_LAST_DATE = 2**31 - 1
"""Memcached reads no later one (it is in January 2038)."""


def _seconds(expire: float | None) -> int | None:
    """Whole seconds, never less than was asked for; None: no end; below 0: over."""
    return math.ceil(expire) or 1 if expire is not None and expire > 0 else (-1 if expire else None)


def _unpacked(data: Any, default: Any) -> Any:
    if data is None:
        return default
    try:
        value = unpack(data)
    except ValueError as error:
        LOGGER.debug("an entry is a miss: %s", error)
        return default
    return default if value is None else value


def _size(value: object) -> int:
    """Bytes, as near as can be told; what several values share is counted for each."""
    size = sys.getsizeof(value)
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return size + sum(_size(name) + _size(item) for name, item in items)
    if isinstance(value, (list, tuple, set, frozenset)):
        return size + sum(map(_size, cast("list[object]", value)))
    return size
