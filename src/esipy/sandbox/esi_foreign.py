"""Other programs that spend from the same buckets: how much, when, and when they are away.

Rules: everything follows from the seed, the bucket's name and the clock. Time is cut into stretches of two windows,
shifted by bucket; in about half of them somebody is there, and spends the share - evenly, in up to thirty visits a
window, or all at once at the beginning of each window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from esipy.sandbox.esi_window import GOOD_COST, Visit
from esipy.sandbox.world import stable

__all__ = ["MANNERS", "Manner", "Strangers"]

Manner = Literal["even", "bursts"]
MANNERS: tuple[str, ...] = get_args(Manner)
_WINDOWS_A_STRETCH = 2
_VISITS_A_WINDOW = 30
"""Call by call would be more even, and most of the work of a simulated day."""


@dataclass(frozen=True, slots=True)
class Strangers:
    """Who else spends.

    Attributes:
        share: the share of each bucket's limit that is spent in a window while somebody is there; 0: nobody ever is.
            Spent are whole calls of 2 tokens, so of 15 tokens 20 % are one call.
        manner: ``even`` or ``bursts``.

    Raises:
        ValueError: the share is not within 0 and 1, or there is no such manner.
    """

    share: float = 0.0
    manner: Manner = "even"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"others spend a share between 0 and 1, not {self.share}")
        if self.manner not in MANNERS:
            raise ValueError(f"others spend in the manner {' or '.join(MANNERS)}, not {self.manner!r}")

    def visits(self, seed: int, name: str, limit: int, window_seconds: int, since: float) -> Iterator[Visit]:
        """When others call, and how many calls they make then: from ``since`` on, without end."""
        calls = int(self.share * limit / GOOD_COST + 1e-9)
        if not calls:
            return
        stretch_seconds = _WINDOWS_A_STRETCH * window_seconds
        shift = stable(seed, "strangers", name) % stretch_seconds
        stretch = int((since - shift) // stretch_seconds)
        while True:
            if self.present(seed, name, stretch):
                for moment, number in self._within(shift + stretch * stretch_seconds, calls, window_seconds):
                    if moment >= since:
                        yield moment, number
            stretch += 1

    @staticmethod
    def present(seed: int, name: str, stretch: int) -> bool:
        """Whether somebody is there in this stretch."""
        return stable(seed, "present", name, stretch) % 2 == 1

    def _within(self, began: float, calls: int, window_seconds: int) -> Iterator[Visit]:
        if self.manner == "bursts":
            for window in range(_WINDOWS_A_STRETCH):
                yield began + window * window_seconds, calls
        else:
            visits = min(calls, _VISITS_A_WINDOW)
            for visit in range(_WINDOWS_A_STRETCH * visits):
                number = (visit + 1) * calls // visits - visit * calls // visits
                yield began + visit * window_seconds / visits, number
