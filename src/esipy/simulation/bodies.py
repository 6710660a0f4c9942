"""What the simulated ESI puts into its answers: the smallest body that fits, or what the sandbox would answer.

Rules: small bodies are made once an operation: an empty list, one object, a number. Lists that are read in parts end at
once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from esipy import ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.operation import Operation
from esipy.sandbox.characters import Roster
from esipy.sandbox.clock import Clock
from esipy.sandbox.esi import EsiApi
from esipy.sandbox.esi_limits import Limits
from esipy.sandbox.esi_values import Values, choices_of
from esipy.sandbox.exchange import Identity, SandboxRequest
from esipy.sandbox.world import World

__all__ = ["Body", "SandboxBodies", "SmallBodies"]

Body = Callable[[Operation[Any], HttpRequest], "bytes | HttpResponse | None"]
"""Gives a body, a whole answer (whose status is counted), or None for the small body."""

_LIMIT_HEADERS = ("x-ratelimit", "x-esi-error-limit")


class SmallBodies:
    """The smallest valid body of each operation."""

    def __init__(self, seed: int) -> None:
        self._world = World(seed, Roster(seed))
        self._values = Values(self._world)
        self._made: dict[str, bytes] = {}

    def of(self, operation: Operation[Any]) -> bytes:
        """Its body; empty when its answers have none."""
        body = self._made.get(operation.name)
        if body is None:
            body = self._made[operation.name] = self._make(operation)
        return body

    def _make(self, operation: Operation[Any]) -> bytes:
        if operation.result is None:
            return b""
        if operation.result.startswith("list["):
            return b"[]"
        made: Any = self._values.maker(operation.result_type(), choices_of(operation))(self._world.dice(operation.name))
        if operation.pagination == "cursor":
            made = _ended(made)
        return msgspec.json.encode(made)


def _ended(listing: dict[str, Any]) -> dict[str, Any]:
    """A cursor's last answer: no rows, and no mark to go on from."""
    return {name: [] if isinstance(value, list) else value for name, value in listing.items() if name != "cursor"}


class _Clock(Clock):
    """The sandbox's clock, led by the simulation's."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._virtual = now

    def now(self) -> float:
        return self._virtual() + self.offset_seconds


class SandboxBodies:
    """Real answers in virtual time, from the sandbox's ESI: its data, pages, lifetimes and validators.

    An answer takes some 100 us.

    Args:
        now: the simulation's clock.
        seed: the same seed gives the same data.
        characters: how many there are; tokens have to be theirs (2112000001 and on). Each holds every scope.

    Attributes:
        esi: the sandbox's ESI.
        lists: what can be done to its lists: ``roll``, ``edit``, ``add``, ``remove``, ``set_list``,
            ``odd_last_modified``, ``versions``, as docs/sandbox.md tells them.
    """

    def __init__(self, now: Callable[[], float], *, seed: int = 1, characters: int = 10) -> None:
        self._roster = Roster(seed, characters)
        self.esi = EsiApi(seed, _Clock(now), self._roster, limits=Limits(enforce=False))
        self.lists = self.esi.lists
        self._scopes = frozenset(operation.scope for operation in ops.operations() if operation.scope is not None)

    def __call__(self, operation: Operation[Any], request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        headers = {name.lower(): value for name, value in request.headers}
        identity = None
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token:
            app, character_id, _ = token.split(":")
            character = self._roster.get(int(character_id))
            identity = Identity(character.character_id, character.name, character.owner, self._scopes, app)
        parts = urlsplit(request.url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        body = request.body or b""
        answer = self.esi.answer(SandboxRequest(operation.method, parts.path, query, headers, body, identity))
        kept = [pair for pair in answer.headers if not pair[0].lower().startswith(_LIMIT_HEADERS)]
        return HttpResponse(answer.status, Headers(kept), answer.body)
