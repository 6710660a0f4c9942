"""What the layers of a call share: the call, who asks, and what the layers added on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from esipy.core.answer import Answer
from esipy.engine.queues import NEVER_CAME
from esipy.operation import Call, Operation

if TYPE_CHECKING:
    from esipy.engine.pipeline import Engine
    from esipy.engine.terms import Terms
    from esipy.exceptions import APIException
    from esipy.runtime.base import Flight, Runtime, Strand

__all__ = ["NOT_OURS", "Exchange", "Layer", "Proceed", "Signer"]

NOT_OURS = -1
"""The claim of who did not wait for another process: that one's answer is kept."""


class Signer(Protocol):
    """What the engine asks of a login (`esipy.security`)."""

    @property
    def principal(self) -> str:
        """``<client id>:<character id>``: whom ESI counts against, and whose answers these are; never a token."""
        ...

    def principal_of(self, access_token: str) -> str:
        """The `principal` of a call with this token, should another login have been put in meanwhile."""
        ...

    async def token(self, runtime: Runtime, *, not_this: str | None = None) -> str:
        """An access token that can be used now, refreshed when needed; not the one that was just refused."""
        ...


class Exchange:
    """One call on its way.

    Attributes:
        anew: what is kept is known to be of the past: ESI is asked as if nothing were, and the answer is kept.
        method: the call's, or HEAD.
        base_url: ESI's address as the settings name it, or that of the other API that the operation belongs to.
        url: the whole address; it never holds a token.
        principal: whose answer it is, and mostly whom ESI counts it against; names no token.
        counted_as: whom ESI counts it against: a public call with a token counts against address and application.
        terms: how it waits for limits.
        came: its number among those who have to wait for limits (`esipy.engine.queues`), if it has.
        patient_until: the end of its patience with limits; None as long as it has not had to wait.
        overtaken: a write has changed what this call reads, while it was under way.
        attempt: of the exchange that is under way; 1 is the first.
        token: the access token it carries; None for a public one.
        conditions: headers that revalidate a kept answer.
        key: under which its answer is kept; "" when it is not.
        kept: what is kept under it, out of date; None when nothing is.
        asked_at: when that was looked up first.
        landed_before: how many flights had landed when that was looked up (`esipy.engine.coalescing`).
        claim: the token with which its answer is put into a cache that processes share; None: it needs none;
            `NOT_OURS`: it is not put.
        leader: who runs it, while others may wait for what it gets; None: nobody does.
        waiting: what those wait for; None while there are none.
        in_passing: of what is not kept yet, its answer need not be: it is a part of more than the cache has room for.
        beneath: another's flight of the same key, which newcomers may join again when this one has landed.
        landed: it is over, for them.
        outcome: what came of it then; None: it is handed on.
    """

    __slots__ = (
        "anew", "asked_at", "attempt", "base_url", "beneath", "call", "came", "claim", "conditions", "counted_as",
        "engine", "in_passing", "kept", "key", "landed", "landed_before", "leader", "method", "operation", "outcome",
        "overtaken", "patient_until", "principal", "runtime", "terms", "token", "url", "waiting",
    )  # fmt: skip

    def __init__(self, engine: Engine, call: Call[Any], method: str, terms: Terms | None = None) -> None:
        operation: Operation[Any] = call.operation
        signer = engine.signer
        self.engine = engine
        self.runtime: Runtime = engine.runtime
        self.call = call
        self.operation = operation
        self.method = method
        self.base_url: str = operation.base_url or engine.settings.base_url
        self.url: str = self.base_url + call.target
        holder = call.holder if call.brings_own else None
        self.principal: str = holder or ("ip" if signer is None or operation.scope is None else signer.principal)
        self.counted_as = self.principal
        self.terms = engine.terms if terms is None else terms
        self.came = NEVER_CAME
        self.patient_until: float | None = None
        self.anew = False
        self.in_passing = False
        self.attempt = 1
        self.overtaken = False
        self.token: str | None = None
        self.conditions: list[tuple[str, str]] = []
        self.key = ""
        self.kept: Answer | None = None
        self.asked_at = 0.0
        self.landed_before = 0
        self.claim: int | None = None
        self.leader: Strand | None = None
        self.waiting: Flight[None] | None = None
        self.beneath: Exchange | None = None
        self.landed = False
        self.outcome: Answer | APIException | None = None

    @property
    def cache_key(self) -> str:
        """What tells this call's answers from all others', the same in every process (T01, T08).

        It names the character, never the token (T04). A body that is a set of ids is one key in any order (T10).
        """
        call, engine = self.call, self.engine
        language = call.language or engine.settings.language
        key = f"{self.method} {self.url} {language} {engine.edition} {self.principal}"
        if call.brings_own and call.marks:
            key = f"{key} {call.marks}"
        if call.body is None:
            return key
        parameter = self.operation.body
        assert parameter is not None
        items = call.arguments[parameter.name]
        return f"{key} {sorted(items) if parameter.unique and items else items!r}"


Proceed = Callable[[Exchange], Awaitable[Answer]]
Layer = Callable[[Proceed, Exchange], Awaitable[Answer]]
