"""A small HTTP server on loopback that misbehaves on demand: raw sockets, one thread a connection, one act a path.

It counts on no HTTP library, so that it can break every rule. Rules: nothing sleeps; what waits, waits for
`release` or for the other side; `RawServer` as a context manager ends every thread that it started.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable

RESET = struct.pack("ii", 1, 0)


class Seen:
    """A request as it came: ``connection`` counts the server's connections from 1."""

    def __init__(self, connection: int, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.connection = connection
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body

    def names(self) -> set[str]:
        return {name.lower() for name, _ in self.headers}

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def head(status: str, *lines: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *lines, "", "")).encode("latin-1")


def whole(status: str, body: bytes, *lines: str) -> bytes:
    return head(status, f"Content-Length: {len(body)}", *lines) + body


class RawServer:
    """``url("/path")`` for each act below; `seen` holds every request, `release` ends what hangs."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.elsewhere = "http://127.0.0.1:1/"
        self._tls = tls
        self.seen: list[Seen] = []
        self.connections = 0
        self.release = threading.Event()
        self.arrived = threading.Semaphore(0)
        self.gone = threading.Event()
        self.sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._acts: dict[str, Callable[[socket.socket, Seen, int], bool]] = {
            name[4:].replace("_", "-"): getattr(self, name) for name in dir(self) if name.startswith("act_")
        }

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def url(self, path: str) -> str:
        return f"http{'s' if self._tls else ''}://{self.address}{path}"

    def __enter__(self) -> RawServer:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self.release.set()
        socket.create_connection(self._listener.getsockname()).close()  # wakes the accept
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._closing:
                connection.close()
                return
            self.connections += 1
            self._open.add(connection)
            self._start(self._serve, connection, self.connections)

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            self._converse(connection, number)
        except OSError:
            pass  # the client left, or the test ended
        finally:
            self._open.discard(connection)
            self.gone.set()

    def _converse(self, connection: socket.socket, number: int) -> None:
        buffer = b""
        count = 0
        with connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True) as connection:
            while True:
                while b"\r\n\r\n" not in buffer:
                    more = connection.recv(65536)
                    if not more:
                        return
                    buffer += more
                top, _, buffer = buffer.partition(b"\r\n\r\n")
                lines = top.decode("latin-1").split("\r\n")
                method, target, _ = lines[0].split(" ")
                headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
                length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
                while len(buffer) < length:
                    buffer += connection.recv(65536)
                seen = Seen(number, method, target, headers, buffer[:length])
                buffer = buffer[length:]
                count += 1
                self.seen.append(seen)
                self.arrived.release()
                path = "/" + target.split("/", 3)[3] if target.startswith("http") else target
                act = self._acts.get(path.split("?")[0].lstrip("/"), self.act_normal)
                if not act(connection, seen, count):
                    return

    # The acts: each answers, and says whether the connection stays open.

    def act_normal(self, to: socket.socket, seen: Seen, count: int) -> bool:
        answer = whole("200 OK", b'{"players": 30000}', "Content-Type: application/json")
        to.sendall(answer.partition(b"{")[0] if seen.method == "HEAD" else answer)
        return True

    def act_echo(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("200 OK", seen.body))
        return True

    def act_target(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("200 OK", seen.target.encode()))
        return True

    def act_chunked(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Transfer-Encoding: chunked") + b"3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")
        return True

    def act_trailers(self, to: socket.socket, seen: Seen, count: int) -> bool:
        start = head("200 OK", "Transfer-Encoding: chunked", "Trailer: X-Late", "X-Early: 1")
        to.sendall(start + b"2\r\n[]\r\n0\r\nX-Late: 2\r\n\r\n")
        return True

    def act_gzip(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("200 OK", gzip.compress(b"[1,2,3]", mtime=0), "Content-Encoding: gzip"))
        return True

    def act_broken_gzip(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("200 OK", b"this is not gzip", "Content-Encoding: gzip"))
        return True

    def act_bomb(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("200 OK", gzip.compress(bytes(4_000_000), mtime=0), "Content-Encoding: gzip"))
        return True

    def act_html(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("502 Bad Gateway", b"<html><h1>502</h1></html>", "Content-Type: text/html"))
        return True

    def act_empty(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("503 Service Unavailable", b""))
        return True

    def act_cut(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Content-Length: 100", "Content-Type: application/json") + b"[1, 2, 3]")
        return False

    def act_cut_chunked(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Transfer-Encoding: chunked") + b"3\r\n[1]\r\n")
        return False

    def act_cut_gzip(self, to: socket.socket, seen: Seen, count: int) -> bool:
        body = gzip.compress(bytes(range(256)) * 8, mtime=0)
        to.sendall(head("200 OK", f"Content-Length: {len(body)}", "Content-Encoding: gzip") + body[:-20])
        return False

    def act_cut_head(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        return False

    def act_until_close(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Connection: close") + b"[1]")
        return False

    def act_large(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Content-Length: 1000000000"))
        return self._hang(to)

    def act_endless(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Connection: close"))
        while True:
            self.sent += to.send(bytes(65536))

    def act_reset(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return False

    def act_reset_in_body(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Content-Length: 100") + b"[1, 2")
        to.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return False

    def act_hang(self, to: socket.socket, seen: Seen, count: int) -> bool:
        return self._hang(to)

    def act_hang_in_body(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Content-Length: 100") + b"[1, 2")
        return self._hang(to)

    def act_drip(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Content-Length: 10000"))
        while not self.release.wait(0.02):
            to.sendall(b" ")
        return False

    def act_held(self, to: socket.socket, seen: Seen, count: int) -> bool:
        self.release.wait()
        return self.act_normal(to, seen, count)

    def act_redirect(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("302 Found", b"", f"Location: {self.elsewhere}"))
        return True

    def act_continue(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("100 Continue") + head("103 Early Hints", "X-Early: 1"))
        return self.act_normal(to, seen, count)

    def act_no_content(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("204 No Content", "X-Kept: 1"))
        return True

    def act_not_modified(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("304 Not Modified", "Content-Length: 5000", 'ETag: "a"'))
        return True

    def act_head(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(head("200 OK", "Content-Length: 1000000000", "X-Pages: 3"))
        return True

    def act_repeated(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("200 OK", b"[]", "X-Note: a", "x-note: b", "X-Latin: \xe9", "X-Empty:"))
        return True

    def act_big_headers(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("200 OK", b"[]", *(f"X-Big-{n}: {'v' * 1000}" for n in range(40))))
        return True

    def act_cookie(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("200 OK", b"[]", "Set-Cookie: session=1; Path=/"))
        return True

    def act_close(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(whole("200 OK", b"[]", "Connection: close"))
        return False

    def act_close_idle(self, to: socket.socket, seen: Seen, count: int) -> bool:
        """The answer says keep-alive, and then the server closes."""
        self.gone.clear()
        to.sendall(whole("200 OK", b"[]"))
        return False

    def act_dies(self, to: socket.socket, seen: Seen, count: int) -> bool:
        """The second request on a connection is read, acted upon, and never answered."""
        if count == 1:
            to.sendall(whole("200 OK", b"[]"))
        return count == 1

    def act_garbage(self, to: socket.socket, seen: Seen, count: int) -> bool:
        to.sendall(b"220 mail.example ESMTP\r\n\r\n")
        return False

    def _hang(self, to: socket.socket) -> bool:
        """Until released, or until the client is gone."""
        to.setblocking(True)
        while not self.release.is_set():
            if not to.recv(1024):
                return False
        return False
