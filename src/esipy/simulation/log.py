"""What happened at the simulated ESI: every request and every spend of others, with what was told of the bucket.

Rules: entries stand in the order in which they were booked. Others' spends are booked when their bucket is next looked
at, so in time they may belong before; `Log.by_bucket` has them in their places. A million entries take 60 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

__all__ = ["Log", "Seen"]

_NOTHING_TOLD = -1


class Seen(NamedTuple):
    """One request, or one spend of somebody else.

    Attributes:
        arrived: when it came to the server, in unix seconds.
        counted: when its cost was booked; the same, unless the server took its time.
        bucket: group and principal; empty for an operation without a group, and for a route that does not exist.
        operation: its name; empty for others' spends, and for a route that does not exist.
        status: what was answered; 0 for others' spends.
        cost: in tokens.
        own: False: it was somebody else's.
        lost: it was booked, but the answer never came to the client.
        used: what the headers told of the bucket, or without one how many bad answers the minute had; None when they
            told nothing.
    """

    arrived: float
    counted: float
    bucket: str
    operation: str
    status: int
    cost: int
    own: bool
    lost: bool
    used: int | None


class Log(Sequence[Seen]):
    """The entries, kept in columns."""

    def __init__(self) -> None:
        self._moments = array("d")
        self._names: list[str] = []
        self._numbers = array("i")

    def add(
        self,
        arrived: float,
        counted: float,
        bucket: str,
        operation: str,
        status: int,
        cost: int,
        *,
        own: bool = True,
        lost: bool = False,
        used: int | None = None,
    ) -> None:
        """Book one; see `Seen`."""
        self._moments.extend((arrived, counted))
        self._names += (bucket, operation)
        self._numbers.extend((status, cost, own + 2 * lost, _NOTHING_TOLD if used is None else used))

    def by_bucket(self) -> dict[str, list[Seen]]:
        """The entries of each bucket, in the order in which they were counted."""
        found: dict[str, list[Seen]] = {}
        for seen in self:
            found.setdefault(seen.bucket, []).append(seen)
        for entries in found.values():
            entries.sort(key=lambda seen: seen.counted)
        return found

    def __len__(self) -> int:
        return len(self._names) // 2

    def __iter__(self) -> Iterator[Seen]:
        return map(self._at, range(len(self)))

    @overload
    def __getitem__(self, place: int) -> Seen: ...

    @overload
    def __getitem__(self, place: slice) -> list[Seen]: ...

    def __getitem__(self, place: int | slice) -> Seen | list[Seen]:
        places = range(len(self))[place]
        return self._at(places) if isinstance(places, int) else [self._at(one) for one in places]

    def _at(self, place: int) -> Seen:
        arrived, counted = self._moments[2 * place : 2 * place + 2]
        bucket, operation = self._names[2 * place : 2 * place + 2]
        status, cost, flags, used = self._numbers[4 * place : 4 * place + 4]
        own, lost = flags % 2 == 1, flags >= 2
        told = None if used == _NOTHING_TOLD else used
        return Seen(arrived, counted, bucket, operation, status, cost, own, lost, told)
