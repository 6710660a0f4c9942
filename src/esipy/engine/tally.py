"""How the calls of one client were answered, counted: what ``client.cache.stats()`` tells."""

from __future__ import annotations

__all__ = ["Tally"]


class Tally:
    """Counts of the calls of one client that may be kept. Nothing is decided by them, so no lock guards them.

    Attributes:
        hits: what was kept was fresh.
        misses: ESI was asked, and sent an answer or none.
        revalidated: ESI was asked, and what was kept still holds.
        stale: ESI did not answer, and what was kept stood in.
        joined: another call asked for the same at that time, and was answered for both.
    """

    __slots__ = ("hits", "joined", "misses", "revalidated", "stale")

    def __init__(self) -> None:
        self.hits = self.misses = self.revalidated = self.stale = self.joined = 0
