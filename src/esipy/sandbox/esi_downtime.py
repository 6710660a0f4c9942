"""When the game is down: each day at 11:00 UTC if asked for, and whenever a test says so.

Rules: while it is down every route of ESI is answered by a proxy with 502, 503 or 504, mostly in HTML; nothing is
counted against any limit. Afterwards ``/status`` says that the game started at the moment at which it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from esipy.sandbox.answers import HTML, html_page, json_answer
from esipy.sandbox.exchange import SandboxAnswer

__all__ = ["DOWNTIME_BEGINS_SECONDS", "Downtime"]

DOWNTIME_BEGINS_SECONDS = 11 * 3600
"""When the daily downtime begins, in seconds of the day (UTC)."""

_DAY_SECONDS = 86_400


def _pages() -> Iterator[SandboxAnswer]:
    made = [SandboxAnswer(status, [HTML], html_page(status)) for status in (502, 503, 504)]
    made[1:1] = [json_answer({"error": "the game is down"}, status) for status in (503, 504)]
    return cycle(made)


class Downtime:
    """Up, unless told.

    Args:
        daily_seconds: how long the daily one is; 0: there is none.

    Attributes:
        daily_seconds: the same.
        answers: how many requests came while the game was down.

    Raises:
        ValueError: a day has not so many seconds.
    """

    def __init__(self, daily_seconds: float = 0.0) -> None:
        self.answers = 0
        self._pages = _pages()
        self._began = self._ended = 0.0
        self.daily_seconds = 0.0
        self.set_daily(daily_seconds)

    def set_daily(self, seconds: float) -> None:
        """How long the daily one is from now on; 0: there is none."""
        if not 0 <= seconds < _DAY_SECONDS:
            raise ValueError(f"a daily downtime takes between 0 and {_DAY_SECONDS} seconds, not {seconds}")
        self.daily_seconds = seconds

    def begin(self, now: float, seconds: float) -> float:
        """Go down now, for so long; gives when it ends. 0 ends one that was begun so.

        Raises:
            ValueError: ``seconds`` is negative.
        """
        if not seconds >= 0:
            raise ValueError(f"a downtime takes some seconds, not {seconds!r}")
        self._began, self._ended = now, now + seconds
        return self._ended

    def is_on(self, now: float) -> bool:
        """Whether the game is down."""
        return (
            self._began <= now < self._ended or 0 <= now % _DAY_SECONDS - DOWNTIME_BEGINS_SECONDS < self.daily_seconds
        )

    def answer(self, now: float) -> SandboxAnswer | None:
        """What the proxy answers; None while the game is up."""
        if not self.is_on(now):
            return None
        self.answers += 1
        page = next(self._pages)
        return SandboxAnswer(page.status, list(page.headers), page.body)

    def started(self, now: float) -> float | None:
        """When the last downtime ended, in unix seconds; None when there was none."""
        ends = [self._ended] if 0 < self._ended <= now else []
        if self.daily_seconds:
            end = now - (now - DOWNTIME_BEGINS_SECONDS - self.daily_seconds) % _DAY_SECONDS
            ends.append(end)
        return max(ends, default=None)
