"""What happens to connections when the process forks: the child leaves them alone and begins anew.

A connection used on both sides of a fork is a stream with two writers. Closing it properly in the child is no
better: the goodbye of TLS would go out on the parent's connection. So the child neither uses nor closes what it
inherited; the few descriptors stay open in it until it ends.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["abandon", "forget_after_fork"]


class _Forgetful(Protocol):
    def forget(self) -> None: ...


_known: weakref.WeakSet[_Forgetful] = weakref.WeakSet()


def forget_after_fork(transport: _Forgetful) -> None:
    """Have ``transport.forget()`` called in every child of a fork, before anything else runs there."""
    _known.add(transport)


def abandon(*things: object) -> None:
    """Keep things to the end of the process, and never run their destructors."""
    import ctypes

    for thing in things:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _after_fork() -> None:
    for transport in list(_known):
        transport.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
