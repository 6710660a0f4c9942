"""The cache in a file: damaged, full, read-only, forked, killed, and shared by processes that come and go."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from esipy.stores.base import StoreUnavailable
from esipy.stores.sqlite_cache import MOST_USES, USES_SECONDS, SqliteCache
from tests.forks import another_thread, child, needs_fork
from tests.stores.caches import NOW, PATH, Asker, Place, answer, places
from tests.stores.kit import damage, files

only_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells one start of the machine from another"
)

BODY = random.Random(1).randbytes(20_000)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A file."""
    yield from places("sqlite", tmp_path, request)


@pytest.fixture
def process(place: Place) -> Asker:
    """The first process."""
    return place.process(busy_seconds=0.05)


def count(place: Place, table: str) -> int:
    """Rows of a table."""
    with closing(sqlite3.connect(place.file)) as file:
        return int(file.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


# -- damage and failure -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["get", "put", "claim"])
def test_a_damaged_file_is_set_aside_and_begun_anew(
    place: Place, process: Asker, verb: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With a warning, by reading as by writing; it is kept under another name."""
    process.put("a")
    process.shared.close()
    damage(place.file)
    with caplog.at_level(logging.WARNING, "esipy.stores"):
        if verb == "get":
            assert process.get("a") is None
        elif verb == "put":
            process.put("b")
        else:
            assert process.claim("a")
    process.put("a", b"again")
    assert process.body("a") == b"again"
    assert [name.partition(".damaged-")[0] for name in files(place.file)] == ["answers.sqlite3"] * 2
    assert caplog.text.count("is damaged") == 1


def test_a_page_that_is_damaged_while_the_file_is_in_use(place: Place, process: Asker) -> None:
    """Found when it is read: a miss, and the file is begun anew."""
    for number in range(300):
        process.put(str(number), BODY[:1000])
    process.shared.close()
    with open(place.file, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (place.file.stat().st_size - 4096))
    assert process.get("7") is None
    process.put("7", b"again")
    assert process.body("7") == b"again"


def test_a_file_that_was_deleted_is_begun_anew(place: Place, process: Asker) -> None:
    """By all that had it open."""
    other = place.process()
    process.put("a")
    assert other.body("a") == b"x"
    for each in place.file.parent.iterdir():
        each.unlink()
    assert (process.get("a"), other.get("a")) == (None, None)
    process.put("a", b"again")
    assert other.body("a") == b"again"


def test_columns_of_other_kinds_are_a_miss(place: Place, process: Asker, caplog: pytest.LogCaptureFixture) -> None:
    """SQLite keeps anything anywhere. The entry is forgotten, and that is told."""
    for column, value in (("ends", "soon"), ("data", "text"), ("data", 7)):
        process.put("a")
        with closing(sqlite3.connect(place.file)) as file, file:
            file.execute(f"UPDATE entries SET {column} = ?", (value,))
        caplog.clear()
        with caplog.at_level(logging.WARNING, "esipy.cache"):
            assert process.get("a") is None
            assert process.get("a") is None
        assert caplog.text.count("an entry is forgotten") == 1
        assert (count(place, "entries"), count(place, "uses")) == (0, 0)


def test_a_file_that_cannot_be_written_is_still_read(place: Place, process: Asker) -> None:
    """What cannot be kept is told to who keeps; that it was used cannot be written down, and nobody is told."""
    process.put("a")
    process.body("a")
    connection = process.shared._file._connection
    connection.execute("PRAGMA query_only = 1")
    place.now += USES_SECONDS + 1
    assert process.body("a") == b"x"  # and would write down its uses
    process.shared.close()
    os.chmod(place.file, 0o400)
    if os.access(place.file, os.W_OK):  # who is root may write anywhere
        return
    assert process.body("a") == b"x"
    with pytest.raises(StoreUnavailable, match="readonly database"):
        process.put("b")


def test_a_full_disk(process: Asker) -> None:
    """Nothing more is kept; what was kept is there."""
    process.put("a")
    connection = process.shared._file._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StoreUnavailable, match="database or disk is full"):
        process.put("b", BODY)
    assert process.body("a") == b"x"


def test_a_hit_waits_for_nobody_who_writes(place: Place, process: Asker) -> None:
    """While another process writes, all is read as it was; who wants to write is refused after a while."""
    process.put("a")
    with closing(sqlite3.connect(place.file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        holder.execute("DELETE FROM entries")
        assert process.body("a") == b"x"
        assert process.get("b") is None
        with pytest.raises(StoreUnavailable, match="database is locked"):
            process.put("a")
    assert process.body("a") == b"x"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Says which file it is about, and why."""
    (tmp_path / "file").touch()
    cache = SqliteCache(tmp_path / "file" / "folder" / "answers.sqlite3")
    with pytest.raises(StoreUnavailable, match=r"answers.sqlite3: .*Not a directory"):
        cache.get("a", time.time)


def test_a_database_of_something_else_is_left_alone(place: Place, process: Asker) -> None:
    """Of a ledger, say."""
    place.file.parent.mkdir()
    with closing(sqlite3.connect(place.file)) as file, file:
        file.execute("CREATE TABLE characters (name TEXT)")
    before = place.file.read_bytes()
    with pytest.raises(StoreUnavailable, match="is a database of something else"):
        process.put("a")
    assert place.file.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_nobody_else_can_read_what_is_kept(place: Place, process: Asker) -> None:
    """Wallets are among it."""
    process.put("a")
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in place.file.parent.iterdir()}
    assert {modes[f"answers.sqlite3{end}"] for end in ("", "-wal", "-shm")} == {0o600}


# -- the bound ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "max_bytes", "share"), [(100, 600_000, 0.15), (3_000, 1_000_000, 0.5), (60_000, 1_000_000, 0.7)]
)
def test_the_file_never_grows_beyond_its_bound(place: Place, size: int, max_bytes: int, share: float) -> None:
    """Whatever is kept, dropped and replaced; and a good share of it are answers."""
    process = place.process(max_bytes=max_bytes)
    chosen = random.Random(size)
    for number in range(3 * max_bytes // (size + 500)):
        place.now += 1
        body = chosen.randbytes(chosen.randrange(size))
        process.put(str(chosen.randrange(number + 1)), body, f"/{chosen.randrange(50)}")
        if not number % 50:
            process.drop(f"/{chosen.randrange(50)}")
    process.shared.close()
    assert place.file.stat().st_size <= max_bytes
    with closing(sqlite3.connect(place.file)) as file:
        assert file.execute("SELECT sum(length(data)) FROM entries").fetchone()[0] > share * max_bytes


def test_what_was_used_is_known_to_all_processes(place: Place) -> None:
    """After a while: when the reader is closed, keeps something, or has read for some seconds."""
    reader, writer = place.process(max_bytes=400_000), place.process(max_bytes=400_000)
    for number in range(10):
        place.now += 1
        writer.put(str(number), BODY)
    reader.body("0")
    place.now += USES_SECONDS
    reader.body("1")
    reader.body("2")
    reader.shared.close()
    for number in range(10, 30):
        place.now += 1
        writer.put(str(number), BODY)
        if place.raw("3") is None:
            break
    assert [place.raw(str(number)) is not None for number in range(4)] == [True, True, True, False]


def test_uses_are_written_down_before_they_are_many(place: Place, process: Asker) -> None:
    """A program that reads a thousand things at once does not keep them all in memory."""
    for number in range(MOST_USES):
        process.put(str(number))
    place.now += 1
    for number in range(MOST_USES):
        process.get(str(number))
    assert process.shared._uses == {}


# -- time ---------------------------------------------------------------------------------------------------------


@only_linux
def test_T06_setting_the_time_of_day_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the process that has the file open, and for one that starts then."""
    path = tmp_path / "answers.sqlite3"
    with closing(SqliteCache(path)) as before, closing(SqliteCache(path)) as after:
        before.put("a", answer(fresh_until=NOW + 300), PATH, lambda: NOW)
        real = time.time()
        monkeypatch.setattr(time, "time", lambda: real + 3600)
        for each, now in ((before, NOW), (after, NOW + 3600)):
            found = each.get("a", lambda now=now: now)  # type: ignore[misc]
            assert found is not None
            assert found.fresh_until == pytest.approx(now + 300, abs=5)


@only_linux
@pytest.mark.parametrize("back_seconds", [0, 100_000])
def test_T06_freshness_goes_on_when_the_machine_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back_seconds: int
) -> None:
    """By the time of day; or from where it was, if that has gone back."""
    path = tmp_path / "answers.sqlite3"
    with closing(SqliteCache(path)) as cache:
        cache.put("a", answer(fresh_until=NOW + 300), PATH, lambda: NOW)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE clock SET boot = 'another'")
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real - back_seconds)
    with closing(SqliteCache(path)) as cache:
        found = cache.get("a", lambda: NOW)
    assert found is not None
    assert found.fresh_until == pytest.approx(NOW + 300, abs=5)


@only_linux
def test_T06_a_machine_without_a_clock_does_not_go_back_further_than_it_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started again with a time of day that lies before all: what was kept after an hour's work is no hour fresher."""
    path = tmp_path / "answers.sqlite3"
    passed = [0.0]
    boottime, real = time.clock_gettime, time.time()
    monkeypatch.setattr(time, "clock_gettime", lambda clock: boottime(clock) + passed[0])
    with closing(SqliteCache(path)) as cache:
        cache.claim("b", 1)
        passed[0] = 3600.0
        cache.put("a", answer(fresh_until=NOW + 300), PATH, lambda: NOW)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE clock SET boot = 'another'")
    monkeypatch.setattr(time, "time", lambda: real - 100_000)
    with closing(SqliteCache(path)) as cache:
        found = cache.get("a", lambda: NOW)
    assert found is not None
    assert found.fresh_until == pytest.approx(NOW + 300, abs=5)


# -- processes ----------------------------------------------------------------------------------------------------

PROGRAM = """
import random, sys, time
from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.stores.sqlite_cache import SqliteCache

cache = SqliteCache(sys.argv[1], max_bytes=2_000_000)
chosen = random.Random(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    key = str(chosen.randrange(40))
    found = cache.get(key, time.time)
    assert found is None or (set(found.body) == {ord(key[-1])} and len(found.body) == int(found.headers["x-length"]))
    if chosen.randrange(3) == 0:
        token = cache.claim(key, 30)
        if token is not None:
            length = chosen.randrange(1, 40000)
            headers = Headers([("X-Length", str(length))])
            answer = Answer(200, headers, key[-1].encode() * length, "network", time.time() + 300)
            cache.put(key, answer, "/" + key, time.time, token)
    if chosen.randrange(20) == 0:
        cache.drop("/" + key)
    if number % 10 == 0:
        print(number, flush=True)
cache.close()
print("done", flush=True)
"""


def start(place: Place, seed: int, steps: int) -> subprocess.Popen[str]:
    """One more process, at work on the file."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(place.file), str(seed), str(steps)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def go(process: subprocess.Popen[str]) -> None:
    """Let it begin."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    """What it says next."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_share_a_file(place: Place) -> None:
    """Three that begin together, the file not there yet: whatever they do, what is read is what one of them put."""
    processes = [start(place, seed, 400) for seed in range(3)]
    for each in processes:
        assert hear(each) == "ready"
    for each in processes:
        go(each)
    for each in processes:
        out, _ = each.communicate(timeout=60)
        assert out.endswith("done\n")
    assert count(place, "claims") == 0


def test_a_process_that_is_killed_while_it_writes_leaves_a_sound_file(place: Place) -> None:
    """kill -9: the others go on; what it had claimed can be claimed again when its time is over."""
    with start(place, 1, 1_000_000) as process:
        go(process)
        for _ in range(30):
            hear(process)
        process.kill()
    with closing(sqlite3.connect(place.file)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert file.execute("SELECT count(*) FROM entries WHERE id NOT IN (SELECT id FROM uses)").fetchone() == (0,)
    with start(place, 2, 100) as process:
        go(process)
        assert process.communicate(timeout=60)[0].endswith("done\n")


@needs_fork
def test_parent_and_child_share_the_file_after_a_fork(place: Place, process: Asker) -> None:
    """The child opens it anew, and leaves the parent's connection as it was."""
    process.put("a", b"parent")

    def work() -> bool:
        if process.body("a") != b"parent":
            return False
        process.put("a", b"child")
        return True

    assert child(work)
    assert process.body("a") == b"child"


@needs_fork
def test_a_child_does_not_wait_for_a_thread_of_its_parent(process: Asker) -> None:
    """One that was in the midst of a verb when the process forked."""
    process.put("a")

    def work() -> bool:
        try:
            process.body("a")
        except StoreUnavailable:  # the parent's transaction keeps the child from opening the file, and nothing else
            return True
        return False

    with another_thread(process.shared._file.do):
        assert child(work)
