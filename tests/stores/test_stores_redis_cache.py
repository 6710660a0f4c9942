"""The cache in Valkey: what it takes, what the server forgets or refuses, and what a server that is gone costs."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esipy.stores.base import StoreUnavailable
from esipy.stores.redis_cache import KEEP_SECONDS, RedisCache
from tests.stores.caches import NOW, PATH, Asker, Place, answer, places
from tests.stores.valkey import admin, new_prefix, url_of


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A part of the server."""
    yield from places("redis", tmp_path, request)


@pytest.fixture
def process(place: Place) -> Asker:
    """The first process."""
    return place.process()


def keys(place: Place) -> list[str]:
    """The server's keys of this cache, by what stands before the name."""
    names = [key.decode("latin-1") for key in place.server.keys(f"{{{place._prefix}}}*")]
    return sorted(name.split("cache1:")[1].split(":")[0] for name in names)


def test_each_verb_is_one_round_trip(place: Place, process: Asker) -> None:
    """Whatever it does."""
    process.put("a")  # the script is there now
    server = place.server

    def calls() -> int:
        return int(server.info("commandstats")["cmdstat_evalsha"]["calls"])

    def trips(verb: Any, *arguments: Any) -> int:
        before = calls()
        verb(*arguments)
        return calls() - before

    token = process.claim("a")
    verbs = [(process.put, "a", b"x", PATH, token), (process.get, "a"), (process.claim, "b"), (process.drop,)]
    assert [trips(*each) for each in verbs] == [1, 1, 1, 1]
    assert trips(process.release, "b", 7) == 1


def test_all_keys_lie_in_one_slot_and_end_by_themselves(place: Place, process: Asker) -> None:
    """A program that is not started again leaves nothing behind."""
    token = process.claim("a")
    process.put("a", b"x", PATH, token)
    process.claim("b")
    process.drop("/other")
    process.clear()
    process.put("a")
    assert keys(place) == ["answer", "claim", "drop", "drop", "era", "index", "place", "place", "sizes", "token"]
    for key in place.server.keys(f"{{{place._prefix}}}*"):
        assert key.startswith(f"{{{place._prefix}}}".encode())
        assert 0 < place.server.ttl(key) <= KEEP_SECONDS


def test_what_it_counts_is_what_the_server_holds(place: Place) -> None:
    """Within a fifth, for answers as ESI sends them: measured."""
    process = place.process()
    server = place.server
    process.put("first")
    before = server.info("memory")["used_memory"]
    headers = {f"x_header_{number}": f"some value of a usual length {number}" for number in range(12)}
    for number in range(2000):
        process.put(f"GET {PATH}?page={number}", answer(b"x" * (number % 500), NOW, **headers), f"{PATH}/{number}")
    held = server.info("memory")["used_memory"] - before
    counted = int(server.hget(f"{{{place._prefix}}}cache1:sizes", ""))
    assert 0.8 < counted / held < 1.2


def test_the_bound_holds_whatever_is_done(place: Place) -> None:
    """What is counted is what is there, and within the bound."""
    process = place.process(max_bytes=200_000)
    chosen = random.Random(7)
    for _ in range(300):
        place.now += 1
        key = str(chosen.randrange(60))
        match chosen.randrange(5):
            case 0:
                process.drop(f"/{chosen.randrange(5)}")
            case 1:
                process.get(key)
            case _:
                process.put(key, chosen.randbytes(chosen.randrange(20_000)), f"/{chosen.randrange(5)}")
    server, root = place.server, f"{{{place._prefix}}}cache1:"
    sizes = {name: int(size) for name, size in server.hgetall(f"{root}sizes").items()}
    assert sizes.pop(b"") == sum(sizes.values()) <= 200_000
    assert sum(sizes.values()) > 100_000
    assert set(sizes) == set(server.zrange(f"{root}index", 0, -1))


@pytest.mark.parametrize("lost", ["era", "place:*", "index", "sizes", "answer:*", "token"])
def test_what_the_server_forgot_is_a_miss_and_no_more(place: Place, process: Asker, lost: str) -> None:
    """A server that evicts chooses what it likes: nothing that was dropped comes back, and all goes on."""
    process.put("dropped", b"old", "/dropped")
    process.put("kept", b"old", "/kept")
    process.drop("/dropped")
    for key in place.server.keys(f"{{{place._prefix}}}cache1:{lost}"):
        place.server.delete(key)
    assert process.get("dropped") is None
    assert process.body("kept") == (b"old" if lost in ("sizes", "token") else None)
    for key in ("dropped", "kept"):
        process.put(key, b"new", f"/{key}")
        assert process.body(key) == b"new"
    token = process.claim("kept")
    assert token
    process.put("kept", b"claimed", "/kept", token)
    assert process.body("kept") == b"claimed"


def test_keys_of_another_kind_are_a_miss(place: Place, process: Asker) -> None:
    """Somebody put a list there."""
    process.put("a")
    place.server.delete(place.redis_key("a"))
    place.server.rpush(place.redis_key("a"), "x")
    assert process.get("a") is None
    process.put("a", b"again")
    assert process.body("a") == b"again"


def test_a_large_cache_is_cleared_in_parts(place: Place, process: Asker) -> None:
    """Gone for all at the first of them; afterwards nothing but small keys is left of it."""
    for number in range(1200):
        process.put(str(number))
    process.clear()
    assert process.get("700") is None
    assert keys(place) == ["drop", "place", "sizes", "token"]
    assert int(place.server.hget(f"{{{place._prefix}}}cache1:sizes", "")) == 0


def test_T06_time_is_the_servers(place: Place) -> None:
    """Without a clock for tests: what is fresh for five minutes stays so for about as long."""
    cache = RedisCache(url_of(place._valkey), prefix=new_prefix())
    cache.put("a", answer(fresh_until=NOW + 300), PATH, lambda: NOW)
    found = cache.get("a", lambda: NOW + 7200)
    cache.close()
    assert found is not None
    assert found.fresh_until == pytest.approx(NOW + 7500, abs=5)


def test_a_server_without_memory_still_answers(own_valkey: Any) -> None:
    """It keeps nothing more, which is told to who keeps."""
    cache = RedisCache(url_of(own_valkey))
    cache.put("a", answer(b"x"), PATH, time.time)
    client = admin(own_valkey)
    client.config_set("maxmemory", "1")
    with pytest.raises(StoreUnavailable, match=r"/0 is out of memory"):
        cache.put("b", answer(), PATH, time.time)
    found = cache.get("a", time.time)
    assert found is not None
    assert found.body == b"x"
    assert cache.get("b", time.time) is None
    client.close()
    cache.close()


def test_a_server_that_is_gone_and_comes_back(own_valkey: Any) -> None:
    """Unavailable meanwhile, for every verb; afterwards it is used again by itself."""
    port = own_valkey.port
    cache = RedisCache(url_of(own_valkey))
    cache.put("a", answer(), PATH, time.time)
    own_valkey.stop()
    for verb in (
        lambda: cache.get("a", time.time), lambda: cache.put("a", answer(), PATH, time.time), cache.clear,
        lambda: cache.drop(PATH), lambda: cache.claim("a", 1), lambda: cache.release("a", 1),
    ):  # fmt: skip
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            verb()
    own_valkey._desired_port = port
    own_valkey.start()
    cache.put("a", answer(b"again"), PATH, time.time)
    found = cache.get("a", time.time)
    assert found is not None
    assert found.body == b"again"
    cache.close()


def test_a_server_that_hangs_is_not_waited_for() -> None:
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        cache = RedisCache(f"redis://:hunter2@127.0.0.1:{hanging.getsockname()[1]}/0?socket_timeout=0.05")
        with pytest.raises(StoreUnavailable, match="did not answer in time") as caught:
            cache.get("a", time.time)
        assert "hunter2" not in str(caught.value) + repr(cache)
        cache.close()
