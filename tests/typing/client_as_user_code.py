"""User code over the clients, as a type checker sees it. Nothing here runs.

Each wrong use is marked: a checker that stopped seeing one would report the mark as unused.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_type

from esipy import AsyncEsiClient, Call, EsiApp, EsiClient, EsiSecurity, Response, ops
from esipy.core.wire import Headers
from esipy.events import API_CALL_STATS, Signal
from esipy.ops.market import MarketsRegionIdOrdersItem

FORGE = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)


def blocking(client: EsiClient) -> None:
    """``fetch`` gives the declared data, ``request`` an answer around it, ``multi_request`` pairs."""
    assert_type(client.fetch(FORGE), list[MarketsRegionIdOrdersItem])
    assert_type(client.fetch(ops.wallet.get_characters_character_id_wallet(character_id=1)), float)
    response = client.request(FORGE)
    assert_type(response, Response[list[MarketsRegionIdOrdersItem]])
    assert_type(response.data, list[MarketsRegionIdOrdersItem])
    assert_type(response.status, int)
    assert_type(response.raw, bytes)
    assert_type(response.headers, Headers)
    assert_type(response.expires_at, datetime | None)
    assert_type(response.pages, int | None)
    assert_type(response.call, Call[list[MarketsRegionIdOrdersItem]])
    for call, answer in client.multi_request([FORGE], threads=5):
        assert_type(call, Call[list[MarketsRegionIdOrdersItem]])
        assert_type(answer.data[0].price, float)
    client.request("get_status")  # type: ignore[arg-type]


async def awaited(client: AsyncEsiClient) -> None:
    """The same types, awaited."""
    assert_type(await client.fetch(FORGE), list[MarketsRegionIdOrdersItem])
    assert_type((await client.request(FORGE)).data, list[MarketsRegionIdOrdersItem])
    assert_type((await client.head(FORGE)).pages, int | None)
    async with client as same:
        assert_type(same, AsyncEsiClient)


def building(own: Signal[...]) -> None:
    """Logins, settings and signals by keyword."""
    security = EsiSecurity("http://localhost/callback", "id", "secret", headers={"User-Agent": "x"})
    with EsiClient(security, True, timeout=30, signal_api_call_stats=own, language="de") as client:
        assert_type(client, EsiClient)
    EsiClient(signal_api_call_stats=API_CALL_STATS, cache=None)
    EsiClient(security="token")  # type: ignore[arg-type]


def version_1(client: EsiClient) -> None:
    """Calls from ``app.op`` answer with data objects, which no checker can know."""
    app = EsiApp().get_latest_swagger
    operation = app.op["get_markets_region_id_orders"](region_id=10000002, order_type="all")
    assert_type(operation, Call[Any])
    assert_type(client.request(operation).data, Any)
