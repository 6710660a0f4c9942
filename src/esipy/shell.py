"""What both clients share: reading their arguments, and the life of one request as a coroutine."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from esipy.core.answer import Answer
from esipy.core.objects import DataObject
from esipy.core.retries import policy_for
from esipy.core.wire import Headers
from esipy.engine.announcing import NO_ANSWER
from esipy.engine.exchange import Signer
from esipy.engine.pipeline import Engine
from esipy.events import ANSWER_DRIFTED, API_CALL_STATS, Signal
from esipy.exceptions import NetworkError, SettingError
from esipy.operation import Call
from esipy.response import Response
from esipy.runtime.base import Runtime
from esipy.settings import LIBRARY, Settings
from esipy.stores.base import CacheStore
from esipy.stores.memory import MemoryCache
from esipy.version1.keywords import ignore_unknown

if TYPE_CHECKING:
    from esipy.cache import BaseCache

__all__ = ["Shell"]

LOGGER = logging.getLogger("esipy.client")
T = TypeVar("T")

MOST_AT_ONCE = 100
"""How many calls ``multi_request`` sends at once at the most: version 1's bound."""

_SETTINGS_BY_HEADER = {
    "user-agent": "user_agent",
    "accept-language": "language",
    "x-compatibility-date": "compatibility_date",
    "x-tenant": "tenant",
}
"""Headers that are settings: they belong to what an answer is kept under (T01)."""


class Shell:
    """A client without its colour: the verbs as coroutines."""

    _engine: Engine

    def __init__(
        self,
        runtime: Runtime,
        security: Signer | None,
        *,
        retry_requests: bool | None,
        headers: Mapping[str, str] | None,
        cache: CacheStore | BaseCache | bool | None,
        raw_body_only: bool,
        signal_api_call_stats: Signal[...] | None,
        no_etag_body: bool,
        settings: Mapping[str, Any],
    ) -> None:
        own_headers = dict(headers or {})
        given = ignore_unknown(type(self).__name__, settings, Settings.__slots__, stacklevel=3)
        for name in list(own_headers):
            setting = _SETTINGS_BY_HEADER.get(name.lower())
            if setting is not None and given.get(setting) is None:
                given[setting] = own_headers.pop(name)
        self.settings = Settings.from_environment(**given)
        self.security = security
        self.raw_body_only = raw_body_only
        self.signal_api_call_stats: Signal[...] = (
            API_CALL_STATS if signal_api_call_stats is None else signal_api_call_stats
        )
        self._engine = Engine(
            runtime,
            self.settings,
            signer=security,
            cache=self._store(cache),
            retry_policy=policy_for(retry_requests),
            headers={**own_headers, "User-Agent": self._user_agent()},
            stats_signal=self.signal_api_call_stats,
            drift_signal=ANSWER_DRIFTED,
            no_etag_body=no_etag_body,
        )

    def _user_agent(self) -> str:
        if self.settings.user_agent is not None:
            return f"{self.settings.user_agent} {LIBRARY}"
        message = (
            "no User-Agent is set, so CCP cannot reach you before it has to block you. Name your program, its version "
            "and a contact: headers={'User-Agent': 'MyApp/1.0 (me@example.com; +https://github.com/me/myapp)'}"
        )
        LOGGER.warning(message)
        warnings.warn(message, UserWarning, stacklevel=4)
        return LIBRARY

    def _store(self, cache: CacheStore | BaseCache | bool | None) -> CacheStore | None:
        if cache is None:
            return None
        if cache is True or cache is False:  # version 1's default was False, and meant its own cache
            return MemoryCache(self.settings.cache_bytes)
        from esipy.cache import BaseCache  # not everyone has one of these

        if isinstance(cache, BaseCache):
            from esipy.stores.doors import Door

            return Door(cache)
        if not hasattr(cache, "put"):
            raise SettingError(
                f"cache={cache!r}: has to be derived from esipy.cache.BaseCache, or a store of esipy.stores, "
                "or None for no cache"
            )
        return cache

    async def _request(
        self, call: Call[T], raw_body_only: bool | None, raise_on_error: bool, method: str | None = None
    ) -> Response[T]:
        if not isinstance(call, Call):  # pyright: ignore[reportUnnecessaryIsInstance] (not everyone runs a checker)
            raise TypeError(
                f"{type(call).__name__} is no call: build one with esipy.ops or app.op['operation_id'](...)"
            )
        raw = self.raw_body_only if raw_body_only is None else raw_body_only
        try:
            response = await self._engine.perform(call, raw_body_only=raw, method=method)
        except NetworkError as error:
            if raise_on_error:
                raise
            return unanswered(call, error)
        warning = response.headers.get("warning")
        if warning is not None:
            LOGGER.warning("[%s] %s", response.url, warning)
            warnings.warn(f"[{response.url}] {warning}", UserWarning, stacklevel=2)
        if raise_on_error:
            response.raise_for_status()
        return response

    async def _fetch(self, call: Call[T]) -> T:
        return (await self._request(call, False, True)).data

    async def _multi_request(
        self, calls: Iterable[Call[T]], threads: int, raw_body_only: bool | None, raise_on_error: bool
    ) -> list[tuple[Call[T], Response[T]]]:
        async def job(call: Call[T]) -> tuple[Call[T], Response[T]]:
            return call, await self._request(call, raw_body_only, raise_on_error)

        return await self._engine.runtime.gather(job, calls, max(min(threads, MOST_AT_ONCE), 1))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.settings.base_url}>"


def unanswered(call: Call[T], error: NetworkError) -> Response[T]:
    """What stands in place of an answer that did not come: status 500, as in version 1, and the error itself."""
    data = DataObject(error=str(error))
    return Response(call, Answer(NO_ANSWER, Headers(), msgspec.json.encode(data)), data, error.url, error=error)
