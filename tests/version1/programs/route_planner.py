"""Plans a way through several systems, with the operation that is gone by now, and says how dangerous it is."""
from esipy import App, EsiClient

import config

app = App.create(config.ESI_SWAGGER_JSON)
client = EsiClient(headers={'User-Agent': config.ESI_USER_AGENT})
get_route = app.op['get_route_origin_destination']


def system_id(name):
    rows = client.request(app.op['post_universe_ids'](names=[name])).data
    return rows.systems[0].id


def jumps(origin, destination, **arguments):
    response = client.request(get_route(origin=origin, destination=destination, **arguments))
    if response.status != 200:
        return None
    return list(response.data)


def main():
    jita, perimeter = system_id('Jita'), system_id('Perimeter')
    print('Jita', jita, 'Perimeter', perimeter)
    operation = get_route(origin=jita, destination=30000180, flag='secure')
    print(sorted(operation[0]._p['path'].items()), operation[0]._security)
    print(jumps(jita, perimeter))
    whole = jumps(jita, 30000180)
    print(len(whole) - 1, 'jumps', whole[0] == jita, whole[-1] == 30000180)
    around = jumps(jita, 30000180, avoid=whole[1:3])
    print(len(around) - 1, 'jumps without', [system in around for system in whole[1:3]])
    print(jumps(perimeter, jita, flag='secure', connections=['30000142|30000144']))
    try:
        get_route(origin=jita, destination=perimeter, flag='scenic')
    except Exception as error:
        print('no such flag:', 'scenic' in str(error))
    try:
        get_route(origin=jita)
    except ValueError as error:
        print('no destination:', 'destination' in str(error))

    dangerous = {}
    for row in client.request(app.op['get_universe_system_kills']()).data:
        if row.system_id in whole:
            dangerous[row.system_id] = row.ship_kills + row.pod_kills
    print(sorted(dangerous.items()))
    requests = [app.op['get_universe_systems_system_id'](system_id=system) for system in whole[:5]]
    for request, response in client.multi_request(requests):
        print(request._p['path']['system_id'], response.data.name, '%.1f' % response.data.security_status)


if __name__ == '__main__':
    main()
