"""Changes, as user code sees them: rows and data have the types of the call."""

from __future__ import annotations

from typing import assert_type

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.ops.types.alliance import AllianceDetail
from esipy.ops.types.corporation_projects import CorporationsProjectsDetailProject
from esipy.ops.types.market import MarketsRegionIdOrdersItem


def follow_orders(client: EsiClient) -> None:
    """A list: rows are its items."""
    orders = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all")
    for change in client.watch(orders, key="order_id", every=300):
        assert_type(change.added, tuple[MarketsRegionIdOrdersItem, ...])
        assert_type(change.after, list[MarketsRegionIdOrdersItem])
        assert_type(change.before, list[MarketsRegionIdOrdersItem] | None)
        for before, after in change.modified:
            assert_type(after.price - before.price, float)
    client.watch(orders, evry=300)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def follow_one_thing(client: EsiClient) -> None:
    """An object: it is the one row."""
    for change in client.watch(ops.alliance.get_alliances_alliance_id(alliance_id=1)):
        assert_type(change.after, AllianceDetail)
        assert_type([after.name for _, after in change.modified], list[str])


async def follow_projects(client: AsyncEsiClient) -> None:
    """A list with a cursor: rows are its records."""
    projects = ops.corporation_projects.get_corporations_projects_listing(corporation_id=1)
    async for change in client.watch(projects, store="sqlite:///watches.sqlite3"):
        assert_type(change.after, list[CorporationsProjectsDetailProject])
        for project in change.added:
            assert_type(project.name, str)
