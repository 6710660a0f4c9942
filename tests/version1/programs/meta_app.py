"""Chooses among the versions of ESI's document, keeps them in a cache, and throws them away."""
from esipy import EsiApp, EsiClient
from esipy.cache import DictCache, DummyCache

import config


def main():
    cache = DictCache()
    esi = EsiApp(
        cache=cache,
        cache_time=3600,
        cache_prefix='program',
        meta_url=config.ESI_META_JSON,
        datasource='tranquility',
    )
    latest = esi.get_latest_swagger
    print('latest:', len(latest.op) > 100, latest.op['get_status'].method.upper())
    again = esi.get_latest_swagger
    print('the same operations:', sorted(latest.op.keys()) == sorted(again.op.keys()))
    for name in ('get_v1_swagger', 'get__latest_swagger'):
        app = getattr(esi, name)
        print(name, app.op['get_status'].method.upper(), app.op['get_universe_regions'].path.rstrip('/'))
    try:
        esi.get_v99_swagger
    except AttributeError:
        print('no version 99')
    client = EsiClient(headers={'User-Agent': config.ESI_USER_AGENT})
    print('status:', client.request(latest.op['get_status']()).status)
    esi.clear_cached_endpoints()
    esi.clear_cached_endpoints(prefix='other')
    print('after clearing:', client.request(esi.get_latest_swagger.op['get_status'](datasource='tranquility')).status)

    uncached = EsiApp(cache=DummyCache(), meta_url=config.ESI_META_JSON)
    print('uncached:', type(uncached).__name__)
    try:
        EsiApp(cache='no cache', meta_url=config.ESI_META_JSON)
    except ValueError:
        print('no cache: refused')


if __name__ == '__main__':
    main()
