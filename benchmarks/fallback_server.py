"""The server where nginx is not installed: asyncio, with httptools (C) reading the requests.

``python -m benchmarks.fallback_server PORT DIRECTORY PAGES``; it knows the same addresses as the nginx that
`benchmarks.server` configures, and answers with the same headers.
"""

from __future__ import annotations

import asyncio
import sys
from email.utils import formatdate
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs

import httptools

from benchmarks import bodies

__all__ = ["main"]


class _Connection(asyncio.Protocol):
    def __init__(self, root: Path, pages: int) -> None:
        self.pages: dict[str, bytes] = {}
        self._root = root
        self._heads = {
            "character": _head(bodies.character_headers()),
            "orders": _head(bodies.orders_headers("$pages")),
        }
        self._requests = count(1)
        self._pages = str(pages)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url.decode("ascii")

    def on_message_complete(self) -> None:
        path, _, query = self._url.partition("?")
        head = ""
        if path.startswith("/characters/"):
            head, body = self._heads["character"], bodies.CHARACTER.encode()
            if path == "/characters/1":
                head += f"Expires: {formatdate(usegmt=True)}\r\n"
        elif path.startswith("/markets/"):
            region = path.split("/")[2]
            head = self._heads["orders"].replace("$pages", region if len(region) < 5 else self._pages)
            body = self._file(f"orders/{parse_qs(query).get('page', [''])[0]}.json")
        else:
            body = self._file("swagger.json")
        number = next(self._requests)
        head = head.replace("$request_id", f"{number:032x}").replace("$remaining", f"999999{number % 10}")
        start = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        date = f"Date: {formatdate(usegmt=True)}\r\n"
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.write(f"{start}{date}{head}\r\n".encode() + body)

    def _file(self, name: str) -> bytes:
        if name not in _FILES:
            _FILES[name] = (self._root / name).read_bytes()
        return _FILES[name]


_FILES: dict[str, bytes] = {}


def _head(headers: dict[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


async def main(port: int, root: Path, pages: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(root, pages), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
