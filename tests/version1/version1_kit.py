"""EsiPy 1.2.3 in an environment of its own, made once under ``.bench/`` as the benchmarks make it, and Flask."""

from __future__ import annotations

from benchmarks.environments import Environment, prepare_version1

__all__ = ["Unavailable", "version1"]


class Unavailable(Exception):
    """There is no version 1 here; the text says why."""


def version1() -> Environment:
    """The environment.

    Raises:
        Unavailable: it cannot be made here.
    """
    environment = prepare_version1()
    if "esipy" not in environment.versions:
        raise Unavailable(
            "EsiPy 1.2.3 could not be installed (`make clean` forgets that), or does not run on this Python"
        )
    if "flask" not in environment.versions and not environment.pip("install", "flask"):
        raise Unavailable("Flask cannot be installed next to EsiPy 1.2.3")
    return environment
