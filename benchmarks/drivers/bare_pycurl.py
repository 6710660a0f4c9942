"""Bare pycurl and msgspec: what a program can do that needs nothing of a client library.

It sends the same headers, looks at the status, gathers the answer's headers and decodes the body into the same type.
"""

from __future__ import annotations

import itertools

import msgspec
import pycurl

from benchmarks.drivers.loop import HEADERS, character_url, orders_url, serve
from esipy.ops.types.character import CharactersDetail
from esipy.ops.types.market import MarketsRegionIdOrdersItem

character_ids = itertools.count(90_000_000)
region_ids = itertools.count(10_000_000)
decode_character = msgspec.json.Decoder(CharactersDetail).decode
decode_orders = msgspec.json.Decoder(list[MarketsRegionIdOrdersItem]).decode

easy = pycurl.Curl()
easy.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in HEADERS.items()])
easy.setopt(pycurl.ACCEPT_ENCODING, "")
easy.setopt(pycurl.NOSIGNAL, 1)
head: list[bytes] = []
body: list[bytes] = []
easy.setopt(pycurl.HEADERFUNCTION, head.append)
easy.setopt(pycurl.WRITEFUNCTION, body.append)


def get(url: str) -> tuple[dict[str, str], bytes]:
    head.clear()
    body.clear()
    easy.setopt(pycurl.URL, url)
    easy.perform()
    if easy.getinfo(pycurl.RESPONSE_CODE) != 200:
        raise RuntimeError(url)
    headers: dict[str, str] = {}
    for line in head[1:-1]:
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return headers, b"".join(body)


def blocking(count: int) -> int:
    good = 0
    for _ in range(count):
        _, content = get(character_url(next(character_ids)))
        good += decode_character(content).corporation_id == 109299958
    return good


def pages(count: int) -> int:
    region_id, rows = next(region_ids), 0
    for page in range(1, count + 1):
        _, content = get(orders_url(region_id, page))
        rows += len(decode_orders(content))
    return rows


def pages_kept(count: int) -> int:
    """All rows in memory at the end."""
    region_id = next(region_ids)
    kept = [decode_orders(get(orders_url(region_id, page))[1]) for page in range(1, count + 1)]
    return sum(map(len, kept))


if __name__ == "__main__":
    serve({"blocking": blocking, "pages": pages, "pages_kept": pages_kept})
