"""Which core does what: the client has one for itself, the server the other, where the system lets us choose."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["available", "pinned", "split"]


def available() -> list[int]:
    """The cores that this process may use; empty where the system does not tell (macOS, Windows)."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def split() -> tuple[int | None, int | None]:
    """The client's core and the server's; None: not pinned, for lack of cores or of a way to do it."""
    cores = available()
    return (cores[-1], cores[0]) if len(cores) > 1 else (None, None)


@contextmanager
def pinned(core: int | None) -> Generator[None]:
    """Processes started within the block stay on this core."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
