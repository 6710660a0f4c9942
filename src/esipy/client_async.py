"""`AsyncEsiClient`: the client whose verbs are awaited; what they do is described at `EsiClient`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from esipy._characters import AsyncCharacters
from esipy.engine.exchange import Signer
from esipy.engine.terms import Downtime, Policy, Priority
from esipy.events import Signal
from esipy.lists.cursor_verbs import AsyncCursors
from esipy.lists.verbs import AsyncLists
from esipy.operation import Call
from esipy.response import Response
from esipy.retries import Rule
from esipy.shell import Shell
from esipy.stores.base import CacheStore, LedgerStore
from esipy.stores.flights import SharedCache
from esipy.stores.tokens import TokenStore
from esipy.transport import default_async_transport
from esipy.transport.base import AsyncTransport, require_transport
from esipy.watching.verbs import AsyncWatches

if TYPE_CHECKING:
    from esipy._cache_view import AsyncCacheView
    from esipy._keywords import SettingKeywords
    from esipy.cache import BaseCache
    from esipy.limits import Limit
    from esipy.planning import Plan

__all__ = ["AsyncEsiClient"]

T = TypeVar("T")


class AsyncEsiClient(AsyncCharacters, Shell, AsyncLists, AsyncCursors, AsyncWatches):
    """The asyncio client: `EsiClient`'s arguments and verbs, awaited. Many tasks of one loop may share it."""

    def __init__(
        self,
        security: Signer | None = None,
        retry_requests: Rule | bool | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        cache: CacheStore | SharedCache | BaseCache | str | bool | None = False,
        ledger: LedgerStore | str | None = None,
        client_id: str | None = None,
        secret_key: str | None = None,
        tokens: TokenStore | str | None = None,
        token_key: str | None = None,
        timeout: float | None = None,
        raw_body_only: bool = False,
        signal_api_call_stats: Signal[...] | None = None,
        transport: AsyncTransport | None = None,
        no_etag_body: bool = False,
        **settings: Unpack[SettingKeywords],
    ) -> None:
        # Here, so that blocking programs need not load asyncio.
        from esipy.runtime.aio import AioRuntime

        if transport is None:
            transport = default_async_transport()
        else:
            require_transport(transport, "aclose")
        self._transport = transport
        self._runtime = AioRuntime(self._transport)
        logins = {"client_id": client_id, "secret_key": secret_key, "tokens": tokens, "token_key": token_key}
        given = {"timeout": timeout, **logins, **settings}
        super().__init__(
            self._runtime,
            security,
            retry_requests=retry_requests,
            headers=headers,
            cache=cache,
            ledger=ledger,
            raw_body_only=raw_body_only,
            signal_api_call_stats=signal_api_call_stats,
            no_etag_body=no_etag_body,
            settings=given,
        )

    async def request(
        self,
        call: Call[T],
        *,
        raw_body_only: bool | None = None,
        raise_on_error: bool = False,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> Response[T]:
        """See `EsiClient.request`."""
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        return await self._request(call, raw_body_only, raise_on_error, terms)

    async def fetch(
        self,
        call: Call[T],
        *,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> T:
        """See `EsiClient.fetch`."""
        return await self._fetch(call, self._terms(priority, policy, max_wait, downtime, stale_if_error))

    async def head(
        self,
        call: Call[T],
        *,
        raise_on_error: bool = False,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
    ) -> Response[T]:
        """See `EsiClient.head`."""
        terms = self._terms(priority, policy, max_wait, downtime)
        return await self._request(call, True, raise_on_error, terms, "HEAD")

    async def multi_request(
        self,
        calls: Iterable[Call[T]],
        threads: int = 20,
        *,
        raw_body_only: bool | None = None,
        raise_on_error: bool = False,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> list[tuple[Call[T], Response[T]]]:
        """See `EsiClient.multi_request`; ``threads`` is how many are under way at once."""
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        return await self._multi_request(calls, threads, raw_body_only, raise_on_error, terms)

    async def limits(self) -> list[Limit]:
        """See `EsiClient.limits`."""
        return await self._limits()

    async def plan(
        self, calls: Iterable[Call[Any]], *, priority: Priority | None = None, policy: Policy | None = None
    ) -> Plan:
        """See `EsiClient.plan`."""
        return await self._plan(calls, self._terms(priority, policy, None, None))

    @property
    def cache(self) -> AsyncCacheView:
        """See `EsiClient.cache`; its verbs are awaited."""
        from esipy._cache_view import AsyncCacheView  # most programs never ask

        return AsyncCacheView(self._cache, self._engine)

    async def close(self) -> None:
        """Give refreshes under way five seconds to end, then close all connections; of a view see `EsiClient.close`.

        Closing twice is no error.
        """
        await self._stop_watching()
        if self._whole is not None:
            return
        await self._runtime.drain()
        await self._leave_stores()
        self._runtime.dismiss()
        await self._transport.aclose()

    async def __aenter__(self) -> AsyncEsiClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
