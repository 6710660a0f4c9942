"""Every cache of version 1 over the real thing: a dict, a folder, a Valkey and a memcached server.

Each backend gives caches that share one store, as two processes would, and a way to plant bytes in it.
"""

from __future__ import annotations

import getpass
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from esipy.cache import BaseCache, DictCache, FileCache, MemcachedCache, RedisCache, _hash
from esipy.stores.doors_file import FILE_NAME

BACKENDS = ("dict", "file", "redis", "memcached by pymemcache", "memcached by python-memcached")
SHARED = BACKENDS[1:]

MEMCACHED = shutil.which("memcached")


class Backend:
    """One store, and caches over it."""

    def __init__(self, name: str, request: pytest.FixtureRequest) -> None:
        self.name = name
        self._folder: Path = request.getfixturevalue("tmp_path") / "cache"
        self._made: list[Any] = []
        self._dict = DictCache()
        if name == "redis":
            self.valkey = request.getfixturevalue("valkey")
            self.client().flushall()
        if name.startswith("memcached"):
            self.socket: str = request.getfixturevalue("memcached")
            self.client().flush_all()

    def client(self) -> Any:
        """A client of the server."""
        if self.name == "redis":
            from redis import Redis

            client: Any = Redis(host="127.0.0.1", port=self.valkey.port)
        elif self.name == "memcached by pymemcache":
            from pymemcache.client.base import PooledClient

            client = PooledClient(self.socket, no_delay=False, default_noreply=False)
        else:
            import memcache

            client = memcache.Client([f"unix:{self.socket}"])
        self._made.append(client)
        return client

    def cache(self) -> BaseCache:
        """Another cache over the same store: of another process, or after a restart."""
        if self.name == "dict":
            return self._dict
        if self.name == "file":
            self._made.append(FileCache(self._folder))
            return self._made[-1]
        return RedisCache(self.client()) if self.name == "redis" else MemcachedCache(self.client())

    def plant(self, key: Any, raw: bytes) -> None:
        """Write bytes where the cache has this key, as a stranger would."""
        if self.name == "file":
            with suppress(sqlite3.OperationalError), sqlite3.connect(self._folder / FILE_NAME) as connection:
                connection.execute("REPLACE INTO entries VALUES (?, ?, NULL)", (_hash(key), raw))
            connection.close()
        else:
            self.client().set(_hash(key), raw)

    def close(self) -> None:
        """Close all connections."""
        for made in self._made:
            close = getattr(made, "disconnect_all", None) or made.close
            close()


@contextmanager
def serve_memcached(folder: Path) -> Generator[str]:
    """A memcached server on a socket in a folder."""
    assert MEMCACHED is not None
    socket = str(folder / "memcached")
    server = subprocess.Popen(
        [MEMCACHED, "-u", getpass.getuser(), "-s", socket, "-m", "64", "-vv"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    for line in server.stderr:
        if "server listening" in line:
            break
    else:
        pytest.fail("memcached did not start")
    # What it goes on to tell has to be read, or it waits.
    reader = threading.Thread(target=server.stderr.read)
    reader.start()
    yield socket
    server.terminate()
    server.wait(10)
    reader.join(10)
    server.stderr.close()
