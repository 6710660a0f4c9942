"""The cache in a file: damaged, full, read-only, bounded, and over a change of the time of day."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import stat
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from esipy.stores.base import StoreUnavailable
from esipy.stores.sqlite_cache import MOST_USES, USES_SECONDS, SqliteCache
from tests.stores.caches import BODY, NOW, PATH, Asker, Place, answer, count
from tests.stores.kit import damage, files

only_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells one start of the machine from another"
)


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
