"""What both clients share: reading their arguments, and the life of one request as a coroutine."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from esipy.core.answer import Answer
from esipy.core.objects import DataObject
from esipy.core.wire import Headers
from esipy.engine.announcing import NO_ANSWER
from esipy.engine.exchange import Signer
from esipy.engine.pipeline import Engine
from esipy.events import ANSWER_DRIFTED, API_CALL_STATS, Signal
from esipy.exceptions import APIException, LimitedError, NetworkError, SettingError, SSOError
from esipy.operation import Call
from esipy.response import Response
from esipy.retries import Rule, rule_for
from esipy.runtime.base import Runtime
from esipy.settings import LIBRARY, Settings
from esipy.sso.wire import require_private
from esipy.stores.base import CacheStore
from esipy.stores.memory import MemoryCache
from esipy.stores.memory_ledger import MemoryLedger
from esipy.version1.keywords import ignore_unknown

if TYPE_CHECKING:
    from esipy.cache import BaseCache

__all__ = ["Shell"]

LOGGER = logging.getLogger("esipy.client")
T = TypeVar("T")

NO_TOKEN = 401
"""The status that stands for a login that failed."""

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
        retry_requests: Rule | bool | None,
        headers: Mapping[str, str] | None,
        cache: CacheStore | BaseCache | bool | None,
        raw_body_only: bool,
        signal_api_call_stats: Signal[...] | None,
        no_etag_body: bool,
        settings: Mapping[str, Any],
    ) -> None:
        given = ignore_unknown(type(self).__name__, settings, Settings.__slots__, stacklevel=3)
        own_headers = _own_headers(headers, given)
        self.settings = Settings.from_environment(**given)
        _check(security, signal_api_call_stats)
        if security is not None:
            require_private("base_url", self.settings.base_url)  # a token never leaves in clear
        self.security = security
        self._by_hand = None if security is None or hasattr(security, "principal") else security
        self.raw_body_only = raw_body_only
        self.signal_api_call_stats: Signal[...] = (
            API_CALL_STATS if signal_api_call_stats is None else signal_api_call_stats
        )
        store = self._store(cache)
        self.cache = store if isinstance(cache, bool) else cache
        """What keeps the answers: as it was given, or the client's own; None: nothing does."""
        self._engine = Engine(
            runtime,
            self.settings,
            signer=None if self._by_hand is not None else security,
            cache=store,
            ledger=runtime.shared.setdefault("ledger", MemoryLedger(runtime.now)),
            retry_rule=rule_for(retry_requests),
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
        call = _call_of(call)
        raw = self.raw_body_only if raw_body_only is None else raw_body_only
        try:
            sent = call if self._by_hand is None else _signed_by_hand(call, self._by_hand)
            response = await self._engine.perform(sent, raw_body_only=raw, method=method)
        except (NetworkError, LimitedError) as error:
            if raise_on_error:
                raise
            status = NO_ANSWER if isinstance(error, NetworkError) else error.status_code
            response = unanswered(call, error, status)
            call.answered(response)
            return response
        call.answered(response)
        warning = response.headers.get("warning")
        if warning is not None:
            _tell(response, warning)
        if raise_on_error:
            response.raise_for_status()
        return response

    async def _fetch(self, call: Call[T]) -> T:
        return (await self._request(call, False, True)).data

    async def _multi_request(
        self, calls: Iterable[Call[T]], threads: int, raw_body_only: bool | None, raise_on_error: bool
    ) -> list[tuple[Call[T], Response[T]]]:
        async def job(call: Call[T]) -> tuple[Call[T], Response[T]]:
            call = _call_of(call)
            try:
                return call, await self._request(call, raw_body_only, raise_on_error)
            except SSOError as error:
                if raise_on_error:
                    raise
                return call, unanswered(call, error, NO_TOKEN)  # one login that fails costs no other call's answer

        return await self._engine.runtime.gather(job, calls, max(min(threads, MOST_AT_ONCE), 1))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.settings.base_url}>"


def unanswered(call: Call[T], error: APIException, status: int) -> Response[T]:
    """What stands in place of an answer that did not come: a status, the error's text as version 1 had it, and itself.

    500 when the network failed (version 1's choice), 429 or 420 when a limit asks for more patience than
    ``max_wait``, 401 when no token could be had.
    """
    data = DataObject(error=str(error))
    answer = Answer(status, Headers(), msgspec.json.encode(data))
    answer.retry_at = getattr(error, "retry_at", None)
    return Response(call, answer, data, error.url, error=error)


def _own_headers(headers: Mapping[Any, Any] | None, settings: dict[str, Any]) -> dict[str, str]:
    """The user's headers, but for those that are settings: these are put among the settings, where none is given.

    Raises:
        SettingError: they are no headers, or one that this library has to write itself.
    """
    if headers is not None and not isinstance(headers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SettingError(
            f"headers={headers!r}: has to be a dict, such as {{'User-Agent': 'MyApp/1.0 (me@example.com)'}}"
        )
    own: dict[str, str] = {}
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not isinstance(value, str) or not name.isascii() or not value.isprintable():
            raise SettingError(f"headers: {name!r} has to be a text of one line, with an ASCII name")
        setting = _SETTINGS_BY_HEADER.get(name.lower())
        if name.lower() == "authorization":
            raise SettingError("headers: Authorization is not yours to set: give a login as security=")
        if setting is None:
            own[name] = value
        elif settings.get(setting) is None:
            settings[setting] = value
    return own


def _check(security: Any, signal: Any) -> None:
    """Refuse what would fail at the first request only.

    Raises:
        SettingError: names the argument.
    """
    if security is not None and not hasattr(security, "principal") and not callable(security):
        raise SettingError(f"security={type(security).__name__}: has to be an EsiSecurity, or a callable that signs")
    if signal is not None and not isinstance(signal, Signal):
        raise SettingError(f"signal_api_call_stats={signal!r}: has to be a Signal; add a function with add_receiver")


def _call_of(given: Call[T]) -> Call[T]:
    """The call, also when it comes as version 1's pair ``(request, response)``.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(given, Call):  # pyright: ignore[reportUnnecessaryIsInstance] (not everyone runs a checker)
        return given
    from esipy.version1.pairs import call_of

    return call_of(given)


def _signed_by_hand(call: Call[T], security: Any) -> Call[T]:
    """The call as a security of version 1's kind leaves it: a callable that writes into ``request._p["header"]``."""
    from esipy.version1.requests import request_of

    request = request_of(call)
    security(request)
    return request


def _tell(response: Response[Any], warning: str) -> None:
    """ESI's ``Warning`` header, as a log line and as a Python warning, in version 1's words."""
    LOGGER.warning("[%s] %s", response.url, warning)
    with contextlib.suppress(UserWarning):  # ``-W error`` must not cost the answer of what has been done
        warnings.warn(f"[{response.url}] {warning}", UserWarning, stacklevel=2)
