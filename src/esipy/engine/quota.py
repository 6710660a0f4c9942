"""The retries that a whole client has left, so that an outage does not multiply its traffic.

When everything fails, retries per call multiply: three of them make four times the traffic, at the moment when
the server can bear it least. The quota bounds their sum instead: `MOST` at once, and after that one for
each ten good answers, which is a tenth more traffic at the worst. While it is empty the outcome is given as it is.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

__all__ = ["MOST", "RetryQuota"]

MOST = 50
"""Enough for the hiccup of a server that twenty threads meet at once with two retries each; nothing in an outage."""

_PER_RETRY = 10
"""In tenths, which add up exactly: a good answer brings one of them."""


class RetryQuota:
    """How many retries are left. Threads share it.

    Attributes:
        missing: tenths of a retry that have not come back yet; 0, as almost always: nothing failed lately.
    """

    __slots__ = ("_lock", "missing")

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self.missing = 0

    @property
    def left(self) -> float:
        """How many retries are left, to a tenth."""
        return MOST - self.missing / _PER_RETRY

    def spend(self) -> bool:
        """Take one retry; False when none is left."""
        with self._lock:
            if self.missing > (MOST - 1) * _PER_RETRY:
                return False
            self.missing += _PER_RETRY
            return True

    def refill(self) -> None:
        """A good answer came: a tenth of a retry comes back, if any is missing."""
        with self._lock:
            self.missing = max(self.missing - 1, 0)
