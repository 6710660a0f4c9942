"""Who runs a scheduler: threads, or tasks of the loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from esipy.runtime.blocking import run

if TYPE_CHECKING:
    import asyncio

__all__ = ["Tasks", "Threads"]

Work = Callable[[], Coroutine[Any, Any, None]]

END_SECONDS = 5.0
"""How long a client that is closed waits for a receiver that is at work."""


class Threads:
    """A thread for each. They are daemons: the end of the program does not wait for an answer that nobody wants."""

    def __init__(self) -> None:
        self._lasting: threading.Thread | None = None

    def check(self) -> None:
        """A thread can be begun anywhere."""

    def begin(self, work: Work, *, lasting: bool = False) -> None:
        name = "esipy_watching" if lasting else "esipy_looking"
        thread = threading.Thread(target=lambda: run(work()), name=name, daemon=True)
        if lasting:
            self._lasting = thread
        thread.start()

    def end(self) -> None:
        """Wait for the lasting one, unless it is the one that asks."""
        thread = self._lasting
        if thread is not None and thread is not threading.current_thread():
            thread.join(END_SECONDS)


class Tasks:
    """A task of the running loop for each."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def check(self) -> None:
        """A task needs a running loop.

        Raises:
            RuntimeError: none runs in this thread.
        """
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "no event loop runs here: add the receiver in a coroutine, whose loop will call it"
            ) from None

    def begin(self, work: Work, *, lasting: bool = False) -> None:  # noqa: ARG002 (tasks are all ended)
        import asyncio

        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Cancel those of this loop, but for the one that asks."""
        import asyncio

        loop, me = asyncio.get_running_loop(), asyncio.current_task()
        mine = [task for task in tuple(self._tasks) if task is not me and task.get_loop() is loop]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
