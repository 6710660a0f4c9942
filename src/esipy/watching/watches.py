"""What `watch` gives: an iterator over changes, in either colour."""

from __future__ import annotations

from types import TracebackType
from typing import Generic, TypeVar, cast

from esipy.runtime.blocking import run
from esipy.watching.watched import Changed
from esipy.watching.watcher import Watcher

__all__ = ["AsyncWatch", "Watch"]

D = TypeVar("D")
R = TypeVar("R")


class Watch(Generic[D, R]):
    """The changes of one call or several, as they come: made by `esipy.EsiClient.watch`. It belongs to one thread.

    ESI is asked while a loop waits for the next change, in the loop's own thread, and at no other time. Another loop
    may go on with the same watch later: it is told what is different then from what was told last.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def __iter__(self) -> Watch[D, R]:
        return self

    def __next__(self) -> Changed[D, R]:
        """Wait for the next change. The one before it counts as dealt with: it is saved, if there is a store.

        Raises:
            SSOError: the login is dead.
            ClientError: ESI refuses a call. After either, asking again goes on; what failed is tried later.
            StoreUnavailable: the store cannot be used. Asking again goes on.
            StopIteration: the watch is closed.
        """
        changed = run(self._watcher.next())
        if changed is None:
            raise StopIteration
        return cast("Changed[D, R]", changed)

    def commit(self) -> None:
        """Say that the change that was given last is dealt with: it is saved now, not when you ask for the next one."""
        run(self._watcher.taken())

    def close(self) -> None:
        """Watch no more. The change that was given last does not count as dealt with by this: see `commit`."""
        self._watcher.close()

    def __enter__(self) -> Watch[D, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Watch of {', '.join(map(repr, self._watcher.calls))}>"


class AsyncWatch(Generic[D, R]):
    """The asyncio client's: read with ``async for``, by one task at a time. What is said of `Watch` holds here."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def __aiter__(self) -> AsyncWatch[D, R]:
        return self

    async def __anext__(self) -> Changed[D, R]:
        """See `Watch.__next__`. Cancelling it loses no change."""
        changed = await self._watcher.next()
        if changed is None:
            raise StopAsyncIteration
        return cast("Changed[D, R]", changed)

    async def commit(self) -> None:
        """See `Watch.commit`."""
        await self._watcher.taken()

    async def close(self) -> None:
        """See `Watch.close`."""
        self._watcher.close()

    async def __aenter__(self) -> AsyncWatch[D, R]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncWatch of {', '.join(map(repr, self._watcher.calls))}>"
