"""Which ledger a client counts in: that of its process, or one that processes or machines share.

===========================================  ======================================================================
``ledger=``, or the variable ``ESI_LEDGER``   counts
===========================================  ======================================================================
nothing, None                                in memory, for all clients of the process
``sqlite:///limits.sqlite3``                 in a file, here in the working directory, for all processes that use it
``sqlite:////var/lib/my-app/limits.sqlite3`` the same, with a whole path; ``sqlite:///~/...`` is in your home
``sqlite:``                                  in a file of this user's, for all programs that say so
``redis://host:6379/0``                      in Redis, for all machines; also ``rediss://``, ``unix://``, and
                                             ``valkey://``, ``valkeys://``, ``valkey+unix://``
an object                                    a `LedgerStore` of `esipy.stores`
===========================================  ======================================================================

Clients of a process that name the same ledger share one object. What is shared by processes may fail: then each goes on
by itself, with tighter limits (`esipy.stores.degrading`), and STORE_DEGRADED tells.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any, cast
from weakref import WeakSet

from esipy._forks import ForkLock
from esipy.exceptions import SettingError
from esipy.runtime.base import Runtime
from esipy.stores.base import LedgerStore
from esipy.stores.degrading import DegradingLedger, SharedLedger
from esipy.stores.memory_ledger import MemoryLedger

__all__ = ["VARIABLE", "Users", "users_of"]

VARIABLE = "ESI_LEDGER"
"""The environment variable that names the ledger of clients that are given none."""

SERVERS = ("redis", "rediss", "unix", "valkey", "valkeys", "valkey+unix")

LOGGER = logging.getLogger("esipy.client")

_making = ForkLock()


class Users:
    """A ledger, and the open clients of the process that use it.

    Args:
        owned: it was opened here, and is closed with the last client.
    """

    def __init__(self, store: LedgerStore, *, owned: bool) -> None:
        self.store = store
        self._owned = owned
        self._clients: WeakSet[Any] = WeakSet()

    def enter(self, client: object) -> None:
        """A client uses it from now on."""
        with _making:
            self._clients.add(client)

    def leave(self, client: object) -> bool:
        """A client is closed; gives whether the ledger is to be closed now. Leaving twice is no error."""
        with _making:
            if client not in self._clients:
                return False
            self._clients.discard(client)
            return self._owned and not self._clients


def users_of(given: LedgerStore | str | None, runtime: Runtime) -> Users:
    """The ledger that is meant, and who uses it.

    Raises:
        SettingError: no ledger can be meant; the text shows no password.
        ImportError: it needs the extra ``redis``.
    """
    source = "ledger"
    if given is None:
        source, given = VARIABLE, os.environ.get(VARIABLE) or None
    with _making:
        if given is None:
            return _of_process(runtime)
        if isinstance(given, str):
            return _named(source, given, runtime)
        return _object(source, given, runtime)


def _of_process(runtime: Runtime) -> Users:
    shared = runtime.shared
    store = shared.setdefault("ledger", MemoryLedger(runtime.now))
    found: Users = shared.setdefault(("ledger users", id(store)), Users(store, owned=False))
    return found


def _named(source: str, text: str, runtime: Runtime) -> Users:
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "sqlite":
        path = _path_of(source, rest)
        key = f"sqlite:{path}"
    elif colon and scheme in SERVERS:
        path, key = None, text
    else:
        raise SettingError(
            f"{source}: has to begin with sqlite:, redis://, rediss://, valkey:// or unix://, "
            "such as sqlite:///limits.sqlite3 or redis://localhost:6379/0"  # not shown: it may hold a password
        )
    found: Users | None = runtime.shared.get(("ledger users", key))
    if found is None:
        store = _file(path) if path is not None else _server(source, text)
        found = runtime.shared[("ledger users", key)] = Users(_degrading(store, runtime), owned=True)
    return found


def _object(source: str, given: Any, runtime: Runtime) -> Users:
    if not all(callable(getattr(given, verb, None)) for verb in ("reserve", "settle", "wait_for", "states")):
        raise SettingError(
            f"{source}={type(given).__name__}: has to be a text such as sqlite:///limits.sqlite3, "
            "or a ledger of esipy.stores"
        )
    key = ("ledger users", id(given))
    found: Users | None = runtime.shared.get(key)
    if found is None:
        store = _degrading(cast("SharedLedger", given), runtime) if hasattr(given, "members") else given
        found = runtime.shared[key] = Users(store, owned=False)
    return found


def _file(path: Path) -> SharedLedger:
    from esipy.stores.sqlite_ledger import SqliteLedger  # most programs need neither

    return SqliteLedger(path)


def _server(source: str, url: str) -> SharedLedger:
    from esipy.stores.redis_ledger import RedisLedger

    try:
        return RedisLedger(url)
    except ValueError as error:
        said = str(error)  # names no password
    raise SettingError(f"{source}: {said}")


def _degrading(store: SharedLedger, runtime: Runtime) -> LedgerStore:
    name = repr(store).strip("<>").partition(" ")[2] or type(store).__name__
    news: deque[dict[str, Any]] = deque()

    def told(error: str | None) -> None:
        if error is None:
            LOGGER.warning("the ledger %s answers again", name)
        else:
            LOGGER.warning("the ledger %s fails, until it is back this process keeps to its part: %s", name, error)
        news.append({"store": name, "error": error, "degraded": error is not None})

    made = DegradingLedger(store, MemoryLedger(runtime.now), now=runtime.now, told=told)
    runtime.shared["ledger news", id(made)] = news  # to be told where receivers can be awaited (`engine.ledger`)
    return made


def _path_of(source: str, rest: str) -> Path:
    """The file that ``sqlite:...`` names."""
    if not rest:
        return _user_folder() / "esipy" / "limits.sqlite3"
    name = rest.removeprefix("///")
    if name == rest or not name or name == ":memory:":
        raise SettingError(
            f"{source}=sqlite:{rest}: has to be sqlite:///limits.sqlite3, sqlite:////with/a/whole/path.sqlite3, or "
            "sqlite: alone for a file of this user's"
        )
    return Path(os.path.abspath(Path(name).expanduser()))


def _user_folder() -> Path:
    """Where programs of this user keep what they can do without."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
