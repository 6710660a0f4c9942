"""Where positions of cursors are kept: in memory, in a file, on a server; and how a text names one of them."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from esipy.exceptions import SettingError
from esipy.lists.positions import MemoryPositions, store_of
from esipy.stores.base import StoreUnavailable
from esipy.stores.positions import SqlitePositions
from esipy.stores.redis_positions import RedisPositions
from tests.stores.valkey import url_of

Open = Callable[[], Any]


@pytest.fixture(params=["memory", "sqlite", "redis"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store again and again."""
    servers: list[RedisPositions] = []
    memory = MemoryPositions()

    def make() -> Any:
        if request.param == "memory":
            return memory
        if request.param == "sqlite":
            return SqlitePositions(tmp_path / "folder" / "positions.sqlite3")
        url = url_of(request.getfixturevalue("valkey"))
        servers.append(RedisPositions(url, prefix=f"{tmp_path.name}:"))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def test_what_was_saved_last_is_loaded(reopen: Open) -> None:
    """By name, in whatever language, and after it was opened again."""
    store = reopen()
    assert None is store.load("jobs")
    store.save("jobs", '["/freelance-jobs","a"]')
    store.save("jobs", '["/freelance-jobs","Ä\\n"]')
    store.save("проекты", "b")
    for again in (store, reopen()):
        assert ('["/freelance-jobs","Ä\\n"]', "b", None) == (again.load("jobs"), again.load("проекты"), again.load(""))


def test_a_file_is_closed_with_its_last_user(tmp_path: Path) -> None:
    """Whether it was closed by hand before, or not: what SQLite has beside an open file is gone."""
    store = SqlitePositions(tmp_path / "positions.sqlite3")
    store.save("jobs", "a")
    store.close()
    store.close()
    assert "a" == store.load("jobs")
    assert {"positions.sqlite3-wal", "positions.sqlite3-shm"} < {file.name for file in tmp_path.iterdir()}
    del store
    gc.collect()
    assert {"positions.sqlite3", "positions.sqlite3.lock"} == {file.name for file in tmp_path.iterdir()}


def test_processes_share_a_file(tmp_path: Path) -> None:
    """What one saved, and died at once, the other loads."""
    path = tmp_path / "positions.sqlite3"
    code = (
        "import os, sys\nfrom esipy.stores.positions import SqlitePositions\n"
        "SqlitePositions(sys.argv[1]).save('jobs', 'from another process')\nos._exit(9)"
    )
    assert 9 == subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60).returncode
    store = SqlitePositions(path)
    assert "from another process" == store.load("jobs")


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """A ledger's file is no place for positions."""
    from esipy.stores.sqlite_ledger import SqliteLedger

    path = tmp_path / "limits.sqlite3"
    ledger = SqliteLedger(path)
    assert [] == ledger.states()
    ledger.close()
    with pytest.raises(StoreUnavailable, match="something else"):
        SqlitePositions(path).save("jobs", "a")


def test_a_server_that_is_gone_is_told() -> None:
    """Without its password."""
    store = RedisPositions("redis://:geheim@127.0.0.1:1/0")
    with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
        store.load("jobs")
    assert "geheim" not in f"{caught.value}{store!r}"


def test_a_text_names_a_store(named_files: dict[str, Path]) -> None:
    """A file here, by its whole path, at home; a server."""
    for text, path in named_files.items():
        assert f"<SqlitePositions {path}>" == repr(store_of(text))
    assert "<RedisPositions redis://localhost:6379/0>" == repr(store_of("valkey://localhost:6379/0"))
    given = MemoryPositions()
    assert given is store_of(given)


@pytest.mark.parametrize(
    "text", ["", "memory", "sqlite:", "sqlite:x", "sqlite:///", "sqlite:///:memory:", "mysql://u:geheim@h"]
)
def test_other_texts_are_refused(text: str) -> None:
    """At once, and without showing a password. ``sqlite:`` alone names no store: no positions are shared unasked."""
    with pytest.raises(SettingError, match=r"^store.*: has to .* sqlite:///positions\.sqlite3") as caught:
        store_of(text)
    assert "geheim" not in str(caught.value)


def test_what_is_no_store_is_refused() -> None:
    """An object without the two verbs; a server's URL with nonsense in it."""
    nothing: Any = 5
    with pytest.raises(SettingError, match=r"store=int: has to have the verbs load\(name\)"):
        store_of(nothing)
    with pytest.raises(SettingError, match="store: the URL of") as caught:
        store_of("redis://:geheim@localhost:6379/0?nonsense=1")
    assert "geheim" not in str(caught.value)
