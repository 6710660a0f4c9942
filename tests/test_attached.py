"""What the clients of a process keep with an object that they were given."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from esipy._attached import attached


class Thing:
    """May have attributes."""

    def __init__(self, owner: object = None) -> None:
        self.owner = owner


class Bare:
    """May have none."""

    __slots__ = ()


def test_it_is_made_once_for_each_key_and_process() -> None:
    """Another process, as a simulation has it, attaches its own."""
    thing, bare = Thing(), Bare()
    here: dict[Any, Any] = {}
    there: dict[Any, Any] = {}
    for owner in (thing, bare):
        made = [
            attached(owner, shared, key, lambda owner=owner: Thing(owner))
            for shared, key in ((here, "a"), (here, "b"), (there, "a"))
        ]
        assert 3 == len(set(made))
        assert attached(owner, here, "a", Thing) is made[0]
        assert attached(owner, there, "a", Thing) is made[2]


def test_it_goes_with_its_owner_though_it_refers_to_it() -> None:
    """And leaves nothing behind."""
    shared: dict[Any, Any] = {}

    def attach(to: Thing) -> weakref.ref[Thing]:
        return weakref.ref(attached(to, shared, "a", lambda: Thing(to)))

    owner = Thing()
    gone = attach(owner)
    known = dict(shared)
    del owner
    gc.collect()
    assert (None, known) == (gone(), shared)


def test_what_belongs_to_one_that_takes_no_attributes_is_never_given_to_another() -> None:
    """It is kept, so its place in memory is never another's."""
    shared: dict[Any, Any] = {}
    made = {id(attached(Bare(), shared, "a", Thing)) for _ in range(100)}
    assert 100 == len(made)
