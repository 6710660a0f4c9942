"""What is each cache's own: the dict's bounds, the folder's file, the clients that servers need."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from esipy.cache import DictCache, FileCache, MemcachedCache, RedisCache
from esipy.stores.base import StoreUnavailable
from esipy.stores.doors_file import FILE_NAME
from tests.cache.backends import Backend
from tests.forks import needs_fork


def test_a_dict_is_bounded_by_bytes() -> None:
    """What was used least recently goes first; getting is using."""
    cache = DictCache(max_bytes=20_000)
    for name in "abcdef":
        cache.set(name, [b"x" * 3000])
    cache.get("a")
    cache.set("g", "y")
    assert [b"x" * 3000] == cache.get("a")
    cache.set("h", {"z": b"x" * 3000})
    assert cache.get("b") is None
    assert cache.get("a") is not None
    cache.set("huge", "small")
    cache.set("huge", b"x" * 30_000)
    assert (None, "y") == (cache.get("huge"), cache.get("g")), "one value never takes it all"


def test_a_dict_is_bounded_by_number() -> None:
    """Nothing else is small enough to be kept for ever."""
    cache = DictCache(max_entries=3)
    for number in range(10):
        cache.set(number, number)
    assert [None] * 7 + [7, 8, 9] == [cache.get(number) for number in range(10)]


def test_a_dict_keeps_any_object_and_the_object_itself() -> None:
    """As in version 1, without end."""
    cache, kept = DictCache(), object()
    cache.set(("a", frozenset()), kept, 0.0001)
    assert kept is cache.get(("a", frozenset()))
    assert kept is cache._dict["a", frozenset()]
    cache.clear()
    assert (0, None) == (cache._bytes, cache.get(("a", frozenset())))


def test_threads_share_a_dict() -> None:
    """Eight threads that begin together: nothing breaks, and the count is right."""
    cache = DictCache(max_bytes=30_000)
    begin = threading.Barrier(8)

    def work(seed: int) -> None:
        chosen = random.Random(seed)
        begin.wait(30)
        for _ in range(2000):
            key = chosen.choice("abcdefgh")
            match chosen.randrange(10):
                case 0:
                    cache.invalidate(key)
                case 1 | 2 | 3 | 4:
                    cache.set(key, key * chosen.randrange(9000))
                case _:
                    assert set(cache.get(key, key)) <= {key}

    with ThreadPoolExecutor(8) as pool:
        for flight in [pool.submit(work, seed) for seed in range(8)]:
            flight.result(60)
    assert cache._bytes == sum(map(sys.getsizeof, cache._dict.values())) <= 30_000


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """There may be wallets in it."""
    cache = FileCache(str(tmp_path / "deep" / "cache"))
    assert 0o700 == stat.S_IMODE((tmp_path / "deep" / "cache").stat().st_mode)
    assert (tmp_path / "deep" / "cache" / FILE_NAME).exists()
    cache.close()
    cache.set("key", "after closing")
    assert "after closing" == cache.get("key")


def test_a_relative_folder_is_the_same_one_in_another_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Daemons go to another one once they have begun. ``~`` is the user's home, as diskcache read it."""
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    cache = FileCache("cache")
    cache.set("key", "value")
    monkeypatch.chdir(tmp_path / "there")
    assert "value" == cache.get("key")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert "value" == FileCache("~/cache").get("key")
    assert [] == os.listdir()


def test_settings_of_diskcache_mean_the_same_or_warn(tmp_path: Path) -> None:
    """At the line that made the cache, by name."""
    with pytest.warns(UserWarning, match="FileCache ignores cull_limit, eviction_policy: ") as caught:
        cache = FileCache(tmp_path, size_limit=200_000, timeout=5, eviction_policy="least-recently-used", cull_limit=1)
    assert __file__ == caught[0].filename
    for number in range(100):
        cache.set(number, os.urandom(10_000))
    kept = [number for number in range(100) if cache.get(number) is not None]
    assert kept == list(range(kept[0], 100)), "what was stored first went first"
    assert 8 <= len(kept) <= 20
    cache.set("huge", "small")
    cache.set("huge", b"x" * 300_000)
    assert (None, True) == (cache.get("huge"), cache.get(99) is not None), "one value never takes it all"
    cache.clear()
    assert cache.get(99) is None
    cache.close()


def test_what_diskcache_left_is_left_alone(tmp_path: Path) -> None:
    """Version 1's file was code; it is neither read nor removed."""
    (tmp_path / "cache.db").write_bytes(b"pickles")
    cache = FileCache(tmp_path)
    cache.set("key", 1)
    assert (1, b"pickles") == (cache.get("key"), (tmp_path / "cache.db").read_bytes())


def test_T11_a_file_that_is_no_cache_any_more_is_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """From the start, or while it is used; the log says so."""
    (tmp_path / FILE_NAME).write_bytes(bytes(9000))  # as a power cut may leave it
    cache = FileCache(tmp_path)
    cache.set("key", "value")
    assert "value" == cache.get("key")
    assert 1 == len(caplog.messages)
    cache.close()
    raw = bytearray((tmp_path / FILE_NAME).read_bytes())
    raw[100:] = os.urandom(len(raw) - 100)
    (tmp_path / FILE_NAME).write_bytes(raw)
    assert cache.get("key") is None
    cache.set("key", "again")
    assert "again" == cache.get("key")
    assert 2 == len(caplog.messages)
    assert str(tmp_path) in caplog.messages[1]


def test_a_file_of_anything_else_is_never_touched(tmp_path: Path) -> None:
    """It stays as it is, and the error says so."""
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable, match="is no database of EsiPy's: name another file"):
        FileCache(tmp_path)
    assert b"not a database" * 1000 == (tmp_path / FILE_NAME).read_bytes()


def test_T11_an_entry_that_is_no_bytes_is_a_miss(tmp_path: Path) -> None:
    """SQLite keeps anything anywhere."""
    cache = FileCache(tmp_path)
    cache.set("key", "value")
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE entries SET data = 5")
    connection.close()
    assert cache.get("key") is None


def test_a_folder_that_cannot_be_is_an_error_at_once(tmp_path: Path) -> None:
    """Not at the first call, where it would be a miss for ever."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        FileCache(tmp_path / "file")


def _write(path: Path, begin: Any, number: int) -> None:
    cache = FileCache(path)
    begin.wait(30)
    for turn in range(50):
        cache.set((number, turn), turn)
        cache.set("shared", (number, turn))
        assert cache.get("shared") is not None
    cache.close()


def test_processes_share_a_folder(tmp_path: Path) -> None:
    """Four that write at once: nothing is lost, nothing breaks."""
    spawning = multiprocessing.get_context("spawn")
    begin = spawning.Barrier(4)
    workers = [spawning.Process(target=_write, args=(tmp_path, begin, number)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [0] * 4 == [worker.exitcode for worker in workers]
    cache = FileCache(tmp_path)
    assert [[*range(50)]] * 4 == [[cache.get((number, turn)) for turn in range(50)] for number in range(4)]


@needs_fork
def test_a_forked_child_opens_the_file_anew(tmp_path: Path) -> None:
    """It never uses its parent's connection."""
    program = (
        "import os, sys\n"
        "from esipy.cache import FileCache\n"
        f"cache = FileCache({str(tmp_path)!r})\n"
        "cache.set('of', 'parent')\n"
        "if os.fork() == 0:\n"
        "    assert cache.get('of') == 'parent'\n"
        "    cache.set('of', 'child')\n"
        "    sys.exit()\n"
        "assert os.wait()[1] == 0\n"
        "print(cache.get('of'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ("child\n", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize("kind", [RedisCache, MemcachedCache])
def test_what_is_no_client_is_refused(kind: Any) -> None:
    """A TypeError, as in version 1, that names what is missing."""
    with pytest.raises(TypeError, match=r"str is no client of such a server: it has no get\(\)"):
        kind("localhost")


def test_clients_of_redis_that_cannot_do_are_refused() -> None:
    """One that reads texts, and one for asyncio: each with the way out. None of them connects."""
    import redis
    import redis.asyncio

    with pytest.raises(TypeError, match="without decode_responses"):
        RedisCache(redis.Redis(decode_responses=True))
    with pytest.raises(TypeError, match=r"give redis\.Redis"):
        RedisCache(redis.asyncio.Redis())


def test_T11_a_client_of_memcached_that_unpickles_is_refused() -> None:
    """pymemcache's with a serializer: it would run what it reads before we see it."""
    from pymemcache import serde
    from pymemcache.client.base import Client
    from pymemcache.client.hash import HashClient

    for serializer in (serde.pickle_serde, serde.compressed_serde):
        with pytest.raises(TypeError, match="without serde="):
            MemcachedCache(Client("localhost", serde=serializer))
    with pytest.raises(TypeError, match="without serde="):
        MemcachedCache(HashClient(["localhost:1"], serde=serde.pickle_serde))
    MemcachedCache(Client("localhost"))
    MemcachedCache(HashClient(["localhost:1"]))


def test_T11_a_client_of_memcached_that_nobody_knows_is_refused() -> None:
    """Whether it unpickles cannot be seen."""

    class Client(dict[str, Any]):
        set = dict.__setitem__
        delete = dict.__delitem__

    with pytest.raises(TypeError, match=r"may unpickle what it reads: give a client of python-memcached or pymemcache"):
        MemcachedCache(Client())


@pytest.mark.parametrize("name", ["memcached by pymemcache", "memcached by python-memcached"])
def test_what_is_too_large_for_memcached_is_not_kept(name: str, request: pytest.FixtureRequest) -> None:
    """Neither is what was there before: it is out of date."""
    backend = Backend(name, request)
    cache = backend.cache()
    assert cache.set("key", b"x" * 900_000)
    assert b"x" * 900_000 == cache.get("key")
    assert not cache.set("key", b"x" * 1_100_000)
    assert cache.get("key") is None
    backend.close()
