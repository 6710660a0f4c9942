"""What the parts of the sandbox's ESI hand to each other: a call that was let in, its reply, or its refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from esipy.operation import Operation
from esipy.sandbox.esi_edits import Edit, Manner
from esipy.sandbox.exchange import Identity
from esipy.sandbox.validate import Fault
from esipy.sandbox.world import World

__all__ = ["LANGUAGES", "TENANTS", "Asked", "Handler", "Refused", "Reply"]

TENANTS = ("tranquility", "singularity")
LANGUAGES = ("en", "de", "fr", "ja", "ru", "zh", "ko", "es")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that passed every check.

    Attributes:
        operation: what is called.
        path: without version and slash at the end: data derive from it.
        values: the arguments by name; ``body`` is the body.
        world: the universe.
        now: the sandbox's time, in unix seconds.
        version: how often the data at this path changed, by itself or on request: data may derive from it.
        bumps: how often they were changed on request.
        identity: who asks; None without a token.
        language: one of `LANGUAGES`.
        tenant: the server that is asked; each has data of its own.
        edits: what was done to the list at this path, oldest first.
        manner: how the list is told.
    """

    operation: Operation[Any]
    path: str
    values: dict[str, Any]
    world: World
    now: float
    version: int = 0
    bumps: int = 0
    identity: Identity | None = None
    language: str = "en"
    tenant: str = TENANTS[0]
    edits: tuple[Edit, ...] = ()
    manner: Manner = field(default_factory=Manner)

    def dice(self, *parts: object) -> Random:
        """Choices that depend on seed, operation, path and these parts."""
        return self.world.dice(self.tenant, self.operation.name, self.path, *parts)


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers.

    Attributes:
        data: plain data; None with a 204.
        status: the HTTP status.
        pages: ``X-Pages``; None when there are no pages.
        raw: the JSON, when it was made as bytes; ``data`` is then not looked at.
        page_rows: how many rows each page of the list has, but the last.
    """

    data: Any = None
    status: int = 200
    pages: int | None = None
    raw: bytes | None = None
    page_rows: int = 50

    def rows(self) -> list[Any]:
        """The rows of a list."""
        if self.status == 204:
            return []
        rows: list[Any] = msgspec.json.decode(self.raw) if self.raw is not None else self.data
        return rows

    def body(self) -> bytes:
        """What is sent."""
        if self.status == 204:
            return b""
        return self.raw if self.raw is not None else msgspec.json.encode(self.data)


@dataclass(slots=True)
class Refused(Exception):
    """A call is answered with an error; a silent one without the headers of its rate limit."""

    status: int
    message: str
    faults: list[Fault] = field(default_factory=list[Fault])
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    silent: bool = False


Handler = Callable[[Asked], Reply]
