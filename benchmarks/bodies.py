"""What the server answers: one small body, pages of market orders, and the headers around them; all deterministic.

The field names and kinds of values are ESI's (`esipy.ops`); the values are made up.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

__all__ = ["CHARACTER", "MOST_PAGES", "ORDERS_A_PAGE", "character_headers", "order_page", "orders_headers"]

ORDERS_A_PAGE = 1000
MOST_PAGES = 1000

CHARACTER = json.dumps(
    {
        "achievement_score": 4210,
        "birthday": "2009-03-14T15:09:26Z",
        "bloodline_id": 7,
        "corporation_id": 109299958,
        "gender": "male",
        "name": "Benchmark Pilot",
        "race_id": 8,
        "alliance_id": 434243723,
        "description": "A pilot who is asked for often.",
        "security_status": 4.2107,
    },
    separators=(",", ":"),
)
"""The body of ``/characters/{character_id}``."""

_RANGES = ("station", "region", "solarsystem", "1", "2", "3", "4", "5", "10", "20", "30", "40")


def order_page(page: int) -> bytes:
    """One page of ``/markets/{region_id}/orders``: 1,000 orders."""
    choose = random.Random(page)
    return f"[{','.join(_orders(choose, page * ORDERS_A_PAGE))}]".encode()


def _orders(choose: random.Random, first: int) -> Iterator[str]:
    number = choose.randrange
    for place in range(ORDERS_A_PAGE):
        total = number(1, 100_000)
        yield (
            f'{{"duration":90,"is_buy_order":{"true" if place % 3 else "false"},'
            f'"issued":"2026-{number(1, 9):02}-{number(1, 29):02}T{number(24):02}:{number(60):02}:{number(60):02}Z",'
            f'"location_id":{60_000_000 + number(20_000)},"min_volume":1,"order_id":{7_000_000_000 + first + place},'
            f'"price":{number(1, 10**9) / 100},"range":"{_RANGES[number(12)]}",'
            f'"system_id":{30_000_000 + number(8_000)},"type_id":{number(18, 80_000)},'
            f'"volume_remain":{number(1, total + 1)},"volume_total":{total}}}'
        )


def _headers(group: str) -> dict[str, str]:
    # What ESI documents, and what stands before it adds. $-words are the server's to fill in: those lines differ in
    # every answer, as they do at ESI, so that nothing that remembers lines is flattered. The limit is one that nobody
    # reaches: with ESI's own, whoever keeps to it would wait.
    return {
        "Cache-Control": "public, max-age=300",
        "ETag": 'W/"$request_id"',
        "Last-Modified": "Tue, 04 Aug 2026 11:00:00 GMT",
        "Vary": "Accept-Encoding",
        "Strict-Transport-Security": "max-age=31536000",
        "X-Esi-Request-Id": "$request_id",
        "X-Ratelimit-Group": group,
        "X-Ratelimit-Limit": "10000000/15m",
        "X-Ratelimit-Remaining": "$remaining",
        "X-Ratelimit-Used": "2",
    }


def character_headers() -> dict[str, str]:
    return _headers("char-detail")


def orders_headers(pages: str) -> dict[str, str]:
    return {**_headers("market-order"), "X-Pages": pages}
