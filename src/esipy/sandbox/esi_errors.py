"""The error limit: bad answers in a fixed minute, of all who come from one address, and then 420 for every route.

Source: ESI's best practices documentation, "error limit".
"""

from __future__ import annotations

__all__ = ["ERROR_LIMIT", "ErrorWindow"]

ERROR_LIMIT = 100
_WINDOW_SECONDS = 60


class ErrorWindow:
    """The bad answers of this minute.

    Attributes:
        used: how many there were in this minute.
        most_used: in any minute.
        own, foreign: the client's and those of others, ever.
        refusals: how many answers of 420 were sent.
    """

    __slots__ = ("_minute", "foreign", "most_used", "own", "refusals", "used")

    def __init__(self) -> None:
        self._minute = 0
        self.used = self.most_used = self.own = self.foreign = self.refusals = 0

    def turn(self, now: float) -> None:
        """Let time pass until ``now``."""
        minute = int(now) // _WINDOW_SECONDS
        if minute != self._minute:
            self._minute, self.used = minute, 0

    def add(self, now: float, errors: int = 1, *, foreign: bool = False) -> None:
        """Count bad answers."""
        self.turn(now)
        self.used += errors
        self.most_used = max(self.most_used, self.used)
        if foreign:
            self.foreign += errors
        else:
            self.own += errors

    def is_over(self, now: float) -> bool:
        """Whether every route answers 420."""
        self.turn(now)
        return self.used >= ERROR_LIMIT

    def headers(self, now: float) -> list[tuple[str, str]]:
        """What is left, and for how many seconds that holds."""
        self.turn(now)
        return [
            ("X-ESI-Error-Limit-Remain", str(max(0, ERROR_LIMIT - self.used))),
            ("X-ESI-Error-Limit-Reset", str(_WINDOW_SECONDS - int(now) % _WINDOW_SECONDS)),
        ]

    def forget(self) -> None:
        """Start the record (not the minute) anew."""
        self.own = self.foreign = self.refusals = 0
        self.most_used = self.used
