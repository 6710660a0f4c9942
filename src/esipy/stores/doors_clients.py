"""Which clients of servers version 1's caches may use, and how these are read without running what they read (T11).

The clients are the program's own objects, so no package is imported here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

__all__ = ["memcached_reader", "require_redis"]


def memcached_reader(client: Any) -> Callable[[str], Any]:
    """How to read from a memcached client.

    Raises:
        TypeError: it is no such client; or it may unpickle what it reads, and nothing here could keep it from that.
    """
    _require(client, "get", "set", "delete")
    if _is_of("memcache", client):
        return partial(_read_without_unpickler, client)
    if not _is_of("pymemcache", client):
        raise TypeError(
            f"{type(client).__module__}.{type(client).__name__} may unpickle what it reads: "
            "give a client of python-memcached or pymemcache"
        )
    serializer = getattr(client, "serde", None) or getattr(client, "default_kwargs", {}).get("serde")
    if serializer is not None and serializer.serialize("", [])[0] != []:
        raise TypeError("this client unpickles what it reads: make one for this cache without serde=")
    read: Callable[[str], Any] = client.get
    return read


def require_redis(client: Any) -> None:
    """Refuse what is no blocking client of Redis or Valkey that gives bytes.

    Raises:
        TypeError: the text says what to give.
    """
    _require(client, "get", "set", "delete")
    if hasattr(client, "aclose"):
        raise TypeError("an asyncio client cannot be used here: give redis.Redis, with a short socket_timeout")
    pool = getattr(client, "connection_pool", None)
    if getattr(pool, "connection_kwargs", {}).get("decode_responses"):
        raise TypeError("this client reads texts, and entries are bytes: make one without decode_responses=True")


def _require(client: Any, *verbs: str) -> None:
    for verb in verbs:
        if not callable(getattr(client, verb, None)):
            raise TypeError(f"{type(client).__name__} is no client of such a server: it has no {verb}()")


def _is_of(package: str, client: object) -> bool:
    return any(kind.__module__.partition(".")[0] == package for kind in type(client).__mro__)


def _refuse(*_: Any) -> NoReturn:
    """In the place of an unpickler."""
    raise ValueError("an entry that is code")


def _read_without_unpickler(client: Any, name: str) -> Any:
    """python-memcached unpickles what the server says is a pickle: not here. (Its attributes are each thread's own.)"""
    before, client.unpickler = client.unpickler, _refuse
    try:
        return client.get(name)
    finally:
        client.unpickler = before
