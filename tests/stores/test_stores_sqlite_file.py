"""The file that processes share: damaged, deleted, locked, forked, somebody else's, or not to be had at all."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from esipy.stores.base import StoreUnavailable
from esipy.stores.sqlite_ledger import SqliteLedger
from tests.forks import another_thread, child, needs_fork
from tests.stores.kit import Clock, damage, files
from tests.stores.ledger_kit import SMALL, WHOLE_CALLS, calls_until_full, leave, spend, state

BUSY_SECONDS = 0.05
NAME = "ledger.sqlite3"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of the file, in a folder that is not there yet."""
    return tmp_path / "folder" / NAME


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[[], SqliteLedger]]:
    """Opens the file as one more process would."""
    ledgers: list[SqliteLedger] = []
    clock = Clock()

    def open_one() -> SqliteLedger:
        ledgers.append(SqliteLedger(path, clock=clock, busy_seconds=BUSY_SECONDS))
        return ledgers[-1]

    yield open_one
    for each in ledgers:
        each.close()


@pytest.fixture
def ledger(opened: Callable[[], SqliteLedger]) -> SqliteLedger:
    """The first process."""
    return opened()


def write_nonsense(path: Path, packed: bytes = b"x") -> None:
    """Into a sound database."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE buckets SET packed = ?", (packed,))


@pytest.mark.parametrize("lost", ["what follows its header", "all"])
def test_a_damaged_file_is_set_aside_and_begun_anew(
    opened: Callable[[], SqliteLedger], path: Path, caplog: pytest.LogCaptureFixture, lost: str
) -> None:
    """With a warning; it is kept under another name. Nobody has it open: its header says whose it is, or is lost."""
    first = opened()
    spend(first)
    first.close()
    damage(path)
    if lost == "all":
        path.write_bytes(bytes(8192))
    damaged, aside = path.read_bytes(), f"{NAME}.damaged-{path.stat().st_ino}"
    with caplog.at_level(logging.WARNING, "esipy.stores"):
        assert calls_until_full(opened()) == WHOLE_CALLS
    assert files(path) == [NAME, aside]
    assert path.with_name(aside).read_bytes() == damaged
    assert "is damaged" in caplog.text
    assert aside in caplog.text


@pytest.mark.parametrize("text", [b"x" * 8192, b"remember the milk\n", b"SQLite format 3\0" + b"x" * 8192])
def test_a_file_that_is_no_database_of_ours_is_never_touched(ledger: SqliteLedger, path: Path, text: bytes) -> None:
    """It was named by mistake: it stays where it is, as it is, and the error says so."""
    path.parent.mkdir()
    path.write_bytes(text)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=f"{NAME}: is no database of EsiPy's: name another file"):
            spend(ledger)
    assert text == path.read_bytes()
    assert files(path) == [NAME]


def test_a_file_damaged_while_in_use_is_set_aside_once(
    opened: Callable[[], SqliteLedger], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whichever process finds out first; all others come to the new one, and count together again."""
    ledgers = [opened() for _ in range(3)]
    for each in ledgers:
        spend(each)
    ledgers[0].close()
    damage(path, kept=0)
    with caplog.at_level(logging.WARNING, "esipy.stores"):
        for each in ledgers:
            spend(each)
        assert calls_until_full(ledgers[0]) == WHOLE_CALLS - 3
    assert len(files(path)) == 2
    assert {each.states()[0].used for each in ledgers} == {2 * WHOLE_CALLS}
    assert caplog.text.count("is damaged") == 1


@pytest.mark.parametrize("was_open", [True, False])
def test_a_file_that_another_process_has_begun_anew_is_not_set_aside(
    opened: Callable[[], SqliteLedger], path: Path, monkeypatch: pytest.MonkeyPatch, was_open: bool
) -> None:
    """Both have found the damage; the one that comes second finds a sound file, whether or not it had the old one."""
    first, second = opened(), opened()
    spend(first)
    if was_open:
        spend(second)
        write_nonsense(path)
    else:
        first.close()
        damage(path)
    leave_file = second._file._leave

    def first_comes_before() -> None:
        monkeypatch.undo()
        leave_file()
        spend(first)

    monkeypatch.setattr(second._file, "_leave", first_comes_before)
    spend(second)
    assert state(first).used == 4
    assert len(files(path)) == 2


def test_what_cannot_be_read_is_damage(ledger: SqliteLedger, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A sound database with a bucket that none has written."""
    spend(ledger)
    for packed in (b"x", b"\x94\x01\x02\x90\x91\x01"):
        write_nonsense(path, packed)
        with caplog.at_level(logging.WARNING, "esipy.stores"):
            spend(ledger)
        assert state(ledger).used == 2
    assert len(files(path)) == 3


def test_a_file_that_was_deleted_is_begun_anew(
    opened: Callable[[], SqliteLedger], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By all processes that had it open; what a call was granted before is counted when it is settled."""
    first, second = opened(), opened()
    spend(first)
    spend(second)
    flying = leave(second)
    for each in path.parent.iterdir():
        each.unlink()
    with caplog.at_level(logging.WARNING, "esipy.stores"):
        spend(first)
    assert "deleted or replaced" in caplog.text
    second.settle(flying, 5)
    assert state(first).used == 7
    first.close()
    second.close()
    assert state(first).used == 7


def test_closing_does_not_make_a_file_again(ledger: SqliteLedger, path: Path) -> None:
    """Whose folder was deleted meanwhile, as those of tests are."""
    spend(ledger)
    for each in path.parent.iterdir():
        each.unlink()
    path.parent.rmdir()
    ledger.close()
    assert not path.parent.exists()


def test_a_database_of_something_else_is_left_alone(ledger: SqliteLedger, path: Path) -> None:
    """It is not a ledger, and does not become one."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE characters (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="is a database of something else, or of another version of EsiPy"):
        leave(ledger)
    assert path.read_bytes() == before
    assert files(path) == [NAME]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Says which file it is about, and why."""
    (tmp_path / "file").touch()
    ledger = SqliteLedger(tmp_path / "file" / "folder" / NAME)
    with pytest.raises(StoreUnavailable, match=f"{NAME}: .*Not a directory"):
        leave(ledger)
    with pytest.raises(StoreUnavailable):
        ledger.states()
    ledger.close()


def test_a_file_that_cannot_be_written(ledger: SqliteLedger, path: Path) -> None:
    """Nothing is granted from it; when it can be written again, all is as it was."""
    spend(ledger)
    connection = ledger._file._connection
    assert connection is not None
    connection.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreUnavailable, match=f"{NAME}: attempt to write a readonly database"):
        leave(ledger)
    spend(ledger)
    assert state(ledger).used == 4


def test_a_full_disk(ledger: SqliteLedger, path: Path) -> None:
    """Nothing of a verb is done; what was counted stays."""
    spend(ledger)
    connection = ledger._file._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        for number in range(1000):
            leave(ledger, replace(SMALL, bucket=f"char-notification app:{number}"))

    with pytest.raises(StoreUnavailable, match=f"{NAME}: database or disk is full"):
        fill()
    assert state(ledger).used == 2


def test_a_lock_that_is_held_too_long(ledger: SqliteLedger, path: Path) -> None:
    """Whoever comes is refused; when it is given back, all is as before."""
    spend(ledger)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=f"{NAME}: database is locked"):
            leave(ledger)
        holder.execute("ROLLBACK")
    spend(ledger)
    assert state(ledger).used == 4


def test_a_lock_that_is_given_back_in_time(ledger: SqliteLedger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it goes on within a moment."""
    spend(ledger)
    pauses: list[float] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")

        def pause(pause_seconds: float) -> None:
            pauses.append(pause_seconds)
            if len(pauses) == 10:
                holder.execute("ROLLBACK")

        monkeypatch.setattr(time, "sleep", pause)
        spend(ledger)
    assert len(pauses) == 10
    assert max(pauses) <= 0.002
    assert state(ledger).used == 4


class Queue:
    """A lock that counts who has come to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.come = threading.Semaphore(0)

    def __enter__(self) -> None:
        self.come.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_threads_do_not_wait_for_a_held_lock_one_after_the_other(
    ledger: SqliteLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who stood behind the one that waited in vain fail with it, and not after a wait of their own."""
    spend(ledger)
    queue, begun = Queue(), list[bool]()

    def pause(pause_seconds: float) -> None:
        if not begun:  # the first of them waits: until all stand behind it
            begun.extend(queue.come.acquire(timeout=60) for _ in range(16))

    monkeypatch.setattr(ledger._file, "_lock", queue)
    monkeypatch.setattr(time, "sleep", pause)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder, ThreadPoolExecutor(16) as pool:
        holder.execute("BEGIN IMMEDIATE")

        def fail(_: int) -> str:
            with pytest.raises(StoreUnavailable) as caught:
                leave(ledger)
            return str(caught.value.__cause__)

        causes = list(pool.map(fail, range(16)))
        holder.execute("ROLLBACK")
    assert [True] * 16 == begun
    assert ["None"] * 15 + ["database is locked"] == sorted(causes)


@needs_fork
def test_parent_and_child_count_together_after_a_fork(ledger: SqliteLedger) -> None:
    """The child opens the file anew, is a member of its own, and leaves the parent's connection as it was."""
    spend(ledger)

    def work() -> bool:
        spend(ledger, calls=2)
        return state(ledger).used == 6 and ledger.members() == 2

    assert child(work)
    assert state(ledger).used == 6
    assert calls_until_full(ledger) == WHOLE_CALLS - 3


@needs_fork
def test_a_child_does_not_wait_for_a_thread_of_its_parent(ledger: SqliteLedger) -> None:
    """One that was in the midst of a verb when the process forked."""

    def work() -> bool:
        try:
            leave(ledger)
        except StoreUnavailable:  # the parent's transaction locks the file, but nothing else
            return True
        return False

    spend(ledger)
    with another_thread(ledger._file.do):
        assert child(work)
    spend(ledger)


def test_a_folder_is_no_file(path: Path, ledger: SqliteLedger) -> None:
    """It is said so, and nothing is put beside it."""
    path.mkdir(parents=True)
    with pytest.raises(StoreUnavailable, match=f"{NAME}: is a folder, not a file"):
        leave(ledger)
    assert [NAME] == [each.name for each in path.parent.iterdir()]
