"""EsiPy 2 with every layer on and its default cache: each answer is new to it, and is kept."""

from __future__ import annotations

import itertools
from tempfile import TemporaryDirectory

from benchmarks.drivers.loop import BASE, USER_AGENT, serve
from benchmarks.drivers.tasks import Loop
from benchmarks.drivers.threaded import in_threads
from esipy import AsyncEsiClient, EsiClient, ops

PAGES_AT_ONCE = 8

client = EsiClient(headers={"User-Agent": USER_AGENT}, base_url=BASE)
character_ids = itertools.count(90_000_000)
region_ids = itertools.count(10_000_000)
filed: list[EsiClient] = []
folder = TemporaryDirectory(prefix="esipy-bench-")


def blocking(count: int) -> int:
    """One request after the other; a call is built for each."""
    request, build, good = client.request, ops.character.get_characters_detail, 0
    for _ in range(count):
        good += request(build(character_id=next(character_ids))).data.corporation_id == 109299958
    return good


def threads(count: int) -> int:
    """Twenty threads on one client."""
    return in_threads(blocking, count)


def hit(count: int) -> int:
    """A small answer out of the memory cache, decoded; the call is built once."""
    return _hits(client, count)


def hit_sqlite(count: int) -> int:
    """The same out of a file."""
    if not filed:
        filed.append(
            EsiClient(headers={"User-Agent": USER_AGENT}, base_url=BASE, cache=f"sqlite:///{folder.name}/kept")
        )
    return _hits(filed[0], count)


def _hits(kept: EsiClient, count: int) -> int:
    request, good = kept.request, 0
    call = ops.character.get_characters_detail(character_id=1)
    request(call)
    for _ in range(count):
        good += request(call).data.corporation_id == 109299958
    return good


def pages(count: int) -> int:
    """Pages of orders, one after the other, as rows of the catalogue's type."""
    region_id, fetch, rows = next(region_ids), client.fetch, 0
    build = ops.market.get_markets_region_id_orders
    for page in range(1, count + 1):
        rows += len(fetch(build(region_id=region_id, order_type="all", page=page)))
    return rows


def pages_multi(count: int) -> int:
    """The same with ``multi_request``, all pages in memory at the end, as a user does it."""
    region_id, build = next(region_ids), ops.market.get_markets_region_id_orders
    calls = [build(region_id=region_id, order_type="all", page=page) for page in range(1, count + 1)]
    return sum(len(answer.data) for _, answer in client.multi_request(calls, threads=PAGES_AT_ONCE))


def snapshot(count: int) -> int:
    """All pages as one consistent snapshot."""
    call = ops.market.get_markets_region_id_orders(region_id=next(region_ids), order_type="all")
    found = client.snapshot(call)
    assert (found.pages, found.consistent) == (count, True)
    return len(found)


loop = Loop()
async_clients: list[AsyncEsiClient] = []


def asyncio_50(count: int) -> int:
    """Fifty tasks on one client."""
    if not async_clients:
        async_clients.append(AsyncEsiClient(headers={"User-Agent": USER_AGENT}, base_url=BASE))
    request, build = async_clients[0].request, ops.character.get_characters_detail

    async def unit() -> int:
        answer = await request(build(character_id=next(character_ids)))
        return answer.data.corporation_id == 109299958

    return loop.in_tasks(unit, count)


if __name__ == "__main__":
    serve(
        {
            "blocking": blocking,
            "threads": threads,
            "hit": hit,
            "hit_sqlite": hit_sqlite,
            "pages": pages,
            "pages_multi": pages_multi,
            "snapshot": snapshot,
            "asyncio": asyncio_50,
        }
    )
    for opened in async_clients:
        loop.runner.run(opened.close())
    for one in (*filed, client):
        one.close()
    folder.cleanup()
