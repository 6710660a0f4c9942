"""Calls the sandbox's ESI in-process: no server, no sockets, and a clock that stands still."""

from __future__ import annotations

from typing import Any

import msgspec

from esipy import ops
from esipy.sandbox.characters import Character, Roster
from esipy.sandbox.clock import Clock
from esipy.sandbox.esi import EsiApi
from esipy.sandbox.exchange import Identity, SandboxAnswer, SandboxRequest

NEWEST = "2026-08-04"
START = 1_790_000_000.0  # 2026-09-21T14:13:20Z
ALL_SCOPES = frozenset(operation.scope for operation in ops.operations() if operation.scope is not None)


class StandingClock(Clock):
    """A clock that only moves when it is told to."""

    def now(self) -> float:
        return START + self.offset_seconds


class Caller:
    """One sandbox, and requests to it as the server would give them."""

    def __init__(self, seed: int = 1, size: int = 10, **options: Any) -> None:
        self.clock = StandingClock()
        self.roster = Roster(seed, size)
        self.api = EsiApi(seed, self.clock, self.roster, **options)

    def character(self, place: int = 0) -> Character:
        return self.roster.get(self.roster.ids[place])

    def identity(self, place: int = 0, scopes: frozenset[str] = ALL_SCOPES, client: str = "app") -> Identity:
        character = self.character(place)
        return Identity(character.character_id, character.name, character.owner, scopes, client)

    def send(
        self,
        path: str,
        *query: tuple[str, object],
        method: str = "GET",
        body: Any = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        identity: Identity | None = None,
        date: str | None = NEWEST,
        token_error: str | None = None,
    ) -> SandboxAnswer:
        """One request; ``raw`` is the body as bytes, ``body`` as data; ``date=None`` sends none."""
        sent = {"x-compatibility-date": date} if date is not None else {}
        content = raw if raw is not None else msgspec.json.encode(body) if body is not None else b""
        pairs = [(name, str(value)) for name, value in query]
        request = SandboxRequest(method, path, pairs, {**sent, **(headers or {})}, content, identity, token_error)
        return self.api.answer(request)

    def mine(self, path: str, *query: tuple[str, object], place: int = 0, **options: Any) -> SandboxAnswer:
        """A request with a token of this character that holds every scope; ``{me}`` and ``{corp}`` are filled in."""
        character = self.character(place)
        path = path.format(me=character.character_id, corp=character.corporation_id)
        return self.send(path, *query, identity=self.identity(place), **options)


def data(answer: SandboxAnswer) -> Any:
    """The body, decoded."""
    return msgspec.json.decode(answer.body)


def header(answer: SandboxAnswer, name: str) -> str | None:
    """A header by its name; None when it is absent."""
    return next((value for key, value in answer.headers if key.lower() == name.lower()), None)
