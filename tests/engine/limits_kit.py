"""An engine on virtual time against the simulated ESI, which counts with its own windows: for tests of limits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.terms import Terms
from esipy.response import Response
from esipy.runtime.simulated import SimulatedRuntime
from esipy.simulation import SimulatedEsi, token_for
from tests.engine.kit import Bench, Login

T = TypeVar("T")

HERO, OTHER = 2112000001, 2112000002
PATIENT = {"max_wait": 1e6}
"""Settings of who waits for anything."""


class Town:
    """A simulated ESI, and clients of one process, each with a character's login (or none).

    Args:
        latency: seconds that requests take, from and to by chance; answers too.
        settings: of the clients.
        options: of the simulated ESI.

    Attributes:
        instead: may answer a request in ESI's place.
    """

    def __init__(
        self,
        *,
        latency: tuple[float, float] = (0.02, 0.05),
        settings: dict[str, Any] | None = None,
        retry: bool | None = False,
        seed: int = 1,
        **options: Any,
    ) -> None:
        self.esi = SimulatedEsi(lambda: self.runtime.now(), seed=seed, **options)
        self.instead: Callable[[HttpRequest], HttpResponse | None] = lambda _: None
        self.runtime = SimulatedRuntime(self._serve, request_seconds=latency, answer_seconds=latency, seed=seed)
        self.settings = dict(settings or {})
        self.retry = retry
        self._benches: dict[int | None, Bench] = {}
        self.began = self.runtime.now()

    def _serve(self, request: HttpRequest) -> Any:
        return self.instead(request) or self.esi(request)

    @property
    def passed(self) -> float:
        """Virtual seconds since the beginning."""
        return self.runtime.now() - self.began

    def bench(self, character_id: int | None = None, **options: Any) -> Bench:
        """The client of a character; None: one without a login."""
        bench = self._benches.get(character_id)
        if bench is None:
            if character_id is not None:
                options["signer"] = Login(character_id, token_for("app", character_id))
            bench = self._benches[character_id] = Bench(
                "simulated",
                self.esi,
                retry=self.retry,
                settings=self.settings,
                runtime=self.runtime,
                cache=None,
                **options,
            )
        return bench

    async def call(self, call: Any, character_id: int | None = None, **terms: Any) -> Response[Any]:
        """Send a call as a character, on these terms."""
        engine = self.bench(character_id).engine
        return await engine.perform(call, terms=Terms.of(engine.settings, **terms) if terms else None)

    def begin(self, call: Any, character_id: int | None = None, **terms: Any) -> Future[Response[Any]]:
        """The same as a task of its own."""
        return self.runtime.spawn(self.call(call, character_id, **terms))

    async def all(self, flights: list[Future[T]]) -> list[T]:
        """Wait for tasks."""
        return [await self.runtime.join(flight) for flight in flights]

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        """Let a story happen."""
        return self.runtime.run(story)

    @property
    def refusals(self) -> dict[Any, Any]:
        """The 429s and 420s that ESI sent."""
        return dict(self.esi.limits.refusals())

    def arrivals(self, status: int | None = None) -> list[float]:
        """When requests arrived at ESI, in seconds since the beginning."""
        return [
            seen.arrived - self.began for seen in self.esi.log if seen.own and (status is None or seen.status == status)
        ]


def notifications(character_id: int = HERO) -> Any:
    """A call of a group of 15 tokens: seven good calls in a window."""
    return ops.character.get_characters_character_id_notifications(character_id=character_id)


def wallet(character_id: int = HERO) -> Any:
    """A call of a group of 150 tokens."""
    return ops.wallet.get_characters_character_id_wallet(character_id=character_id)
