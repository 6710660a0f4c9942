"""The sandbox's clock: real time plus an offset that tests move forward.

Everything in the sandbox that has a lifetime (tokens, codes, answers, ``Date``) asks this clock, so moving it
by twenty minutes is twenty minutes passing for the server alone.
"""

from __future__ import annotations

import time
from email.utils import formatdate

__all__ = ["Clock"]


class Clock:
    """Seconds since 1970 (UTC); never goes back."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._dated: tuple[int, str] = (0, "")

    def now(self) -> float:
        """The sandbox's time, in unix seconds."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> float:
        """Move the clock forward; gives the new time.

        Raises:
            ValueError: ``seconds`` is negative.
        """
        if not seconds >= 0:
            raise ValueError(f"the clock only goes forward: {seconds!r} seconds")
        self._offset += seconds
        return self.now()

    @property
    def offset_seconds(self) -> float:
        """How far the clock is ahead of real time."""
        return self._offset

    def http_date(self) -> str:
        """Now, as HTTP writes dates (RFC 9110 section 5.6.7)."""
        second = int(self.now())
        dated, text = self._dated
        if dated != second:
            text = formatdate(second, usegmt=True)
            self._dated = (second, text)
        return text
