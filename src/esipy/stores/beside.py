"""A cache that does I/O, as the engine sees one: its verbs are done beside the event loop, or at once where none is."""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.runtime.base import Flight, Runtime
from esipy.stores.flights import SharedCache

__all__ = ["Beside"]


class Beside:
    """`FlightStore` of a client, over a cache that others share.

    Attributes:
        shared: the cache: the same object for all clients of the process that share it.
    """

    def __init__(self, shared: SharedCache, runtime: Runtime) -> None:
        self.shared = shared
        self._runtime = runtime

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.shared!r}>"

    async def get(self, key: str) -> Answer | None:
        runtime = self._runtime
        return await runtime.join(runtime.begin(self.shared.get, key, runtime.now))

    async def put(self, key: str, answer: Answer, path: str, token: int | None = None) -> None:
        runtime = self._runtime
        await runtime.join(runtime.begin(self.shared.put, key, answer, path, runtime.now, token))

    async def drop(self, path: str) -> None:
        await self._runtime.join(self._runtime.begin(self.shared.drop, path))

    async def clear(self) -> None:
        """Forget everything.

        Raises:
            StoreUnavailable: it cannot now.
        """
        await self._runtime.join(self._runtime.begin(self.shared.clear))

    async def claim(self, key: str, seconds: float) -> int | None:
        flight = self._runtime.begin(self.shared.claim, key, seconds)
        try:
            return await self._runtime.join(flight)
        except BaseException:  # whoever asked has gone: nobody else is to wait for what he will not fetch
            flight.add_done_callback(lambda done: self._give_back(key, done))
            raise

    async def release(self, key: str, token: int) -> None:
        self._runtime.begin(self.shared.release, key, token)  # done in any case; nobody has to wait for it

    async def size(self) -> tuple[int, int] | None:
        """How many answers are kept by all who share the cache, and the bytes that they take; None: it cannot tell."""
        return await self._runtime.join(self._runtime.begin(self.shared.size))

    def _give_back(self, key: str, flight: Flight[int | None]) -> None:
        token = None if flight.cancelled() or flight.exception() is not None else flight.result()
        if token is not None:
            self.shared.release(key, token)
