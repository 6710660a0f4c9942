"""The file of tokens damaged, deleted, full, read-only or something else: it is told, and nothing in it is lost."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from esipy.exceptions import TokenStoreError
from esipy.stores.sqlite_tokens import SqliteTokens
from tests.forks import child, needs_fork
from tests.stores.kit import files
from tests.stores.token_stores import APP, record
from tests.stores.tokens_file_kit import NAME, posix


def test_a_damaged_file_is_left_as_it_is(store: SqliteTokens, path: Path) -> None:
    """It is said where it is and what to do; nothing is begun in its place; a sound copy is read again."""
    store.close()
    sound = path.read_bytes()
    for damaged in (b"x" * len(sound), sound[:5000], sound[:100] + b"x" * (len(sound) - 100)):
        path.write_bytes(damaged)
        for verb in (
            lambda: store.load(APP, 1),
            lambda: store.save(APP, 1, record(), 1),
            lambda: list(store.records()),
            lambda: store.lease("a", "b", 5),
        ):
            with pytest.raises(TokenStoreError, match=f"{NAME} are damaged .* left as it is, .* put a copy"):
                verb()
        store.close()
        assert damaged == path.read_bytes()
        assert [NAME] == files(path)
    path.write_bytes(sound)
    assert record(version=1) == store.load(APP, 1)


def test_a_row_that_none_has_written_is_told(store: SqliteTokens, path: Path) -> None:
    """It is named, and left as it is."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE tokens SET sealed = 'text'")
    with pytest.raises(TokenStoreError, match=r"are damaged \(what is kept of character 1 cannot be read\)"):
        store.load(APP, 1)
    assert [NAME] == files(path)


def test_a_file_that_was_deleted_is_begun_anew_with_a_warning(
    store: SqliteTokens, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As when its user wants to forget all logins."""
    assert store.load(APP, 1) is not None
    for each in path.parent.iterdir():
        each.unlink()
    with caplog.at_level(logging.WARNING, "esipy.stores"):
        assert None is store.load(APP, 1)
    assert "was deleted or replaced" in caplog.text
    assert store.save(APP, 1, record(), None)


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    """It does not become a file of tokens."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE characters (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(TokenStoreError, match=f"{NAME} cannot be read or written \\(is a database of something else"):
        SqliteTokens(path).load(APP, 1)
    assert before == path.read_bytes()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Nor does one come to be in it."""
    with pytest.raises(TokenStoreError, match=r"cannot be used: this is a folder\. Name a file"):
        SqliteTokens(tmp_path).load(APP, 1)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """There is a file of its name."""
    (tmp_path / "file").touch()
    with pytest.raises(TokenStoreError, match=f"the tokens in .*{NAME} cannot be read or written .* Nothing is lost"):
        SqliteTokens(tmp_path / "file" / "folder" / NAME).load(APP, 1)


def test_a_full_database_is_told(store: SqliteTokens) -> None:
    """Nothing of the save is done; when there is room it can be done again."""
    connection = store._file._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(TokenStoreError, match=r"database or disk is full.* Nothing is lost: make room on the disk"):
        store.save(APP, 1, record(sealed=b"2" * 100_000), 1)
    assert record(version=1) == store.load(APP, 1)
    assert store.save(APP, 1, record(sealed=b"2" * 100_000), 1)


FULL = f"""
import resource, sys
from pathlib import Path
from esipy.exceptions import TokenStoreError
from esipy.stores.sqlite_tokens import DELETE, LIST, LIST_OF_ONE, LOAD, UPDATE, SqliteTokens
from tests.stores.token_stores import APP, record

path = Path(sys.argv[1])
store = SqliteTokens(path)
assert store.save(APP, 1, record(), None)
room = path.with_name("{NAME}-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (room + 20_000, resource.RLIM_INFINITY))
try:
    store.save(APP, 1, record(sealed=b"2" * 100_000), 1)
except TokenStoreError as error:
    print(error)
try:
    store.save(APP, 1, record(sealed=b"2" * 100_000), 1)
except TokenStoreError as error:
    print("again")
print(store.load(APP, 1) == record(version=1))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(store.save(APP, 1, record(sealed=b"2" * 100_000), 1))
"""


@posix
def test_a_disk_that_gets_full_half_way_loses_nothing(path: Path) -> None:
    """Part of the save is written: what was there is there, and the save can be done when there is room."""
    command = [sys.executable, "-W", "error", "-c", FULL, str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2], check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
    said, *rest = done.stdout.splitlines()
    assert "cannot be read or written" in said
    assert "Nothing is lost: " in said
    assert ["again", "True", "True"] == rest
    with closing(SqliteTokens(path)) as store:
        assert record(sealed=b"2" * 100_000, version=2) == store.load(APP, 1)


def refusals(path: Path) -> list[str]:
    """What the verbs that write say to another user; for whoever is in a child."""
    if os.geteuid() == 0:
        os.setuid(65534)
    mine = SqliteTokens(path, busy_seconds=0.05)
    said: list[str] = []
    verbs: list[Callable[[], bool]] = [
        lambda: mine.lease("refresh", "one", 5),
        lambda: mine.save(APP, 1, record(sealed=b"2"), 1),
    ]
    for verb in verbs:
        try:
            verb()
        except TokenStoreError as error:
            said.append(str(error))
    return said


@posix
@needs_fork
def test_a_file_that_may_not_be_written_is_told_and_stays() -> None:
    """By somebody who may read it: the lease that comes before a refresh fails, so that no token is spent."""
    with TemporaryDirectory() as folder:  # pytest's are closed to other users
        path = Path(folder) / NAME
        with closing(SqliteTokens(path)) as store:
            assert store.save(APP, 1, record(), None)
        path.chmod(0o444)
        path.parent.chmod(0o555)
        before = path.read_bytes()
        assert child(
            lambda: 2 == sum("Nothing is lost: give this user the right to write" in said for said in refusals(path))
        )
        path.parent.chmod(0o700)
        path.chmod(0o600)
        assert before == path.read_bytes()
        with closing(SqliteTokens(path)) as store:
            assert record(version=1) == store.load(APP, 1)


@posix
@needs_fork
def test_a_file_in_a_folder_that_may_not_be_looked_into_is_told(store: SqliteTokens, path: Path) -> None:
    """As any file that cannot be used."""
    store.close()
    path.parent.chmod(0o000)
    try:
        assert child(lambda: 2 == sum(f"{path} cannot be read or written" in said for said in refusals(path)))
    finally:
        path.parent.chmod(0o700)
