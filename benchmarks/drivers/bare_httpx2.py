"""Bare httpx2 with msgspec for the body, blocking and with fifty asyncio tasks."""

from __future__ import annotations

import itertools

import httpx2
import msgspec

from benchmarks.drivers.loop import HEADERS, character_url, serve
from benchmarks.drivers.tasks import TASKS, Loop
from esipy.ops.types.character import CharactersDetail

character_ids = itertools.count(90_000_000)
decode = msgspec.json.Decoder(CharactersDetail).decode
client = httpx2.Client(headers=HEADERS)
loop = Loop()
async_clients: list[httpx2.AsyncClient] = []


def blocking(count: int) -> int:
    good = 0
    for _ in range(count):
        answer = client.get(character_url(next(character_ids)))
        good += answer.status_code == 200 and decode(answer.content).corporation_id == 109299958
    return good


def asyncio_50(count: int) -> int:
    if not async_clients:
        limits = httpx2.Limits(max_connections=TASKS, max_keepalive_connections=TASKS)
        async_clients.append(httpx2.AsyncClient(headers=HEADERS, limits=limits))

    async def unit() -> int:
        answer = await async_clients[0].get(character_url(next(character_ids)))
        return answer.status_code == 200 and decode(answer.content).corporation_id == 109299958

    return loop.in_tasks(unit, count)


if __name__ == "__main__":
    serve({"blocking": blocking, "asyncio": asyncio_50})
    for opened in async_clients:
        loop.runner.run(opened.aclose())
