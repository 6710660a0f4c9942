"""EsiPy 1.2.3, as its manual shows it: an app out of the Swagger document, a client, ``client.request(op)``.

Its client only speaks https (``__schemes__``); against a server on loopback it is told http, which spares it the
encryption. Nothing else of it is changed.
"""

from __future__ import annotations

import itertools
from importlib import import_module
from typing import Any

from benchmarks.drivers.loop import BASE, USER_AGENT, serve

esipy: Any = import_module("esipy")  # to a type checker, "import esipy" is this checkout's
esipy.EsiClient.__schemes__ = {"http"}
app = esipy.App.create(f"{BASE}/swagger.json")
client = esipy.EsiClient(headers={"User-Agent": USER_AGENT})
character_ids = itertools.count(90_000_000)
region_ids = itertools.count(10_000_000)


def blocking(count: int) -> int:
    good, build = 0, app.op["get_characters_detail"]
    for _ in range(count):
        good += client.request(build(character_id=next(character_ids))).data.corporation_id == 109299958
    return good


def pages(count: int) -> int:
    """Pages, parsed into its data objects: what its ``request`` does unless told otherwise."""
    region_id, rows, build = next(region_ids), 0, app.op["get_markets_region_id_orders"]
    for page in range(1, count + 1):
        rows += len(client.request(build(region_id=region_id, order_type="all", page=page)).data)
    return rows


def hit(count: int) -> int:
    """A small answer out of its memory cache; the server gives this one an Expires, without which it keeps nothing."""
    good = 0
    call = app.op["get_characters_detail"](character_id=1)
    client.request(call)
    for _ in range(count):
        good += client.request(call).data.corporation_id == 109299958
    return good


if __name__ == "__main__":
    serve({"blocking": blocking, "pages": pages, "hit": hit})
