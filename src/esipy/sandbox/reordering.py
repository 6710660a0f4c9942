"""Answers that overtake each other: one is held back until the next of the same bucket has been answered.

Rules: which are held follows from the seed and the number of the answer; one at a time in each bucket; when no other
comes, it goes after a twentieth of a second, so that a client that sends one call at a time never hangs.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from esipy.sandbox.exchange import SandboxAnswer, SandboxRequest
from esipy.sandbox.world import stable

__all__ = ["Reordering"]

_LONGEST_SECONDS = 0.05
_PARTS = 1_000_000


class Reordering:
    """Holds back this share of the answers.

    Attributes:
        overtaken: how many answers others went before.
    """

    def __init__(self, seed: int, share: float = 0.0) -> None:
        self._seed = seed
        self._answers = 0
        self._held: dict[tuple[str, int | None], asyncio.Event] = {}
        self.overtaken = 0
        self.share = 0.0
        self.set(share)

    def set(self, share: float) -> None:
        """Hold back this share from now on.

        Raises:
            ValueError: it is not within 0 and 1.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"a share between 0 and 1 of the answers is held back, not {share}")
        self.share = share

    async def pass_on(self, request: SandboxRequest, answer: SandboxAnswer) -> SandboxAnswer:
        """The answer, when its time has come."""
        if not self.share and not self._held:
            return answer
        group = next((value for name, value in answer.headers if name == "X-Ratelimit-Group"), "")
        bucket = (group, None if request.identity is None else request.identity.character_id)
        before = self._held.pop(bucket, None)
        if before is not None:
            # It goes in a later turn of the loop than this answer, which is written in this one.
            asyncio.get_running_loop().call_soon(before.set)
            self.overtaken += 1
            return answer
        self._answers += 1
        if stable(self._seed, "held back", self._answers) % _PARTS < self.share * _PARTS:
            mine = self._held[bucket] = asyncio.Event()
            try:
                with suppress(TimeoutError):
                    await asyncio.wait_for(mine.wait(), _LONGEST_SECONDS)
            finally:
                if self._held.get(bucket) is mine:
                    del self._held[bucket]
        return answer
