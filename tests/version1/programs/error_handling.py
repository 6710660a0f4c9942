"""What goes wrong, and how a careful program of those days handled it."""
import json
import logging
import os
import tempfile
import warnings

from esipy import App, EsiClient, EsiSecurity
from esipy.exceptions import APIException
from esipy.security import APIException as SameException

import config

app = App.create(config.ESI_SWAGGER_JSON)

NOBODY = {
    'swagger': '2.0',
    'info': {'title': 'nobody', 'version': '1'},
    'host': '127.0.0.1:9',
    'schemes': ['http'],
    'paths': {
        '/nothing': {
            'get': {
                'operationId': 'get_nothing',
                'responses': {'200': {'description': 'nothing', 'schema': {'type': 'object'}}},
            },
        },
    },
}


class Lines(logging.Handler):
    def __init__(self):
        super(Lines, self).__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


def main():
    login = config.LOGINS[0]
    security = EsiSecurity(
        redirect_uri=config.ESI_CALLBACK,
        client_id=config.ESI_CLIENT_ID,
        secret_key=config.ESI_SECRET_KEY,
        headers={'User-Agent': config.ESI_USER_AGENT},
        sso_endpoints_url=config.SSO_METADATA,
    )
    security.update_token(
        {'access_token': '', 'expires_in': -1, 'refresh_token': login['refresh_token']}
    )
    client = EsiClient(security, headers={'User-Agent': config.ESI_USER_AGENT})
    print('one exception:', APIException is SameException)

    # somebody else's wallet
    foreign = app.op['get_characters_character_id_wallet'](
        character_id=config.LOGINS[1]['character_id']
    )
    response = client.request(foreign)
    print(response.status, 'error' in response.data, type(response.data.error).__name__)
    try:
        client.request(foreign, raise_on_error=True)
    except APIException as error:
        print(error.status_code, error.url.split('?')[0].rstrip('/').rpartition('/')[2])
        print('error' in str(error), isinstance(error.response, bytes))
        print('date' in error.response_header or 'Date' in error.response_header)

    # what does not exist
    unknown = app.op['get_universe_types_type_id'](type_id=999999)
    response = client.request(unknown)
    print('type:', response.status)
    nobody = app.op['get_characters_character_id_fittings'](character_id=login['character_id'])
    print('fittings:', client.request(nobody).status)
    page = app.op['get_characters_character_id_assets'](character_id=login['character_id'], page=99)
    response = client.request(page)
    print('no such page:', response.status, response.data.get('error') is not None)

    # ESI has a bad day: planned by who runs this program
    status = app.op['get_status']()
    response = client.request(status)
    print('bad gateway:', response.status)
    try:
        client.request(app.op['get_universe_regions'](), raise_on_error=True)
    except APIException as error:
        print('maintenance:', error.status_code, b'<html>' in error.response)
    patient = EsiClient(retry_requests=True, headers={'User-Agent': config.ESI_USER_AGENT})
    print('with retries:', patient.request(app.op['get_incursions']()).status)
    try:
        patient.request(app.op['get_markets_prices'](), raise_on_error=True)
    except APIException as error:
        print('in vain:', error.status_code)
    print('head:', client.head(app.op['get_wars']()).status)
    try:
        client.head(app.op['get_wars'](), raise_on_error=True)
    except APIException as error:
        print('head raises:', error.status_code)

    # a warning from ESI is told both ways
    lines = Lines()
    logging.getLogger('esipy.client').addHandler(lines)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        response = client.request(app.op['get_insurance_prices']())
    print('deprecated:', response.status, any('deprecated' in str(one.message) for one in caught))
    print('logged:', any('deprecated' in line.getMessage() for line in lines.records))

    # an API of somebody else, from a file, and nobody is there
    with tempfile.NamedTemporaryFile('w', suffix='.json', delete=False) as document:
        json.dump(NOBODY, document)
    other = App.create(document.name)
    os.unlink(document.name)
    lost = EsiClient(timeout=5, headers={'User-Agent': config.ESI_USER_AGENT})
    try:
        code = lost.request(other.op['get_nothing'](), opt={}).status
    except APIException as error:
        code = error.status_code
    print('nobody there:', code)

    # without a user agent both objects warn
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        EsiClient()
    print('warned:', any('User-Agent' in str(one.message) for one in caught))


if __name__ == '__main__':
    main()
