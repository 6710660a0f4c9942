"""Answers as bytes: they come back word for word, or not at all."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.stores import cache_entries
from esipy.stores.cache_entries import COMPRESS_BYTES, name_of, pack, unpack

REFUSED = r"damaged|body of|Expected|Object|Input|trailing|Unexpected|Invalid"
NAME = name_of("GET /status")
text = st.text(st.characters(codec="utf-8"))
bodies = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda part, times: part * times, st.binary(min_size=1, max_size=50), st.integers(1, 500)),
    st.builds(lambda seed: bytes((seed * n * n) % 251 for n in range(3000)), st.integers(1, 250)),
)
answers = st.builds(Answer, st.integers(100, 599), st.builds(Headers, st.lists(st.tuples(text, text))), bodies)


def seen(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """What is packed of an answer."""
    return (answer.status, answer.headers.pairs(), answer.body)


def forged(content: object) -> bytes:
    """An entry with a right checksum, of something else."""
    raw = msgspec.msgpack.encode(content)
    return b"ea1" + zlib.crc32(raw, zlib.crc32(NAME)).to_bytes(4, "little") + raw


@given(answers)
def test_what_is_packed_comes_back(answer: Answer) -> None:
    """Any status, headers and body; how long it is fresh is the store's."""
    found = unpack(NAME, pack(NAME, answer))
    assert seen(found) == seen(answer)
    assert (found.fresh_until, found.source) == (None, "network")


@given(answers, st.integers(0, 10_000), st.integers(1, 255))
def test_T11_a_changed_byte_is_found(answer: Answer, place: int, change: int) -> None:
    """Wherever it is."""
    data = bytearray(pack(NAME, answer))
    data[place % len(data)] ^= change
    with pytest.raises(ValueError, match=REFUSED):
        unpack(NAME, bytes(data))


@given(answers, st.integers(0, 10_000))
def test_T11_what_is_cut_short_is_found(answer: Answer, length: int) -> None:
    """Wherever; and what is too long."""
    data = pack(NAME, answer)
    for wrong in (data[: length % len(data)], data + b"\x00"):
        with pytest.raises(ValueError, match=REFUSED):
            unpack(NAME, wrong)


@given(st.binary(max_size=300))
def test_T11_any_other_bytes_are_refused(data: bytes) -> None:
    """With an error of one kind; so is an entry under another name."""
    with pytest.raises(ValueError, match=REFUSED):
        unpack(NAME, data)
    with pytest.raises(ValueError, match=REFUSED):
        unpack(NAME, pack(name_of("GET /other"), Answer(200, Headers(), data)))


BOMB = zlib.compress(bytes(50_000_000), 9)


@pytest.mark.parametrize(
    "content",
    [
        None,
        (200, [], b""),
        ("200", [], b"", 0),
        (200, [("a",)], b"", 0),
        (200, {"a": "b"}, b"", 0),
        (200, [], "text", 0),
        (200, [], b"not zlib", 8),
        (200, [], zlib.compress(b"abc"), 2),
        (200, [], zlib.compress(b"abc"), 4),
        (200, [], zlib.compress(b"abc") + b"x", 3),
        (200, [], zlib.compress(b"abc")[:-1], 3),
        (200, [], zlib.compress(b"abc"), -3),
        (200, [], BOMB, 1 << 40),
        (200, [], BOMB, 1000),
    ],
    ids=str,
)
def test_T11_what_a_stranger_made_with_a_right_checksum_is_refused(content: object) -> None:
    """Other kinds, other lengths than it says, and bombs, which are not unpacked further than they say."""
    with pytest.raises(ValueError, match=REFUSED):
        unpack(NAME, forged(content))


def test_T11_a_bomb_takes_no_memory() -> None:
    """Of the fifty million bytes that it would be, about as many are unpacked as it says."""
    bomb = forged((200, [], BOMB, 1000))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="body of another size"):
            unpack(NAME, bomb)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1_000_000


def test_a_forged_entry_of_the_right_form_is_read() -> None:
    """So the refusals above are for their contents."""
    found = unpack(NAME, forged((200, [("a", "b")], zlib.compress(b"abc"), 3)))
    assert seen(found) == (200, [("a", "b")], b"abc")


@pytest.mark.parametrize(("size", "compressed"), [(COMPRESS_BYTES - 1, False), (COMPRESS_BYTES, True)])
def test_bodies_are_compressed_from_a_size_on(size: int, compressed: bool) -> None:
    """Because for smaller ones it takes longer than it is worth."""
    assert (len(pack(NAME, Answer(200, Headers(), b"x" * size))) < size) == compressed


def test_another_format_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of this library wrote."""
    data = pack(NAME, Answer(200, Headers(), b"x"))
    monkeypatch.setattr(cache_entries, "MARK", b"ea2")
    with pytest.raises(ValueError, match=REFUSED):
        unpack(NAME, data)


def test_T08_names_are_the_same_in_every_process() -> None:
    """Whatever its seed of hashes is; and any text has one."""
    key = "GET https://esi.evetech.net/status ü \udc80"
    code = f"from esipy.stores.cache_entries import name_of; print(name_of({key!a}).hex())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == name_of(key).hex()
