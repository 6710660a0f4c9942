"""Bare urllib3 with msgspec for the body: one pool of connections, in one thread or twenty."""

from __future__ import annotations

import itertools
from importlib import import_module
from typing import Any

import msgspec

from benchmarks.drivers.loop import HEADERS, character_url, serve
from benchmarks.drivers.threaded import THREADS, in_threads
from esipy.ops.types.character import CharactersDetail

urllib3: Any = import_module("urllib3")  # it is not installed where the types are checked
character_ids = itertools.count(90_000_000)
decode = msgspec.json.Decoder(CharactersDetail).decode
pool = urllib3.PoolManager(maxsize=THREADS, headers={**HEADERS, "Accept-Encoding": "gzip, deflate"})


def blocking(count: int) -> int:
    good = 0
    for _ in range(count):
        answer = pool.request("GET", character_url(next(character_ids)))
        good += answer.status == 200 and decode(answer.data).corporation_id == 109299958
    return good


if __name__ == "__main__":
    serve({"blocking": blocking, "threads": lambda count: in_threads(blocking, count)})
