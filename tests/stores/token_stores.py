"""The token stores of the library, each opened as several processes would open it, with a clock that tests set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from esipy.stores.tokens import TokenRecord, TokenStore
from esipy.tokens import MemoryTokens, RedisTokens, SqliteTokens
from tests.stores.kit import Clock
from tests.stores.valkey import new_prefix, url_of

APP = "client-id"


class Shelf(NamedTuple):
    """A place where tokens are kept."""

    open: Callable[[], TokenStore]
    clock: Clock


def record(character_id: int = 1, sealed: bytes = b"sealed", **changes: Any) -> TokenRecord:
    """What is kept of a character."""
    made = TokenRecord(APP, character_id, f"Pilot {character_id}", "owner", ("a.v1",), "ok", 2e9, 1.7e9, sealed)
    return made._replace(**changes)


@contextmanager
def shelf(kind: str, folder: Path, valkey: Callable[[], Any]) -> Iterator[Shelf]:
    """A store of this kind, empty; what was opened of it is closed afterwards."""
    clock = Clock()
    memory = MemoryTokens(clock=clock)
    prefix = new_prefix()
    opened: list[SqliteTokens | RedisTokens] = []

    def open_one() -> TokenStore:
        if kind == "memory":
            return memory
        if kind == "sqlite":
            opened.append(SqliteTokens(folder / "data" / "tokens.sqlite3", clock=clock))
        else:
            opened.append(RedisTokens(url_of(valkey()), prefix=prefix, clock=clock))
        return opened[-1]

    yield Shelf(open_one, clock)
    for each in opened:
        with suppress(Exception):
            each.close()
