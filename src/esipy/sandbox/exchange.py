"""The seam inside the sandbox: what the server gives its two halves (ESI, SSO), and what they give back.

The server parses HTTP, resolves the bearer token and writes the answer; the halves know neither sockets nor
ASGI. `Half.handle` may be called for many requests at once, all on the server's one event loop: it must not
block for long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Half", "Identity", "SandboxAnswer", "SandboxRequest"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a good access token speaks for.

    Attributes:
        character_id: the character.
        name: the character's name.
        owner: the owner hash that stands in the token.
        scopes: what the token allows; empty when none was asked.
        client_id: the application that the token was given to.
    """

    character_id: int
    name: str
    owner: str
    scopes: frozenset[str]
    client_id: str


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """One request as it came.

    Attributes:
        method: upper case; HEAD stays HEAD (the server sends its answer without the body).
        path: as sent, still escaped, without the query.
        query: (name, value) pairs, unescaped, in order; a name may repeat.
        headers: names in lower case; of a repeated header the values joined by ``", "``.
        body: whole; empty when there was none.
        identity: whom the bearer token speaks for; None without a usable token.
        token_error: why the bearer token that was given is not usable: ``malformed``, ``unknown``, ``expired``
            or ``revoked``; None when none was given, or it is good.
    """

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]], repr=False)
    headers: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)
    identity: Identity | None = None
    token_error: str | None = None


@dataclass(frozen=True, slots=True)
class SandboxAnswer:
    """One whole answer.

    Attributes:
        status: the HTTP status.
        headers: (name, value) pairs; ``Content-Length``, ``Date`` and ``Connection`` are the server's.
        body: not compressed; for HEAD what GET would give (the server counts it and leaves it out).
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]], repr=False)
    body: bytes = field(default=b"", repr=False)


class Half(Protocol):
    """One of the two halves of the sandbox."""

    async def handle(self, request: SandboxRequest) -> SandboxAnswer:
        """Answer one request. An exception becomes a 500 that is logged: it is the sandbox's own mistake."""
        ...
