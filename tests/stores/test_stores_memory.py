"""The cache in memory: bounded by bytes, the least recently used goes first, shared by threads."""

from __future__ import annotations

import random
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.runtime.blocking import run
from esipy.stores.memory import ENTRY_BYTES, HEADER_BYTES, MemoryCache

NO_HEADERS = Headers()


def answer(body: bytes = b"", headers: Headers = NO_HEADERS, fresh_until: float | None = None) -> Answer:
    """An answer to keep."""
    return Answer(200, headers, body, fresh_until=fresh_until)


def get(cache: MemoryCache, key: str) -> bytes | None:
    """The body that is kept under a key."""
    kept = run(cache.get(key))
    return None if kept is None else kept.body


def put(cache: MemoryCache, key: str, body: bytes = b"", path: str = "/p") -> None:
    """Keep a body."""
    run(cache.put(key, answer(body), path))


def test_what_was_put_is_got() -> None:
    """The answer itself, until another is put under its key; another key is a miss."""
    cache, kept = MemoryCache(), answer(b"1")
    run(cache.put("a", kept, "/p"))
    assert kept is run(cache.get("a"))
    assert run(cache.get("b")) is None
    put(cache, "a", b"2")
    assert (b"2", 1) == (get(cache, "a"), len(cache))


@pytest.mark.parametrize("body", [b"", b"0.0", b"[]", b'""', b"false", b"null"])
def test_T09_falsy_bodies_are_hits(body: bytes) -> None:
    """Zero, nothing and no are answers."""
    cache = MemoryCache()
    put(cache, "a", body)
    assert body == get(cache, "a")


def test_T08_stale_answers_stay_for_their_validators() -> None:
    """Freshness is not the store's business."""
    cache = MemoryCache()
    run(cache.put("a", answer(headers=Headers([("ETag", '"x"')]), fresh_until=0.0), "/p"))
    kept = run(cache.get("a"))
    assert kept is not None
    assert ('"x"', 0.0) == (kept.headers["etag"], kept.fresh_until)


def test_T02_a_path_drops_all_that_was_put_with_it() -> None:
    """And nothing else; a path that nothing was put with is no error."""
    cache = MemoryCache()
    for key, path in (("a1", "/a"), ("a2", "/a"), ("b1", "/b")):
        put(cache, key, b"x", path)
    run(cache.drop("/a"))
    run(cache.drop("/never"))
    assert [None, None, b"x"] == [get(cache, key) for key in ("a1", "a2", "b1")]


def test_a_key_moves_to_its_new_path() -> None:
    """Dropping the path it had before leaves it alone."""
    cache = MemoryCache()
    put(cache, "a", b"1", "/old")
    put(cache, "a", b"2", "/new")
    run(cache.drop("/old"))
    assert b"2" == get(cache, "a")
    run(cache.drop("/new"))
    assert get(cache, "a") is None


def test_the_least_recently_used_goes_first() -> None:
    """Getting is using; so is putting."""
    cache = MemoryCache(10 * (ENTRY_BYTES + 1000 + len("0/p")))
    for key in "0123456789":
        put(cache, key, b"x" * 1000)
    get(cache, "0")
    put(cache, "1", b"x" * 1000)
    put(cache, "a", b"x" * 1000)
    put(cache, "b", b"x" * 1000)
    assert list("0145" + "6789ab") == [key for key in "0123456789ab" if get(cache, key) is not None]


def test_one_answer_never_takes_it_all() -> None:
    """Larger than a quarter: not kept, and what was there under its key is gone, being out of date."""
    cache = MemoryCache(40_000)
    put(cache, "small", b"x")
    put(cache, "large", b"old")
    put(cache, "large", b"x" * 10_000)
    assert (b"x", None, 1) == (get(cache, "small"), get(cache, "large"), len(cache))


def test_clear_forgets_everything() -> None:
    """And the room is free again."""
    cache = MemoryCache(40_000)
    for _ in range(3):
        for key in "abc":
            put(cache, key, b"x" * 9_000)
        assert 3 == len(cache)
        run(cache.clear())
        assert (0, None) == (len(cache), get(cache, "a"))


actions = st.lists(
    st.tuples(st.sampled_from("pppgd"), st.sampled_from("abcdefgh"), st.integers(0, 3000), st.sampled_from("xyz"))
)


@given(actions, st.integers(1, 20_000))
def test_the_bound_holds_whatever_is_done(steps: list[tuple[str, str, int, str]], max_bytes: int) -> None:
    """After any puts, gets and drops: what is counted is what is there, and within the bound."""
    cache = MemoryCache(max_bytes)
    for action, key, size, path in steps:
        if action == "p":
            put(cache, key, b"x" * size, path)
        elif action == "g":
            get(cache, key)
        else:
            run(cache.drop(path))
        counted = sum(
            len(kept.body) + len(key) + len(where) + ENTRY_BYTES for key, (kept, where, _) in cache._entries.items()
        )
        assert cache._bytes == counted <= max_bytes
        named = [[keys] if isinstance(keys, str) else keys for keys in cache._keys_by_path.values()]
        assert sorted(cache._entries) == sorted(key for keys in named for key in keys)


def test_long_keys_and_many_headers_count() -> None:
    """A key that holds a body of a thousand ids is no small thing."""
    cache = MemoryCache(100_000)
    for number in range(100):
        put(cache, f"{number:010000}")
    assert 9 == len(cache)
    cache = MemoryCache(100_000)
    headers = Headers((f"h{number}", "v") for number in range(50))
    for number in range(100):
        run(cache.put(f"{number}", answer(headers=headers), "/p"))
    assert 100_000 // (ENTRY_BYTES + 50 * HEADER_BYTES + 4) == len(cache)


def test_what_it_counts_is_what_memory_holds() -> None:
    """Within a quarter, for answers as ESI sends them: measured."""

    def fill(entries: int) -> MemoryCache:
        cache = MemoryCache()
        for number in range(entries):
            block = "".join(f"X-Header-{name}: some value of a usual length {number:08}\r\n" for name in range(15))
            path = f"https://esi.evetech.net/markets/{number}/orders"
            body = b"x" * (number % 500)
            run(cache.put(f"GET {path}?page=1 en tranquility 2026-08-04 ip", answer(
                body, Headers.parse(block.encode()), 1785844800.0 + number), path))  # fmt: skip
        return cache

    fill(200)  # what is made once is made
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        cache = fill(2000)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.75 < cache._bytes / held < 1.25


def test_threads_share_it() -> None:
    """Eight threads that begin together put, get, drop and clear: nothing breaks, and the count is right."""
    cache = MemoryCache(60_000)
    begin = threading.Barrier(8)

    def work(seed: int) -> None:
        chosen = random.Random(seed)
        begin.wait(timeout=30)
        for _ in range(2000):
            key = chosen.choice("abcdefghijkl")
            match chosen.randrange(10):
                case 0:
                    run(cache.drop(f"/{chosen.choice('xy')}"))
                case 1:
                    run(cache.clear()) if chosen.random() < 0.1 else None
                case 2 | 3 | 4:
                    put(cache, key, key.encode() * chosen.randrange(8000), f"/{chosen.choice('xy')}")
                case _:
                    body = get(cache, key)
                    assert body is None or set(body) <= {ord(key)}

    with ThreadPoolExecutor(8) as pool:
        for flight in [pool.submit(work, seed) for seed in range(8)]:
            flight.result(timeout=60)
    entries = cache._entries.items()
    assert cache._bytes == sum(len(kept.body) + len(key) + len(path) + ENTRY_BYTES for key, (kept, path, _) in entries)
    assert cache._bytes <= 60_000
