"""The right to refresh one token, and one of the few places for refreshing any: over all processes and machines.

Both are leases of the store, so they end by themselves when their holder is killed. A lease outlasts what is done
under it: `Lease.hold` makes it last as long again before each exchange. It is also the write that shows, before a
refresh token is spent, that the store can be written to.
"""

from __future__ import annotations

import secrets
from contextlib import suppress

from esipy.exceptions import TokenStoreError
from esipy.runtime.base import Runtime
from esipy.sso.source import Source
from esipy.sso.vault import Vault

__all__ = ["SLOTS", "Lease", "Pauses", "lease_name", "lease_seconds"]

SLOTS = 5
"""How many tokens are refreshed at once, over all that share the store. Source: EVE SSO issues, number 58."""

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0


def lease_name(client_id: str, character_id: int) -> str:
    """Of the right to change the tokens of a character."""
    return f"refresh {client_id} {character_id}"


def lease_seconds(source: Source) -> float:
    """Longer than the longest exchange, and the fetching of a new key after it."""
    return 2 * source.asker.limit_seconds + 10.0


class Pauses:
    """Pauses between two looks at what others do: they grow, and are jittered so that those who wait part.

    Args:
        patience_seconds: after which it is no use to wait any longer.
    """

    def __init__(self, runtime: Runtime, patience_seconds: float) -> None:
        self._runtime = runtime
        self._until = runtime.now() + patience_seconds
        self._seconds = FIRST_PAUSE_SECONDS

    async def rest(self) -> bool:
        """Let one pass; False, at once: it is no use any longer."""
        if self._runtime.now() >= self._until:
            return False
        await self._runtime.sleep(self._seconds * (0.5 + self._runtime.random()))
        self._seconds = min(self._seconds * 1.5, LONGEST_PAUSE_SECONDS)
        return True


class Lease:
    """One holder's leases.

    Args:
        name: of what is to be had alone.
        seconds: for which to have it, and a slot.
    """

    def __init__(self, vault: Vault, name: str, seconds: float) -> None:
        self._vault = vault
        self._holder = secrets.token_hex(16)
        self._name = name
        self._seconds = seconds
        self._until = float("-inf")
        self._slot: int | None = None
        self._asked: set[str] = set()
        """Leases that may be ours: a caller that is interrupted, or hears no answer, has them all the same."""

    async def hold(self, runtime: Runtime) -> bool:
        """Have it for at least half of its time from now on.

        Returns:
            whether nobody else has it, nor may have had it since it was held last; False: do nothing under it before
            what it is for was read again.

        Raises:
            TokenStoreError: the store cannot be written to.
        """
        if runtime.now() + self._seconds / 2 <= self._until:
            return True
        before, until = self._until, runtime.now() + self._seconds
        if not await self._take(runtime, self._name):
            self._until = float("-inf")
            return False
        self._until = until
        if float("-inf") < before <= runtime.now():
            return False  # it was over: another may have had it, and given it back
        return self._slot is None or await self.take_slot(runtime)

    async def take_slot(self, runtime: Runtime) -> bool:
        """Whether one of the slots could be had.

        Raises:
            TokenStoreError: the store cannot be written to.
        """
        first = int(runtime.random() * SLOTS) if self._slot is None else self._slot
        for number in range(SLOTS):
            slot = (first + number) % SLOTS
            if await self._take(runtime, f"refreshing {slot}"):
                self._slot = slot
                return True
        return False

    async def give_back(self, runtime: Runtime, *, slot_only: bool = False) -> None:
        """Let others have what is held; what cannot be given back ends by itself.

        Args:
            slot_only: the rest is given back later, if it has not ended by itself.
        """
        names = self._asked - ({self._name} if slot_only else set())
        self._until, self._slot = float("-inf"), None
        self._asked = self._asked - names
        give = self._vault.store.lease

        def work() -> None:
            for name in names:
                with suppress(Exception):  # a store of somebody else's raises anything
                    give(name, self._holder, 0)

        if names:
            with suppress(TokenStoreError):
                # In one go: a caller that is stopped meanwhile has given all of them back.
                await self._vault.do(runtime, work)

    async def _take(self, runtime: Runtime, name: str) -> bool:
        self._asked.add(name)
        taken = await self._vault.lease(runtime, name, self._holder, self._seconds)
        if not taken:
            self._asked.discard(name)
        return taken
