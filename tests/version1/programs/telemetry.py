"""Counts what a program asks of ESI, and checks calls against what the operations take before they are made."""
from collections import Counter

from esipy import App, EsiClient
from esipy.events import API_CALL_STATS, Signal

import config

app = App.create(config.ESI_SWAGGER_JSON)


class Statistics(object):
    def __init__(self):
        self.statuses = Counter()
        self.messages = []
        self.urls = []
        self.seconds = 0.0

    def call(self, url, status_code, elapsed_time, message, **kwargs):
        self.statuses[status_code] += 1
        self.urls.append(url)
        self.seconds += elapsed_time
        if message is not None:
            self.messages.append(type(message).__name__)


def takes(operation, *names):
    """Whether an operation has these parameters."""
    known = set(parameter.name for parameter in operation.parameters)
    return [name in known for name in names]


def main():
    statistics = Statistics()
    API_CALL_STATS.add_receiver(statistics.call)
    client = EsiClient(headers={'User-Agent': config.ESI_USER_AGENT})

    for name, wanted in (
            ('get_markets_region_id_orders', ('region_id', 'order_type', 'type_id', 'nothing')),
            ('get_universe_types_type_id', ('type_id', 'region_id')),
            ('post_universe_names', ('ids', 'names')),
            ('post_ui_autopilot_waypoint', ('destination_id', 'clear_other_waypoints')),
    ):
        operation = app.op[name]
        print(name, operation.method.upper(), takes(operation, *wanted))

    for wrong in ({'order_type': 'all'}, {'region_id': 10000002, 'order_type': 'all', 'moon': 1}):
        try:
            app.op['get_markets_region_id_orders'](**wrong)
        except ValueError as error:
            print('not called:', isinstance(error, ValueError))
    try:
        app.op['get_everything']
    except KeyError:
        print('no such operation')

    first = app.op['get_status']()
    client.request(first)
    client.request(first)
    client.request(app.op['get_universe_types_type_id'](type_id=34))
    client.request(app.op['get_universe_types_type_id'](type_id=35))
    client.request(app.op['get_characters_character_id'](character_id=5))
    client.head(app.op['get_universe_regions']())
    print('statuses:', sorted(statistics.statuses.items()))
    print('messages:', statistics.messages)
    print('timed:', statistics.seconds > 0)
    hosts = set(url.split('/')[2] for url in statistics.urls)
    print('hosts:', len(hosts))
    print('types asked:', [34 if 'types/34' in url else 35 for url in statistics.urls if 'types' in url])

    own = Signal()
    heard = []
    own.add_receiver(lambda **kwargs: heard.append(sorted(kwargs)))
    other = EsiClient(
        headers={'User-Agent': config.ESI_USER_AGENT}, signal_api_call_stats=own, cache=None
    )
    before = sum(statistics.statuses.values())
    other.request(app.op['get_status']())
    other.request(app.op['get_status']())
    print('own signal:', heard)
    print('the global one heard:', sum(statistics.statuses.values()) - before)

    API_CALL_STATS.remove_receiver(statistics.call)
    API_CALL_STATS.remove_receiver(statistics.call)
    client.request(app.op['get_universe_types_type_id'](type_id=36))
    print('after removal:', sum(statistics.statuses.values()) - before)
    try:
        API_CALL_STATS.add_receiver('no function')
    except TypeError:
        print('no receiver')


if __name__ == '__main__':
    main()
