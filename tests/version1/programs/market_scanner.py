"""Reads a region's whole market: head for the number of pages, then all of them at once."""
from collections import defaultdict

from esipy import EsiApp, EsiClient
from esipy.cache import DictCache

import config

REGION = 10000043

cache = DictCache()
esi_app = EsiApp(cache=cache, cache_time=86400, meta_url=config.ESI_META_JSON)
app = esi_app.get_latest_swagger
client = EsiClient(
    retry_requests=True,
    headers={'User-Agent': config.ESI_USER_AGENT},
    raw_body_only=False,
    cache=cache,
)


def get_orders(region_id, order_type='all'):
    op = app.op['get_markets_region_id_orders'](region_id=region_id, order_type=order_type, page=1)
    res = client.head(op)
    if res.status != 200:
        print('failed:', res.status)
        return []
    number_of_page = res.header['X-Pages'][0]
    print('%s: %d pages, head has data: %s' % (order_type, number_of_page, res.data is not None))

    operations = []
    for page in range(1, number_of_page + 1):
        operations.append(
            app.op['get_markets_region_id_orders'](
                region_id=region_id,
                page=page,
                order_type=order_type,
            )
        )
    orders = []
    for request, response in client.multi_request(operations, threads=10):
        if response.status != 200:
            print('page failed:', response.status)
            continue
        page = dict(request.query)['page']
        print('page %s: %d orders, first %s' % (page, len(response.data), response.data[0].order_id))
        orders.extend(response.data)
    return orders


def main():
    orders = get_orders(REGION)
    print('orders:', len(orders), 'ids:', len(set(order.order_id for order in orders)))
    best = defaultdict(lambda: [None, None])
    for order in orders:
        pair = best[order.type_id]
        if order.is_buy_order:
            pair[0] = max(pair[0] or order.price, order.price)
        else:
            pair[1] = min(pair[1] or order.price, order.price)
    for type_id in sorted(best)[:10]:
        buy, sell = best[type_id]
        print('%d: buy %.2f sell %.2f margin %.2f%%' % (type_id, buy, sell, 100 * (sell - buy) / sell))
    oldest = min(order.issued.v for order in orders)
    print('oldest order:', oldest.isoformat())

    buys = get_orders(REGION, 'buy')
    print('buys:', len(buys), all(order.is_buy_order for order in buys))

    volume = client.request(
        app.op['get_markets_region_id_history'](region_id=REGION, type_id=34)
    ).data
    print('history of Tritanium:', len(volume), 'days')
    print('in order:', [day.date.v for day in volume] == sorted(day.date.v for day in volume))
    raw = client.request(
        app.op['get_markets_region_id_orders'](region_id=REGION, order_type='sell'), raw_body_only=True
    )
    print('raw:', raw.data, raw.raw[:12])


if __name__ == '__main__':
    main()
