"""`EsiClient` and `AsyncEsiClient`: two thin shells over one engine.

Both have the same verbs with the same arguments; the asyncio one's are awaited:

- ``request(call)`` gives the answer, whatever its status; ``fetch(call)`` gives the data or raises;
- ``multi_request(calls)`` sends many at once; ``head(call)`` asks for the headers only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from esipy.engine.exchange import Signer
from esipy.events import API_CALL_STATS as API_CALL_STATS  # these too could be had from here in version 1
from esipy.events import Signal
from esipy.exceptions import APIException as APIException
from esipy.operation import Call
from esipy.response import Response
from esipy.retries import Rule
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.shell import LOGGER as LOGGER
from esipy.shell import Shell
from esipy.stores.base import CacheStore
from esipy.transport import default_async_transport, default_transport
from esipy.transport.base import AsyncTransport, Transport
from esipy.utils import check_cache as check_cache
from esipy.utils import get_cache_time_left as get_cache_time_left
from esipy.utils import make_cache_key as make_cache_key
from esipy.version1.keywords import OldKeywords, pool_size, the_calls

if TYPE_CHECKING:
    from esipy.cache import BaseCache

__all__ = ["AsyncEsiClient", "EsiClient"]

T = TypeVar("T")


class EsiClient(Shell):
    """The blocking client. One client may be used by many threads.

    Args:
        security: a login (`EsiSecurity`), for the operations that need a token.
        retry_requests: None: what is safe to repeat is sent again up to three times; False: nothing is;
            True: five tries, and any 5xx counts as passing, as in version 1; or a rule (`esipy.retries`).
        headers: sent with each call; ``User-Agent`` says who you are.
        cache: one of `esipy.cache`, or a store; None: nothing is kept. The default keeps answers in memory.
        timeout: seconds for one exchange, the connection included; ESI itself gives up after 10.
        raw_body_only: do not decode bodies: ``data`` is None, ``raw`` has the bytes.
        signal_api_call_stats: a signal in place of the library's `API_CALL_STATS`.
        transport: what sends; the default is libcurl.
        transport_adapter: version 1's; of requests' HTTPAdapter only the pool size has an effect, and it warns.
        no_etag_body: version 1's; a 304 is answered as it came, without the kept body.
        settings: see `esipy.settings`, each also by an environment variable; unknown keywords warn, as they
            did nothing in version 1.

    Raises:
        SettingError: a setting or variable that cannot be meant.
    """

    def __init__(
        self,
        security: Signer | None = None,
        retry_requests: Rule | bool | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        cache: CacheStore | BaseCache | bool | None = False,
        timeout: float | None = None,
        raw_body_only: bool = False,
        signal_api_call_stats: Signal[...] | None = None,
        transport: Transport | None = None,
        transport_adapter: Any = None,
        no_etag_body: bool = False,
        **settings: Any,
    ) -> None:
        if transport is None:
            idle = None if transport_adapter is None else pool_size(transport_adapter, stacklevel=2)
            transport = default_transport(idle)
        self._transport = transport
        runtime = BlockingRuntime(self._transport)
        given = {"timeout": timeout, **settings}
        super().__init__(
            runtime,
            security,
            retry_requests=retry_requests,
            headers=headers,
            cache=cache,
            raw_body_only=raw_body_only,
            signal_api_call_stats=signal_api_call_stats,
            no_etag_body=no_etag_body,
            settings=given,
        )

    def request(
        self,
        call: Call[T] | None = None,
        *,
        raw_body_only: bool | None = None,
        raise_on_error: bool = False,
        **old: Unpack[OldKeywords],
    ) -> Response[T]:
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
        return run(self._request(the_calls("request", call, old), raw_body_only, raise_on_error))

    def fetch(self, call: Call[T]) -> T:
        """Send a call and give its data.

        Raises:
            APIException: of the class that `esipy.exceptions` draws, if there is no good answer.
        """
        return run(self._fetch(call))

    def head(
        self, call: Call[T] | None = None, *, raise_on_error: bool = False, **old: Unpack[OldKeywords]
    ) -> Response[T]:
        """Ask for the headers of a call's answer only: its ``data`` is None. It reaches the network each time."""
        return run(self._request(the_calls("head", call, old), True, raise_on_error, "HEAD"))

    def multi_request(
        self,
        calls: Iterable[Call[T]] | None = None,
        threads: int = 20,
        *,
        raw_body_only: bool | None = None,
        raise_on_error: bool = False,
        **old: Unpack[OldKeywords],
    ) -> list[tuple[Call[T], Response[T]]]:
        """Send many calls, up to ``threads`` (1-100) at once.

        Returns:
            (call, answer) pairs in the order of the calls.
        """
        return run(self._multi_request(the_calls("multi_request", calls, old), threads, raw_body_only, raise_on_error))

    def close(self) -> None:
        """Close all connections. Closing twice is no error."""
        self._transport.close()

    def __enter__(self) -> EsiClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncEsiClient(Shell):
    """The asyncio client: `EsiClient`'s arguments and verbs, awaited. Many tasks of one loop may share it."""

    def __init__(
        self,
        security: Signer | None = None,
        retry_requests: Rule | bool | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        cache: CacheStore | BaseCache | bool | None = False,
        timeout: float | None = None,
        raw_body_only: bool = False,
        signal_api_call_stats: Signal[...] | None = None,
        transport: AsyncTransport | None = None,
        no_etag_body: bool = False,
        **settings: Any,
    ) -> None:
        # Here, so that blocking programs need not load asyncio.
        from esipy.runtime.aio import AioRuntime

        self._transport = transport or default_async_transport()
        self._runtime = AioRuntime(self._transport)
        given = {"timeout": timeout, **settings}
        super().__init__(
            self._runtime,
            security,
            retry_requests=retry_requests,
            headers=headers,
            cache=cache,
            raw_body_only=raw_body_only,
            signal_api_call_stats=signal_api_call_stats,
            no_etag_body=no_etag_body,
            settings=given,
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
        """Give refreshes under way five seconds to end, then close all connections. Closing twice is no error."""
        await self._runtime.drain()
        await self._transport.aclose()

    async def __aenter__(self) -> AsyncEsiClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
