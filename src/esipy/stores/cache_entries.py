"""Answers as bytes, for stores that others can read and write: data, never code; what is not sound is a miss (T11).

An entry is ``ea1``, a checksum of four bytes over its name and the rest, and msgpack: status, headers, body, and the
body's length if it is compressed, else 0. The checksum finds what a disk damaged, what was cut short, and an entry
that lies under another's name. When the form changes, so does the mark at its beginning, and old entries are misses.

Bodies from `COMPRESS_BYTES` on are compressed with zlib: all versions of Python that share a store have it.
"""

from __future__ import annotations

import zlib
from hashlib import blake2b

import msgspec

from esipy.core.answer import Answer
from esipy.core.wire import Headers

__all__ = ["COMPRESS_BYTES", "NAME_BYTES", "name_of", "pack", "unpack"]

MARK = b"ea1"
"""What every entry begins with."""

NAME_BYTES = 20
"""Of the name of a key or path."""

COMPRESS_BYTES = 2048
"""Bodies of this size are compressed: to a fifth, at 100 MB/s; smaller ones would gain little."""

LARGEST_BODY_BYTES = 1 << 30
"""What claims to be larger, uncompressed, is refused."""

_CHECKSUM_BYTES = 4

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, list[tuple[str, str]], bytes, int]).decode


def name_of(text: str) -> bytes:
    """A short name for a key or a path: the same in every process, and it gives nothing away (T08)."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=NAME_BYTES).digest()


def pack(name: bytes, answer: Answer) -> bytes:
    """An answer as bytes, to be kept under this name; not how long it is fresh."""
    body, size = answer.body, 0
    if len(body) >= COMPRESS_BYTES:
        smaller = zlib.compress(body, 1)
        if len(smaller) < len(body):
            body, size = smaller, len(body)
    content = _encode((answer.status, answer.headers.pairs(), body, size))
    return b"".join((MARK, zlib.crc32(content, zlib.crc32(name)).to_bytes(_CHECKSUM_BYTES, "little"), content))


def unpack(name: bytes, data: bytes) -> Answer:
    """The answer that was packed under this name; its ``fresh_until`` is None.

    Raises:
        ValueError: it is anything else.
    """
    start = len(MARK) + _CHECKSUM_BYTES
    content = memoryview(data)[start:]
    checksum = int.from_bytes(data[len(MARK) : start], "little")
    if data[: len(MARK)] != MARK or checksum != zlib.crc32(content, zlib.crc32(name)):
        raise ValueError("not an entry of this version, or a damaged one")
    status, headers, body, size = _decode(content)  # its errors are ValueErrors
    return Answer(status, Headers(headers), _inflated(body, size) if size else body)


def _inflated(body: bytes, size: int) -> bytes:
    if not 0 < size <= LARGEST_BODY_BYTES:
        raise ValueError("a body of no possible size")
    inflating = zlib.decompressobj()
    try:
        whole = inflating.decompress(body, size + 1)
    except zlib.error as error:
        raise ValueError("a damaged body") from error
    if len(whole) != size or not inflating.eof or inflating.unused_data:
        raise ValueError("a body of another size than it says")
    return whole
