"""What all of version 1's caches do, each over the real thing."""

from __future__ import annotations

import pickle
import time
from collections import namedtuple
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.cache import BaseCache, DummyCache, _hash
from esipy.core.objects import DataObject
from esipy.stores.doors_records import pack, unpack
from tests.cache.backends import Backend
from tests.seeds import printed

KEYS: list[Any] = [
    "text",
    "a text with spaces, \n, \x00 and ünicode " * 20,
    b"bytes",
    7,
    ("https://esi.evetech.net/status/", frozenset({("User-Agent", "x")}), frozenset(), frozenset()),
]

LEAVES = [
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
]
plain = st.recursive(
    st.one_of(*LEAVES, st.datetimes(timezones=st.none() | st.just(UTC)).map(lambda moment: moment.replace(fold=0))),
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(st.text() | st.integers(0, 2**63), inner),
        st.frozensets(st.integers(0, 2**63) | st.text()),
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: str(type(key).__name__))
def test_what_was_set_is_got_until_it_is_invalidated(backend: Backend, key: Any) -> None:
    """By position, as version 1's programs call; other caches over the same store see it too."""
    cache, other = backend.cache(), backend.cache()
    assert cache.get(key) is None
    assert "default" == cache.get(key, "default")
    cache.set(key, {"a": [1, (2.5, None)]}, 300)
    assert {"a": [1, (2.5, None)]} == cache.get(key) == other.get(key, "default")
    other.set(key, "new")
    assert "new" == cache.get(key)
    cache.invalidate(key)
    cache.invalidate(key)
    assert other.get(key) is None


@pytest.mark.parametrize("value", [0, 0.0, False, "", b"", [], (), {}], ids=repr)
def test_T09_falsy_values_are_hits(backend: Backend, value: object) -> None:
    """Only None is a miss, and what comes back has the type that it had."""
    cache = backend.cache()
    cache.set("key", value)
    found = cache.get("key", "default")
    assert (type(value), value) == (type(found), found)


def test_none_is_a_miss(shared: Backend) -> None:
    """Whether it was set or not."""
    cache = shared.cache()
    cache.set("key", None)
    assert "default" == cache.get("key", "default")


@pytest.mark.parametrize("expire", [0, None, 0.5, 300, 40 * 86400, 315360000])
def test_any_time_from_now_on_keeps(backend: Backend, expire: float | None) -> None:
    """0 and None mean no end; a part of a second counts for a whole one; more than memcached's thirty days too."""
    cache = backend.cache()
    cache.set("key", "value", expire)
    assert "value" == cache.get("key")


def test_a_time_beyond_memcacheds_last_date_keeps(shared: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """What version 1's programs keep for ten years is kept from the year 2028 on, too."""
    monkeypatch.setattr(time, "time", lambda: 1_900_000_000.0)
    cache = shared.cache()
    cache.set("key", "value", 315360000)
    assert "value" == cache.get("key")


def test_a_time_below_zero_forgets(shared: Backend) -> None:
    """What was there before does not come back."""
    cache = shared.cache()
    cache.set("key", "old")
    cache.set("key", "new", -1)
    assert cache.get("key") is None


def test_the_server_is_told_when_to_forget(shared: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that was asked for, in whole seconds."""
    cache, now = shared.cache(), time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    cache.set("key", "value", 100)
    if shared.name == "redis":
        assert 95 <= shared.client().ttl(_hash("key")) <= 100
    elif shared.name == "memcached by pymemcache":
        client = shared.client()
        left = int(client.raw_command(f"mg {_hash('key')} t".encode(), b"\r\n").partition(b" t")[2])
        cache.set("far", "value", 40 * 86400)
        far = int(client.raw_command(f"mg {_hash('far')} t".encode(), b"\r\n").partition(b" t")[2])
        # memcached's own clock is some seconds behind.
        assert (100, 40 * 86400) == pytest.approx((left, far), abs=5)
    elif shared.name == "file":
        monkeypatch.setattr(time, "time", lambda: now + 99)
        assert "value" == cache.get("key")
        monkeypatch.setattr(time, "time", lambda: now + 101)
        assert cache.get("key") is None


def _kinds(value: Any) -> Any:
    """The types in it, at every depth."""
    if isinstance(value, dict):
        return [(_kinds(name), _kinds(item)) for name, item in value.items()]
    return (type(value), [_kinds(item) for item in value] if isinstance(value, (list, tuple)) else None)


@given(plain)
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    """Types too: a tuple is no list, a datetime keeps its zone."""
    again = unpack(pack(value))
    assert value == again
    assert _kinds(value) == _kinds(again)


def test_what_stands_on_plain_data_is_kept_as_that() -> None:
    """A named tuple is a tuple, a version 1 data object a dict, a status its number."""
    assert [int, 404] == [type(unpack(pack(HTTPStatus.NOT_FOUND))), unpack(pack(HTTPStatus.NOT_FOUND))]
    kept = namedtuple("kept", "status body")(200, b"x")
    assert (200, b"x") == unpack(pack(kept))
    again = unpack(pack(DataObject(name="n", rows=[1])))
    assert ({"name": "n", "rows": [1]}, dict) == (again, type(again))


@pytest.mark.parametrize(
    "value",
    [object(), test_none_is_a_miss, {"deep": [timedelta(1)]}, Path("x")],
    ids=["an object", "a function", "a timedelta inside", "a path"],
)
def test_T11_other_things_are_refused_with_the_way_out(shared: Backend, value: object) -> None:
    """When they are set, not when they are missed."""
    with pytest.raises(TypeError, match=r"plain data.*DictCache keeps any object"):
        shared.cache().set("key", value)


class Trap:
    """An object whose pickle makes a file when it is read."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.file,))


def test_T11_nothing_is_unpickled(shared: Backend, tmp_path: Path) -> None:
    """A pickle that somebody planted, as bytes or as the client's own object, is a miss and does not run."""
    trap = Trap(tmp_path / "sprung")
    cache = shared.cache()
    shared.plant("key", pickle.dumps(trap))
    assert "default" == cache.get("key", "default")
    if shared.name == "memcached by python-memcached":
        client = shared.client()
        client.set(_hash("key"), trap)
        assert "default" == cache.get("key", "default")
        client.set(_hash("harmless"), [1])
        assert [1] == client.get(_hash("harmless")), "a program's own pickles are its own business"
    assert not trap.file.exists()
    pickle.loads(pickle.dumps(trap))
    assert trap.file.exists(), "the trap works"


def test_T11_a_corrupt_entry_is_a_miss(shared: Backend) -> None:
    """Cut anywhere, changed, of another version, or anything else."""
    cache = shared.cache()
    whole = pack({"a": ("b", datetime(2026, 8, 4, tzinfo=UTC))})
    broken = [whole[:end] for end in range(len(whole))]
    broken += [
        b"",
        b"x",
        b"\x80\x04.",
        whole.replace(b"esipy1", b"esipy2"),
        whole + b"x",
        whole.replace(b"2026", b"20x6"),
    ]
    broken += [b"esipy1:" + b"\x91" * 100_000]
    broken += [b"esipy1:" + msgspec.msgpack.encode(msgspec.msgpack.Ext(code, b"\x01")) for code in range(10)]
    for raw in broken:
        shared.plant("key", raw)
        assert "default" == cache.get("key", "default"), raw[:80]
    shared.plant("key", whole)
    assert cache.get("key") is not None


@given(st.binary())
def test_T11_any_bytes_are_data_or_refused(raw: bytes) -> None:
    """Reading never fails in another way."""
    try:
        data = unpack(b"esipy1:" + raw)
    except ValueError:
        data = None
    plain = (type(None), bool, int, float, str, bytes, list, dict, date)
    assert isinstance(data, plain) or type(data).__module__.startswith(("msgspec", "datetime"))


def test_T08_a_key_is_the_same_in_every_process() -> None:
    """Whatever the hash seed: version 1's own key has sets in it, and theirs was another each time."""
    program = (
        "from esipy.cache import _hash\n"
        "print(_hash(('https://x/', frozenset({('a', 'b'), ('c', 'd'), ('e', 'f')}), {'g': 1.5, 'h': None}, b'', -3)))"
    )
    assert ["esi_4d92"] == [text[:8] for text in printed(program, "1", "2", "3")]


def test_different_keys_have_different_names() -> None:
    """Also those that look alike when they are written one after the other."""
    keys: list[Any] = [
        None, True, False, 0, 1, 1.0, "", "1", b"1", (), [], (1,), [1], ("1", "2"), ("12",), (("1",), "2"),
        frozenset(), frozenset({1}), frozenset({"1"}), {}, {1: 2}, {2: 1}, ("a", ()), (("a",),), ("a", "s1:b"),
        ("as1:b",), datetime(2026, 8, 4),
    ]  # fmt: skip
    assert len(keys) == len({_hash(key) for key in keys})
    assert _hash({"a": 1, "b": 2}) == _hash({"b": 2, "a": 1})
    assert len("esi_") + 64 == len(_hash(keys))


def test_a_key_that_could_not_last_is_refused() -> None:
    """An object known only by its address is another in every process."""
    with pytest.raises(TypeError, match="object cannot be"):
        _hash(("x", object()))


def test_a_mapping_of_ones_own_is_a_key() -> None:
    """As its items."""

    class Own(Mapping[str, int]):
        def __getitem__(self, name: str) -> int:
            return {"a": 1}[name]

        def __iter__(self) -> Any:
            return iter(["a"])

        def __len__(self) -> int:
            return 1

    assert _hash({"a": 1}) == _hash(Own())


def test_the_base_has_nothing_of_its_own() -> None:
    """As in version 1, who derives from it has to bring all three."""
    cache = BaseCache()
    for ask in (lambda: cache.get("k"), lambda: cache.set("k", 1), lambda: cache.invalidate("k")):
        with pytest.raises(NotImplementedError):
            ask()


def test_the_dummy_keeps_nothing() -> None:
    """And takes everything."""
    cache = DummyCache()
    cache.set("key", object(), 5)
    cache.invalidate("key")
    cache.clear()
    assert (None, "default") == (cache.get("key"), cache.get("key", "default"))
