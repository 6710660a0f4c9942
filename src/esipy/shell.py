"""What both clients share: reading their arguments, and the life of one request as a coroutine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from esipy._agent import sent_user_agent, warn_without_user_agent
from esipy._characters import Characters, GivenLogins
from esipy._given import LOGGER as LOGGER
from esipy._given import call_of, check, own_headers, signed_by_hand, tell_warning, unanswered
from esipy.caches import kept_in
from esipy.engine.announcing import NO_ANSWER
from esipy.engine.exchange import Signer
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Downtime, Policy, Priority, Terms
from esipy.events import ANSWER_DRIFTED, API_CALL_STATS, Signal
from esipy.exceptions import DowntimeError, LimitedError, MissingScopeError, NetworkError, SSOError
from esipy.ledgers import users_of
from esipy.operation import Call
from esipy.response import Response
from esipy.retries import Rule, rule_for
from esipy.runtime.base import Runtime
from esipy.settings import Settings
from esipy.sso.wire import require_private
from esipy.stores.base import CacheStore, LedgerStore
from esipy.stores.flights import SharedCache
from esipy.version1.keywords import ignore_unknown

if TYPE_CHECKING:
    from esipy.cache import BaseCache
    from esipy.limits import Limit
    from esipy.planning import Plan

__all__ = ["Shell"]

T = TypeVar("T")

NO_TOKEN = 401
"""The status that stands for a login that failed."""

MOST_AT_ONCE = 100
"""How many calls ``multi_request`` sends at once at the most: version 1's bound."""


KEYWORDS = (*Settings.__slots__, *GivenLogins._fields)


class Shell(Characters):
    """A client without its colour: the verbs as coroutines."""

    _engine: Engine
    _call_of = staticmethod(call_of)
    """For the verbs of lists and of watching, which come before the clients in the house."""

    def __init__(
        self,
        runtime: Runtime,
        security: Signer | None,
        *,
        retry_requests: Rule | bool | None,
        headers: Mapping[str, str] | None,
        cache: CacheStore | SharedCache | BaseCache | str | bool | None,
        ledger: LedgerStore | str | None,
        raw_body_only: bool,
        signal_api_call_stats: Signal[...] | None,
        no_etag_body: bool,
        settings: Mapping[str, Any],
    ) -> None:
        given = ignore_unknown(type(self).__name__, settings, KEYWORDS, stacklevel=3)
        self._given_logins = GivenLogins.of(given)
        sent_headers = own_headers(headers, given)
        self.settings = Settings.from_environment(**given)
        warn_without_user_agent(self.settings.user_agent, LOGGER, stacklevel=3)
        check(security, signal_api_call_stats)
        if security is not None:
            require_private("base_url", self.settings.base_url)  # a token never leaves in clear
        self.security = security
        self._by_hand = None if security is None or hasattr(security, "principal") else security
        self.raw_body_only = raw_body_only
        self.signal_api_call_stats: Signal[...] = (
            API_CALL_STATS if signal_api_call_stats is None else signal_api_call_stats
        )
        self._kept = kept_in(cache, self.settings.cache_bytes, runtime)
        store = self._kept.store
        self._cache = store if isinstance(cache, (bool, str)) else cache
        self._ledger_users = users_of(ledger, runtime, self.settings.timeout)
        self._engine = Engine(
            runtime,
            self.settings,
            signer=None if self._by_hand is not None else security,
            cache=store,
            ledger=self._ledger_users.store,
            retry_rule=rule_for(retry_requests),
            headers={**sent_headers, "User-Agent": sent_user_agent(self.settings.user_agent)},
            stats_signal=self.signal_api_call_stats,
            drift_signal=ANSWER_DRIFTED,
            no_etag_body=no_etag_body,
        )
        self._ledger_users.enter(self)
        self._kept.enter(self)

    def _terms(
        self,
        priority: Priority | None,
        policy: Policy | None,
        max_wait: float | None,
        downtime: Downtime | None,
        stale_if_error: float | None = None,
    ) -> Terms | None:
        """The terms of a call that says how it waits; None when it says nothing: the client's own."""
        if priority is None and policy is None and max_wait is None and downtime is None and stale_if_error is None:
            return None
        return Terms.of(self.settings, policy, priority, max_wait, downtime, stale_if_error)

    async def _request(
        self,
        call: Call[T],
        raw_body_only: bool | None,
        raise_on_error: bool,
        terms: Terms | None,
        method: str | None = None,
    ) -> Response[T]:
        call = call_of(call)
        raw = self.raw_body_only if raw_body_only is None else raw_body_only
        try:
            sent = self._signed(call) if call.brings_own or self._by_hand is not None else call
            response = await self._engine.perform(sent, raw_body_only=raw, method=method, terms=terms)
        except (NetworkError, LimitedError, DowntimeError, MissingScopeError) as error:
            if raise_on_error:
                raise
            status = NO_ANSWER if isinstance(error, NetworkError) else error.status_code
            response = unanswered(call, error, status)
            call.answered(response)
            return response
        call.answered(response)
        if "warning" in response.headers.lowered:
            tell_warning(response, response.headers["warning"])
        if raise_on_error:
            response.raise_for_status()
        return response

    def _signed(self, call: Call[T]) -> Call[T]:
        """The call, as a login of version 1's kind leaves it.

        Raises:
            SettingError: it brings a token of its own, which would leave in clear (T45).
        """
        if call.token is not None:
            require_private("base_url", self.settings.base_url)
        return call if self._by_hand is None else signed_by_hand(call, self._by_hand)

    async def _fetch(self, call: Call[T], terms: Terms | None) -> T:
        call = call_of(call)
        if call.operation.pagination is not None or call.operation.arrays:
            from esipy.lists.whole import reading_of  # not every program reads lists

            reading = reading_of(call)
            if reading is not None:
                whole: T = await reading(self._engine, self._signed(call), terms)
                return whole
        return (await self._request(call, False, True, terms)).data

    async def _multi_request(
        self,
        calls: Iterable[Call[T]],
        threads: int,
        raw_body_only: bool | None,
        raise_on_error: bool,
        terms: Terms | None,
    ) -> list[tuple[Call[T], Response[T]]]:
        if isinstance(calls, Call):
            raise TypeError("multi_request() takes a list of calls: send one by request(call)")

        async def job(call: Call[T]) -> tuple[Call[T], Response[T]]:
            call = call_of(call)
            try:
                return call, await self._request(call, raw_body_only, raise_on_error, terms)
            except SSOError as error:
                if raise_on_error:
                    raise
                return call, unanswered(call, error, NO_TOKEN)  # one login that fails costs no other call's answer

        return await self._engine.runtime.gather(job, calls, max(min(threads, MOST_AT_ONCE), 1))

    async def _limits(self) -> list[Limit]:
        from esipy.limits import limits_of  # most programs never ask

        return await limits_of(self._engine)

    async def _plan(self, calls: Iterable[Call[Any]], terms: Terms | None) -> Plan:
        from esipy.planning import plan_of

        if isinstance(calls, Call):
            raise TypeError("plan() takes a list of calls: plan([call])")
        return await plan_of(self._engine, [call_of(call) for call in calls], terms)

    async def _leave_stores(self) -> None:
        """The client is closed; the last one closes what was opened for it."""
        await self._leave_tokens()
        await self._kept.leave(self, self._engine.runtime)
        if self._ledger_users.leave(self):
            await self._engine.ledger.do(self._engine.runtime, self._ledger_users.store.close)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied: it has connections; make one in each process"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.settings.base_url}>"
