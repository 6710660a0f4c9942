"""The file of tokens: whose it is, what stays in it, and who may use it side by side."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from esipy.exceptions import TokenStoreError
from esipy.stores.sqlite_tokens import DELETE, LIST, LIST_OF_ONE, LOAD, UPDATE, SqliteTokens
from tests.forks import child, needs_fork
from tests.stores.kit import files
from tests.stores.token_stores import APP, record
from tests.stores.tokens_file_kit import NAME, posix


@posix
def test_the_file_is_its_owners_alone_from_the_beginning(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what SQLite has beside it, and its folder; it never was anybody else's, whatever the umask."""
    seen: list[int] = []
    connect = sqlite3.connect

    def watched(name: Path, **options: object) -> sqlite3.Connection:
        there = [each for each in path.parent.glob(f"{NAME}*") if ".lock" not in each.name]
        seen.extend(stat.S_IMODE(each.stat().st_mode) for each in there)
        return connect(name, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(sqlite3, "connect", watched)
    before = os.umask(0)
    try:
        with closing(SqliteTokens(path)) as store:
            assert store.save(APP, 1, record(), None)
            beside = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert {0o600} == {beside[f"{NAME}{end}"] for end in ("", "-wal", "-shm")}
    assert {0o600} == set(seen)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


@posix
def test_a_file_that_others_may_read_is_told_once(
    store: SqliteTokens, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As one that was copied; its rights are left as its owner gave them."""
    store.close()
    path.chmod(0o640)
    with caplog.at_level(logging.WARNING, "esipy.stores"):
        assert store.load(APP, 1) is not None
        store.close()
        assert store.load(APP, 1) is not None
    assert [f"others may read the tokens in {path}: chmod 600 {path}"] == caplog.messages
    assert 0o640 == stat.S_IMODE(path.stat().st_mode)


def test_a_commit_is_on_the_disk(store: SqliteTokens) -> None:
    """SQLite waits for the disk at each commit, in WAL."""
    connection = store._file._connection
    assert connection is not None
    assert 2 == connection.execute("PRAGMA synchronous").fetchone()[0]
    assert "wal" == connection.execute("PRAGMA journal_mode").fetchone()[0]


def test_what_was_removed_or_replaced_is_overwritten(store: SqliteTokens, path: Path) -> None:
    """Nobody finds old tokens in the free pages of the file."""
    assert store.save(APP, 1, record(sealed=b"old-refresh-token" * 500), 1)
    assert store.save(APP, 1, record(sealed=b"new"), 2)
    assert store.save(APP, 2, record(2, b"gone-refresh-token" * 500), None)
    assert store.save(APP, 2, None, 1)
    store.close()
    assert [NAME] == files(path)
    assert b"refresh-token" not in path.read_bytes()


def test_a_file_that_another_process_holds_is_told(store: SqliteTokens, path: Path) -> None:
    """It can still be read; when it is given back all is as before."""
    assert record(version=1) == store.load(APP, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(TokenStoreError, match=r"database is locked.* Nothing is lost: another process holds it"):
            store.save(APP, 1, record(sealed=b"2"), 1)
        with pytest.raises(TokenStoreError, match="database is locked"):
            store.lease("refresh", "one", 5)
        assert record(version=1) == store.load(APP, 1)
    assert store.save(APP, 1, record(sealed=b"2"), 1)


def test_who_reads_does_not_wait_for_who_writes(store: SqliteTokens) -> None:
    """A save of another thread that waits for the disk keeps nobody from a token that is good."""
    writing, read = threading.Event(), threading.Event()
    assert store.load(APP, 1) is not None

    def hold(_: sqlite3.Connection) -> bool:
        writing.set()
        return read.wait(30)

    with ThreadPoolExecutor(1) as pool:
        saving = pool.submit(store._file.do, hold)
        assert writing.wait(30)
        assert record(version=1) == store.load(APP, 1)
        assert [record(version=1)] == list(store.records())
        read.set()
        assert saving.result(30)


def test_a_relative_path_means_the_same_file_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that goes to another folder has its logins still, and leaves nothing there."""
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    with closing(SqliteTokens(NAME)) as store:
        assert store.save(APP, 1, record(), None)
        monkeypatch.chdir(tmp_path / "there")
        assert record(version=1) == store.load(APP, 1)
    assert [] == files(tmp_path / "there" / NAME)


@needs_fork
def test_parent_and_child_use_one_file_after_a_fork(store: SqliteTokens) -> None:
    """The child opens it anew; each sees what the other saves."""

    def work() -> bool:
        return store.save(APP, 1, record(sealed=b"2"), 1) and store.lease("refresh", "child", 60)

    assert child(work)
    assert record(sealed=b"2", version=2) == store.load(APP, 1)
    assert not store.lease("refresh", "parent", 60)
    assert store.save(APP, 1, record(sealed=b"3"), 2)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one start of the machine from another")
def test_setting_the_time_of_day_ends_no_lease(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for who has the file open, nor for who opens it then; nor does another start of the machine."""
    now = time.time()
    with closing(SqliteTokens(path)) as store, closing(SqliteTokens(path)) as other:
        assert store.lease("refresh", "one", 600)
        monkeypatch.setattr(time, "time", lambda: now + 100_000)
        assert not other.lease("refresh", "two", 600)
        assert store.lease("refresh", "one", 600)
    monkeypatch.setattr(time, "time", lambda: now - 100_000)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE clock SET boot = 'another'")
    with closing(SqliteTokens(path)) as store:
        assert not store.lease("refresh", "two", 600)
        with closing(sqlite3.connect(path)) as file:
            assert file.execute("SELECT until FROM leases").fetchone()[0] - store._now() < 601


def test_a_file_is_closed_with_its_last_user(path: Path) -> None:
    """What SQLite has beside an open file is gone with it."""
    store = SqliteTokens(path)
    assert store.save(APP, 1, record(), None)
    assert f"{NAME}-wal" in {each.name for each in path.parent.iterdir()}
    del store
    assert {NAME, f"{NAME}.lock"} == {each.name for each in path.parent.iterdir()}


def test_listing_many_holds_few(path: Path) -> None:
    """Ten times as many records take no more memory while they are read, and each is found by its key."""
    from benchmarks import tokens

    few, many = (tokens.measure(characters, 10)["listing bytes"][0] for characters in (400, 4000))
    assert many < 1.5 * few
    with closing(SqliteTokens(path)) as store:
        assert store.load(APP, 1) is None
        with closing(sqlite3.connect(path)) as file:
            for statement in (LOAD, LIST, LIST_OF_ONE, UPDATE, DELETE):
                given = [1] * statement.count("?")
                (plan,) = file.execute(f"EXPLAIN QUERY PLAN {statement}", given).fetchall()
                assert "SEARCH tokens USING INDEX" in plan[3]


def test_T44_neither_errors_nor_reprs_show_what_is_kept(store: SqliteTokens, path: Path) -> None:
    """A store is its path, a record its character."""
    assert f"<SqliteTokens {path}>" == repr(store)
    shown = repr(store.load(APP, 1))
    assert "<tokens of Pilot 1 (1) for client-id: ok>" == shown
