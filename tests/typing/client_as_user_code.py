"""User code over the clients, as a type checker sees it. Nothing here runs.

Each wrong use is marked: a checker that stopped seeing one would report the mark as unused.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, assert_type

from esipy import AsyncEsiClient, Call, EsiApp, EsiClient, EsiSecurity, Response, ops
from esipy.core.wire import Headers
from esipy.events import API_CALL_STATS, Signal
from esipy.limits import Limit
from esipy.ops.market import MarketsRegionIdOrdersItem
from esipy.stores.redis_ledger import RedisLedger
from esipy.stores.sqlite_ledger import SqliteLedger

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


def waiting(client: EsiClient) -> None:
    """Each verb says how it waits; the words are checked."""
    client.request(FORGE, priority="batch", policy="spread", max_wait=math.inf, downtime="wait")
    client.fetch(FORGE, policy="fail")
    client.head(FORGE, max_wait=0)
    client.multi_request([FORGE], priority="interactive", policy="off", downtime="try")
    client.multi_request([FORGE], stale_if_error=math.inf)
    client.request(FORGE, stale_if_error=0)
    client.request(FORGE, stale_if_error="0")  # type: ignore[arg-type]
    client.head(FORGE, stale_if_error=0)  # type: ignore[call-arg]
    client.request(FORGE, policy="slow")  # type: ignore[arg-type]
    client.fetch(FORGE, priority=1)  # type: ignore[arg-type]
    for row in client.limits():
        assert_type(row, Limit)
        assert_type(row.group, str | None)
        assert_type(row.free_at, datetime)
    plan = client.plan([FORGE, ops.status.get_status()], priority="batch", policy="spread")
    assert_type(plan.seconds, float)
    assert_type(plan.buckets[0].tokens, int)
    assert_type(plan.finishes_at, datetime)


def counting(store: RedisLedger) -> None:
    """A ledger is a text or an object."""
    EsiClient(ledger="sqlite:///limits.sqlite3")
    EsiClient(ledger=store)
    EsiClient(ledger=SqliteLedger("limits.sqlite3"))
    AsyncEsiClient(ledger=None)
    EsiClient(ledger=5)  # type: ignore[arg-type]


async def awaited(client: AsyncEsiClient) -> None:
    """The same types, awaited."""
    assert_type(await client.fetch(FORGE), list[MarketsRegionIdOrdersItem])
    assert_type((await client.request(FORGE)).data, list[MarketsRegionIdOrdersItem])
    assert_type((await client.head(FORGE)).pages, int | None)
    assert_type(await client.fetch(FORGE, priority="batch"), list[MarketsRegionIdOrdersItem])
    await client.head(FORGE, policy="fail")
    await client.fetch(FORGE, stale_if_error=60.0)
    await client.multi_request([FORGE], downtime="soon")  # type: ignore[arg-type]
    assert_type(await client.limits(), list[Limit])
    assert_type((await client.plan([FORGE])).tokens, int)
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


def settings_are_named(login: type[EsiSecurity]) -> None:
    """An editor offers them, and a checker finds what is spelled or meant wrongly."""
    EsiClient(base_url="http://127.0.0.1:8200", language="de", max_wait=5, policy="spread", compatibility_date=None)
    AsyncEsiClient(stale_if_error=0.0, check_scopes=False, tenant="singularity")
    login("http://localhost/", "app", "secret", sso_url="http://127.0.0.1:8200", timeout=5)
    EsiClient(langage="de")  # type: ignore[call-arg]
    EsiClient(policy="slow")  # type: ignore[arg-type]
    AsyncEsiClient(max_wait="5")  # type: ignore[arg-type]
    login("http://localhost/", "app", "secret", user_agnet="x")  # type: ignore[call-arg]
