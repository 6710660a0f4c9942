"""`EsiClient` and `AsyncEsiClient`: two thin shells over one engine.

Both have the same verbs with the same arguments; the asyncio one's are awaited:

- ``request(call)`` gives the answer, whatever its status; ``fetch(call)`` gives the data or raises;
- ``multi_request(calls)`` sends many at once; ``head(call)`` asks for the headers only.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from esipy.core.answer import Answer
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
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.settings import LIBRARY, Settings
from esipy.stores.base import CacheStore
from esipy.stores.memory import MemoryCache
from esipy.transport import default_async_transport, default_transport
from esipy.transport.base import AsyncTransport, Transport

__all__ = ["AsyncEsiClient", "EsiClient"]

LOGGER = logging.getLogger(__name__)
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


class _Shell:
    """What both colours share: reading the arguments, and the life of one request as a coroutine."""

    _engine: Engine

    def __init__(
        self,
        runtime: Runtime,
        security: Signer | None,
        retry_requests: bool | None,
        headers: Mapping[str, str] | None,
        cache: CacheStore | bool | None,
        raw_body_only: bool,
        signal_api_call_stats: Signal[...] | None,
        settings: Mapping[str, Any],
    ) -> None:
        own_headers = dict(headers or {})
        given = dict(settings)
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

    def _store(self, cache: CacheStore | bool | None) -> CacheStore | None:
        if cache is None:
            return None
        if cache is True or cache is False:  # version 1's default was False, and meant its own cache
            return MemoryCache(self.settings.cache_bytes)
        if not hasattr(cache, "put"):
            raise SettingError(f"cache={cache!r}: has to be a store of esipy.stores, or None for no cache")
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
            response = unanswered(call, error)
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
    from esipy.core.objects import DataObject

    answer = Answer(NO_ANSWER, Headers(), b"")
    return Response(call, answer, DataObject(error=str(error)), error.url, error=error)


class EsiClient(_Shell):
    """The blocking client. One client may be used by many threads.

    Args:
        security: a login (`EsiSecurity`), for the operations that need a token.
        retry_requests: None: what is safe to repeat is sent again up to three times; False: nothing is;
            True: five tries, and any 5xx counts as passing, as in version 1.
        headers: sent with each call; ``User-Agent`` says who you are.
        cache: a store; None: nothing is kept. The default keeps answers in memory.
        timeout: seconds for one exchange, the connection included; ESI itself gives up after 10.
        raw_body_only: do not decode bodies: ``data`` is None, ``raw`` has the bytes.
        signal_api_call_stats: a signal in place of the library's `API_CALL_STATS`.
        transport: what sends; the default is libcurl.
        settings: see `esipy.settings`, each also by an environment variable.

    Raises:
        SettingError: a setting or variable that cannot be meant.
    """

    def __init__(
        self,
        security: Signer | None = None,
        retry_requests: bool | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        cache: CacheStore | bool | None = False,
        timeout: float | None = None,
        raw_body_only: bool = False,
        signal_api_call_stats: Signal[...] | None = None,
        transport: Transport | None = None,
        **settings: Any,
    ) -> None:
        self._transport = transport or default_transport()
        runtime = BlockingRuntime(self._transport)
        given = {"timeout": timeout, **settings}
        super().__init__(runtime, security, retry_requests, headers, cache, raw_body_only, signal_api_call_stats, given)

    def request(self, call: Call[T], *, raw_body_only: bool | None = None, raise_on_error: bool = False) -> Response[T]:
        """Send a call and give its answer, whatever the status.

        Args:
            raw_body_only: None takes the client's own.
            raise_on_error: raise for a status >= 400, a body that is not JSON, and when no answer came.

        Raises:
            InvalidCallError: the call cannot be sent.
            LimitedError: ESI asked to wait longer than ``max_wait``; nothing was sent.
            SSOError: the call needs a token, and none could be had.
            APIException: with ``raise_on_error``.
        """
        return run(self._request(call, raw_body_only, raise_on_error))

    def fetch(self, call: Call[T]) -> T:
        """Send a call and give its data.

        Raises:
            APIException: of the class that `esipy.exceptions` draws, if there is no good answer.
        """
        return run(self._fetch(call))

    def head(self, call: Call[T], *, raise_on_error: bool = False) -> Response[T]:
        """Ask for the headers of a call's answer only: its ``data`` is None. It reaches the network each time."""
        return run(self._request(call, True, raise_on_error, "HEAD"))

    def multi_request(
        self,
        calls: Iterable[Call[T]],
        threads: int = 20,
        *,
        raw_body_only: bool | None = None,
        raise_on_error: bool = False,
    ) -> list[tuple[Call[T], Response[T]]]:
        """Send many calls, up to ``threads`` (1-100) at once.

        Returns:
            (call, answer) pairs in the order of the calls.
        """
        return run(self._multi_request(calls, threads, raw_body_only, raise_on_error))

    def close(self) -> None:
        """Close all connections. Closing twice is no error."""
        self._transport.close()

    def __enter__(self) -> EsiClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncEsiClient(_Shell):
    """The asyncio client: `EsiClient`'s arguments and verbs, awaited. Many tasks of one loop may share it."""

    def __init__(
        self,
        security: Signer | None = None,
        retry_requests: bool | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        cache: CacheStore | bool | None = False,
        timeout: float | None = None,
        raw_body_only: bool = False,
        signal_api_call_stats: Signal[...] | None = None,
        transport: AsyncTransport | None = None,
        **settings: Any,
    ) -> None:
        # Here, so that blocking programs need not load asyncio.
        from esipy.runtime.aio import AioRuntime

        self._transport = transport or default_async_transport()
        self._runtime = AioRuntime(self._transport)
        given = {"timeout": timeout, **settings}
        super().__init__(
            self._runtime, security, retry_requests, headers, cache, raw_body_only, signal_api_call_stats, given
        )

    async def request(
        self, call: Call[T], *, raw_body_only: bool | None = None, raise_on_error: bool = False
    ) -> Response[T]:
        """See `EsiClient.request`."""
        return await self._request(call, raw_body_only, raise_on_error)

    async def fetch(self, call: Call[T]) -> T:
        """See `EsiClient.fetch`."""
        return await self._fetch(call)

    async def head(self, call: Call[T], *, raise_on_error: bool = False) -> Response[T]:
        """See `EsiClient.head`."""
        return await self._request(call, True, raise_on_error, "HEAD")

    async def multi_request(
        self,
        calls: Iterable[Call[T]],
        threads: int = 20,
        *,
        raw_body_only: bool | None = None,
        raise_on_error: bool = False,
    ) -> list[tuple[Call[T], Response[T]]]:
        """See `EsiClient.multi_request`; ``threads`` is how many are under way at once."""
        return await self._multi_request(calls, threads, raw_body_only, raise_on_error)

    async def close(self) -> None:
        """Let refreshes under way end, then close all connections. Closing twice is no error."""
        await self._runtime.drain()
        await self._transport.aclose()

    async def __aenter__(self) -> AsyncEsiClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
