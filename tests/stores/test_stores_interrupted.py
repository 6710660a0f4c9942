"""Ctrl-C in a store that processes share, at each moment: no lock is left, and nobody gets another's answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from esipy.stores.degrading import LAST_RETRY_SECONDS
from esipy.stores.flights import NO_LEASE
from esipy.stores.forgiving import ForgivingCache
from esipy.stores.redis import RedisServer, Script
from esipy.stores.sqlite import SharedFile
from esipy.stores.sqlite_cache import SqliteCache
from tests.interrupts import interrupted_everywhere
from tests.stores.house import House
from tests.stores.ledger_kit import LARGE, leave
from tests.stores.valkey import url_of

ECHO = Script("return ARGV[1]")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a file that is not there yet."""
    return tmp_path / "shared.sqlite3"


@pytest.fixture
def shared(path: Path) -> Iterator[SharedFile]:
    """A file with one number in it."""
    made = SharedFile(
        path,
        application_id=77,
        schema=("CREATE TABLE IF NOT EXISTS numbers (number INTEGER)",),
        opened=lambda connection: None,
    )
    with closing(made):
        yield made


def add(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO numbers VALUES (1)")
    connection.execute("INSERT INTO numbers VALUES (2)")


def numbers(connection: sqlite3.Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT number FROM numbers")]


def is_free(path: Path) -> bool:
    """Whether another process could write this moment."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.execute("ROLLBACK")
    return True


def test_a_file_is_free_whenever_its_work_was_interrupted(shared: SharedFile, path: Path) -> None:
    """It was done wholly or not at all, though who was interrupted still has the traceback, as at a prompt."""
    shared.do(add)
    moments = 0
    for moment in interrupted_everywhere(lambda: shared.do(add)):
        assert is_free(path), moment
        assert 0 == len(shared.look(numbers)) % 2
        moments = moment + 1
    assert moments > 5
    assert [1, 2] == shared.look(numbers)[-2:]


def test_a_file_is_free_whenever_reading_was_interrupted(shared: SharedFile, path: Path) -> None:
    """And what is read next is what is there then, not what was there before."""
    shared.do(add)
    moments = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for moment in interrupted_everywhere(lambda: shared.look(numbers)):
            other.execute("INSERT INTO numbers VALUES (?)", (moment,))
            assert moment == shared.look(numbers)[-1]
            moments = moment + 1
    assert moments > 5


def test_a_file_is_free_whenever_its_opening_was_interrupted(shared: SharedFile, path: Path) -> None:
    """So is the gate through which processes come one by one to open it, or to set it aside."""

    def anew() -> None:
        shared.close()
        shared.do(add)

    shared.do(add)
    moments = 0
    for moment in interrupted_everywhere(anew):
        assert is_free(path), moment
        assert is_free(path.with_name(f"{path.name}.lock")), moment
        moments = moment + 1
    assert moments > 20


class SoftTimeLimitExceeded(Exception):
    """What a signal's handler may raise, Celery's for one."""


def own(running: Any) -> Any:
    return url_of(running)


def of_redis(running: Any, **options: Any) -> Any:
    return pytest.importorskip("redis").Redis(port=running.port, socket_timeout=60, **options)


def of_valkey(running: Any) -> Any:
    return pytest.importorskip("valkey").Valkey(port=running.port, socket_timeout=60)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SoftTimeLimitExceeded])
@pytest.mark.parametrize(
    "give",
    [own, of_redis, of_valkey, partial(of_redis, single_connection_client=True)],
    ids=["own", "redis", "valkey", "one connection"],
)
def test_a_server_gives_each_his_own_answer_whenever_one_was_interrupted(
    valkey: Any, give: Callable[[Any], Any], error: type[BaseException]
) -> None:
    """Also when the command was sent, and its answer not yet read."""
    given = give(valkey)
    server = RedisServer(given)
    moments = 0
    for moment in interrupted_everywhere(lambda: server.run(ECHO, [], "interrupted"), error):
        for number in range(2):
            said = f"{moment}.{number}"
            assert said.encode() == server.run(ECHO, [], said)
        moments = moment + 1
    assert moments > 50
    server.close()
    if not isinstance(given, str):
        given.close()


def test_who_is_interrupted_with_a_pool_of_redis_6_is_told_that() -> None:
    """Its BlockingConnectionPool does not ask which connections it is to close."""
    redis: Any = pytest.importorskip("redis")
    pool = redis.BlockingConnectionPool()
    close_all = pool.disconnect
    pool.disconnect = lambda: close_all()
    client = redis.Redis(connection_pool=pool)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    client.evalsha = interrupted
    with pytest.raises(KeyboardInterrupt):
        RedisServer(client).run(ECHO, [], "a")


def test_a_ledger_that_failed_is_tried_again_whenever_a_try_was_interrupted(tmp_path: Path) -> None:
    """Nobody is believed to be trying for ever."""
    house = House(tmp_path / "ledger.sqlite3")
    ledger = house.open()

    def fail() -> None:
        with house.down():
            ledger.settle(leave(ledger, LARGE), 0)
        house.clock.now += LAST_RETRY_SECONDS

    fail()
    moments = 0
    for moment in interrupted_everywhere(ledger.states):
        house.clock.now += LAST_RETRY_SECONDS
        reservation = leave(ledger, LARGE)
        assert [LARGE.cost] == [state.reserved for state in house.kept().states()], moment
        ledger.settle(reservation, 0)
        fail()
        moments = moment + 1
    assert moments > 50
    house.kept().close()


def test_a_cache_that_failed_is_tried_again_whenever_a_try_was_interrupted(tmp_path: Path) -> None:
    """Nobody is believed to be trying for ever."""
    path, passed = tmp_path / "answers.sqlite3", 0.0
    cache = ForgivingCache(SqliteCache(path, busy_seconds=0.0), lambda: passed)

    def fail() -> None:
        nonlocal passed
        cache.size()  # the file is there
        with closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            assert NO_LEASE == cache.claim("b", 1)
        passed += LAST_RETRY_SECONDS

    fail()
    moments = 0
    for moment in interrupted_everywhere(lambda: cache.claim("a", 0.001)):
        passed += LAST_RETRY_SECONDS
        assert NO_LEASE != cache.claim(f"a{moment}", 1), moment
        fail()
        moments = moment + 1
    assert moments > 20
    cache.close()
