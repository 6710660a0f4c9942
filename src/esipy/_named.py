"""What a text such as ``sqlite:///limits.sqlite3`` or ``redis://host:6379/0`` names, and who uses what it names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from esipy._forks import fork_lock
from esipy.exceptions import SettingError
from esipy.stores.places import user_file

__all__ = ["MAKING", "Users", "at_server", "read_name"]

S = TypeVar("S")

SERVERS = ("redis", "rediss", "unix", "valkey", "valkeys", "valkey+unix")

MAKING = fork_lock()
"""Held while something is looked for, or made, for all clients of the process."""


class Users(Generic[S]):
    """A store, and the open clients of the process that use it.

    Args:
        owned: it was opened here, and is closed with the last client.
    """

    def __init__(self, store: S, *, owned: bool) -> None:
        self.store = store
        self._owned = owned
        self._clients: WeakSet[Any] = WeakSet()

    def enter(self, client: object) -> None:
        """A client uses it from now on."""
        with MAKING:
            self._clients.add(client)

    def leave(self, client: object) -> bool:
        """A client is closed; gives whether the store is to be closed now. Leaving twice is no error."""
        with MAKING:
            if client not in self._clients:
                return False
            self._clients.discard(client)
            return self._owned and not self._clients


def read_name(source: str, text: str, file_name: str, of_user: Callable[[str], Path] | None = user_file) -> Path | str:
    """The file, or the URL of a server, that a text names.

    Args:
        source: the keyword or variable, for errors.
        text: as it was given.
        file_name: of the file that ``sqlite:`` alone means; for errors, too.
        of_user: where that file lies; None: ``sqlite:`` alone means nothing.

    Raises:
        SettingError: it names nothing; the text shows no password.
    """
    scheme, colon, rest = text.partition(":")
    if colon and scheme in SERVERS:
        return text
    if not colon or scheme != "sqlite":
        raise SettingError(
            f"{source}: has to begin with sqlite:, redis://, rediss://, valkey:// or unix://, "
            f"such as sqlite:///{file_name} or redis://localhost:6379/0"  # not shown: it may hold a password
        )
    if not rest and of_user is not None:
        return of_user(file_name)
    name = rest.removeprefix("///")
    if name == rest or not name or name == ":memory:":
        raise SettingError(
            f"{source}=sqlite:{rest}: has to be sqlite:///{file_name} or sqlite:////with/a/whole/path.sqlite3"
            + ("" if of_user is None else ", or sqlite: alone for a file of this user's")
        )
    return Path(os.path.abspath(Path(name).expanduser()))


def at_server(source: str, make: Callable[[str], S], url: str) -> S:
    """What is made for a server's URL.

    Raises:
        SettingError: it is not such a URL.
        ImportError: the extra ``redis`` is missing.
    """
    try:
        return make(url)
    except ValueError as error:
        said = str(error)  # names no password
    raise SettingError(f"{source}: {said}")
