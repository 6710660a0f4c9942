"""The door between the engine and version 1's caches, which have nothing but get, set and invalidate."""

from __future__ import annotations

import pickle
import time

import pytest

from esipy.cache import DictCache
from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.runtime.blocking import run
from esipy.stores.doors import LONGEST_SECONDS, STALE_SECONDS, Door
from tests.cache.backends import Backend
from tests.cache.programs_caches import Broken, Timeout


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
