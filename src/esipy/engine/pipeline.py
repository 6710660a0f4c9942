"""The life of a call: its layers in their order, outermost first, and what they share.

    caching     a fresh answer is kept: done. A write: drop what it changes
    coalescing  somebody asks for the same right now: take what it gets
    keeping     what came is kept; what is kept is confirmed by a 304, or stands in for what did not come
    retrying    what passes is tried again, where that is safe
    resting     in the daily downtime batch calls wait, interactive ones are tried, fail or wait
    signing     calls that need a token get one; it is refreshed when it has expired
    limiting    nothing is sent that the ledger has no tokens for
    announcing  API_CALL_STATS, after each exchange
    sending     the exchange itself

So a hit costs nothing, each retry is counted, refreshed and limited anew, and a call that waits holds no connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MethodType
from typing import TypeVar

from esipy.core.answer import Answer
from esipy.core.changing import CHANGES, Changes
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.engine.announcing import announcing
from esipy.engine.caching import caching
from esipy.engine.coalescing import coalescing, flights_of
from esipy.engine.decoding import decoding
from esipy.engine.exchange import Exchange, Layer, Proceed, Signer
from esipy.engine.keeping import keeping
from esipy.engine.ledger import ledger_for
from esipy.engine.limiting import limiting
from esipy.engine.quota import RetryQuota
from esipy.engine.resting import resting, watch_for
from esipy.engine.retrying import retrying
from esipy.engine.signing import signing
from esipy.engine.tally import Tally
from esipy.engine.terms import Terms
from esipy.events import Signal
from esipy.exceptions import InvalidCallError
from esipy.operation import Call
from esipy.response import Response
from esipy.retries import Rule
from esipy.runtime.base import Runtime
from esipy.settings import Settings
from esipy.stores.base import CacheStore, LedgerStore
from esipy.stores.flights import has_flights

__all__ = ["LAYERS", "Engine"]

T = TypeVar("T")

LAYERS: tuple[Layer, ...] = (caching, coalescing, keeping, retrying, resting, signing, limiting, announcing)
OF_A_CACHE: tuple[Layer, ...] = (caching, coalescing, keeping)
"""Those that a client without a cache does without."""

MOST_REFUSED = 1024
"""Of so many logins it is remembered that ESI refused a token that was just refreshed."""


async def sending(exchange: Exchange) -> Answer:
    """The exchange itself, over the runtime's transport."""
    call, engine, settings = exchange.call, exchange.engine, exchange.engine.settings
    kind = (call.language, call.body is not None, exchange.operation.base_url is not None)
    headers = engine.sent_headers.get(kind) or engine.headers_for(*kind)
    if call.brings_own and call.headers:
        headers = _with_own(headers, call.headers, exchange.conditions)
    if exchange.token is not None:
        headers = (*headers, ("Authorization", f"Bearer {exchange.token}"))
    if exchange.conditions:
        headers = (*headers, *exchange.conditions)
    response = await exchange.runtime.send(
        HttpRequest(
            exchange.method,
            exchange.url,
            headers,
            call.body,
            connect_timeout=settings.connect_timeout,
            timeout=settings.timeout,
            max_answer_bytes=settings.max_answer_bytes,
        )
    )
    if response.status != 200 and exchange.token is not None:
        return _without(exchange.token, response)
    return Answer(response.status, response.headers, response.body)


def _without(token: str, response: HttpResponse) -> Answer:
    """An answer that may be told to others; should ESI repeat the token, nobody hears it (T44)."""
    pairs = [(name, value.replace(token, "[token]")) for name, value in response.headers.pairs()]
    return Answer(response.status, Headers(pairs), response.body.replace(token.encode(), b"[token]"))


def _with_own(
    headers: tuple[tuple[str, str], ...], own: tuple[tuple[str, str], ...], conditions: list[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The headers of a call in place of the client's; where a kept answer is revalidated, its validators count."""
    named = {name.lower() for name, _ in own}
    asked = {name.lower() for name, _ in conditions}
    kept = (pair for pair in headers if pair[0].lower() not in named)
    return (*kept, *(pair for pair in own if pair[0].lower() not in asked))


def compose(layers: tuple[Layer, ...], innermost: Proceed) -> Proceed:
    """One function out of the layers: each is given the one below it."""
    proceed = innermost
    for layer in reversed(layers):
        proceed = MethodType(layer, proceed)  # as a lambda would, without a frame of its own
    return proceed


class Engine:
    """What the calls of one client share. It is the same object in both colours; only its runtime differs."""

    def __init__(
        self,
        runtime: Runtime,
        settings: Settings,
        *,
        signer: Signer | None,
        cache: CacheStore | None,
        ledger: LedgerStore,
        retry_rule: Rule,
        headers: Mapping[str, str],
        stats_signal: Signal[...],
        drift_signal: Signal[...],
        no_etag_body: bool = False,
    ) -> None:
        self.runtime = runtime
        self.settings = settings
        self.edition = f"{settings.tenant} {settings.compatibility_date}"
        """Of which world, and of which day, its answers are."""
        self.signer = signer
        self.cache = cache
        self.retry_rule = retry_rule
        self.retry_quota = RetryQuota(runtime.lock())
        self.stats_signal = stats_signal
        self.drift_signal = drift_signal
        self.no_etag_body = no_etag_body
        """Version 1's option: a 304 is answered as it came, without the kept body."""
        self.terms = Terms.of(settings)
        self.ledger = ledger_for(runtime, settings.base_url, ledger)
        self.watch = watch_for(runtime, settings.base_url)
        self._own_headers = dict(headers)
        self.sent_headers: dict[tuple[str | None, bool, bool], tuple[tuple[str, str], ...]] = {}
        """By language, whether there is a body, and whether another API is asked: one tuple each, so that transports
        may compare by identity."""
        self.flights = flights_of(cache)
        self.shared_cache = cache if has_flights(cache) else None
        self.tally = Tally()
        self.lacks: Callable[[str], bool] | None = getattr(signer, "lacks", None)
        """Whether the login's token does not allow a scope, as far as it tells."""
        self.changes: Changes = CHANGES
        """What writes change: a client may have a table of its own."""
        self._refused: dict[str, str] = {}
        needless = () if cache is not None else OF_A_CACHE
        self._proceed = compose(tuple(layer for layer in LAYERS if layer not in needless), sending)

    async def perform(
        self,
        call: Call[T],
        *,
        raw_body_only: bool = False,
        method: str | None = None,
        terms: Terms | None = None,
        anew: bool = False,
        in_passing: bool = False,
    ) -> Response[T]:
        """Send a call through all layers.

        Args:
            anew: what is kept is known to be of the past: neither give it nor ask whether it still holds.
            in_passing: its answer is a part of more than the cache has room for, and need not be kept.
            terms: how it waits for limits; None: as the settings say.

        Raises:
            APIException: no answer came, the login failed, or a limit asks for more patience than ``max_wait``.
            InvalidCallError: the call cannot be sent.
        """
        operation = call.operation
        if operation.arrays:
            call.check_sendable()
        if method == "HEAD" and operation.method != "GET":
            raise InvalidCallError(f"{operation.name} is a {operation.method}: only a GET can be asked for its headers")
        exchange = Exchange(self, call, method or operation.method, terms)
        exchange.anew = anew
        exchange.in_passing = in_passing
        answer = await self._proceed(exchange)
        response, places = decoding(exchange, answer, raw_body_only=raw_body_only or method == "HEAD")
        if places and self.drift_signal.has_receivers:
            drift = {"operation_id": operation.id, "url": exchange.url, "places": places}
            await self.runtime.tell(self.drift_signal, drift)
        return response

    def headers_for(self, language: str | None, has_body: bool, foreign: bool) -> tuple[tuple[str, str], ...]:
        """The headers of every call in this language, which are in `sent_headers` from then on.

        Another API than ESI is told who sends and what can be read; what this client's user set for ESI, which may be
        a token, is none of its business (T45).
        """
        own = self._own_headers
        for_esi = {
            "X-Compatibility-Date": self.settings.compatibility_date,
            "X-Tenant": self.settings.tenant,
        }
        headers = {
            "Accept": "application/json",
            "Accept-Language": language or self.settings.language,
            **({} if foreign else for_esi),
            **({"Content-Type": "application/json"} if has_body else {}),
            **({"User-Agent": own["User-Agent"]} if foreign and "User-Agent" in own else {} if foreign else own),
        }
        made = self.sent_headers[language, has_body, foreign] = tuple(headers.items())
        return made

    def refused_again(self, principal: str, token: str) -> bool:
        """Whether a refresh has brought this very token and ESI refused it all the same: another would not help."""
        return self._refused.get(principal) == token

    def remember_refused(self, principal: str, token: str) -> None:
        """ESI refused a token that was just refreshed."""
        self._refused.pop(principal, None)
        self._refused[principal] = token
        if len(self._refused) > MOST_REFUSED:
            self._refused.pop(next(iter(self._refused)), None)
