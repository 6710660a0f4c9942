"""User code over the verbs for lists, as a type checker sees it. Nothing here runs.

Each wrong use is marked: a checker that stopped seeing one would report the mark as unused.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from esipy import AsyncEsiClient, EsiClient, Response, ops
from esipy.lists.bulk import Bulk
from esipy.lists.snapshot import Snapshot
from esipy.ops.market import MarketsRegionIdOrdersItem
from esipy.ops.universe import UniverseIdsPost, UniverseNamesPostItem

FORGE = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all")
NAMES = ops.universe.post_universe_names(body=[1, 2])
IDS = ops.universe.post_universe_ids(body=["a"])


def blocking(client: EsiClient) -> None:
    """A snapshot and the iterators know the type of a row, a bulk call that of its data."""
    orders = client.snapshot(FORGE, concurrency=5, allow_partial=True, on_progress=print, priority="batch")
    assert_type(orders, Snapshot[MarketsRegionIdOrdersItem])
    assert_type(orders.rows, list[MarketsRegionIdOrdersItem])
    assert_type(orders[0].price, float)
    assert_type(orders[:10], list[MarketsRegionIdOrdersItem])
    assert_type(orders.last_modified, datetime | None)
    assert_type([order.order_id for order in orders], list[int])
    for page in client.pages(FORGE, read_ahead=5):
        assert_type(page, Response[list[MarketsRegionIdOrdersItem]])
    for order in client.rows(FORGE, allow_mixed=True, max_wait=5, stale_if_error=0):
        assert_type(order, MarketsRegionIdOrdersItem)
    assert_type(client.bulk(NAMES), Bulk[list[UniverseNamesPostItem]])
    assert_type(client.bulk(IDS).data, UniverseIdsPost)
    client.snapshot(ops.status.get_status())  # type: ignore[arg-type]
    client.rows(IDS)  # type: ignore[arg-type]
    client.snapshot(FORGE, on_progress=lambda done: done)  # type: ignore[arg-type, misc]


async def in_asyncio(client: AsyncEsiClient) -> None:
    """The same, awaited; iterators are not awaited, but read with ``async for``."""
    assert_type(await client.snapshot(FORGE), Snapshot[MarketsRegionIdOrdersItem])
    async for page in client.pages(FORGE):
        assert_type(page.data, list[MarketsRegionIdOrdersItem])
    async for order in client.rows(FORGE):
        assert_type(order.price, float)
    assert_type((await client.bulk(NAMES, max_refusals=5)).data, list[UniverseNamesPostItem])
