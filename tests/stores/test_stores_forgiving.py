"""A shared cache that fails: misses, one line in the log, and what was dropped meanwhile stays dropped."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from esipy.core.answer import Answer
from esipy.stores import forgiving
from esipy.stores.base import StoreUnavailable
from esipy.stores.flights import NO_LEASE
from esipy.stores.forgiving import LAST_RETRY_SECONDS, ForgivingCache
from esipy.stores.sqlite_cache import SqliteCache
from tests.stores.caches import NOW, PATH, answer


class House:
    """A file that fails, and a process that forgives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passed = 0.0
        self.tries = 0
        self.file = SqliteCache(path, busy_seconds=0.0)
        self.cache = ForgivingCache(self.file, lambda: self.passed)

    def put(self, key: str, body: bytes = b"x", path: str = PATH) -> None:
        self.cache.put(key, answer(body), path, lambda: NOW)

    def body(self, key: str) -> bytes | None:
        """Of what is kept."""
        found: Answer | None = self.cache.get(key, lambda: NOW)
        return None if found is None else found.body

    @contextmanager
    def locked(self) -> Generator[None]:
        """Nothing can be written."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def gone(self) -> Generator[None]:
        """Nothing can be read either: a folder lies in the file's place."""
        self.file.close()
        aside = self.path.with_name("aside")
        self.path.rename(aside)
        self.path.mkdir()
        yield
        self.path.rmdir()
        aside.rename(self.path)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With one answer."""
    made = House(tmp_path / "answers.sqlite3")
    made.put("a")
    yield made
    made.cache.close()


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What the log of caches was told."""
    return [(each.levelname, each.message) for each in caplog.records if each.name == "esipy.cache"]


def test_a_store_that_is_gone_is_a_miss(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """No verb fails; the log is told once that it is gone, and once that it is back."""
    with caplog.at_level(logging.INFO, "esipy.cache"):
        with house.gone():
            for _ in range(3):
                assert house.body("a") is None
                house.put("b")
                assert house.cache.claim("a", 30) == NO_LEASE
                house.cache.release("a", NO_LEASE)
                house.cache.release("a", 7)
                house.passed += 100
            assert [level for level, _ in told(caplog)] == ["WARNING"]
        house.passed += 100
        assert house.body("a") == b"x"
        house.put("b")
        assert house.body("b") == b"x"
    assert [level for level, _ in told(caplog)] == ["WARNING", "INFO"]
    assert "answers.sqlite3: is a folder, not a file" in told(caplog)[0][1]


def test_it_is_tried_again_after_longer_and_longer_waits(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second, then twice as long each time, up to half a minute; and from a second on when it had been back."""
    tries: list[float] = []
    real = SqliteCache.get

    def count(cache: SqliteCache, key: str, now: object) -> Answer | None:
        tries.append(house.passed)
        return real(cache, key, now)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteCache, "get", count)
    with house.gone():
        while house.passed < 100:
            house.body("a")
            house.body("a")
            house.passed += 0.5
    assert tries == [0, 1, 3, 7, 15, 31, 61, 91]
    assert tries[-1] - tries[-2] == LAST_RETRY_SECONDS
    house.passed += 100
    assert house.body("a") == b"x"
    with house.gone():
        for _ in range(5):
            house.body("a")
            house.passed += 0.5
    assert [moment - tries[9] for moment in tries[9:]] == [0, 1]


def test_what_can_be_read_is_read_while_nothing_can_be_written(house: House) -> None:
    """A full disk, or another process that writes."""
    with house.locked():
        house.put("b")
        assert house.cache.claim("a", 30) == NO_LEASE
        assert house.body("a") == b"x"
    house.passed += 1
    house.put("b")
    assert house.body("b") == b"x"
    assert house.cache.claim("a", 30)


def test_T02_what_could_not_be_dropped_is_not_read(house: House) -> None:
    """Neither while the store cannot be written, nor before it has been dropped; other paths are kept."""
    house.put("b", b"b", "/other")
    with house.locked():
        house.cache.drop(PATH)
        assert (house.body("a"), house.body("b")) == (None, None)
        house.passed += 1
        assert house.body("a") is None
    house.passed += 2
    assert (house.body("a"), house.body("b")) == (None, b"b")
    house.put("a", b"again")
    assert house.body("a") == b"again"


def test_T02_what_could_not_be_dropped_is_dropped_before_anything_is_kept(house: House) -> None:
    """Not after."""
    with house.locked():
        house.cache.drop(PATH)
    house.passed += 1
    house.put("a", b"again")
    assert house.body("a") == b"again"


def test_when_too_much_could_not_be_dropped_all_is(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than to remember paths without end."""
    monkeypatch.setattr(forgiving, "MOST_MISSED", 3)
    house.put("b", b"b", "/other")
    with house.locked():
        for number in range(4):
            house.cache.drop(f"/{number}")
        assert len(house.cache._missed) <= 3
    house.passed += 1
    assert (house.body("a"), house.body("b")) == (None, None)


def test_clear_says_when_it_cannot(house: House) -> None:
    """And is made up for before anything is read."""
    with house.locked():
        with pytest.raises(StoreUnavailable, match="database is locked"):
            house.cache.clear()
        assert house.body("a") is None
    house.passed += 1
    assert house.body("a") is None
    house.put("a", b"again")
    assert house.body("a") == b"again"
    house.cache.clear()
    assert house.body("a") is None


def test_a_flight_without_a_lease_is_kept(house: House) -> None:
    """The store was away when it left, and is back when its answer comes."""
    with house.gone():
        assert house.cache.claim("b", 30) == NO_LEASE
    house.passed += 1
    house.cache.put("b", answer(b"b"), PATH, lambda: NOW, NO_LEASE)
    assert house.body("b") == b"b"
