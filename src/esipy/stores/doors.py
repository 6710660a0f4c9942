"""The door from version 1's caches to the engine: any object with ``get``, ``set`` and ``invalidate`` as a store.

Rules kept here:

- A cache is called by position, as version 1 did: ``set(key, value, expire)``, ``get(key, default)``,
  ``invalidate(key)``; of a ``get`` or ``set`` with other arguments only those that it has to have are given.
- A key is a short text, the same in every process (T08). A value is plain data: dicts, lists, bytes, texts and
  numbers. What comes back is checked, and whatever is not word for word what was put is a miss (T11).
- Entries outlive their freshness by `STALE_SECONDS`, for their validators' sake (T08).
- Caches of version 1 cannot list their keys, so each path has an entry of its own, its generation: a text that
  every answer kept under the path bears. Dropping a path writes another, also for all other processes (T02). When
  the generation is lost, all that bore it is: a cache may evict what it likes, and only misses come of it.
- A cache that fails is a miss, and is told in the log once until it works again.

What another process was reading while a path was dropped here is kept there until its lifetime ends.
"""

from __future__ import annotations

import inspect
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.stores.doors_records import digest

__all__ = ["STALE_SECONDS", "Door"]

LOGGER = logging.getLogger("esipy.cache")
T = TypeVar("T")

STALE_SECONDS = 7 * 86400
"""How long an answer is kept beyond its freshness: a 304 then costs half, and no body."""

LONGEST_SECONDS = 30 * 86400
"""What no cache is asked to exceed: to memcached, more is a date."""

FORMAT = 1
"""Of the records below; another number when they change."""


class Door:
    """`CacheStore` over a cache of version 1. Its verbs never suspend: the cache is called then and there."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache
        self._gets = _arguments(cache.get, 2, 1, 3)
        self._sets = _arguments(cache.set, 3, 2)
        self._works = True

    async def get(self, key: str) -> Answer | None:
        name = digest(key)
        kept = _read(self._get(name), name)
        if kept is None:
            return None
        answer, place, generation = kept
        return answer if self._get(place) == generation else None

    async def put(self, key: str, answer: Answer, path: str) -> None:
        place = _place(path)
        generation = self._get(place)
        if not isinstance(generation, str):
            generation = self._begin(place)
        lifetime = 0.0 if answer.fresh_until is None else max(answer.fresh_until - time.time(), 0.0)
        name = digest(key)
        record = {
            "format": FORMAT,
            "key": name,
            "place": place,
            "generation": generation,
            "status": answer.status,
            "headers": [[name, value] for name, value in answer.headers.pairs()],
            "body": answer.body,
            "fresh_until": answer.fresh_until,
        }
        self._set(name, record, min(int(lifetime) + STALE_SECONDS, LONGEST_SECONDS))

    async def drop(self, path: str) -> None:
        place = _place(path)
        if self._get(place) is not None or not self._works:
            self._begin(place)

    async def clear(self) -> None:
        """Forget everything.

        Raises:
            TypeError: this cache cannot; empty it by its own means.
        """
        clear = getattr(self.cache, "clear", None)
        if clear is None:
            raise TypeError(f"{type(self.cache).__name__} has no clear(): others may keep things there too")
        clear()

    def _begin(self, place: str) -> str:
        generation = secrets.token_hex(8)
        self._set(place, generation, LONGEST_SECONDS)
        return generation

    def _get(self, name: str) -> Any:
        return self._try("get", lambda: self.cache.get(*(name, None, None)[: self._gets]))

    def _set(self, name: str, value: Any, expire: int) -> None:
        self._try("set", lambda: self.cache.set(*(name, value, expire)[: self._sets]))

    def _try(self, verb: str, work: Callable[[], T]) -> T | None:
        try:
            result = work()
        except Exception as error:
            if self._works:
                LOGGER.warning(
                    "%s.%s failed, so nothing is kept for now: %s: %s",
                    type(self.cache).__name__, verb, type(error).__name__, error,
                )  # fmt: skip
            self._works = False
            return None
        self._works = True
        return result


def _place(path: str) -> str:
    return digest(("path", path))


def _read(record: object, name: str) -> tuple[Answer, str, str] | None:
    """The answer, its path's name and generation; None when it is not what `Door.put` made."""
    if not isinstance(record, dict):
        return None
    known = cast("dict[object, object]", record)
    place, generation, status = known.get("place"), known.get("generation"), known.get("status")
    headers, body, fresh_until = _pairs(known.get("headers")), known.get("body"), known.get("fresh_until")
    if (
        (known.get("format"), known.get("key")) == (FORMAT, name)
        and isinstance(place, str)
        and isinstance(generation, str)
        and isinstance(status, int)
        and headers is not None
        and isinstance(body, bytes)
        and isinstance(fresh_until, (int, float, type(None)))
    ):
        return Answer(status, Headers(headers), body, fresh_until=fresh_until), place, generation
    return None


def _pairs(value: object) -> list[tuple[str, str]] | None:
    if not isinstance(value, (list, tuple)):
        return None
    pairs: list[tuple[str, str]] = []
    for pair in cast("list[object]", value):
        match pair:
            case [str(name), str(text)]:
                pairs.append((name, text))
            case _:
                return None
    return pairs


def _arguments(function: Callable[..., Any], *counts: int) -> int:
    """How many arguments to give, of these counts the first that fits."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return counts[0]
    for count in counts:
        try:
            signature.bind(*range(count))
        except TypeError:
            continue
        return count
    return counts[0]
