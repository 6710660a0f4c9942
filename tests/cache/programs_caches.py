"""Caches as programs wrote them for version 1, and one whose server is away."""

from __future__ import annotations

import pickle
from typing import Any

from esipy.cache import BaseCache, DictCache


class Timeout(BaseCache):
    """As programs of those days wrote it: over a dict of pickles."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.asked: list[Any] = []

    def set(self, key: Any, value: Any, timeout: Any = 300) -> None:  # type: ignore[override]
        self.asked.append(timeout)
        self.kept[key] = pickle.dumps(value)

    def get(self, key: Any, default: Any = None) -> Any:
        return pickle.loads(self.kept[key]) if key in self.kept else default

    def invalidate(self, key: Any) -> None:
        del self.kept[key]


class MaxAge(Timeout):
    """Another name, without a default; a `get` of three arguments, one of which nobody knows any more."""

    def set(self, key: Any, value: Any, max_age: int) -> None:  # type: ignore[override]
        super().set(key, value, max_age)

    def get(self, key: Any, outdated: Any, default: Any) -> Any:  # type: ignore[override]
        return super().get(key, default)


class Outdated(Timeout):
    """A `get` whose second argument is not the default."""

    def get(self, key: Any, outdated: bool = False, default: Any = None) -> Any:  # type: ignore[override]
        assert not outdated
        return super().get(key, default)


class Bare(Timeout):
    """A `get` with nothing but the key, and a `set` without time."""

    def set(self, key: Any, value: Any) -> None:  # type: ignore[override]
        super().set(key, value, None)

    def get(self, key: Any) -> Any:  # type: ignore[override]
        return super().get(key)


class Anything(Timeout):
    """Whatever comes."""

    def get(self, *args: Any) -> Any:
        return super().get(*args)


class Broken(BaseCache):
    """A cache whose server is away."""

    def __init__(self) -> None:
        self.away = True
        self.dict = DictCache()

    def _ask(self) -> DictCache:
        if self.away:
            raise ConnectionError("no server")
        return self.dict

    def set(self, key: Any, value: Any, expire: float | None = 300) -> None:
        self._ask().set(key, value, expire)

    def get(self, key: Any, default: Any = None) -> Any:
        return self._ask().get(key, default)

    def invalidate(self, key: Any) -> None:
        self._ask().invalidate(key)
