"""Clients' lists over an engine of their own, and a program that keeps what its cursor tells it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from esipy import ops
from esipy.engine.pipeline import Engine
from esipy.lists.cursor import Batch
from esipy.lists.cursor_verbs import AsyncCursors, BlockingCursors
from esipy.shell import Shell
from tests.engine.kit import Bench, Login

JOBS = ops.freelance_jobs.get_freelance_jobs_listing()
PATH = "/freelance-jobs"


def engine(colour: str, serve: Any, **options: Any) -> Engine:
    """One with a login, that the limits of a real ESI do not hold back, unless a call says so."""
    options.setdefault("signer", Login())
    return Bench(
        colour, serve, retry=False, settings={"policy": "off", **options.pop("settings", {})}, **options
    ).engine


class _Desk(Shell):
    """A client without a transport of its own, nor a login."""

    def __init__(self, colour: str, serve: Any, **options: Any) -> None:
        self._engine = engine(colour, serve, **options)
        self._by_hand = None
        self.settings = self._engine.settings


class Desk(_Desk, BlockingCursors):
    """A blocking client's lists, over an engine of its own."""

    def __init__(self, serve: Any, **options: Any) -> None:
        super().__init__("blocking", serve, **options)


class AsyncDesk(_Desk, AsyncCursors):
    """The same for asyncio."""

    def __init__(self, serve: Any, **options: Any) -> None:
        super().__init__("asyncio", serve, **options)


def versions(rows: Iterable[Any]) -> dict[str, int]:
    """What a program has of these rows, and a server's `CursorServer.live`: id -> version."""
    return {row.id: row.progress.current for row in rows}


class Program:
    """What keeps a list as its cursor tells it.

    Attributes:
        table: id -> version.
        told: every (id, version) that came, in order.
    """

    def __init__(self) -> None:
        self.table: dict[str, int] = {}
        self.told: list[tuple[str, int]] = []

    def keep(self, batch: Batch[Any]) -> None:
        if batch.whole:
            self.table.clear()
        self.table |= versions(batch.rows)
        self.told += versions(batch.rows).items()

    def follow(self, batches: Iterable[Batch[Any]]) -> None:
        """Keep all that comes."""
        for batch in batches:
            self.keep(batch)


def ids(rows: Iterable[Any]) -> list[Any]:
    return [row.id for row in rows]
