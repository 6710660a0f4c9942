"""``client.cache``: what a client keeps, to forget it and to see what it was good for.

Everything else is that of the cache which the client was given, for programs of version 1: ``client.cache.get(key)``,
``isinstance(client.cache, DictCache)`` and ``client.cache == cache`` mean what they meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import isawaitable
from typing import Any, NamedTuple, cast

from esipy._given import call_of
from esipy.core.changing import check_changes
from esipy.engine.caching import drop
from esipy.engine.exchange import Exchange
from esipy.engine.pipeline import Engine
from esipy.operation import Call
from esipy.runtime.blocking import run

__all__ = ["AsyncCacheView", "CacheStats", "CacheView"]


class CacheStats(NamedTuple):
    """How the calls of a client that may be kept were answered, since it was made; and what its cache holds.

    Attributes:
        hits: what was kept was fresh: nothing was sent.
        misses: ESI was asked, and sent an answer or none.
        revalidated: ESI was asked, and what was kept still holds.
        stale: ESI did not answer, and what was kept stood in.
        joined: another call asked for the same at that time, and was answered for both.
        entries: how many answers are kept, by all who share the cache; None when it cannot tell. In Redis what was
            dropped counts until it makes room.
        stored_bytes: what they take, as near as can be told; None when it cannot tell.
    """

    hits: int
    misses: int
    revalidated: int
    stale: int
    joined: int
    entries: int | None
    stored_bytes: int | None


class _View:
    """What both colours share."""

    def __init__(self, given: Any, engine: Engine) -> None:
        self._given = given
        self._engine = engine

    def set_changes(self, write: str, reads: Sequence[str]) -> None:
        """Say what a write of this client changes, in place of the library's own table.

        Args:
            write: the operation's path, as ``/fleets/{fleet_id}``.
            reads: the paths whose kept answers it makes out of date, with the write's own parameters.

        Raises:
            ValueError: a read names a parameter that the write does not have.
        """
        self._engine.changes = {**self._engine.changes, write: check_changes(write, reads)}

    async def _forget(self, call: Call[Any]) -> None:
        store = self._engine.cache
        if store is not None:
            call = call_of(call)
            await drop(Exchange(self._engine, call, call.operation.method), store, (call.path,))

    async def _clear(self) -> None:
        for reader in tuple(self._engine.flights.readers):
            reader.overtaken = True
        if self._engine.cache is not None:
            await self._engine.cache.clear()

    async def _stats(self) -> CacheStats:
        tally, size = self._engine.tally, getattr(self._engine.cache, "size", None)
        found = None if size is None else size()
        if isawaitable(found):  # a cache that does I/O
            found = await found
        entries, stored_bytes = (None, None) if found is None else found
        return CacheStats(tally.hits, tally.misses, tally.revalidated, tally.stale, tally.joined, entries, stored_bytes)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_given", "_engine"):
            raise AttributeError(name)
        return getattr(self._given, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        """So that ``isinstance`` sees what was given."""
        return cast("type[Any]", type(self if self._given is None else self._given))

    def __eq__(self, other: object) -> bool:
        return other is self or bool(self._given == other)

    def __hash__(self) -> int:
        return hash(self._given)

    def __repr__(self) -> str:
        return repr(self._given)


class CacheView(_View):
    """``EsiClient.cache``."""

    def forget(self, call: Call[Any]) -> None:
        """Forget what is kept of a call, in all its pages and languages, of all who share the cache."""
        run(self._forget(call))

    def clear(self) -> None:
        """Forget everything, for all who share the cache.

        Raises:
            TypeError: this cache of version 1 cannot.
            StoreUnavailable: a shared cache does not answer.
        """
        run(self._clear())

    def stats(self) -> CacheStats:
        """What the cache was good for until now."""
        return run(self._stats())


class AsyncCacheView(_View):
    """``AsyncEsiClient.cache``: as `CacheView`, awaited."""

    async def forget(self, call: Call[Any]) -> None:
        """See `CacheView.forget`."""
        await self._forget(call)

    async def clear(self) -> None:
        """See `CacheView.clear`."""
        await self._clear()

    async def stats(self) -> CacheStats:
        """See `CacheView.stats`."""
        return await self._stats()
