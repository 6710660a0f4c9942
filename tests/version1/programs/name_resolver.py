"""Turns ids into names and back, many at a time, and finds out from the request which answer belongs to what."""
from functools import partial

from esipy import App, EsiClient

import config

app = App.create(config.ESI_SWAGGER_JSON)
client = EsiClient(headers={'User-Agent': config.ESI_USER_AGENT})

# operations by short names, called later
get_type = partial(app.op['get_universe_types_type_id'], datasource='tranquility')
get_names = app.op['post_universe_names']
get_ids = app.op['post_universe_ids']
operations = {
    'system': app.op['get_universe_systems_system_id'],
    'constellation': app.op['get_universe_constellations_constellation_id'],
    'region': app.op['get_universe_regions_region_id'],
}


def chunks(sequence, size):
    for start in range(0, len(sequence), size):
        yield sequence[start:start + size]


def main():
    # names of types: the answers come with their requests
    requests = [get_type(type_id=type_id) for type_id in (34, 35, 36, 587, 670)]
    names = {}
    for request, response in client.multi_request(requests):
        type_id = int(request._p['path']['type_id'])
        names[type_id] = response.data.name
    print(sorted(names.items()))

    # the same requests are sent once more
    again = [response.data['name'] for _, response in client.multi_request(reqs_and_resps=requests)]
    print(again == [names[int(request[0]._p['path']['type_id'])] for request in requests])

    # what a request holds
    request, response = operations['system'](system_id=30000142, language='de')
    print(type(request._p['path']['system_id']).__name__, request._p['path']['system_id'])
    print('language' in dict(request._p['query']), dict(request._p['query'])['language'])
    print(response.status)
    print(client.request((request, response)).data.name)

    # upwards
    system = client.request(operations['system'](system_id=30000142)).data
    constellation = client.request(
        operations['constellation'](constellation_id=system.constellation_id)
    ).data
    region = client.request(operations['region'](region_id=constellation.region_id)).data
    print(' < '.join([system.name, constellation.name, region.name]))

    # in bulk
    ids = [34, 35, 30000142, 10000002, 98000001, 99000001, 500001, 60003760, 2112000001]
    found = {}
    for part in chunks(ids, 4):
        for row in client.request(get_names(ids=part)).data:
            found[row.id] = (row.category, row.name)
    for known in ids:
        print(known, *found[known])
    response = client.request(get_ids(names=['Jita', 'Tritanium', 'Rifter', 'The Forge', 'nobody at all']))
    data = response.data
    print([(row.id, row.name) for row in data.systems])
    print(sorted((row['id'], row['name']) for row in data['inventory_types']))
    print('regions' in data, 'characters' in data, data.get('alliances'))

    # one bad id fails the whole batch
    bad = client.request(get_names(ids=[34, 999999999999]))
    print(bad.status)


if __name__ == '__main__':
    main()
