"""A corporation's gatekeeper: checks who logs in, keeps few scopes, and looks at roles and standings."""
import json
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

from esipy import App, EsiClient, EsiSecurity
from esipy.exceptions import APIException

import config
import player

SCOPES = [
    'esi-characters.read_corporation_roles.v1',
    'esi-skills.read_skills.v1',
    'esi-wallet.read_character_wallet.v1',
]

# asked once at the start, and given to every login
ENDPOINTS = json.loads(urlopen(config.SSO_METADATA).read())
KEYS = json.loads(urlopen(ENDPOINTS['jwks_uri']).read())

app = App.create(config.ESI_SWAGGER_JSON)


def get_security():
    return EsiSecurity(
        config.ESI_CALLBACK,
        config.ESI_CLIENT_ID,
        config.ESI_SECRET_KEY,
        headers={'User-Agent': config.ESI_USER_AGENT},
        sso_endpoints=ENDPOINTS,
        jwks_key=KEYS,
    )


def scopes_of(security):
    scopes = security.verify()['scp']
    return [scopes] if isinstance(scopes, str) else sorted(scopes)


def main():
    character_id = config.LOGINS[0]['character_id']
    security = get_security()
    for nothing in ('', None):
        try:
            security.get_auth_uri(state=nothing, scopes=SCOPES)
        except AttributeError as error:
            print('no state:', 'state' in str(error))
    try:
        security.verify()
    except AttributeError:
        print('nothing to verify')
    try:
        EsiSecurity(config.ESI_CALLBACK, config.ESI_CLIENT_ID, headers={'User-Agent': config.ESI_USER_AGENT})
    except AttributeError:
        print('neither secret nor verifier')

    auth_uri = security.get_auth_uri('gate', scopes=SCOPES)
    print('endpoints:', auth_uri.startswith(ENDPOINTS['authorization_endpoint']), security.oauth_issuer)
    code = parse_qs(urlsplit(player.log_in(auth_uri, character_id)).query)['code'][0]
    request = security.get_access_token_params(code)
    print('request:', sorted(request), sorted(request['data']), sorted(request['headers']))
    security.auth(code)
    try:
        security.auth(code)
    except APIException as error:
        print('the code is used up:', error.status_code)

    claims = security.verify(kid=KEYS['keys'][0]['kid'])
    print(claims['sub'], claims['name'], claims['azp'], claims['aud'])
    print('loosely:', security.verify(options={'verify_aud': False})['owner'] == claims['owner'])
    print('scopes:', scopes_of(security))

    # an access token for less
    security.refresh(scope_list=SCOPES[:1])
    print('one scope:', scopes_of(security))
    try:
        security.refresh(scope_list=SCOPES[:2])
        print('two scopes:', scopes_of(security))
    except APIException as error:
        print('two scopes:', error.status_code)
    try:
        security.refresh(scope_list='everything')
    except AttributeError:
        print('a list of scopes is wanted')
    security.refresh()
    print('all again:', len(scopes_of(security)))

    client = EsiClient(security, headers={'User-Agent': config.ESI_USER_AGENT})
    roles = client.request(
        app.op['get_characters_character_id_roles'](character_id=character_id)
    ).data
    print('director:', 'Director' in roles.roles, 'roles:', len(roles.roles), roles.get('roles_at_hq'))
    character = client.request(app.op['get_characters_character_id'](character_id=character_id)).data
    corporation = client.request(
        app.op['get_corporations_corporation_id'](corporation_id=character.corporation_id)
    ).data
    print(character.name, 'of', corporation.name, '[%s]' % corporation.ticker, corporation.member_count)
    history = client.request(
        app.op['get_characters_character_id_corporationhistory'](character_id=character_id)
    ).data
    dates = [row.start_date.v for row in history]
    print('corporations:', len(history), 'first', min(dates).strftime('%Y-%m-%d'))

    copied = get_security()
    copied.update_token({
        'access_token': security.access_token,
        'expires_in': security.token_expiry,
        'refresh_token': security.refresh_token,
    })
    print('copied:', copied.is_token_expired(), copied.verify()['name'])


if __name__ == '__main__':
    main()
