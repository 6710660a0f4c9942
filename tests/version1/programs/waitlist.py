"""An incursion waitlist: a login and a signal of its own for each pilot, tokens kept in a database."""
from esipy import App, EsiClient, EsiSecurity
from esipy.events import Signal

import config

esiapp = App.create(config.ESI_SWAGGER_JSON)


class SSOToken(object):
    """A row of the table of tokens."""

    def __init__(self, character_id, name, refresh_token):
        self.character_id = character_id
        self.name = name
        self.refresh_token = refresh_token
        self.access_token = ''
        self.expires_in = -1
        self.updates = 0

    def info(self):
        return {
            'access_token': self.access_token,
            'expires_in': self.expires_in,
            'refresh_token': self.refresh_token,
        }


class Pilot(object):
    def __init__(self, token):
        self.token = token
        self.signal = Signal()
        self.signal.add_receiver(self.token_updated)
        self.security = EsiSecurity(
            redirect_uri=config.ESI_CALLBACK,
            client_id=config.ESI_CLIENT_ID,
            secret_key=config.ESI_SECRET_KEY,
            headers={'User-Agent': config.ESI_USER_AGENT},
            sso_endpoints_url=config.SSO_METADATA,
            signal_token_updated=self.signal,
            token_identifier=token.character_id,
        )
        self.security.update_token(token.info())
        self.client = EsiClient(
            self.security, timeout=10, headers={'User-Agent': config.ESI_USER_AGENT}, cache=None
        )

    def token_updated(self, token_identifier, access_token, refresh_token, expires_in, token_type, **kwargs):
        assert token_identifier == self.token.character_id
        self.token.access_token = access_token
        self.token.refresh_token = refresh_token
        self.token.expires_in = expires_in
        self.token.updates += 1
        print('  token of %s updated (%s, %s)' % (self.token.name, token_type, expires_in))

    def get(self, name):
        return self.client.request(esiapp.op[name](character_id=self.token.character_id))

    def location(self):
        system_id = self.get('get_characters_character_id_location').data['solar_system_id']
        system = self.client.request(esiapp.op['get_universe_systems_system_id'](system_id=system_id))
        return system.data['name']

    def ship(self):
        return self.get('get_characters_character_id_ship').data.ship_type_id


if __name__ == '__main__':
    pilots = [
        Pilot(SSOToken(row['character_id'], row['name'], row['refresh_token']))
        for row in config.LOGINS[:3]
    ]
    for pilot in pilots:
        print('%s joins' % pilot.token.name)
        print('  expired: %s' % pilot.security.is_token_expired())
        print('  in %s, flying %s' % (pilot.location(), pilot.ship()))
        print('  expired: %s' % pilot.security.is_token_expired())
    print('again, without any update')
    for pilot in pilots:
        print('  %s is in %s' % (pilot.token.name, pilot.location()))
    print('the first one comes back an hour later')
    first = pilots[0]
    first.token.expires_in = -1
    first.security.update_token(first.token.info())
    print('  expired: %s' % first.security.is_token_expired())
    print('  in %s' % first.location())
    print('updates: %s' % [pilot.token.updates for pilot in pilots])
    first.signal.remove_receiver(first.token_updated)
    first.security.update_token({'access_token': '', 'expires_in': -1})
    print('without receiver: in %s' % first.location())
    print('updates: %s' % [pilot.token.updates for pilot in pilots])
