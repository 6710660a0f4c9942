"""The seams to where things are kept.

A cache's verbs are ``async def`` so that one text serves both runtimes; a store whose verbs never suspend (memory)
serves the blocking client as it is. A ledger's verbs are plain functions, because what a call leaves behind has to be
settled even where nothing can be awaited any more (a cancelled task, a closed loop); the engine has those of a ledger
that does I/O run beside the event loop (`Runtime.begin`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import msgspec

from esipy.core.answer import Answer
from esipy.core.buckets import CALL_COST, Bucket

__all__ = [
    "BEAT_SECONDS",
    "LEASE_SECONDS",
    "MEMBER_SECONDS",
    "Ask",
    "BucketState",
    "CacheStore",
    "LedgerStore",
    "RecoveringLedger",
    "Reservation",
    "SharedLedger",
    "StoreUnavailable",
    "Told",
    "Wait",
    "Waiters",
    "checked_lease",
]

LEASE_SECONDS = 90.0
"""How long a call under way is waited for in a ledger that processes share: the longest exchange (`Settings.timeout`,
60 s) and time to settle it."""

BEAT_SECONDS = 10.0
"""How often a process that uses a shared ledger says so, at the most: with its first call, and then from time to time.
How many do is counted with each call and each answer: if the store fails, all know of each other."""

MEMBER_SECONDS = 300.0
"""How long after that it counts as one that does: longer than a program may pause, or its share would be given away."""


def checked_lease(seconds: float) -> float:
    """A lease that can be meant.

    Raises:
        ValueError: it cannot.
    """
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not (known and 0 < seconds < inf):
        raise ValueError(f"lease_seconds={seconds!r}: has to be a number of seconds above 0, such as {LEASE_SECONDS:g}")
    return seconds


class CacheStore(Protocol):
    """Keeps answers by key. What it lost or cannot read is a miss, never an error."""

    async def get(self, key: str) -> Answer | None:
        """The answer kept under this key, fresh or not: its validators outlive its freshness (T08)."""
        ...

    async def put(self, key: str, answer: Answer, path: str) -> None:
        """Keep an answer, in place of what was there; ``path`` is what a write on it drops."""
        ...

    async def drop(self, path: str) -> None:
        """Forget every answer that was put with this path (T02)."""
        ...

    async def clear(self) -> None:
        """Forget everything."""
        ...


class StoreUnavailable(Exception):
    """A shared store does not answer now. Its text names the store, without user or password."""


@dataclass(slots=True)
class Ask:
    """What a call asks of a ledger. The same calls ask with the same object.

    Attributes:
        bucket: its name: the address of another ESI than the real one, group and principal.
        gate: the name of what stops all buckets of that ESI at once (a 420).
        limit, window_seconds: the bucket's size, as long as no answer has told another.
        worst: what an answer costs at the most.
        cost: what it is expected to cost; 0: nothing, mostly, as calls cost the error limit.
        share: of the limit, to leave untouched.
        spread: even out what is left over the window, once half of it is used.
        forced: let it leave from a bucket that has nothing left, but count it. A closed gate it waits for: what was
            sent already, and is counted afterwards, is asked for with the gate ``""``, which is never closed.
        paced: have `LedgerStore.wait_for` regard the pace of ``spread`` too, for the next call.
        known: a store's own, to find the bucket again without its name; None when it has not looked for it.
    """

    bucket: str
    gate: str
    limit: int
    window_seconds: float
    worst: int
    cost: int
    share: float = 0.0
    spread: bool = False
    forced: bool = False
    paced: bool = False
    known: Any = field(default=None, init=False, repr=False, compare=False)


class Reservation(msgspec.Struct, eq=False):
    """Leave to send one exchange: to be settled in any case.

    Attributes:
        ask: what was asked.
        mark: the store's own, for `LedgerStore.settle`.
    """

    ask: Ask
    mark: Any


class Wait(NamedTuple):
    """No leave yet.

    Attributes:
        seconds: how long the wait is, as far as is known.
        everyone: it is the gate that is closed.
        landing: an answer of a call under way has to come first, or what is just coming back; `seconds` is then the
            latest moment, or infinite.
        others: calls of other processes are under way there, whose answers may end the wait earlier, and nobody here is
            told when they have come: to be looked at again and again.
        ask_again_in: seconds after which to ask again, whatever `seconds` says: something may have changed then that
            nobody tells; None: nothing will.
    """

    seconds: float
    everyone: bool = False
    landing: bool = False
    others: bool = False
    ask_again_in: float | None = None


class Told(msgspec.Struct, eq=False):
    """What the headers of an answer tell of its bucket.

    Attributes:
        used: tokens used by everyone within the window; None: they do not tell.
        limit, window_seconds: the size of the bucket; None: as it was.
        returns_in: seconds after which what is used comes back; None: a window.
    """

    used: int | None
    limit: int | None = None
    window_seconds: float | None = None
    returns_in: float | None = None

    def sized(self, limit: int | None) -> Told:
        """The same of a bucket of another limit, where what others use of it does not count."""
        return Told(None, limit, self.window_seconds, self.returns_in)


NOTHING_TOLD = Told(None)


class BucketState(NamedTuple):
    """A bucket as it is now.

    Attributes:
        bucket: its name.
        limit, window_seconds: its size.
        used: tokens that this ledger's calls have spent within the window.
        reserved: what calls under way are expected to cost.
        foreign: tokens that others, and calls that were lost, are believed to have spent.
        free_in: seconds until a whole call may leave; 0: now.
    """

    bucket: str
    limit: int
    window_seconds: float
    used: int
    reserved: int
    foreign: int
    free_in: float

    @classmethod
    def of(cls, name: str, bucket: Bucket, now: float) -> Self:
        """The state of a bucket of this name."""
        free_in = bucket.wait_for(now, min(CALL_COST, bucket.worst))
        return cls(name, bucket.limit, bucket.window_seconds, bucket.own, bucket.reserved, bucket.foreign, free_in)


class LedgerStore(Protocol):
    """Counts what is spent. Every verb is atomic, for all threads and processes that share the store.

    Raises (all verbs, of shared stores only):
        StoreUnavailable: it does not answer.
    """

    remote: bool
    """Its verbs do I/O: they are not to be called in an event loop's thread, and others change it too."""

    def reserve(self, ask: Ask) -> Reservation | Wait:
        """Leave for an exchange, or how long to wait."""
        ...

    def settle(self, reservation: Reservation, spent: int, told: Told = NOTHING_TOLD, answered: bool = True) -> None:
        """Count what an exchange has cost; ``answered``: ESI said so (else it is the worst that can be)."""
        ...

    def wait_for(self, ask: Ask, tokens: int) -> Wait:
        """How long until so many tokens can be spent, by calls that cost as the ask says; what is forced waits for the
        gate alone."""
        ...

    def block(self, name: str, seconds: float) -> None:
        """Let nothing leave from a bucket, or through a gate, for so long, a day at most; of two such waits the later
        end counts."""
        ...

    def resize(self, ask: Ask, limit: int, at_most: bool = False) -> None:
        """Give a bucket another limit; ``at_most``: only a smaller one, for others may have learned one as well."""
        ...

    def states(self) -> list[BucketState]:
        """Every bucket that is not idle."""
        ...

    def close(self) -> None:
        """Close what is open. It can be used again afterwards."""
        ...


class Waiters(Protocol):
    """Those who wait for something."""

    def wake_all(self) -> None:
        """Have them look again, from any thread."""
        ...


class SharedLedger(LedgerStore, Protocol):
    """A ledger that processes share."""

    lease_seconds: float
    """How long a call under way is waited for: longer than the longest exchange."""

    def members(self) -> int:
        """How many processes use it, as was last known: it can be asked when the store is gone."""
        ...


@runtime_checkable
class RecoveringLedger(LedgerStore, Protocol):
    """One that goes on by itself while what it shares with others fails.

    Attributes:
        news: payloads of STORE_DEGRADED that are still to be sent. Who uses it next sends them, where receivers can be
            awaited.
    """

    news: deque[dict[str, Any]]

    @property
    def degraded(self) -> bool:
        """Whether it goes on by itself now: it may refuse what its `states` have room for."""
        ...

    def wake_when_back(self, waiters: Waiters) -> None:
        """Wake them whenever others are counted with again; they are held weakly."""
        ...
