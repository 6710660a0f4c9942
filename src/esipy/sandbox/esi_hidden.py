"""Limiters inside the game server: per route, known to no header.

Rules: so many requests of an operation in a sliding minute, whoever makes them; those that are refused are not counted.

Source: esi-issues 876.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from esipy import ops
from esipy.operation import RateGroup
from esipy.sandbox.esi_window import Bucket

__all__ = ["HIDDEN_LIMITS", "HiddenLimits"]

HIDDEN_LIMITS: Mapping[str, int] = {
    "get_markets_region_id_history": 300,
    "get_characters_character_id_corporationhistory": 300,
}
"""Routes that are known to have such a limiter, and their requests a minute."""

_MESSAGES = {429: "too many requests", 520: "ConStopSpamming"}
_COST = 1
_WINDOW_SECONDS = 60


class HiddenLimits:
    """The limiters inside the game server; there are none until `set`.

    Attributes:
        status: what they answer: 429, or 520 with ``ConStopSpamming``.
    """

    def __init__(self) -> None:
        self.status = 429
        self._windows: dict[str, Bucket] = {}

    def set(self, limits: Mapping[str, int]) -> None:
        """Have these from now on: operations (snake case), and how many requests a minute are let through.

        Raises:
            KeyError: there is no such operation.
            ValueError: it lets nothing through.
        """
        self._windows = {ops.operation(name).name: _window(name, most) for name, most in limits.items()}

    def answer_with(self, status: int) -> None:
        """Answer 429, or 520, from now on.

        Raises:
            ValueError: it is another.
        """
        if status not in _MESSAGES:
            raise ValueError(f"a limiter inside the game server answers 429 or 520, not {status}")
        self.status = status

    @property
    def message(self) -> str:
        """What the body says."""
        return _MESSAGES[self.status]

    def refuses(self, operation: str, now: float) -> bool:
        """Whether this call is refused; one that is let in is counted."""
        window = self._windows.get(operation)
        if window is None:
            return False
        window.turn(now)
        if window.has_room(_COST):
            window.spend(now, _COST)
            return False
        window.refusals += 1
        return True

    def clear(self) -> None:
        """Forget what was counted."""
        self._windows = {name: _window(name, window.limit) for name, window in self._windows.items()}

    def __iter__(self) -> Iterator[Bucket]:
        return iter(self._windows.values())


def _window(name: str, most: int) -> Bucket:
    if most < 1:
        raise ValueError(f"a limiter lets at least one request a minute through, not {most}")
    return Bucket(name, RateGroup(name, most, _WINDOW_SECONDS))
