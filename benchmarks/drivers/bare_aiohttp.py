"""Bare aiohttp with msgspec for the body: fifty tasks, one session."""

from __future__ import annotations

import itertools
from importlib import import_module
from typing import Any

import msgspec

from benchmarks.drivers.loop import HEADERS, character_url, serve
from benchmarks.drivers.tasks import TASKS, Loop
from esipy.ops.types.character import CharactersDetail

aiohttp: Any = import_module("aiohttp")  # it is not installed where the types are checked
character_ids = itertools.count(90_000_000)
decode = msgspec.json.Decoder(CharactersDetail).decode
loop = Loop()
sessions: list[Any] = []


async def session() -> Any:
    """A session has to be made within the loop."""
    return aiohttp.ClientSession(headers=HEADERS, connector=aiohttp.TCPConnector(limit=TASKS))


def asyncio_50(count: int) -> int:
    if not sessions:
        sessions.append(loop.runner.run(session()))
    get = sessions[0].get

    async def unit() -> int:
        async with get(character_url(next(character_ids))) as answer:
            content = await answer.read()
        return answer.status == 200 and decode(content).corporation_id == 109299958

    return loop.in_tasks(unit, count)


if __name__ == "__main__":
    serve({"asyncio": asyncio_50})
    for opened in sessions:
        loop.runner.run(opened.close())
