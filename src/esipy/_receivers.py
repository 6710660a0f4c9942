"""A signal's receivers: one as it was added, and all of them as version 1's list."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from typing import Any

from esipy._delivery import Names

__all__ = ["Entry", "EventReceivers"]


class Entry:
    """A receiver as it was added.

    Attributes:
        receiver: what the program added.
        call: what sending calls: the receiver, or what queues for it.
        names: the arguments that ``call`` takes; None for all.
    """

    __slots__ = ("call", "names", "receiver")

    def __init__(self, receiver: Callable[..., object], call: Callable[..., object], names: Names) -> None:
        self.receiver = receiver
        self.call = call
        self.names = names


Entries = tuple[Entry, ...]


class EventReceivers(MutableSequence[Callable[..., object]]):
    """Version 1's list ``event_receivers``: reads and changes a signal. Who stays, stays as it was added.

    Args:
        entries: gives the signal's entries.
        adapt: makes the entry of a receiver that is new.
        change: puts other entries in place.
    """

    def __init__(
        self,
        entries: Callable[[], Entries],
        adapt: Callable[[Callable[..., object]], Entry],
        change: Callable[[Callable[[Entries], Entries]], None],
    ) -> None:
        self._entries = entries
        self._adapt = adapt
        self._change = change

    def __len__(self) -> int:
        return len(self._entries())

    def __getitem__(self, index: Any) -> Any:
        receivers: Any = [entry.receiver for entry in self._entries()]
        return receivers[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        new = [self._entry(receiver) for receiver in value] if isinstance(index, slice) else self._entry(value)
        self._edit(lambda entries: entries.__setitem__(index, new))

    def __delitem__(self, index: Any) -> None:
        self._edit(lambda entries: entries.__delitem__(index))

    def insert(self, index: int, value: Callable[..., object]) -> None:
        entry = self._adapt(value)
        self._edit(lambda entries: entries.insert(index, entry))

    def __eq__(self, other: object) -> bool:
        return list(self) == (list(other) if isinstance(other, EventReceivers) else other)

    def __repr__(self) -> str:
        return repr(list(self))

    def _entry(self, receiver: Callable[..., object]) -> Entry:
        return next((entry for entry in self._entries() if entry.receiver is receiver), None) or self._adapt(receiver)

    def _edit(self, edit: Callable[[Any], None]) -> None:
        def change(entries: Entries) -> Entries:
            edited = list(entries)
            edit(edited)
            return tuple(edited)

        self._change(change)
