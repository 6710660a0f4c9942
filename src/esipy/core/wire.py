"""What crosses the wire, in our own small types: a request, an answer, headers, and values as text.

Rules kept here: header names are case-insensitive and may repeat (RFC 9110 section 5); a path value is
escaped whole (RFC 3986 section 3.3), so that it can never become a second segment; an array in a query
repeats its key; a boolean is ``true`` or ``false``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, overload
from urllib.parse import quote

__all__ = ["Headers", "HttpRequest", "HttpResponse", "as_text", "fill_path", "join_query"]


T = TypeVar("T")


class Headers(Mapping[str, str]):
    """Headers of an answer: names in any case; ``[]`` gives the last value, ``get_all`` every one.

    Attributes:
        lowered: the last value of each name, by its name in lower case: for who asks for several. Not to be changed.
    """

    # Nearly all headers come once, and answers are kept by the ten thousand: a list for each value would be most of
    # what they cost in memory, and all of what the garbage collector has to walk.
    __slots__ = ("_repeated", "lowered")

    lowered: dict[str, str]
    _repeated: dict[str, list[str]]

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._read([(name.lower(), value) for name, value in pairs])

    @classmethod
    def parse(cls, block: bytes) -> Headers:
        """Read a block of header lines (RFC 9112 section 5), the status line already taken off.

        A line without a colon is passed over, as browsers do; so is one that goes on from the line before, a form
        that no server may send any more (section 5.2).
        """
        return cls.from_lines(block.split(b"\n"))

    @classmethod
    def from_lines(cls, lines: Iterable[bytes]) -> Headers:
        """Read header lines, with their line ends or without; else as `parse`."""
        headers = cls.__new__(cls)
        headers._read(list(map(_lines_read.__getitem__, lines)))
        return headers

    def _read(self, pairs: list[tuple[str, str]]) -> None:
        last = dict(pairs)
        repeated = _NOTHING
        if len(last) < len(pairs):  # most answers repeat none
            values: dict[str, list[str]] = {}
            for name, value in pairs:
                values.setdefault(name, []).append(value)
            repeated = {name: several for name, several in values.items() if name and len(several) > 1} or _NOTHING
        last.pop("", None)  # what lines without a name left
        self.lowered = last
        self._repeated = repeated

    def __getitem__(self, name: str) -> str:
        return self.lowered[name.lower()]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | T) -> str | T: ...
    def get(self, name: str, /, default: Any = None) -> Any:
        """The last value of this name, or the default. (The inherited one takes four times as long.)"""
        return self.lowered.get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.lowered

    def __iter__(self) -> Iterator[str]:
        return iter(self.lowered)

    def __len__(self) -> int:
        return len(self.lowered)

    def get_all(self, name: str) -> list[str]:
        """Every value of this name, in the order in which they came; an empty list when none."""
        name = name.lower()
        if name in self._repeated:
            return list(self._repeated[name])
        return [self.lowered[name]] if name in self.lowered else []

    def first(self, name: str) -> str | None:
        """The first value of this name; None when there is none."""
        name = name.lower()
        return self._repeated[name][0] if name in self._repeated else self.lowered.get(name)

    def joined(self, name: str) -> str:
        """All values of this name as one list with commas; "" when there is none. Source: RFC 9110 section 5.3."""
        name = name.lower()
        return ", ".join(self._repeated[name]) if name in self._repeated else self.lowered.get(name, "")

    def pairs(self) -> list[tuple[str, str]]:
        """All (lower-case name, value) pairs."""
        return [(name, value) for name in self.lowered for value in self.get_all(name)]

    def updated(self, newer: Headers) -> Headers:
        """These headers with those of ``newer`` in place of the ones of the same name."""
        merged = Headers.__new__(Headers)
        kept = {name: values for name, values in self._repeated.items() if name not in newer.lowered}
        merged.lowered = {**self.lowered, **newer.lowered}
        merged._repeated = {**kept, **newer._repeated}
        return merged

    def __repr__(self) -> str:
        return f"Headers({self.pairs()!r})"


_NOTHING: dict[str, list[str]] = {}
"""What all headers share of which none came twice; never written to."""

_NEW_EACH_TIME = ("ETag", "X-ESI-Request-ID", "X-Request-ID", "X-Ratelimit-Remaining", "X-Ratelimit-Used")
_names_of_new = {
    written.encode(): name.lower() for name in _NEW_EACH_TIME for written in (name, name.lower(), name.title())
}
"""The names of headers that differ in each answer, as servers write them: of these only the name is known before."""

_MOST_LINES = 2048
_LONGEST_LINE = 256


class _Lines(dict[bytes, tuple[str, str]]):
    """Most lines of an answer came before, word for word: each is read once, and all answers that are kept share it.

    Bounded: at most `_MOST_LINES` lines of at most `_LONGEST_LINE` bytes.
    """

    def __missing__(self, line: bytes) -> tuple[str, str]:
        start, colon, rest = line.partition(b":")
        known = _names_of_new.get(start)
        if known is not None and colon:
            return known, rest.decode("latin-1").strip(" \t\r\n")
        pair = ("", "")
        if colon and start[:1] not in (b" ", b"\t"):
            pair = (start.decode("latin-1").rstrip(" \t").lower(), rest.decode("latin-1").strip(" \t\r\n"))
        if len(line) <= _LONGEST_LINE:
            if len(self) >= _MOST_LINES:
                self.clear()
            self[line] = pair
        return pair


_lines_read = _Lines()


class HttpRequest:
    """One HTTP request, as a transport gets it.

    Attributes:
        method: upper case.
        url: whole, already escaped.
        headers: (name, value) pairs in the order in which to send them.
        body: bytes to send, or None for no body.
        connect_timeout: seconds to make a connection.
        timeout: seconds for all of it, the connection included.
        max_answer_bytes: a larger body (after decompression) is refused.
    """

    __slots__ = ("body", "connect_timeout", "headers", "max_answer_bytes", "method", "timeout", "url")

    def __init__(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        connect_timeout: float = 10.0,
        timeout: float = 60.0,
        max_answer_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.connect_timeout = connect_timeout
        self.timeout = timeout
        self.max_answer_bytes = max_answer_bytes

    def __repr__(self) -> str:
        # Neither headers nor body: they may hold a token (T44).
        return f"<HttpRequest {self.method} {self.url}>"


class HttpResponse:
    """One whole HTTP answer.

    Attributes:
        status: the HTTP status.
        headers: as they came.
        body: decompressed; empty bytes when there was none.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Headers, body: bytes = b"") -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"<HttpResponse {self.status}, {len(self.body)} bytes>"


def as_text(value: object) -> str:
    """A parameter's value as ESI reads it in a path, a query or a header."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def fill_path(template: str, values: Mapping[str, object]) -> str:
    """Put values into ``/markets/{region_id}/orders``, each escaped as one segment.

    Raises:
        KeyError: a value is not there.
    """
    path, *parts = template.split("{")
    for part in parts:
        name, _, rest = part.partition("}")
        value = values[name]
        path = f"{path}{value if type(value) is int else _escaped(as_text(value))}{rest}"
    return path


def _escaped(text: str) -> str:
    # "." and ".." survive quoting and would climb the path (RFC 3986 section 5.2.4).
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


def join_query(pairs: Iterable[tuple[str, str]]) -> str:
    """``a=1&a=2&b=x%20y``: keys repeat for arrays."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
