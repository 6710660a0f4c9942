"""One easy handle of libcurl: its options, one exchange at a time on it, and what its errors mean.

Owned here: everything that the blocking and the asyncio transport have in common. Rules:

- options that never change are set once, when the handle is made; of the others only those that differ from the
  last request's are set again: the Python work per exchange is what limits the rate of small answers;
- nothing that the caller did not ask for is sent: no Expect, no User-Agent of curl's, no form content type;
- a request leaves at most once, whatever its method. libcurl by itself repeats a request whose reused connection died
  without an answer: the server may have acted on it (RFC 9110 section 9.2.2), and has counted it, which a ledger that
  let one leave does not know. (libcurl looks for dead connections once a second: a request on one that died within
  this second is an error with ``sent=True``);
- certificates are always verified.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pycurl

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.exceptions import (
    AnswerTimeoutError,
    AnswerTooLargeError,
    BrokenAnswerError,
    ConnectError,
    InvalidCallError,
    NetworkError,
)

__all__ = ["Handle"]

# CURLOPT_SUPPRESS_CONNECT_HEADERS of curl/curl.h: pycurl has no name for it.
_SUPPRESS_CONNECT_HEADERS = 265

_GO_ON: int = pycurl.PREREQFUNC_OK
_STOP: int = pycurl.PREREQFUNC_ABORT

_BLANK = b"\r\n"


class Handle:
    """An easy handle and what it is busy with. Used by one thread or task at a time.

    Attributes:
        easy: the pycurl object.
        shares: whether it waits to share a connection that is being made, as HTTP/2 allows.
        stopped: what it asks during transfers, see `ask`.
        deadline, waiter: free for the transport's use.
    """

    __slots__ = (
        "_body",
        "_connect_timeout",
        "_head",
        "_headers",
        "_issued",
        "_limit",
        "_method",
        "_payload",
        "_size",
        "_timeout",
        "_with_type",
        "deadline",
        "easy",
        "shares",
        "stopped",
        "waiter",
    )

    def __init__(self, options: Sequence[tuple[int, Any]]) -> None:
        self.easy = easy = pycurl.Curl()
        self.stopped: Callable[..., bool] | None = None
        self.shares = False
        self.deadline = 0.0
        self.waiter: Any = None
        self._head: list[bytes] = []
        self._body: list[bytes] = []
        self._size = 0
        self._issued = 0
        self._headers: tuple[tuple[str, str], ...] | None = None
        self._with_type = False
        self._method = "GET"
        self._payload: bytes | None = None
        self._connect_timeout = self._timeout = -1.0
        self._limit = -1
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.TCP_NODELAY, 1),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.NETRC, pycurl.NETRC_IGNORED),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.PATH_AS_IS, 1),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
            (pycurl.SSL_VERIFYPEER, 1),
            (pycurl.SSL_VERIFYHOST, 2),
            (pycurl.ACCEPT_ENCODING, ""),
            (pycurl.USERAGENT, ""),
            (_SUPPRESS_CONNECT_HEADERS, 1),
            (pycurl.WRITEFUNCTION, self._write),
            (pycurl.HEADERFUNCTION, self._head.append),
            (pycurl.PREREQFUNCTION, self._once),
            (pycurl.NOPROGRESS, 1),
            *options,
        ):
            easy.setopt(option, value)

    def _write(self, chunk: bytes) -> int | None:
        self._size += len(chunk)
        if self._size > self._limit:
            return 0
        self._body.append(chunk)
        return None

    def _once(self, *_: object) -> int:
        self._issued += 1
        return _GO_ON if self._issued == 1 else _STOP

    def ask(self, stopped: Callable[..., bool] | None) -> None:
        """Ask this during each transfer from now on, at least once a second; when it says True the transfer ends.

        It is called with what curl tells of the progress, several times in each exchange.

        It is also where Python runs the handler of a signal, Ctrl-C's: curl returns to us when one arrives. None:
        ask nothing. Each asking takes the GIL; with twenty threads that would halve the rate of small answers.
        """
        if stopped is not None:
            self.easy.setopt(pycurl.XFERINFOFUNCTION, stopped)
        self.easy.setopt(pycurl.NOPROGRESS, stopped is None)
        self.stopped = stopped

    def prepare(self, request: HttpRequest, timeout: float) -> None:
        """Set what this request needs; ``timeout``: the seconds that are left of the request's own.

        Raises:
            InvalidCallError: the URL or a header cannot be sent as it is.
        """
        easy = self.easy
        self._head.clear()
        self._body.clear()
        self._size = self._issued = 0
        try:
            easy.setopt(pycurl.URL, request.url)
        except ValueError:
            raise InvalidCallError(f"the URL {request.url!r} is not escaped: only printable ASCII is sent") from None
        method, body, headers = request.method, request.body, request.headers
        if method != "GET" or self._method != "GET" or body is not None or self._payload is not None:
            self._set_method(method, body)
        with_type = body is not None
        if headers is not self._headers or with_type is not self._with_type:
            self._set_headers(headers, with_type)
        if timeout != self._timeout:
            easy.setopt(pycurl.TIMEOUT_MS, max(1, round(timeout * 1000)))
            self._timeout = timeout
        if request.connect_timeout != self._connect_timeout:
            easy.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, round(request.connect_timeout * 1000)))
            self._connect_timeout = request.connect_timeout
        if request.max_answer_bytes != self._limit:
            self._limit = request.max_answer_bytes
            easy.setopt(pycurl.MAXFILESIZE_LARGE, 0 if method == "HEAD" else max(1, self._limit))

    def _set_method(self, method: str, body: bytes | None) -> None:
        easy = self.easy
        if method == "HEAD" or self._method == "HEAD":
            # A HEAD's Content-Length tells of a body that does not come: no limit applies.
            self._limit = -1
        easy.setopt(pycurl.HTTPGET, 1)  # also undoes NOBODY and POST
        easy.unsetopt(pycurl.CUSTOMREQUEST)
        if method == "HEAD":
            easy.setopt(pycurl.NOBODY, 1)
        elif body is not None or method == "POST":
            easy.setopt(pycurl.POST, 1)
            easy.setopt(pycurl.POSTFIELDS, body or b"")
        if method not in ("GET", "HEAD") or body is not None:
            easy.setopt(pycurl.CUSTOMREQUEST, method)
        self._method = method
        self._payload = body

    def _set_headers(self, headers: Sequence[tuple[str, str]], with_type: bool) -> None:
        pairs = tuple(headers)
        if pairs == self._headers and with_type is self._with_type:
            return
        lines: list[bytes] = []
        names: set[str] = set()
        for name, value in pairs:
            # "Name;" is curl's way to send an empty value; "Name:" would take the header away.
            line = f"{name}: {value}" if value else f"{name};"
            if "\r" in line or "\n" in line or "\0" in line:
                raise InvalidCallError(f"the header {name!r} holds a line break")
            lines.append(line.encode())
            names.add(name.lower())
        # What curl would add by itself is taken away.
        added = ["accept", "expect", "content-type"] if with_type else ["accept"]
        lines += [f"{name}:".encode() for name in added if name not in names]
        self.easy.setopt(pycurl.HTTPHEADER, lines)
        self._headers = pairs
        self._with_type = with_type

    def response(self, request: HttpRequest) -> HttpResponse:
        """The answer of a transfer that has ended well.

        Raises:
            BrokenAnswerError: the connection ended within the headers, which curl lets pass.
        """
        head, body = self._head, self._body
        # Usual: one block, the blank line at its end. Else there are 1xx answers before or trailers after it.
        if head.count(_BLANK) != 1 or head[-1] != _BLANK:
            head = _final_block(head)
            if not head:
                raise BrokenAnswerError(request.url, "no usable answer: the headers were cut short")
        headers = Headers.from_lines(head[1:-1])
        content = body[0] if len(body) == 1 else b"".join(body)
        # The handle is idle from now on: it keeps no answer in memory.
        self._head.clear()
        body.clear()
        return HttpResponse(self.easy.getinfo(pycurl.RESPONSE_CODE), headers, content)

    def error(self, request: HttpRequest, code: int, text: str) -> NetworkError:
        """What an error of curl means to the engine."""
        url = request.url
        too_large = self._size > self._limit
        self._head.clear()
        self._body.clear()
        if code == pycurl.E_FILESIZE_EXCEEDED or (code == pycurl.E_WRITE_ERROR and too_large):
            return AnswerTooLargeError(url, f"the answer is larger than {request.max_answer_bytes} bytes")
        if self._issued > 1:
            return BrokenAnswerError(url, "the connection was closed before an answer came")
        if not self._issued:
            return ConnectError(url, f"no connection: {text}")
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return AnswerTimeoutError(url, f"no whole answer within {request.timeout:g} s: {text}")
        return BrokenAnswerError(url, f"no usable answer: {text}")


def _final_block(lines: list[bytes]) -> list[bytes]:
    """The lines of the final answer; none when they do not end.

    1xx answers (RFC 9110 section 15.2) and trailers are passed over.
    """
    start = 0
    for index, line in enumerate(lines):
        if line.strip():
            continue
        if not lines[start].split(b" ", 2)[1].startswith(b"1"):
            return lines[start : index + 1]
        start = index + 1
    return []
