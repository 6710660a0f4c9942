"""At most so many at once, in one event loop: the others stand in line, first come first served.

As `asyncio.Semaphore`, for a third of what it costs where nobody has to wait, which is nearly always. A turn is handed
from who had it to who waits, so that no newcomer is faster.
"""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["Turns"]


class Turns:
    """Turns to be taken, and given back in any case.

    Attributes:
        free: how many are left. Who finds one takes it, by counting it down; who does not, waits (`wait`).
    """

    __slots__ = ("_line", "free")

    def __init__(self, most: int) -> None:
        self.free = most
        self._line: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Stand in line for one; cancelled, leave the line."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            await turn
        except BaseException:  # cancelled, or closed with its loop
            if turn in self._line:
                self._line.remove(turn)
            elif not turn.cancelled():  # it had come just before
                self.give_back()
            raise

    def give_back(self) -> None:
        """Hand it to the first in line; it is free when there is none."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done() and not turn.get_loop().is_closed():  # its loop may have ended with tasks under way
                turn.set_result(None)
                return
        self.free += 1
