"""Where positions of cursors are kept between runs of a program, each under a name.

===========================================  ======================================================================
``store=``                                    keeps them
===========================================  ======================================================================
``sqlite:///positions.sqlite3``              in a file, here in the working directory
``sqlite:////var/lib/my-app/state.sqlite3``  the same, with a whole path; ``sqlite:///~/...`` is in your home
``redis://host:6379/0``                      in Redis; also ``rediss://``, ``unix://``, and ``valkey://`` and so on
an object                                    whatever has the two verbs of `PositionStore`
===========================================  ======================================================================

The last who saves under a name is who counts: two programs that read one list under one name lose nothing, but may be
told the same again. Give each a name of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from esipy._named import at_server, read_name
from esipy.exceptions import SettingError

__all__ = ["MemoryPositions", "PositionStore", "store_of"]


class PositionStore(Protocol):
    """Keeps texts by name. Its verbs may do I/O: they are never called in the thread of an event loop."""

    def load(self, name: str) -> str | None:
        """What was saved last under this name; None: nothing."""
        ...

    def save(self, name: str, position: str) -> None:
        """Keep a text in place of what was there; when this returns, it is kept."""
        ...


class MemoryPositions:
    """`PositionStore` of this process, to be shared by its clients."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def load(self, name: str) -> str | None:
        return self._texts.get(name)

    def save(self, name: str, position: str) -> None:
        self._texts[name] = position

    def __repr__(self) -> str:
        return f"<MemoryPositions: {len(self._texts)} names>"


def store_of(given: PositionStore | str) -> PositionStore:
    """The store that is meant.

    Raises:
        SettingError: no store can be meant; the text shows no password.
        ImportError: it needs the extra ``redis``.
    """
    if not isinstance(given, str):
        untyped: Any = given
        if not all(callable(getattr(untyped, verb, None)) for verb in ("load", "save")):
            raise SettingError(f"store={type(untyped).__name__}: has to have the verbs load(name) and save(name, text)")
        return given
    named = read_name("store", given, "positions.sqlite3", of_user=None)
    if isinstance(named, Path):
        from esipy.stores.positions import SqlitePositions  # most programs keep no position

        return SqlitePositions(named)
    from esipy.stores.redis_positions import RedisPositions

    return at_server("store", RedisPositions, named)
