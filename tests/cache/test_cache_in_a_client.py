"""Version 1's caches behind both clients: those of the library, those that programs wrote, and those that are away."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from esipy import EsiClient, ops
from esipy.cache import DictCache, DummyCache
from esipy.exceptions import SettingError
from esipy.sandbox import RunningSandbox, serve
from tests.cache.backends import Backend
from tests.cache.programs_caches import Anything, Bare, Broken, MaxAge, Outdated, Timeout
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
