"""Price changes of one item in one region, as they come, against a sandbox of its own.

Run it: ``python examples/market_watcher.py`` (needs the extra ``sandbox``; takes a few seconds). Orders are fresh for
five minutes on ESI, and for one second in this sandbox. Take ``base_url=`` away to watch the real market.
"""

from __future__ import annotations

from esipy import EsiClient, ops
from esipy.testing import sandbox

THE_FORGE, PYERITE = 10000002, 35
CHANGES = 3
ME = {"User-Agent": "example/1.0 (me@example.com)"}


def main() -> None:
    """Watch the sell orders of an item until they have changed a few times."""
    orders = ops.market.get_markets_region_id_orders(region_id=THE_FORGE, order_type="sell", type_id=PYERITE)
    with sandbox(max_lifetime_seconds=1) as server, EsiClient(base_url=server.url, headers=ME) as client:
        print(f"watching {len(client.fetch(orders))} sell orders")
        for number, change in enumerate(client.watch(orders), 1):
            for was, now in change.modified:
                if was.price != now.price:
                    print(f"order {now.order_id}: {was.price:,.2f} -> {now.price:,.2f} ISK")
            sold = sum(max(was.volume_remain - now.volume_remain, 0) for was, now in change.modified)
            print(f"{len(change.added)} new orders, {len(change.removed)} gone, {sold:,} units sold")
            if number == CHANGES:
                break


if __name__ == "__main__":
    main()
