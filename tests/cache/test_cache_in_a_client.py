"""Version 1's caches behind both clients: what a store has to do, with nothing but get, set and invalidate."""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest

from esipy import EsiClient, ops
from esipy.cache import BaseCache, DictCache, DummyCache
from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.exceptions import SettingError
from esipy.runtime.blocking import run
from esipy.sandbox import RunningSandbox, serve
from esipy.stores.doors import LONGEST_SECONDS, STALE_SECONDS, Door
from tests.cache.backends import Backend
from tests.client.colours import COLOURS, UA, Colour, Connect

FORGE = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)
REGION = ops.universe.get_universe_regions_region_id(region_id=10000002)
ITEM = {"flag": "LoSlot0", "quantity": 1, "type_id": 2046}


@pytest.fixture(scope="module")
def served() -> Iterator[RunningSandbox]:
    """One sandbox for the module."""
    with serve() as box:
        yield box


@pytest.fixture(params=COLOURS)
def connect(request: pytest.FixtureRequest, served: RunningSandbox) -> Iterator[Connect]:
    """Makes clients of one colour; closes them."""
    served.heal()
    served.forget()
    made: list[Colour] = []

    def make(**options: object) -> Colour:
        made.append(Colour(request.param, served, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


def test_T08_what_is_kept_outlives_the_process(backend: Backend, connect: Connect) -> None:
    """A fresh answer is a hit for the next client over the same store; a stale one is revalidated."""
    first = connect(cache=backend.cache())
    wanted = [first.request(call) for call in (FORGE, REGION)]
    second = connect(cache=backend.cache())
    found = [second.request(call) for call in (FORGE, REGION)]
    assert ["network", "network"] == [response.source for response in wanted]
    assert ["cache", "revalidated"] == [response.source for response in found]
    assert [response.data for response in wanted] == [response.data for response in found]
    assert dict(wanted[0].headers) == dict(found[0].headers)


def test_T02_a_write_drops_the_read_in_every_process(backend: Backend, connect: Connect) -> None:
    """After one client's POST fittings, another's GET reaches the network, and is kept again."""
    reader, writer = (connect(cache=backend.cache(), login=True) for _ in range(2))
    character = reader.security.character_id
    read = ops.fittings.get_characters_character_id_fittings(character_id=character)
    write = ops.fittings.post_characters_character_id_fittings(
        character_id=character, body={"name": "a", "description": "b", "ship_type_id": 587, "items": [ITEM]}
    )
    sources = [reader.request(read).source, reader.request(read).source]
    assert 201 == writer.request(write).status
    sources += [reader.request(read).source, writer.request(read).source]
    assert ["network", "cache", "network", "cache"] == sources


@pytest.mark.parametrize("cache", [DummyCache(), None], ids=["DummyCache", "None"])
def test_no_cache_keeps_nothing(cache: DummyCache | None, connect: Connect, served: RunningSandbox) -> None:
    """The dummy, and none."""
    client = connect(cache=cache)
    assert ["network"] * 2 == [client.request(FORGE).source for _ in range(2)]
    assert [200, 200] == [entry.status for entry in served.received()]


class Timeout(BaseCache):
    """As programs of those days wrote it: over a dict of pickles."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.asked: list[Any] = []

    def set(self, key: Any, value: Any, timeout: Any = 300) -> None:  # type: ignore[override]
        self.asked.append(timeout)
        self.kept[key] = pickle.dumps(value)

    def get(self, key: Any, default: Any = None) -> Any:
        return pickle.loads(self.kept[key]) if key in self.kept else default

    def invalidate(self, key: Any) -> None:
        del self.kept[key]


class MaxAge(Timeout):
    """Another name, without a default; a `get` of three arguments, one of which nobody knows any more."""

    def set(self, key: Any, value: Any, max_age: int) -> None:  # type: ignore[override]
        super().set(key, value, max_age)

    def get(self, key: Any, outdated: Any, default: Any) -> Any:  # type: ignore[override]
        return super().get(key, default)


class Outdated(Timeout):
    """A `get` whose second argument is not the default."""

    def get(self, key: Any, outdated: bool = False, default: Any = None) -> Any:  # type: ignore[override]
        assert not outdated
        return super().get(key, default)


class Bare(Timeout):
    """A `get` with nothing but the key, and a `set` without time."""

    def set(self, key: Any, value: Any) -> None:  # type: ignore[override]
        super().set(key, value, None)

    def get(self, key: Any) -> Any:  # type: ignore[override]
        return super().get(key)


class Anything(Timeout):
    """Whatever comes."""

    def get(self, *args: Any) -> Any:
        return super().get(*args)


@pytest.mark.parametrize("kind", [Timeout, MaxAge, Outdated, Bare, Anything])
def test_caches_that_programs_wrote_work(kind: type[Timeout], connect: Connect) -> None:
    """Whatever they call their arguments: they are called by position."""
    cache = kind()
    assert ["network", "cache"] == [connect(cache=cache).request(FORGE).source for _ in range(2)]
    assert all(isinstance(key, str) and key.startswith("esi_") and len(key) < 200 for key in cache.kept)


def test_values_are_plain_data(connect: Connect) -> None:
    """Dicts, lists, texts, bytes and numbers: whatever a program's cache writes them with."""

    def check(value: object) -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                assert type(name) is str
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)
        else:
            assert type(value) in (str, int, float, bytes)

    cache = DictCache()
    connect(cache=cache).request(FORGE)
    assert 2 == len(cache._dict), "the answer, and its path's generation"
    for value in cache._dict.values():
        check(value)


def test_what_is_no_cache_is_refused() -> None:
    """With what it has to be; a ValueError, as in version 1."""
    with pytest.raises(SettingError, match="BaseCache"):
        EsiClient(headers=UA, cache={})  # type: ignore[arg-type]


# -- the door itself -------------------------------------------------------------------------------------------


def answer(body: bytes = b"1", fresh_until: float | None = None) -> Answer:
    """An answer to keep."""
    return Answer(200, Headers([("ETag", '"x"'), ("Warning", "a"), ("Warning", "b")]), body, fresh_until=fresh_until)


@pytest.mark.parametrize("body", [b"", b"0.0", b"[]", b'""', b"false", b"null"])
def test_T09_falsy_bodies_are_hits(backend: Backend, body: bytes) -> None:
    """Zero, nothing and no are answers."""
    run(Door(backend.cache()).put("key", answer(body, 5.5), "/p"))
    kept = run(Door(backend.cache()).get("key"))
    assert kept is not None
    assert (body, 200, 5.5) == (kept.body, kept.status, kept.fresh_until)
    assert [("etag", '"x"'), ("warning", "a"), ("warning", "b")] == kept.headers.pairs()


@pytest.mark.parametrize(
    ("lifetime", "expire"),
    [
        (None, STALE_SECONDS),
        (-5.0, STALE_SECONDS),
        (3600.0, STALE_SECONDS + 3600),
        (1e9, LONGEST_SECONDS),
    ],
)
def test_T08_entries_outlive_their_freshness(lifetime: float | None, expire: int) -> None:
    """By a week, and never for longer than memcached can say; in whole seconds, for all caches can count these."""
    cache = Timeout()
    fresh_until = None if lifetime is None else time.time() + lifetime
    run(Door(cache).put("key", answer(fresh_until=fresh_until), "/p"))
    assert [LONGEST_SECONDS, expire] == pytest.approx(cache.asked, abs=1)
    assert [int, int] == [type(asked) for asked in cache.asked]


def test_T02_dropping_a_path_drops_what_was_put_with_it(backend: Backend) -> None:
    """Nothing else, and what is put afterwards is there; a path that nothing was put with is no error."""
    first, second = Door(backend.cache()), Door(backend.cache())
    for key, path in (("a1", "/a"), ("a2", "/a"), ("b", "/b")):
        run(first.put(key, answer(), path))
    run(second.drop("/a"))
    run(second.drop("/never"))
    run(first.put("a2", answer(), "/a"))
    assert [False, True, True] == [run(first.get(key)) is not None for key in ("a1", "a2", "b")]


def test_T02_a_generation_that_is_lost_revives_nothing() -> None:
    """A cache may evict what it likes: what was dropped stays dropped."""
    cache = DictCache()
    door = Door(cache)
    run(door.put("key", answer(), "/p"))
    old = dict(cache._dict)
    run(door.drop("/p"))
    (place,) = [name for name, value in cache._dict.items() if isinstance(value, str)]
    cache.invalidate(place)
    assert run(door.get("key")) is None
    run(door.put("other", answer(), "/p"))
    assert run(door.get("key")) is None
    assert run(door.get("other")) is not None
    assert place in old


def test_T11_a_record_that_is_not_whole_is_a_miss() -> None:
    """Each of its parts is looked at, and a record under another key is not believed."""
    cache = DictCache()
    door = Door(cache)
    run(door.put("key", answer(fresh_until=1.0), "/p"))
    (name,) = [name for name, value in cache._dict.items() if isinstance(value, dict)]
    whole = cache.get(name)
    wrong = [None, object(), [], [["a"]], [["a", 1]], "text", 1.5]
    for part in whole:
        for value in wrong:
            if part == "fresh_until" and (value is None or isinstance(value, float)):
                continue
            if part == "headers" and value == []:
                continue
            cache.set(name, whole | {part: value})
            assert run(door.get("key")) is None, (part, value)
        cache.set(name, {key: value for key, value in whole.items() if key != part})
        assert (part == "fresh_until") == (run(door.get("key")) is not None), part
    for value in (b"bytes", "text", [whole], 1):
        cache.set(name, value)
        assert run(door.get("key")) is None
    cache.set(name, whole)
    assert run(door.get("key")) is not None


class Broken(BaseCache):
    """A cache whose server is away."""

    def __init__(self) -> None:
        self.away = True
        self.dict = DictCache()

    def _ask(self) -> DictCache:
        if self.away:
            raise ConnectionError("no server")
        return self.dict

    def set(self, key: Any, value: Any, expire: float | None = 300) -> None:
        self._ask().set(key, value, expire)

    def get(self, key: Any, default: Any = None) -> Any:
        return self._ask().get(key, default)

    def invalidate(self, key: Any) -> None:
        self._ask().invalidate(key)


def test_a_cache_that_is_away_costs_no_answer(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """It is told once, and used again as soon as it is back."""
    cache = Broken()
    client = connect(cache=cache)
    with caplog.at_level(logging.WARNING, "esipy.cache"):
        sources = [client.request(FORGE).source for _ in range(2)]
        assert ["Broken.get failed, so nothing is kept for now: ConnectionError: no server"] == caplog.messages
        cache.away = False
        sources += [client.request(FORGE).source for _ in range(2)]
        cache.away = True
        sources += [client.request(FORGE).source]
    assert ["network", "network", "network", "cache", "network"] == sources
    assert 2 == len(caplog.messages)


def test_T02_a_path_is_dropped_although_its_generation_could_not_be_read() -> None:
    """Reading fails, writing works: what was kept is not believed any more."""
    cache = Broken()
    cache.away = False
    door = Door(cache)
    run(door.put("key", answer(), "/p"))
    cache.get = lambda key, default=None: 1 / 0  # type: ignore[method-assign]
    run(door.drop("/p"))
    del cache.get  # type: ignore[method-assign]
    assert run(door.get("key")) is None


def test_methods_that_cannot_be_asked_for_their_arguments_are_called_as_version_1_did() -> None:
    """Some that are not written in Python; here ``dict.pop``, which loses what it gives."""
    cache = Timeout()
    run(Door(cache).put("key", answer(), "/p"))
    kept = {name: pickle.loads(raw) for name, raw in cache.kept.items()}
    cache.get = kept.pop  # type: ignore[method-assign]
    door = Door(cache)
    assert run(door.get("key")) is not None
    assert run(door.get("key")) is None


def test_a_method_that_no_arguments_fit_is_a_cache_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """The log says what is wrong with it."""
    cache = Timeout()
    cache.get = lambda: None  # type: ignore[assignment,misc]
    assert run(Door(cache).get("key")) is None
    assert "Timeout.get failed" in caplog.messages[0]
    assert "takes 0 positional arguments but 2 were given" in caplog.messages[0]


def test_clear_forgets_everything_where_a_cache_can() -> None:
    """And says so where it cannot."""
    door = Door(DictCache())
    run(door.put("key", answer(), "/p"))
    run(door.clear())
    assert run(door.get("key")) is None
    with pytest.raises(TypeError, match=r"Timeout has no clear\(\)"):
        run(Door(Timeout()).clear())
