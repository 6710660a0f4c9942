"""Headers as they come off the wire."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from esipy.core import wire
from esipy.core.wire import Headers

NAMES = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=400)


@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=30), st.sampled_from(["\r\n", "\n"]), st.sampled_from(["", " ", "\t"])
)
def test_a_block_reads_as_its_pairs(pairs: list[tuple[str, str]], end: str, space: str) -> None:
    """However lines end and values are padded, and whatever was read before: the same as the pairs themselves."""
    block = "".join(f"{name}:{space}{value}{end}" for name, value in pairs).encode()
    for _ in range(2):  # the second time the lines are known
        assert Headers(pairs).pairs() == Headers.parse(block).pairs()


@given(st.binary(max_size=400))
def test_any_bytes_are_read(block: bytes) -> None:
    """Nonsense is passed over, never an error."""
    assert all(name for name in Headers.parse(block))


def test_answers_do_not_share_lists() -> None:
    """Lines that are known from another answer are text; the lists of values are each answer's own."""
    first, second = Headers.parse(b"X-A: 1\r\n"), Headers.parse(b"X-A: 1\r\nX-A: 2\r\n")
    assert (["1"], ["1", "2"]) == (first.get_all("x-a"), second.get_all("x-a"))


def test_the_memory_of_lines_is_bounded() -> None:
    """A server whose every header is new cannot fill memory, neither by number nor by length."""
    for number in range(10_000):
        Headers.parse(b"X-Request-Id: %d\r\nX-Long: %s%d" % (number, b"v" * 1000, number))
    assert len(wire._lines_read) <= 2048
    assert all(len(line) <= 256 for line in wire._lines_read)
