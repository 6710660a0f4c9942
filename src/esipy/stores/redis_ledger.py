"""The ledger in Redis or Valkey: shared by every process, on every machine, that uses one server.

- Each verb is one Lua script (``ledger.lua``, on `esipy.core.buckets` once more in Lua) and one round trip.
- Time is the server's. A machine whose clock is wrong is as right as the others.
- A call under way is stored with a lease. When its process died, whoever comes after the lease counts the call at the
  most it can have cost; an answer that comes after its lease is not counted again, but its headers are read.
- What the server lost (a restart without persistence, an eviction) is known again from the headers of the next answer.
- Keys end by themselves about two windows after their last use, and lie in one slot of a cluster.
- ESI counts calls without a character, errors and some routes by IP address: machines with several addresses have a
  bucket for each, by `address`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from msgspec import msgpack

from esipy._forks import forget_after_fork
from esipy.core.buckets import CALL_COST, COLD_SHARE, ROOMY, Bucket
from esipy.core.counts import LATEST_SECONDS, RELEASE_MARGIN_SECONDS, SLOTS, SMALL, Counts
from esipy.core.outlook import OVERDUE, ROUNDING_SECONDS, UNHEARD_SECONDS
from esipy.core.retries import LONGEST_WAIT_SECONDS
from esipy.stores.base import (
    BEAT_SECONDS,
    LEASE_SECONDS,
    MEMBER_SECONDS,
    NOTHING_TOLD,
    Ask,
    BucketState,
    Reservation,
    StoreUnavailable,
    Told,
    Wait,
    checked_lease,
)
from esipy.stores.redis import RedisServer, Script

__all__ = ["RedisLedger"]

FORMAT = "3"
"""Of what is kept; another one has other keys."""

SCRIPTS = ("spends.lua", "counts.lua", "buckets.lua", "ledger.lua")
"""One text: each uses those before it."""

AT_ONCE = 500
"""How many buckets are read in one round trip."""


class RedisLedger:
    """`LedgerStore` in Redis or Valkey.

    Args:
        url_or_client: ``redis://[user:password@]host[:port][/db]``, ``rediss://`` for TLS, ``unix:///path``; or a
            client of the package ``redis`` or ``valkey`` with a short ``socket_timeout``.
        address: a name for the public IP address of this machine. Machines with the same name share what ESI counts by
            address. The default, one for all, is safe: at worst it leaves unused what other addresses may spend.
        prefix: of all keys, so that several ledgers fit into one database.
        lease_seconds: longer than the longest exchange (`Settings.timeout`).
        clock: for tests: seconds, in the place of the server's time.

    Raises:
        ImportError: a URL, and the package ``redis`` is missing.
        TypeError: a client that cannot be used.
        ValueError: not a URL of a server, or an address or a lease that cannot be meant.
    """

    remote = True

    def __init__(
        self,
        url_or_client: Any,
        *,
        address: str = "ip",
        prefix: str = "esipy:",
        lease_seconds: float = LEASE_SECONDS,
        clock: Callable[[], float] | None = None,
    ) -> None:
        if not address or not isinstance(address, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"address={address!r}: has to be a name, such as 'paris'; without it all have one address")
        self.address = address
        self.lease_seconds = checked_lease(lease_seconds)
        self._server = RedisServer(url_or_client)
        self._clock = clock
        self._passed = clock or time.monotonic
        root = f"{{{prefix}}}{FORMAT}:"  # what stands in braces decides on the slot
        self._buckets = f"{root}bucket:"
        self._index = f"{root}index"
        self._processes = f"{root}processes"
        self._script = _script()
        self._member = _process()
        self._members = 1
        self._beat_at = 0.0
        forget_after_fork(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._server.name}>"

    def reserve(self, ask: Ask) -> Reservation | Wait:
        beat = self._passed() >= self._beat_at
        left, *rest, members = self._run(
            "reserve", [self._key(ask.bucket), self._key(ask.gate), self._index, self._processes],
            ask.limit, ask.window_seconds, ask.worst, ask.cost, ask.share, int(ask.spread), int(ask.forced),
            self.lease_seconds, self._member, int(beat),
        )  # fmt: skip
        if beat:
            self._beat_at = self._passed() + BEAT_SECONDS
        self._note(members)
        if left:
            number, landed, born, left_at = rest
            return Reservation(ask, (number, landed, born, float(left_at)))
        wait_seconds, everyone, landing = rest
        return Wait(float(wait_seconds), bool(everyone), landing in (1, 2), landing > 1)

    def settle(self, reservation: Reservation, spent: int, told: Told = NOTHING_TOLD, answered: bool = True) -> None:
        ask, mark = reservation.ask, reservation.mark
        headers = told.used, told.limit, told.window_seconds, told.returns_in
        members = self._run(
            "settle", [self._key(ask.bucket), self._index, self._processes],
            ask.limit, ask.window_seconds, ask.worst, *mark, spent,
            *("" if value is None else value for value in headers), int(answered),
            ask.cost,
        )  # fmt: skip
        self._note(members)

    def wait_for(self, ask: Ask, tokens: int) -> Wait:
        now, (kept, gate) = self._look([self._key(ask.bucket), self._key(ask.gate)])
        bucket = _bucket(kept, now)
        if bucket is None:
            bucket = Bucket(ask.limit, ask.window_seconds, ask.worst)
            bucket.block(_moment(kept))
        wait_seconds = 0.0 if ask.forced else bucket.wait_for(now, tokens, ask.share, ask.cost, ask.paced)
        closed = _moment(gate) - now
        return Wait(closed, everyone=True) if closed > wait_seconds else Wait(wait_seconds)

    def block(self, name: str, seconds: float) -> None:
        self._run("block", [self._key(name), self._index], min(seconds, LONGEST_WAIT_SECONDS))

    def resize(self, ask: Ask, limit: int, at_most: bool = False) -> None:
        self._run(
            "resize", [self._key(ask.bucket), self._index], ask.limit, ask.window_seconds, ask.worst, limit,
            int(at_most),
        )  # fmt: skip

    def states(self) -> list[BucketState]:
        found: list[BucketState] = []
        keys: list[bytes] = self._run("names", [self._index])
        named = [(key, name) for key in keys if (name := self._name(key.decode())) is not None]
        for start in range(0, len(named), AT_ONCE):
            part = named[start : start + AT_ONCE]
            now, kept = self._look([key for key, _ in part])
            for (_, name), state in zip(part, kept, strict=True):
                bucket = _bucket(state, now)
                if bucket is not None and not bucket.is_idle(now):
                    found.append(BucketState.of(name, bucket, now))
        return found

    def members(self) -> int:
        """How many processes use the ledger, this one among them, as was known with its last call, or its answer: it
        can be asked when the server is gone."""
        return self._members

    def close(self) -> None:
        if self._beat_at:
            self._beat_at = 0.0
            with suppress(StoreUnavailable):
                self._run("leave", [self._processes], self._member)
        self._server.close()

    def forget(self) -> None:
        """In a child after fork: it is a process of its own."""
        self._member = _process()
        self._beat_at = 0.0

    def _note(self, members: int) -> None:
        """Remember how many processes there are; if some have gone, the server may have lost who uses it."""
        if members < self._members:
            self._beat_at = min(self._beat_at, self._passed())
        self._members = max(members, 1)

    def _run(self, verb: str, keys: list[str], *arguments: Any) -> Any:
        clock = "" if self._clock is None else repr(self._clock())
        return self._server.run(self._script, keys, verb, clock, *arguments)

    def _look(self, keys: list[Any]) -> tuple[float, list[Any]]:
        now, *kept = self._run("look", keys)
        return float(now), [None if raw is None else msgpack.decode(raw) for raw in kept]

    def _key(self, name: str) -> str:
        return f"{self._buckets}{name} @{self.address}" if _is_of_address(name) else f"{self._buckets}{name}"

    def _name(self, key: str) -> str | None:
        """The bucket's name; None: it is one of another address."""
        name, at, address = key.removeprefix(self._buckets).rpartition(" @")
        if not at:
            return address
        return name if address == self.address else None


def _is_of_address(name: str) -> bool:
    """Whether ESI counts by IP address what this bucket or gate counts: all but ``<group> <app>:<character>``."""
    principal = name.rpartition(" ")[2]
    return ":" not in principal or principal.startswith("ip:")


def _process() -> str:
    """A name for this process, unlike any other's."""
    return secrets.token_hex(6)


def _script() -> Script:
    constants = {
        "CALL_COST": CALL_COST,
        "COLD_SHARE": COLD_SHARE,
        "OVERDUE": OVERDUE,
        "LATEST_SECONDS": LATEST_SECONDS,
        "RELEASE_MARGIN_SECONDS": RELEASE_MARGIN_SECONDS,
        "ROOMY": ROOMY,
        "ROUNDING_SECONDS": ROUNDING_SECONDS,
        "SLOTS": SLOTS,
        "SMALL": SMALL,
        "UNHEARD_SECONDS": UNHEARD_SECONDS,
        "MEMBER_SECONDS": int(MEMBER_SECONDS),
    }
    return Script.of(SCRIPTS, constants)


def _bucket(state: Any, now: float) -> Bucket | None:
    """A bucket as it is kept, less what is overdue; None when there is none."""
    if not isinstance(state, dict):
        return None
    kept: dict[str, Any] = {
        **state,
        "gone": 0,
        "spends": state["spends"] or None,
        "theirs": state["theirs"] or None,
        "lately": state["lately"] or None,
    }
    bucket = Bucket.of(kept[name.removeprefix("_")] for name in Counts.__slots__)
    flights: list[Any] = kept["flights"]
    for number, lease_end, cost in zip(flights[::4], flights[1::4], flights[2::4], strict=True):
        if lease_end <= now:
            bucket.settle(lease_end, (number, cost, 0, 0.0), bucket.worst, answered=False)
    return bucket


def _moment(kept: Any) -> float:
    """Until when a gate is closed."""
    return float(kept) if isinstance(kept, (int, float)) else 0.0
