"""A Discord bot's module: one login object shared by all commands, filled with the tokens of who asks."""
import time

from esipy import App, EsiClient, EsiSecurity
from esipy.events import AFTER_TOKEN_REFRESH
from esipy.exceptions import APIException

import config

app = App.create(config.ESI_SWAGGER_JSON)
security = EsiSecurity(
    redirect_uri=config.ESI_CALLBACK,
    client_id=config.ESI_CLIENT_ID,
    secret_key=config.ESI_SECRET_KEY,
    headers={'User-Agent': config.ESI_USER_AGENT},
    sso_endpoints_url=config.SSO_METADATA,
)
client = EsiClient(
    retry_requests=True,
    headers={'User-Agent': config.ESI_USER_AGENT},
    security=security,
    raw_body_only=False,
)

USERS = {}


def save_token(token_identifier, access_token, expires_in, refresh_token=None, **kwargs):
    user = USERS[token_identifier]
    user['access_token'] = access_token
    user['token_expiry'] = time.time() + expires_in
    if refresh_token:
        user['refresh_token'] = refresh_token
    user['saved'] += 1


AFTER_TOKEN_REFRESH.add_receiver(save_token)


def as_user(func):
    """Run a command with the tokens of the user who sent it."""
    def wrapper(user_id, *args):
        user = USERS.get(user_id)
        if user is None:
            return 'Use !login first.'
        security.update_token(
            {
                'access_token': user['access_token'],
                'expires_in': user['token_expiry'] - time.time(),
                'refresh_token': user['refresh_token'],
            },
            token_identifier=user_id
        )
        return func(user, *args)
    return wrapper


@as_user
def wallet(user):
    op = app.op['get_characters_character_id_wallet'](character_id=user['character_id'])
    return '{}: {:,.2f} ISK'.format(user['name'], client.request(op).data)


@as_user
def queue(user):
    op = app.op['get_characters_character_id_skillqueue'](character_id=user['character_id'])
    rows = client.request(op).data
    return '%s: %d skills in training, first %s to level %s' % (
        user['name'], len(rows), rows[0].skill_id, rows[0].finished_level
    )


@as_user
def home(user):
    op = app.op['get_characters_character_id_clones'](character_id=user['character_id'])
    data = client.request(op).data
    location = data.home_location.location_type if 'home_location' in data else 'unknown'
    return '%s: home %s, %d jump clones' % (user['name'], location, len(data.jump_clones))


@as_user
def spy(user, other):
    op = app.op['get_characters_character_id_wallet'](character_id=other)
    res = client.request(op)
    return '%s: %s %s' % (user['name'], res.status, 'error' in res.data)


if __name__ == '__main__':
    for number, row in enumerate(config.LOGINS[:3]):
        USERS['user#%d' % number] = dict(row, access_token='', token_expiry=0, saved=0)
    for user_id in sorted(USERS) + ['stranger#1']:
        for command in (wallet, queue, home):
            print('%s !%s -> %s' % (user_id, command.__closure__[0].cell_contents.__name__, command(user_id)))
    print('saved:', [USERS[user_id]['saved'] for user_id in sorted(USERS)])
    print(spy('user#0', config.LOGINS[1]['character_id']))
    print('whose token now:', security.token_identifier)
    USERS['user#2']['refresh_token'] = 'revoked'
    USERS['user#2']['token_expiry'] = 0
    try:
        print(wallet('user#2'))
    except APIException as error:
        print('!wallet failed:', error.status_code)
    print('user#1 still:', wallet('user#1'))
