"""One contract for every cache: memory, a file, a server, and version 1's behind their door."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.stores.flights import has_flights
from tests.stores.caches import BOUNDED, KINDS, NOW, SHARED, Place, answer, places

FALSY = [b"0.0", b"[]", b'""', b"false", b"null", b""]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each cache."""
    yield from places(request.param, tmp_path, request)


@pytest.fixture(params=BOUNDED)
def bounded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each cache that has a bound of its own."""
    yield from places(request.param, tmp_path, request)


def seen(found: Answer | None) -> tuple[object, ...]:
    """All that matters of an answer."""
    assert found is not None
    return (found.status, found.headers.pairs(), found.body, found.fresh_until)


def test_what_was_never_put_is_a_miss(place: Place) -> None:
    """None."""
    assert place.process().get("a") is None


@pytest.mark.parametrize("size", [0, 14, 100_000])
def test_what_is_put_comes_back(place: Place, size: int) -> None:
    """Word for word, in every process: status, headers that came twice, body, and until when it is fresh."""
    put = Answer(
        201, Headers([("ETag", 'W/"ü"'), ("X-Pages", "3"), ("Via", "one"), ("via", "two")]),
        random.Random(1).randbytes(size), fresh_until=NOW + 123.25,
    )  # fmt: skip
    place.process().put("a", put)
    assert seen(place.process().get("a")) == seen(put)


@pytest.mark.parametrize("body", FALSY)
def test_T09_falsy_bodies_are_hits(place: Place, body: bytes) -> None:
    """Zero, nothing and no are answers."""
    process = place.process()
    process.put("a", body)
    assert process.body("a") == body


@pytest.mark.parametrize("fresh_until", [NOW - 86_400.0, NOW, None])
def test_T08_validators_outlive_freshness_and_restarts(place: Place, fresh_until: float | None) -> None:
    """A process that comes later, under the same key, finds what to ask with."""
    place.process().put("a", answer(fresh_until=fresh_until))
    place.now += 5 * 86_400
    found = place.process().get("a")
    assert found is not None
    assert (found.headers["etag"], found.fresh_until) == ('"x"', fresh_until)


def test_the_last_put_counts(place: Place) -> None:
    """In the place of what was there."""
    first, second = place.process(), place.process()
    first.put("a", b"1")
    second.put("a", b"2")
    assert (first.body("a"), second.body("a")) == (b"2", b"2")


def test_T02_a_path_drops_all_that_was_put_with_it(place: Place) -> None:
    """For every process, and nothing else; a path that nothing was put with is no error."""
    reader, writer = place.process(), place.process()
    for key, path in (("a1", "/a"), ("a2", "/a"), ("b1", "/b")):
        reader.put(key, b"x", path)
    writer.drop("/a")
    writer.drop("/never")
    assert [reader.body(key) for key in ("a1", "a2", "b1")] == [None, None, b"x"]
    reader.put("a1", b"y", "/a")
    assert writer.body("a1") == b"y"


def test_a_key_moves_to_its_new_path(place: Place) -> None:
    """Dropping the path that it had before leaves it alone."""
    process = place.process()
    process.put("a", b"1", "/old")
    process.put("a", b"2", "/new")
    process.drop("/old")
    assert process.body("a") == b"2"
    process.drop("/new")
    assert process.body("a") is None


def test_clear_forgets_everything(bounded: Place) -> None:
    """For every process; what comes after is kept."""
    first, second = bounded.process(), bounded.process()
    for key in "abc":
        first.put(key, b"x", f"/{key}")
    second.clear()
    second.put("d")
    assert [first.body(key) for key in "abcd"] == [None, None, None, b"x"]


def test_what_is_too_large_is_not_kept(bounded: Place) -> None:
    """A quarter of the bound; nor is what it would have replaced."""
    process = bounded.process(max_bytes=400_000)
    process.put("small")
    process.put("large", b"old")
    process.put("large", random.Random(1).randbytes(150_000))
    assert (process.body("small"), process.body("large")) == (b"x", None)


def test_the_least_recently_used_goes_first(bounded: Place) -> None:
    """Getting is using; so is putting."""
    process = bounded.process(max_bytes=400_000)
    body = random.Random(1).randbytes(30_000)
    for number in range(40):
        bounded.now += 60
        process.put("put again", body)
        process.put(str(number), body)
        assert process.body("0") == body
    kept = [number for number in range(40) if process.body(str(number)) is not None]
    assert process.body("put again") == body
    assert kept == [0, *range(41 - len(kept), 40)]
    assert 6 <= len(kept) <= 12


def test_threads_share_a_cache(place: Place) -> None:
    """Eight that begin together put, get, drop and clear: what comes back is what was put, and nothing breaks."""
    process = place.process()
    begin = threading.Barrier(8)

    def work(seed: int) -> None:
        chosen = random.Random(seed)
        begin.wait(timeout=30)
        for _ in range(60):
            key = chosen.choice("abcdef")
            match chosen.randrange(10):
                case 0:
                    process.drop(f"/{chosen.choice('xy')}")
                case 1 | 2 | 3:
                    process.put(key, key.encode() * chosen.randrange(1, 5000), f"/{chosen.choice('xy')}")
                case _:
                    body = process.body(key)
                    assert body is None or set(body) == {ord(key)}

    with ThreadPoolExecutor(8) as pool:
        for flight in [pool.submit(work, seed) for seed in range(8)]:
            flight.result(timeout=60)
    process.put("a", b"still")
    assert process.body("a") == b"still"


def test_only_shared_caches_say_who_fetches(place: Place) -> None:
    """The others are of one process, or of version 1."""
    assert has_flights(place.process().store) == (place.kind in SHARED)
