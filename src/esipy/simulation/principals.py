"""Whom a simulated request counts against, read from its token.

Rules: an authenticated operation counts against application and character of its token, a public one without a token
against the address, a public one with one against address and application.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from esipy.core.wire import HttpRequest
from esipy.operation import Operation
from esipy.sandbox.esi_limits import ADDRESS

__all__ = ["Principals", "Who", "token_for"]

_KNOWN_AT_MOST = 200_000


def token_for(app: str, character_id: int, number: int = 0) -> str:
    """An access token for the simulated ESI; another number makes another token of the same principal."""
    return f"{app}:{character_id}:{number}"


class Who(NamedTuple):
    """Whom a token counts against: at authenticated operations, at public ones."""

    private: str
    public: str


class Principals:
    """Reads tokens, each once."""

    def __init__(self) -> None:
        self._read: dict[str, Who | None] = {}

    def of(self, operation: Operation[Any] | None, request: HttpRequest) -> tuple[Who | None, str]:
        """Who a good token speaks for (None without one), and the principal to count against."""
        for name, value in request.headers:
            if len(name) == 13 and name.lower() == "authorization":
                who = self._read[value] if value in self._read else self._learn(value)
                if who is None or operation is None:
                    return who, ADDRESS
                return who, who.public if operation.scope is None else who.private
        return None, ADDRESS

    def _learn(self, header: str) -> Who | None:
        parts = header.removeprefix("Bearer ").split(":")
        who = Who(f"{parts[0]}:{parts[1]}", f"{parts[0]}:{ADDRESS}") if len(parts) == 3 else None
        if len(self._read) >= _KNOWN_AT_MOST:
            self._read.clear()
        self._read[header] = who
        return who
