"""`EsiClient`, and `AsyncEsiClient` (`esipy.client_async`): two thin shells over one engine.

Both have the same verbs with the same arguments; the asyncio one's are awaited:

- ``request(call)`` gives the answer, whatever its status; ``fetch(call)`` gives the data or raises;
- ``multi_request(calls)`` sends many at once; ``head(call)`` asks for the headers only;
- ``cursor(call)`` reads a list and then what changes in it; ``walk(call)`` reads one from id to id;
- ``limits()`` gives what is left of ESI's limits; ``plan(calls)`` gives what calls will cost, before they are sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from esipy._characters import BlockingCharacters
from esipy.client_async import AsyncEsiClient as AsyncEsiClient
from esipy.engine.exchange import Signer
from esipy.engine.terms import Downtime, Policy, Priority
from esipy.events import API_CALL_STATS as API_CALL_STATS  # these too could be had from here in version 1
from esipy.events import Signal
from esipy.exceptions import APIException as APIException
from esipy.lists.cursor_verbs import BlockingCursors
from esipy.lists.verbs import BlockingLists
from esipy.operation import Call
from esipy.response import Response
from esipy.retries import Rule
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.shell import LOGGER as LOGGER
from esipy.shell import Shell
from esipy.stores.base import CacheStore, LedgerStore
from esipy.stores.flights import SharedCache
from esipy.stores.tokens import TokenStore
from esipy.transport import default_transport
from esipy.transport.base import Transport, require_transport
from esipy.utils import check_cache as check_cache
from esipy.utils import get_cache_time_left as get_cache_time_left
from esipy.utils import make_cache_key as make_cache_key
from esipy.version1.keywords import OldKeywords, pool_size, the_calls
from esipy.watching.verbs import BlockingWatches

if TYPE_CHECKING:
    from esipy._cache_view import CacheView
    from esipy._keywords import SettingKeywords
    from esipy.cache import BaseCache
    from esipy.limits import Limit
    from esipy.planning import Plan

__all__ = ["AsyncEsiClient", "EsiClient"]

T = TypeVar("T")


class EsiClient(BlockingCharacters, Shell, BlockingLists, BlockingCursors, BlockingWatches):
    """The blocking client. One client may be used by many threads.

    Args:
        security: a login (`EsiSecurity`), for the operations that need a token.
        retry_requests: None: what is safe to repeat is sent again up to three times; False: nothing is;
            True: five tries, and any 5xx counts as passing, as in version 1; or a rule (`esipy.retries`).
        headers: sent with each call; ``User-Agent`` says who you are.
        cache: keeps answers: a text such as ``sqlite:///answers.sqlite3`` or ``redis://localhost:6379/0``, for
            processes that share them; one of `esipy.cache`; or a store (`esipy.caches`). None: nothing is kept. The
            default: what ``ESI_CACHE`` names; else memory.
        ledger: counts what is spent of ESI's limits: a text such as ``sqlite:///limits.sqlite3`` or
            ``redis://localhost:6379/0``, or an object, for processes that share limits (`esipy.ledgers`). None: what
            ``ESI_LEDGER`` names; else all clients of this process count together.
        client_id: the application whose stored logins `as_character` uses; None: what ``ESI_CLIENT_ID`` names; else the
            only one of which the token store has logins.
        secret_key: the application's secret; None: what ``ESI_SECRET_KEY`` names; else it has none (PKCE).
        tokens: where logins are kept: a text such as ``sqlite:///tokens.sqlite3`` or ``redis://localhost``, or an
            object (`esipy.tokens`). None: what ``ESI_TOKENS`` names; else a file of this user's. It is opened when it
            is first needed.
        token_key: what seals them (`esipy.tokens`); None: what ``ESI_TOKEN_KEY`` or ``ESI_TOKEN_KEY_FILE`` names; else
            this user's keyring.
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
        cache: CacheStore | SharedCache | BaseCache | str | bool | None = False,
        ledger: LedgerStore | str | None = None,
        client_id: str | None = None,
        secret_key: str | None = None,
        tokens: TokenStore | str | None = None,
        token_key: str | None = None,
        timeout: float | None = None,
        raw_body_only: bool = False,
        signal_api_call_stats: Signal[...] | None = None,
        transport: Transport | None = None,
        transport_adapter: Any = None,
        no_etag_body: bool = False,
        **settings: Unpack[SettingKeywords],
    ) -> None:
        if transport is None:
            idle = None if transport_adapter is None else pool_size(transport_adapter, stacklevel=2)
            transport = default_transport(idle)
        else:
            require_transport(transport, "close")
        self._transport = transport
        runtime = BlockingRuntime(self._transport)
        logins = {"client_id": client_id, "secret_key": secret_key, "tokens": tokens, "token_key": token_key}
        given = {"timeout": timeout, **logins, **settings}
        super().__init__(
            runtime,
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

    def request(
        self,
        call: Call[T] | None = None,
        *,
        raw_body_only: bool | None = None,
        raise_on_error: bool = False,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
        **old: Unpack[OldKeywords],
    ) -> Response[T]:
        """Send a call and give its answer, whatever the status.

        The other verbs take the last five arguments, too (`head` four of them); None takes the client's own setting.

        Args:
            raw_body_only: None takes the client's own.
            raise_on_error: raise for a status >= 400, a body that is not JSON, and when no answer came.
            priority: ``interactive`` goes first; ``batch`` gives way, leaves a share of each limit to the others, and
                waits while ESI is down.
            policy: ``burst`` spends what is there; ``spread`` evens it out once half is used; ``fail`` never waits;
                ``off`` is held back by nothing that was counted here.
            max_wait: seconds that it may wait for a limit; may be infinite.
            downtime: what an interactive call does while ESI is down: ``try``, ``fail`` or ``wait``.
            stale_if_error: seconds beyond its freshness for which a kept answer stands in while ESI does not answer; 0
                gives the error at once; may be infinite.

        Raises:
            InvalidCallError: the call cannot be sent.
            SettingError: one of the last five arguments cannot be meant; nothing was sent.
            LimitedError: with ``raise_on_error``: it would have to wait longer than it may; nothing was sent.
            SSOError: the call needs a token, and none could be had.
            APIException: with ``raise_on_error``.
        """
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        return run(self._request(the_calls("request", call, old), raw_body_only, raise_on_error, terms))

    def fetch(
        self,
        call: Call[T],
        *,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
    ) -> T:
        """Send a call and give its data: of a list all of it, unless the call names a part (``page=1``).

        Raises:
            APIException: of the class that `esipy.exceptions` draws, if there is no good answer.
            InvalidCallError: the call cannot be sent.
            SettingError: one of the keywords cannot be meant; nothing was sent.
        """
        return run(self._fetch(call, self._terms(priority, policy, max_wait, downtime, stale_if_error)))

    def head(
        self,
        call: Call[T] | None = None,
        *,
        raise_on_error: bool = False,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        **old: Unpack[OldKeywords],
    ) -> Response[T]:
        """Ask for the headers of a call's answer only: its ``data`` is None. It reaches the network each time."""
        terms = self._terms(priority, policy, max_wait, downtime)
        return run(self._request(the_calls("head", call, old), True, raise_on_error, terms, "HEAD"))

    def multi_request(
        self,
        calls: Iterable[Call[T]] | None = None,
        threads: int = 20,
        *,
        raw_body_only: bool | None = None,
        raise_on_error: bool = False,
        priority: Priority | None = None,
        policy: Policy | None = None,
        max_wait: float | None = None,
        downtime: Downtime | None = None,
        stale_if_error: float | None = None,
        **old: Unpack[OldKeywords],
    ) -> list[tuple[Call[T], Response[T]]]:
        """Send many calls, up to ``threads`` (1-100) at once.

        Returns:
            (call, answer) pairs in the order of the calls.
        """
        terms = self._terms(priority, policy, max_wait, downtime, stale_if_error)
        sent = the_calls("multi_request", calls, old)
        return run(self._multi_request(sent, threads, raw_body_only, raise_on_error, terms))

    def limits(self) -> list[Limit]:
        """What is left of every limit of this client's ESI, for all who share its ledger; nothing is sent.

        Returns:
            the error limit, then the buckets that have been used lately or are blocked, by name.
        """
        return run(self._limits())

    def plan(
        self, calls: Iterable[Call[Any]], *, priority: Priority | None = None, policy: Policy | None = None
    ) -> Plan:
        """What many calls would cost, and how long limits would hold them up; nothing is sent or reserved.

        Raises:
            InvalidCallError: one of them cannot be sent.
            SettingError: ``priority`` or ``policy`` cannot be meant.
        """
        return run(self._plan(calls, self._terms(priority, policy, None, None)))

    @property
    def cache(self) -> CacheView:
        """What is kept: to forget it, and to see what it was good for. Else it is the cache that was given."""
        from esipy._cache_view import CacheView  # most programs never ask

        return CacheView(self._cache, self._engine)

    def close(self) -> None:
        """Close all connections; of a view (`as_character`): stop what it watches. Closing twice is no error."""
        self._stop_watching()
        if self._whole is not None:
            return
        run(self._leave_stores())
        self._transport.close()

    def __enter__(self) -> EsiClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
