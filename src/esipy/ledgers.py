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

import os
from pathlib import Path
from typing import Any, cast

from esipy._attached import attached
from esipy._named import MAKING, Users, at_server, read_name
from esipy.exceptions import SettingError
from esipy.runtime.base import Runtime
from esipy.stores.base import LedgerStore, SharedLedger
from esipy.stores.degrading import DegradingLedger
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.places import LIMITS

__all__ = ["VARIABLE", "users_of"]

VARIABLE = "ESI_LEDGER"
"""The environment variable that names the ledger of clients that are given none."""

SETTLING_SECONDS = 30.0
"""After the longest exchange: the time to settle it."""


def users_of(given: LedgerStore | str | None, runtime: Runtime, timeout: float) -> Users[LedgerStore]:
    """The ledger that is meant, and who uses it.

    Args:
        timeout: of the longest exchange, in seconds. A ledger that is made here waits longer for calls under way; one
            that is given as an object has its own `lease_seconds`.

    Raises:
        SettingError: no ledger can be meant; the text shows no password.
        ImportError: it needs the extra ``redis``.
    """
    source = "ledger"
    if given is None:
        source, given = VARIABLE, os.environ.get(VARIABLE) or None
    with MAKING:
        if given is None:
            return _outlasting(_of_process(runtime), timeout)
        if isinstance(given, str):
            return _outlasting(_named(source, given, runtime), timeout)
        return _object(source, given, runtime)


def _of_process(runtime: Runtime) -> Users[LedgerStore]:
    return Users(runtime.shared.setdefault("ledger", MemoryLedger(runtime.now)), owned=False)


def _named(source: str, text: str, runtime: Runtime) -> Users[LedgerStore]:
    named = read_name(source, text, LIMITS)
    key = ("ledger users", str(named))
    found: Users[LedgerStore] | None = runtime.shared.get(key)
    if found is None:
        store = _file(named) if isinstance(named, Path) else at_server(source, _server, named)
        found = runtime.shared[key] = Users(_degrading(store, runtime), owned=True)
    return found


def _outlasting(users: Users[LedgerStore], timeout: float) -> Users[LedgerStore]:
    store = cast("MemoryLedger | DegradingLedger", users.store)
    store.lease_seconds = max(store.lease_seconds, timeout + SETTLING_SECONDS)  # of several clients the longest counts
    return users


def _object(source: str, given: Any, runtime: Runtime) -> Users[LedgerStore]:
    if not all(callable(getattr(given, verb, None)) for verb in ("reserve", "settle", "wait_for", "states")):
        raise SettingError(
            f"{source}={type(given).__name__}: has to be a text such as sqlite:///limits.sqlite3, "
            "or a ledger of esipy.stores"
        )
    if hasattr(given, "members"):  # processes share it, so it may fail
        given = attached(given, runtime.shared, "degrading", lambda: _degrading(given, runtime))
    return Users(given, owned=False)


def _file(path: Path) -> SharedLedger:
    from esipy.stores.sqlite_ledger import SqliteLedger  # most programs need neither

    return SqliteLedger(path)


def _server(url: str) -> SharedLedger:
    from esipy.stores.redis_ledger import RedisLedger

    return RedisLedger(url)


def _degrading(store: SharedLedger, runtime: Runtime) -> LedgerStore:
    return DegradingLedger(store, MemoryLedger(runtime.now), now=runtime.now)
