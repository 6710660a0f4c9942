"""Every cache that a client can have, over the real thing, as several processes see it."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

from esipy.cache import DictCache, FileCache
from esipy.cache import RedisCache as OldRedisCache
from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.stores.base import CacheStore
from esipy.stores.beside import Beside
from esipy.stores.cache_entries import name_of
from esipy.stores.doors import Door
from esipy.stores.flights import SharedCache
from esipy.stores.memory import MemoryCache
from esipy.stores.redis_cache import RedisCache
from esipy.stores.sqlite_cache import SqliteCache
from tests.stores.valkey import admin, new_prefix, url_of

SHARED = ("sqlite", "redis")
BOUNDED = ("memory", *SHARED)
KINDS = (*BOUNDED, "door to a dict", "door to a folder", "door to redis")

PATH = "https://esi.evetech.net/markets/10000002/orders"
NOW = 1_785_844_800.0
BODY = random.Random(1).randbytes(20_000)


def answer(body: bytes = b'{"players":12}', fresh_until: float | None = NOW + 300, **headers: str) -> Answer:
    """An answer as ESI sends it; header names are written with underscores."""
    pairs = [("Content-Type", "application/json"), ("ETag", '"x"')]
    pairs += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Answer(200, Headers(pairs), body, fresh_until=fresh_until)


class Asker:
    """One process: its cache, and its clock; the verbs are called."""

    def __init__(self, store: CacheStore, shared: SharedCache | None, runtime: Any) -> None:
        self.store: Any = store
        self.shared: Any = shared
        self.runtime = runtime

    def get(self, key: str) -> Answer | None:
        found: Answer | None = run(self.store.get(key))
        return found

    def body(self, key: str) -> bytes | None:
        """Of the answer kept under this key."""
        found = self.get(key)
        return None if found is None else found.body

    def put(self, key: str, value: Answer | bytes = b"x", path: str = PATH, *token: int | None) -> None:
        run(self.store.put(key, answer(value) if isinstance(value, bytes) else value, path, *token))

    def drop(self, path: str = PATH) -> None:
        run(self.store.drop(path))

    def clear(self) -> None:
        run(self.store.clear())

    def claim(self, key: str, seconds: float = 30.0) -> int | None:
        token: int | None = run(self.store.claim(key, seconds))
        return token

    def release(self, key: str, token: int) -> None:
        run(self.store.release(key, token))


class Place:
    """One store, and processes that use it.

    Attributes:
        now: the time at which all processes are, unless they are told another.
    """

    def __init__(self, kind: str, folder: Path, valkey: Callable[[], Any]) -> None:
        self.kind = kind
        self.now = NOW
        self.file = folder / "cache" / "answers.sqlite3"
        self._folder = folder
        self._valkey = valkey() if "redis" in kind else None
        self._prefix = new_prefix()
        self._one = MemoryCache() if kind == "memory" else Door(DictCache())
        self._open: list[Any] = []
        if kind == "door to redis":
            admin(self._valkey).flushall()

    def process(self, *, ahead_seconds: float = 0.0, **options: Any) -> Asker:
        """One more process, whose clock is so far ahead; in memory, one more client of the same."""
        runtime: Any = BlockingRuntime(cast("Any", None))  # it sends nothing
        runtime.now = lambda: self.now + ahead_seconds
        shared: SharedCache | None = None
        store: CacheStore
        if self.kind == "sqlite":
            shared = SqliteCache(self.file, **{"clock": self._clock, **options})
        elif self.kind == "redis":
            shared = RedisCache(url_of(self._valkey), prefix=self._prefix, clock=self._clock, **options)
        if shared is not None:
            self._open.append(shared)
            store = Beside(shared, runtime)
        elif self.kind == "door to a folder":
            self._open.append(FileCache(self._folder))
            store = Door(self._open[-1])
        elif self.kind == "door to redis":
            self._open.append(admin(self._valkey))
            store = Door(OldRedisCache(self._open[-1]))
        else:
            store = MemoryCache(**options) if options else self._one
        return Asker(store, shared, runtime)

    def _clock(self) -> float:
        return self.now - 1_000_000.0  # a store's time need be nobody's

    def plant(self, key: str, data: bytes) -> None:
        """Put bytes in the place of what is kept, as a stranger would, or a bad disk."""
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.file)) as file, file:
                file.execute("UPDATE entries SET data = ? WHERE name = ?", (data, name_of(key)))
        else:
            self.server.set(self.redis_key(key), data)

    def raw(self, key: str) -> bytes | None:
        """What is kept, as it is kept."""
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.file)) as file:
                row = file.execute("SELECT data FROM entries WHERE name = ?", (name_of(key),)).fetchone()
                return None if row is None else bytes(row[0])
        found: bytes | None = self.server.get(self.redis_key(key))
        return found

    def redis_key(self, key: str) -> str:
        """The server's name of an answer."""
        return f"{{{self._prefix}}}cache1:answer:{name_of(key).hex()}"

    @property
    def server(self) -> Any:
        """A client to look at the server with."""
        client = admin(self._valkey)
        self._open.append(client)
        return client

    def let_end(self, claimed: Callable[[], int | None]) -> int:
        """Claim what was claimed for a millisecond, when that is over."""
        self.now += 1.0
        ends = time.monotonic() + 10
        while time.monotonic() < ends:  # a server's keys end by its own time
            token = claimed()
            if token is not None:
                return token
        raise AssertionError("it does not end")

    def close(self) -> None:
        """Close all."""
        for each in self._open:
            with suppress(AttributeError):
                each.close()


def places(kind: str, folder: Path, request: Any) -> Iterator[Place]:
    """A fixture's work."""
    place = Place(kind, folder, lambda: request.getfixturevalue("valkey"))
    yield place
    place.close()


def count(place: Place, table: str) -> int:
    """Rows of a table."""
    with closing(sqlite3.connect(place.file)) as file:
        return int(file.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
