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
from tests.stores.caches import BOUNDED, KINDS, NOW, PATH, SHARED, Place, answer, places

FALSY = [b"0.0", b"[]", b'""', b"false", b"null", b""]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each cache."""
    yield from places(request.param, tmp_path, request)


@pytest.fixture(params=BOUNDED)
def bounded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each cache that has a bound of its own."""
    yield from places(request.param, tmp_path, request)


@pytest.fixture(params=SHARED)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each cache of several processes."""
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


@pytest.mark.parametrize("ahead_seconds", [3600.0, -3600.0, 1e9])
def test_T06_processes_whose_clocks_differ_agree_on_freshness(shared: Place, ahead_seconds: float) -> None:
    """What is fresh for five minutes more is so for each, by its own clock."""
    writer, reader = shared.process(), shared.process(ahead_seconds=ahead_seconds)
    writer.put("a", answer(fresh_until=writer.runtime.now() + 300))
    shared.now += 100
    found = reader.get("a")
    assert found is not None
    assert found.fresh_until is not None
    assert found.fresh_until - reader.runtime.now() == pytest.approx(200, abs=0.001)


def test_T11_what_is_not_word_for_word_ours_is_a_miss(shared: Place) -> None:
    """Whatever a stranger put there, or a disk damaged; and it is kept again then."""
    process = shared.process()
    process.put("good", b"good")
    good = shared.raw("good")
    assert good is not None
    pickled = b"cos\nsystem\n(S'touch owned'\ntR."
    for data in (b"", b"x", b"x" * 200, pickled, good[:-1], good + b"x", good[:20] + b"\xff" + good[21:]):
        process.put("a")
        shared.plant("a", data)
        assert process.get("a") is None
        process.put("a", b"again")
        assert process.body("a") == b"again"


def test_T11_an_entry_under_another_key_is_a_miss(shared: Place) -> None:
    """One character's answer is not given to another by moving it."""
    process = shared.process()
    process.put("mine", b"mine")
    process.put("yours", b"yours")
    mine = shared.raw("mine")
    assert mine is not None
    shared.plant("yours", mine)
    assert process.get("yours") is None


def test_only_shared_caches_say_who_fetches(place: Place) -> None:
    """The others are of one process, or of version 1."""
    assert has_flights(place.process().store) == (place.kind in SHARED)


def test_one_claims_and_the_others_wait(shared: Place) -> None:
    """Until the answer is there, or the claim is given up; other keys are other claims."""
    first, second = shared.process(), shared.process()
    token = first.claim("a")
    assert token
    assert (second.claim("a"), first.claim("a")) == (None, None)
    assert second.claim("b")
    first.put("a", b"x", PATH, token)
    assert second.body("a") == b"x"
    again = second.claim("a")
    assert again
    assert first.claim("a") is None
    second.release("a", again)
    assert first.claim("a")


def test_tokens_only_grow(shared: Place) -> None:
    """Whoever claims, and whatever is dropped."""
    tokens = [0]
    for _ in range(5):
        process = shared.process()
        token = process.claim("a")
        assert token
        tokens.append(token)
        process.release("a", token)
        process.drop()
    assert tokens == sorted(set(tokens))


def test_a_claim_ends_by_itself(shared: Place) -> None:
    """Its holder may have died. It ends no later claim, and puts nothing over what came from that."""
    late, other = shared.process(), shared.process()
    old = late.claim("a", 0.001)
    assert old
    new = shared.let_end(lambda: other.claim("a"))
    late.release("a", old)
    late.put("a", b"old", PATH, old)
    assert late.body("a") is None
    assert late.claim("a") is None
    other.put("a", b"new", PATH, new)
    late.put("a", b"old", PATH, old)
    assert late.body("a") == b"new"


def test_who_is_late_but_alone_is_kept(shared: Place) -> None:
    """The claim is over, and nobody else has claimed it since."""
    process = shared.process()
    old = process.claim("a", 0.001)
    other = shared.let_end(lambda: process.claim("b", 0.001))
    assert old is not None
    assert other > old
    process.put("a", b"late", PATH, old)
    assert process.body("a") == b"late"


@pytest.mark.parametrize("verb", ["drop", "clear"])
def test_T02_what_was_being_read_when_its_path_was_dropped_is_not_kept(shared: Place, verb: str) -> None:
    """It may be from before the write, whichever process reads; the claim ends all the same. Other paths are kept."""
    reader, writer = shared.process(), shared.process()
    token, other = reader.claim("a"), reader.claim("b")
    writer.drop() if verb == "drop" else writer.clear()
    reader.put("a", b"before", PATH, token)
    reader.put("b", b"other", "/other", other)
    assert reader.body("a") is None
    assert reader.body("b") == (b"other" if verb == "drop" else None)
    after = writer.claim("a")
    writer.put("a", b"after", PATH, after)
    assert reader.body("a") == b"after"


def test_a_token_that_the_store_does_not_know_keeps_nothing(shared: Place) -> None:
    """It was given before the store was lost, and with it what was dropped. Nothing is fenced off by it, either."""
    process = shared.process()
    token = process.claim("a")
    assert token
    process.put("a", b"unknown", PATH, token + 1_000_000_000)
    assert process.get("a") is None
    process.put("a", b"known", PATH, token)
    assert process.body("a") == b"known"


def test_without_a_token_it_is_kept_in_any_case(shared: Place) -> None:
    """And what was claimed before it is older."""
    first, second = shared.process(), shared.process()
    token = first.claim("a")
    second.put("a", b"newer")
    first.put("a", b"older", PATH, token)
    assert first.body("a") == b"newer"


def test_what_is_kept_is_counted(shared: Place) -> None:
    """By every process the same; what was put twice is there once, and what was dropped makes room when it is due."""
    one, other = shared.process(), shared.process()
    assert (0, 0) == one.shared.size()
    one.put("a", path="/a")
    one.put("b", b"x" * 1500, path="/b")
    other.put("b", b"x" * 1500, path="/b")
    entries, stored_bytes = other.shared.size()
    assert 2 == entries
    assert 1500 < stored_bytes < 5000
    one.shared.drop("/b")
    assert 1 <= other.shared.size()[0] <= 2
    other.shared.clear()
    assert (0, 0) == one.shared.size()


def test_bodies_are_kept_small(shared: Place) -> None:
    """Large ones are compressed; small ones are not worth it, nor those that do not get smaller."""
    process = shared.process()
    bodies = {"rows": b'{"type_id":34,"price":5.01},' * 1000, "small": b"x" * 500}
    bodies["noise"] = random.Random(1).randbytes(10_000)
    for key, body in bodies.items():
        process.put(key, body)
        assert process.body(key) == body
    sizes = {key: len(shared.raw(key) or b"") for key in bodies}
    assert sizes["rows"] < 1000
    assert 500 < sizes["small"] < 800
    assert 10_000 < sizes["noise"] < 10_300
