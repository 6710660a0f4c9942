"""How the calls of one client were answered, counted: what `client.cache.stats()` tells."""

from __future__ import annotations

from contextlib import AbstractContextManager

__all__ = ["Tally"]


class Tally:
    """Counts of calls that may be kept; every such call is one of these."""

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self._counts = dict.fromkeys(("hits", "misses", "revalidated", "stale", "joined"), 0)

    def hit(self) -> None:
        """What was kept was fresh."""
        with self._lock:
            self._counts["hits"] += 1

    def missed(self) -> None:
        """ESI was asked, and sent an answer or none."""
        with self._lock:
            self._counts["misses"] += 1

    def revalidated(self) -> None:
        """ESI was asked, and what was kept still holds."""
        with self._lock:
            self._counts["revalidated"] += 1

    def stale(self) -> None:
        """ESI did not answer, and what was kept stood in."""
        with self._lock:
            self._counts["stale"] += 1

    def joined(self) -> None:
        """Another call asked for the same at that time."""
        with self._lock:
            self._counts["joined"] += 1

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        with self._lock:
            return dict(self._counts)
