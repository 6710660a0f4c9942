"""Fresh answers need no exchange, stale ones are revalidated; what is kept, for how long, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from esipy import ops
from esipy.stores.memory import MemoryCache
from tests.engine.kit import COLOURS, FRESH, ITEM, ORDERS, STATUS, WALLET, Bench, Login, Script, answer, date


@pytest.mark.parametrize("colour", COLOURS)
def test_a_fresh_answer_is_given_without_an_exchange(colour: str) -> None:
    """The second call is a hit: same data, source ``cache``, one request."""
    script = Script(answer(**FRESH))
    bench = Bench(colour, script)
    first, second = bench.perform(STATUS), bench.perform(STATUS)
    assert [first.source, second.source] == ["network", "cache"]
    assert first.data == second.data
    assert len(script.requests) == 1


@pytest.mark.parametrize("colour", COLOURS)
def test_T02_a_write_reaches_the_network_and_drops_the_read(colour: str) -> None:
    """After POST fittings, GET fittings is asked for again although it was fresh."""
    read = ops.fittings.get_characters_character_id_fittings(character_id=91)
    write = ops.fittings.post_characters_character_id_fittings(
        character_id=91, body={"name": "a", "description": "b", "ship_type_id": 587, "items": [ITEM]}
    )
    script = Script(answer([], **FRESH), answer({"fitting_id": 5}, 201), answer([], **FRESH))
    bench = Bench(colour, script, signer=Login())
    for call in (read, read, write, read):
        bench.perform(call)
    assert [target.split()[0] for target in script.targets] == ["GET", "POST", "GET"]


def test_T02_deleting_a_thing_drops_the_list_it_was_in() -> None:
    """DELETE fittings/5 makes GET fittings reach the network."""
    read = ops.fittings.get_characters_character_id_fittings(character_id=91)
    delete = ops.fittings.delete_characters_character_id_fittings_fitting_id(character_id=91, fitting_id=5)
    script = Script(answer([], **FRESH), answer(b"", 204), answer([], **FRESH))
    bench = Bench("blocking", script, signer=Login())
    for call in (read, delete, read):
        bench.perform(call)
    assert len(script.requests) == 3


def test_T02_a_read_that_a_write_overtook_is_not_kept() -> None:
    """A GET that was under way while a POST changed its list is given to who asked, and asked for again."""
    read = ops.fittings.get_characters_character_id_fittings(character_id=91)
    write = ops.fittings.post_characters_character_id_fittings(
        character_id=91, body={"name": "a", "description": "b", "ship_type_id": 587, "items": [ITEM]}
    )
    bench = Bench("simulated", Script(), signer=Login())
    bench.runtime._server = lambda request: (
        answer([], **FRESH) if request.method == "GET" else answer({"fitting_id": 5}, 201)
    )

    async def story() -> list[str]:
        flights = [bench.runtime.spawn(bench.engine.perform(call)) for call in (read, write)]
        sources = [(await bench.runtime.join(flight)).source for flight in flights]
        return [*sources, *[(await bench.engine.perform(read)).source for _ in range(2)]]

    assert bench.run(story()) == ["network", "network", "network", "cache"]


@pytest.mark.parametrize("shared", [False, True])
def test_T02_a_write_while_an_answer_is_being_put_drops_it(shared: bool) -> None:
    """Between the check and the end of ``put`` a write comes, from this client or another with the same store."""
    read = ops.fittings.get_characters_character_id_fittings(character_id=91)
    delete = ops.fittings.delete_characters_character_id_fittings_fitting_id(character_id=91, fitting_id=5)

    class Slow(MemoryCache):
        async def put(self, key: str, answer: Any, path: str) -> None:
            if len(script.requests) == 1:
                writer.perform(delete)
            await super().put(key, answer, path)

    store = Slow()
    script = Script(answer([], **FRESH), answer(b"", 204), answer([], **FRESH))
    reader = Bench("blocking", script, signer=Login(), cache=store)
    writer = Bench("blocking", script, signer=Login(), cache=store) if shared else reader
    assert [reader.perform(read).source for _ in range(2)] == ["network", "network"]


@pytest.mark.parametrize("skew", [-3600.0, 0.0, 3600.0])
def test_T06_a_wrong_local_clock_moves_no_lifetime(skew: float) -> None:
    """``Expires`` is measured against the server's ``Date``: 60 s of freshness, whatever the local clock says."""
    server_time = 1785844800.0
    script = Script(answer(date=date(server_time + skew), expires=date(server_time + skew + 60)))
    bench = Bench("simulated", script)

    async def story() -> list[str]:
        sources = []
        for pause in (0, 55, 10):
            await bench.runtime.sleep(pause)
            sources.append((await bench.engine.perform(STATUS)).source)
        return sources

    assert bench.run(story()) == ["network", "cache", "network"]


@pytest.mark.parametrize("colour", COLOURS)
def test_T07_a_304_gives_back_the_kept_body_and_headers_refreshed(colour: str) -> None:
    """A bare 304 keeps X-Pages, Expires and the body, and makes the entry fresh again."""
    kept = answer([], cache_control="max-age=0", etag='"a"', x_pages="7", expires=date(0), date=date(0))
    script = Script(kept, answer(b"", 304, cache_control="max-age=300"))
    bench = Bench(colour, script)
    first, second, third = (bench.perform(ORDERS) for _ in range(3))
    assert [first.source, second.source, third.source] == ["network", "revalidated", "cache"]
    assert (second.status, second.data, second.pages, second.header["X-Pages"]) == (200, [], 7, [7])
    assert "expires" in second.headers
    assert len(script.requests) == 2


def test_both_validators_are_sent() -> None:
    """A stale entry is revalidated with its ETag and its Last-Modified."""
    modified = date(1785840000)
    script = Script(answer(cache_control="max-age=0", etag='W/"x"', last_modified=modified))
    bench = Bench("blocking", script)
    bench.perform(STATUS)
    bench.perform(STATUS)
    assert (script.header(1, "If-None-Match"), script.header(1, "If-Modified-Since")) == ('W/"x"', modified)


def test_T08_validators_outlive_freshness() -> None:
    """A day after an entry went stale it is still revalidated, not fetched anew."""
    script = Script(answer(**FRESH), answer(b"", 304))
    bench = Bench("simulated", script)

    async def story() -> str:
        await bench.engine.perform(STATUS)
        await bench.runtime.sleep(86400)
        return (await bench.engine.perform(STATUS)).source

    assert bench.run(story()) == "revalidated"


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (WALLET, 0.0),
        (ORDERS, []),
        (ops.search.get_characters_character_id_search(character_id=91, categories=["agent"], search="abc"), {}),
    ],
)
def test_T09_falsy_bodies_are_hits(call: object, body: object) -> None:
    """``0.0``, ``[]`` and ``{}`` are data: kept, and given back without a request."""
    script = Script(answer(body, **FRESH))
    bench = Bench("blocking", script, signer=Login())
    first, second = bench.perform(call), bench.perform(call)
    assert (second.source, second.data) == ("cache", first.data)


def test_no_store_is_not_kept() -> None:
    """``no-store`` keeps nothing, not even the validator."""
    script = Script(answer(cache_control="no-store", etag='"a"'))
    bench = Bench("blocking", script)
    responses = [bench.perform(STATUS) for _ in range(2)]
    assert [r.source for r in responses] == ["network", "network"]
    assert script.header(1, "If-None-Match") is None
    assert responses[0].expires_at is None


@pytest.mark.parametrize("status", [200, 304])
def test_no_store_takes_away_what_was_kept(status: int) -> None:
    """An answer that may not be kept any more ends the entry: the next call does not revalidate."""
    script = Script(answer(cache_control="max-age=0", etag='"a"'), answer(status=status, cache_control="no-store"))
    bench = Bench("blocking", script)
    for _ in range(3):
        bench.perform(STATUS)
    assert [script.header(place, "If-None-Match") for place in range(3)] == [None, '"a"', None]


def test_an_error_leaves_what_is_kept() -> None:
    """A 500 between two reads does not drop the validator."""
    script = Script(answer(cache_control="max-age=0", etag='"a"'), answer({"error": "x"}, 500), answer(b"", 304))
    bench = Bench("blocking", script)
    assert [bench.perform(STATUS).status for _ in range(3)] == [200, 500, 200]
    assert script.header(2, "If-None-Match") == '"a"'


def test_the_catalogue_decides_where_headers_say_nothing() -> None:
    """Without headers, an order page is fresh for the operation's 300 s."""
    script = Script(answer([]))
    bench = Bench("simulated", script)

    async def story() -> list[str]:
        sources = []
        for pause in (0, 299, 2):
            await bench.runtime.sleep(pause)
            sources.append((await bench.engine.perform(ORDERS)).source)
        return sources

    assert bench.run(story()) == ["network", "cache", "network"]


def test_a_head_reaches_the_network_and_has_no_data() -> None:
    """HEAD neither reads nor writes the cache."""
    script = Script(answer(b"", x_pages="7"))
    bench = Bench("blocking", script)
    responses = [bench.perform(ORDERS, method="HEAD") for _ in range(2)]
    assert [target.split()[0] for target in script.targets] == ["HEAD", "HEAD"]
    assert [(r.data, r.pages) for r in responses] == [(None, 7)] * 2
