"""Copies fittings from one character to another: POST with a dictionary, DELETE, and no data in return."""
from esipy import App, EsiClient, EsiSecurity

import config

app = App.create(config.ESI_SWAGGER_JSON)

FITTING = {
    'name': 'Rifter, cheap',
    'description': 'for new pilots',
    'ship_type_id': 587,
    'items': [
        {'flag': 'HiSlot0', 'quantity': 1, 'type_id': 484},
        {'flag': 'HiSlot1', 'quantity': 1, 'type_id': 484},
        {'flag': 'Cargo', 'quantity': 200, 'type_id': 178},
    ],
}


class Manager(object):
    def __init__(self, login):
        self.character_id = login['character_id']
        self.security = EsiSecurity(
            config.ESI_CALLBACK,
            config.ESI_CLIENT_ID,
            config.ESI_SECRET_KEY,
            headers={'User-Agent': config.ESI_USER_AGENT},
            sso_endpoints_url=config.SSO_METADATA,
        )
        self.security.update_token({
            'access_token': '', 'expires_in': -1, 'refresh_token': login['refresh_token']
        })
        # this list is changed all the time: nothing of it may be cached
        self.client = EsiClient(self.security, cache=None, headers={'User-Agent': config.ESI_USER_AGENT})

    def list(self):
        operation = app.op['get_characters_character_id_fittings'](character_id=self.character_id)
        return self.client.request(operation).data

    def save(self, fitting):
        operation = app.op['post_characters_character_id_fittings'](
            character_id=self.character_id,
            fitting=fitting,
        )
        return self.client.request(operation)

    def delete(self, fitting_id):
        operation = app.op['delete_characters_character_id_fittings_fitting_id'](
            character_id=self.character_id,
            fitting_id=fitting_id,
        )
        return self.client.request(operation)


def show(title, fittings):
    print(title)
    for fitting in sorted(fittings, key=lambda fitting: fitting.name):
        print('  %s: ship %d, %d items, %r' % (
            fitting.name, fitting.ship_type_id, sum(item.quantity for item in fitting['items']),
            fitting.description,
        ))


def main():
    mine, other = Manager(config.LOGINS[0]), Manager(config.LOGINS[1])
    show('mine before', mine.list())
    response = mine.save(FITTING)
    print('saved:', response.status, sorted(response.data), response.data.fitting_id > 0)
    new_id = response.data['fitting_id']
    show('mine after', mine.list())

    for fitting in mine.list():
        if fitting.fitting_id == new_id:
            copied = other.save({
                'name': 'copy of ' + fitting.name,
                'description': fitting.description,
                'ship_type_id': fitting.ship_type_id,
                'items': fitting['items'],
            })
            print('copied:', copied.status)
    show('other after', other.list())

    response = mine.delete(new_id)
    print('deleted:', response.status, response.data, response.raw)
    response = mine.delete(new_id)
    print('deleted twice:', response.status, response.data)
    show('mine at last', mine.list())

    response = mine.save(dict(FITTING, name='Rifter, cheaper'))
    print('saved:', response.status)
    print('names:', sorted(fitting['name'] for fitting in mine.list()))


if __name__ == '__main__':
    main()
