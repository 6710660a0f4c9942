"""Tokens in memory: for tests, and for programs whose characters log in anew after each start."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from esipy._forks import fork_lock
from esipy.stores.tokens import TokenRecord

__all__ = ["MemoryTokens"]


class MemoryTokens:
    """`TokenStore` of one process. Nothing outlives it: what is "durable" here ends with the process.

    Args:
        clock: for tests: seconds, in the place of the machine's time.
    """

    def __init__(self, *, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.monotonic
        self._lock = fork_lock()
        self._records: dict[tuple[str, int], TokenRecord] = {}
        self._leases: dict[str, tuple[str, float]] = {}

    def __repr__(self) -> str:
        return f"<MemoryTokens: {len(self._records)} characters>"

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        """What is kept of a character; None when nothing is."""
        return self._records.get((client_id, character_id))

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        """Put a record in place if the version there is still the one expected; see `TokenStore`."""
        key = (client_id, character_id)
        with self._lock:
            found = self._records.get(key)
            if (None if found is None else found.version) != expected:
                return False
            if record is None:
                self._records.pop(key, None)
            else:
                self._records[key] = record._replace(
                    client_id=client_id, character_id=character_id, version=(expected or 0) + 1
                )
            return True

    def records(self, client_id: str | None = None) -> Iterator[TokenRecord]:
        """All that is kept, of one application or of all, in the order of application and character."""
        with self._lock:
            keys = sorted(key for key in self._records if client_id in (None, key[0]))
        for key in keys:
            found = self._records.get(key)
            if found is not None:
                yield found

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Have a name for oneself for a while; see `TokenStore`."""
        with self._lock:
            now = self._clock()
            self._leases = {each: lease for each, lease in self._leases.items() if lease[1] > now}
            found = self._leases.get(name)
            if found is not None and found[0] != holder:
                return False
            if seconds > 0:
                self._leases[name] = (holder, now + seconds)
                return True
            return self._leases.pop(name, None) is not None
