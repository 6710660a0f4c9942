"""Fifty asyncio tasks that share the work on one loop that stays open: the same frame around each client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["TASKS", "Loop"]

TASKS = 50


class Loop:
    """An event loop that outlives a round, so that connections stay warm."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()

    def in_tasks(self, unit: Callable[[], Awaitable[int]], count: int) -> int:
        """Do ``count`` units, fifty at once; the sum of the witnesses."""
        left = iter(range(count))

        async def work() -> int:
            witness = 0
            for _ in left:
                witness += await unit()
            return witness

        async def all_tasks() -> int:
            return sum(await asyncio.gather(*(work() for _ in range(TASKS))))

        return self.runner.run(all_tasks())
