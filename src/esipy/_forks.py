"""What happens when the process forks: the child begins anew with what cannot be shared, and waits for nobody.

A connection used on both sides of a fork is a stream with two writers. Closing it properly in the child is no
better: the goodbye of TLS would go out on the parent's connection. So the child neither uses nor closes what it
inherited; the few descriptors stay open in it until it ends. A lock that another thread of the parent held is held
in the child for ever, and what it guards may be half changed: the child makes a new one, and sets that right.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Protocol, cast

__all__ = ["abandon", "forget_after_fork", "fork_lock"]


class _Forgetful(Protocol):
    def forget(self) -> None: ...


_known: weakref.WeakSet[_Forgetful] = weakref.WeakSet()
_locks: weakref.WeakSet[threading.Lock] = weakref.WeakSet()


def forget_after_fork(holder: _Forgetful) -> None:
    """Have ``holder.forget()`` called in every child of a fork, before anything else runs there."""
    _known.add(holder)


def abandon(*things: object) -> None:
    """Keep things to the end of the process, and never run their destructors."""
    import ctypes

    for thing in things:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def fork_lock() -> threading.Lock:
    """A lock that is free in a child, for state that is never half changed.

    It is a plain lock: with one, Python has no moment between taking it and being in the with-block that gives it
    back. A class with an ``__enter__`` written in Python has, and a Ctrl-C then leaves the lock held for ever.
    """
    lock = threading.Lock()
    _locks.add(lock)
    return lock


def _after_fork() -> None:
    for lock in list(_locks):
        cast("Any", lock)._at_fork_reinit()  # what the standard library's own locks are freed with
    for holder in list(_known):
        holder.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
