"""An engine over a scripted server, in each colour: what the engine's tests stand on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from email.utils import formatdate
from typing import Any, TypeVar

import msgspec

from esipy import ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.engine.pipeline import Engine
from esipy.events import Signal
from esipy.retries import Rule, rule_for
from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.runtime.simulated import SimulatedRuntime
from esipy.settings import Settings
from esipy.stores.memory import MemoryCache
from esipy.stores.memory_ledger import MemoryLedger

T = TypeVar("T")
Serve = Callable[[HttpRequest], HttpResponse]
COLOURS = ("blocking", "asyncio", "simulated")

STATUS = ops.status.get_status()
ORDERS = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)
WALLET = ops.wallet.get_characters_character_id_wallet(character_id=91)

ITEM = {"flag": "LoSlot0", "quantity": 1, "type_id": 2046}
FRESH = {"cache_control": "max-age=300", "etag": '"a"'}
"""Headers of an answer that may be kept."""

STATUS_BODY = {"players": 12, "server_version": "1", "start_time": "2026-08-04T11:05:00Z"}


def answer(body: Any = STATUS_BODY, status: int = 200, **headers: str) -> HttpResponse:
    """An answer with this JSON (bytes are sent as they are); header names are written with underscores."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return HttpResponse(status, Headers((name.replace("_", "-"), value) for name, value in headers.items()), raw)


def date(moment: float) -> str:
    """A moment as headers write it."""
    return formatdate(moment, usegmt=True)


class Script:
    """A server that gives these answers in turn (exceptions are raised), the last one for ever; it keeps requests."""

    def __init__(self, *answers: HttpResponse | Exception | Serve) -> None:
        self.answers = list(answers) or [answer()]
        self.requests: list[HttpRequest] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        step = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    @property
    def targets(self) -> list[str]:
        """``GET /status/...`` for each request."""
        return [f"{request.method} {request.url.partition('//')[2].partition('/')[2]}" for request in self.requests]

    def header(self, place: int, name: str) -> str | None:
        """A header of one request."""
        return dict(self.requests[place].headers).get(name)


class _Blocking:
    def __init__(self, serve: Serve) -> None:
        self.send = serve

    def close(self) -> None: ...


class _Async:
    def __init__(self, serve: Serve) -> None:
        self._serve = serve

    async def send(self, request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0)
        return self._serve(request)

    async def aclose(self) -> None: ...


class Login:
    """A signer with a token that can be swapped."""

    def __init__(self, character_id: int = 91, token: str = "token-1") -> None:
        self.principal = f"app:{character_id}"
        self.tokens = [token]
        self.asked: list[str | None] = []

    def principal_of(self, access_token: str) -> str:
        return self.principal

    async def token(self, runtime: Any, *, not_this: str | None = None) -> str:
        self.asked.append(not_this)
        if not_this is not None and len(self.tokens) > 1:
            self.tokens.pop(0)
        return self.tokens[0]


class Bench:
    """One engine in one colour, with its own signals and a memory cache."""

    def __init__(self, colour: str, serve: Serve, *, retry: Rule | bool | None = None, **options: Any) -> None:
        self.runtime: Any = (
            options.pop("runtime", None)
            or {
                "blocking": lambda: BlockingRuntime(_Blocking(serve)),
                "asyncio": lambda: AioRuntime(_Async(serve)),
                "simulated": lambda: SimulatedRuntime(serve),
            }[colour]()
        )
        self.colour = colour
        self.stats: Signal[Any] = Signal()
        self.drift: Signal[Any] = Signal()
        self.cache: Any = options.pop("cache", MemoryCache())
        ledger = options.pop("ledger", None)
        if ledger is None:  # an empty one is false
            ledger = self.runtime.shared.setdefault("ledger", MemoryLedger(self.runtime.now))
        self.engine = Engine(
            self.runtime,
            Settings(**options.pop("settings", {})),
            signer=options.pop("signer", None),
            cache=self.cache,
            ledger=ledger,
            retry_rule=rule_for(retry),
            headers=options.pop("headers", {}),
            stats_signal=self.stats,
            drift_signal=self.drift,
        )
        assert not options

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        if self.colour == "blocking":
            return run(work)
        if self.colour == "asyncio":
            return asyncio.run(work)
        result: T = self.runtime.run(work)
        return result

    def perform(self, call: Any, **options: Any) -> Any:
        return self.run(self.engine.perform(call, **options))
