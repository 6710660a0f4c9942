"""Where a client keeps answers: in memory of its own, or in a store that processes or machines share.

============================================  =====================================================================
``cache=``, or the variable ``ESI_CACHE``      keeps
============================================  =====================================================================
nothing                                       in memory, for this client
``sqlite:///answers.sqlite3``                 in a file, here in the working directory, for all processes that use it
``sqlite:////var/lib/my-app/answers.sqlite3`` the same, with a whole path; ``sqlite:///~/...`` is in your home
``sqlite:``                                   in a file of this user's, for all programs that say so
``redis://host:6379/0``                       in Redis, for all machines; also ``rediss://``, ``unix://``, and
                                              ``valkey://``, ``valkeys://``, ``valkey+unix://``
an object                                     one of `esipy.cache` (version 1's), or a store of `esipy.stores`
None                                          nothing
============================================  =====================================================================

Each is bounded by ``cache_bytes``. Clients of a process that name the same store share one object. What is shared may
fail: then everything is a miss until it is back (`esipy.stores.forgiving`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, cast

from esipy._attached import attached
from esipy._named import MAKING, Users, at_server, read_name
from esipy.exceptions import SettingError
from esipy.runtime.base import Runtime
from esipy.stores.base import CacheStore
from esipy.stores.flights import SharedCache
from esipy.stores.memory import MemoryCache
from esipy.stores.places import ANSWERS

if TYPE_CHECKING:
    from esipy.cache import BaseCache

__all__ = ["VARIABLE", "Kept", "kept_in"]

VARIABLE = "ESI_CACHE"
"""The environment variable that names the cache of clients that are given none."""


class Kept:
    """Where one client keeps answers.

    Attributes:
        store: as its engine sees it; None: nothing is kept.
    """

    def __init__(self, store: CacheStore | None, users: Users[SharedCache] | None = None) -> None:
        self.store = store
        self._users = users

    def enter(self, client: object) -> None:
        """A client uses it from now on."""
        if self._users is not None:
            self._users.enter(client)

    async def leave(self, client: object, runtime: Runtime) -> None:
        """The client is closed; the last one closes what was opened for it."""
        if self._users is not None and self._users.leave(client):
            await runtime.join(runtime.begin(self._users.store.close))


def kept_in(
    given: CacheStore | SharedCache | BaseCache | str | bool | None, cache_bytes: int, runtime: Runtime
) -> Kept:
    """Where answers are to be kept.

    Raises:
        SettingError: no cache can be meant; the text shows no password.
        ImportError: it needs the extra ``redis``.
    """
    source = "cache"
    if isinstance(given, bool):  # version 1's default was False, and meant its own cache
        source, given = VARIABLE, os.environ.get(VARIABLE) or None
        if given is None:
            return Kept(MemoryCache(cache_bytes))
    if given is None:
        return Kept(None)
    if isinstance(given, str):
        return _shared(_named(source, given, cache_bytes, runtime), runtime)
    if _is_shared(given):
        return _shared(_object(given, runtime), runtime)
    from esipy.cache import BaseCache  # not everyone has one of these

    if isinstance(given, BaseCache):
        from esipy.stores.doors import Door

        return Kept(Door(given))
    if not hasattr(given, "put"):
        raise SettingError(
            f"{source}={given!r}: has to be a text such as sqlite:///{ANSWERS}, derived from esipy.cache.BaseCache, "
            "or a store of esipy.stores, or None for no cache"
        )
    return Kept(cast("CacheStore", given))


def _is_shared(given: CacheStore | SharedCache | BaseCache) -> TypeGuard[SharedCache]:
    return all(callable(getattr(given, verb, None)) for verb in ("claim", "close")) and hasattr(given, "remote")


def _shared(users: Users[SharedCache], runtime: Runtime) -> Kept:
    from esipy.stores.beside import Beside

    return Kept(Beside(users.store, runtime), users)


def _named(source: str, text: str, cache_bytes: int, runtime: Runtime) -> Users[SharedCache]:
    named = read_name(source, text, ANSWERS)
    key = ("cache users", str(named), cache_bytes)
    with MAKING:
        found: Users[SharedCache] | None = runtime.shared.get(key)
        if found is None:
            if isinstance(named, Path):
                store = _file(named, cache_bytes)
            else:
                store = at_server(source, lambda url: _server(url, cache_bytes), named)
            found = runtime.shared[key] = _forgiving(store, owned=True)
    return found


def _object(given: SharedCache, runtime: Runtime) -> Users[SharedCache]:
    return attached(given, runtime.shared, "cache users", lambda: _forgiving(given, owned=False))


def _forgiving(store: SharedCache, *, owned: bool) -> Users[SharedCache]:
    from esipy.stores.forgiving import ForgivingCache

    return Users(ForgivingCache(store), owned=owned)


def _file(path: Path, cache_bytes: int) -> SharedCache:
    from esipy.stores.sqlite_cache import SqliteCache  # most programs need neither

    return SqliteCache(path, max_bytes=cache_bytes)


def _server(url: str, cache_bytes: int) -> SharedCache:
    from esipy.stores.redis_cache import RedisCache

    return RedisCache(url, max_bytes=cache_bytes)
