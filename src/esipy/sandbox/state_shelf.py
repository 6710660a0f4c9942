"""A collection of things that calls can add to, change and delete.

Rules: a thing with an id exists until it is deleted: one that nobody has changed yet is made up when it is asked
for, one that was deleted is 404.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esipy.sandbox.esi_asked import Refused

__all__ = ["Shelf", "Thing", "Touch"]

Thing = dict[str, Any]
Touch = Callable[[str], None]


class Shelf:
    """Things by id, of one owner.

    Args:
        what: what they are, for the error.
        things: those that are there from the start.
        make: makes up one that nobody has seen yet; None: there are no others.
    """

    def __init__(self, what: str, things: dict[int, Thing], make: Callable[[int], Thing] | None = None) -> None:
        self._what = what
        self.things = things
        self._make = make
        self._deleted: set[int] = set()
        self._next = max(things, default=0) + 1

    def peek(self, thing_id: int) -> Thing:
        """The thing with this id, to be read.

        Raises:
            Refused: 404, it was deleted.
        """
        if thing_id in self.things:
            return self.things[thing_id]
        if thing_id in self._deleted or self._make is None:
            raise Refused(404, f"{self._what} not found")
        return self._make(thing_id)

    def get(self, thing_id: int) -> Thing:
        """The thing with this id, to be changed: it is kept, and listed, from now on.

        Raises:
            Refused: 404, it was deleted.
        """
        return self.things.setdefault(thing_id, self.peek(thing_id))

    def add(self, make: Callable[[int], Thing]) -> int:
        """Put a new thing here; gives its id."""
        while self._next in self.things or self._next in self._deleted:
            self._next += 1
        self.things[self._next] = make(self._next)
        return self._next

    def put(self, thing_id: int, thing: Thing) -> None:
        """Put a thing here under an id of the caller's choice."""
        self._deleted.discard(thing_id)
        self.things[thing_id] = thing

    def delete(self, thing_id: int) -> None:
        """Take a thing away; it was never there from now on."""
        self.things.pop(thing_id, None)
        self._deleted.add(thing_id)
