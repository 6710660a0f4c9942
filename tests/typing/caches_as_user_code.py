"""Caches as programs of version 1 wrote them: what a type checker must accept, and what it must refuse.

Checked by mypy --strict and by basedpyright, never run.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from typing import Any

from esipy import AsyncEsiClient, EsiClient
from esipy.cache import BaseCache, DictCache, DummyCache, FileCache
from esipy.utils import check_cache


class Own(BaseCache):
    """The names and defaults of the arguments are the program's."""

    def set(self, name: Any, data: Any, timeout: int = 60) -> None: ...

    def get(self, name: Any, outdated: bool = False, default: Any = None) -> Any: ...

    def invalidate(self, name: Any) -> None: ...


for cache in (Own(), DictCache(max_entries=10), DummyCache(), FileCache("folder", size_limit=10)):
    EsiClient(cache=cache)
    AsyncEsiClient(cache=cache)
    cache.set("key", {"any": b"thing"}, 60)
    cache.get("key")
    cache.invalidate("key")
    check_cache(cache)
EsiClient(cache=None)
EsiClient(cache=False)
EsiClient(cache={})  # type: ignore[arg-type]
