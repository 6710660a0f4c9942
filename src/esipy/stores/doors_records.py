"""What is written into caches that others can read and write: data in, data out.

Rules kept here (T11, T08): nothing that comes out of a shared store can run; whatever is not ours word for word is
refused as a whole; and a key is the same in every process, on every machine and in every version of Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

import msgspec

__all__ = ["digest", "pack", "unpack"]

FORMAT = b"esipy1:"
"""What every entry begins with; another number when its form changes, so that old entries are misses."""

PREFIX = "esi_"
"""What every key begins with, so that several programs may share one keyspace."""

_TUPLE, _SET, _FROZENSET, _DATETIME = 1, 2, 3, 4


def pack(value: Any) -> bytes:
    """Write plain data: None, bool, int, float, str, bytes, datetime, and list, tuple, set, dict of such.

    Subclasses of these (a named tuple, a version 1 data object) come back as what they are made of.

    Raises:
        TypeError: the value is, or holds, anything else.
        OverflowError: an int has more than 64 bits.
    """
    return FORMAT + msgspec.msgpack.encode(_outward(value))


def unpack(data: object) -> Any:
    """Read what `pack` wrote.

    Raises:
        ValueError: it is anything else.
    """
    if not isinstance(data, bytes) or not data.startswith(FORMAT):
        raise ValueError("not an entry of this version")
    try:
        return _decode(memoryview(data)[len(FORMAT) :])
    except (ValueError, TypeError, RecursionError, msgspec.MsgspecError) as error:
        raise ValueError("a corrupt entry") from error


def digest(data: Any) -> str:
    """A short name for a key: ``esi_`` and 64 hexadecimal digits.

    Sets and dicts have one name whatever their order.

    Raises:
        TypeError: the key holds an object of which nothing lasting is known.
    """
    return PREFIX + sha256(_canonical(data)).hexdigest()


def _outward(value: Any) -> Any:
    if value is None or type(value) in (str, int, bytes, float, bool):
        return value
    if isinstance(value, dict):
        items = cast("dict[object, object]", value)
        return {_outward(name): _outward(item) for name, item in items.items()}
    if isinstance(value, list):
        return [_outward(item) for item in cast("list[object]", value)]
    for kind, code in ((tuple, _TUPLE), (set, _SET), (frozenset, _FROZENSET)):
        if isinstance(value, kind):
            return _extension(code, [_outward(item) for item in cast("Iterable[object]", value)])
    if isinstance(value, datetime):
        return _extension(_DATETIME, value.isoformat())
    for plain in (str, int, float, bytes):
        if isinstance(value, plain):
            return cast("type[Any]", plain)(value)
    raise TypeError(
        f"{type(value).__name__} is no plain data: this cache keeps None, bool, int, float, str, bytes, datetime, "
        "list, tuple, set and dict, because what comes out of a shared store must not be code; "
        "DictCache keeps any object"
    )


def _extension(code: int, content: Any) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(code, msgspec.msgpack.encode(content))


def _inward(code: int, content: memoryview) -> Any:
    value = _decode(content)
    if code == _DATETIME:
        return datetime.fromisoformat(value)
    for kind, known in ((tuple, _TUPLE), (set, _SET), (frozenset, _FROZENSET)):
        if code == known and isinstance(value, list):
            return cast("type[Any]", kind)(value)
    raise ValueError(f"no extension {code}")


def _decode(content: memoryview) -> Any:
    return msgspec.msgpack.decode(content, ext_hook=_inward)


def _canonical(data: object) -> bytes:
    """A text that no other data has: each thing with its kind, and its length or end."""
    if data is None or isinstance(data, bool):
        return {None: b"n", True: b"t", False: b"f"}[data]
    if isinstance(data, (int, float)):
        return b"%s%s;" % (b"i" if isinstance(data, int) else b"d", data.__repr__().encode())
    if isinstance(data, (str, bytes)):
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        return b"%s%d:%s" % (b"s" if isinstance(data, str) else b"b", len(raw), raw)
    if isinstance(data, (list, tuple)):
        items = b"".join(map(_canonical, cast("Iterable[object]", data)))
        return b"%s%s]" % (b"l[" if isinstance(data, list) else b"u[", items)
    if isinstance(data, (set, frozenset)):
        return b"{%s}" % b"".join(sorted(map(_canonical, cast("Iterable[object]", data))))
    if isinstance(data, Mapping):
        pairs = cast("Mapping[object, object]", data).items()
        return b"m{%s}" % b"".join(sorted(_canonical(name) + _canonical(value) for name, value in pairs))
    kind: Any = type(data)
    if kind.__repr__ is object.__repr__:
        raise TypeError(f"{kind.__name__} cannot be (in) a key: it is another in every process")
    return b"o%s" % _canonical((f"{kind.__module__}.{kind.__qualname__}", repr(data)))
