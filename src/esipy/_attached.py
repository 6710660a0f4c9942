"""What the clients of a process keep with an object that they were given: for as long as that object lives."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

__all__ = ["attached"]

T = TypeVar("T")

NAME = "_esipy_attached"


def attached(owner: object, shared: dict[Any, Any], key: Hashable, make: Callable[[], T]) -> T:
    """What is attached to an object under a key, made when it is asked for first.

    It may refer to the object: both go together. A table elsewhere would keep both for ever; and one by ``id``, where
    they are not kept, would give to a new object what belonged to one that is gone.

    Args:
        shared: `Runtime.shared`: each process, or simulation, attaches its own.
    """
    process = shared.setdefault("process", object())
    try:
        everything: dict[Any, Any] = vars(owner).setdefault(NAME, {})
    except TypeError:  # it takes no attributes, so it is kept with what is attached to it
        everything = shared.setdefault(("attached", id(owner)), (owner, {}))[1]
    found = everything.get((process, key))
    made: T = everything.setdefault((process, key), make()) if found is None else found
    return made
