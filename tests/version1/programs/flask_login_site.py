"""A site where one logs in with EVE and sees who one is and what is in the wallet."""
import random
import hashlib
import hmac

from flask import Flask, redirect, request, session, url_for

from esipy import App
from esipy import EsiClient
from esipy import EsiSecurity
from esipy.exceptions import APIException

import config
import player

SCOPES = ['esi-wallet.read_character_wallet.v1', 'esi-location.read_location.v1']

app = Flask(__name__)
app.secret_key = 'only for this test'
users = {}

esiapp = App.create(config.ESI_SWAGGER_JSON)
esisecurity = EsiSecurity(
    app=esiapp,
    redirect_uri=config.ESI_CALLBACK,
    client_id=config.ESI_CLIENT_ID,
    secret_key=config.ESI_SECRET_KEY,
    headers={'User-Agent': config.ESI_USER_AGENT},
    sso_endpoints_url=config.SSO_METADATA,
)
esiclient = EsiClient(
    security=esisecurity,
    cache=None,
    headers={'User-Agent': config.ESI_USER_AGENT}
)


def generate_token():
    """Generates a non-guessable OAuth token"""
    chars = ('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')
    rand = random.SystemRandom()
    random_string = ''.join(rand.choice(chars) for _ in range(40))
    return hmac.new(
        config.ESI_SECRET_KEY.encode('utf-8'),
        random_string.encode('utf-8'),
        hashlib.sha256
    ).hexdigest()


@app.route('/sso/login')
def login():
    token = generate_token()
    session['token'] = token
    return redirect(esisecurity.get_auth_uri(state=token, scopes=SCOPES))


@app.route('/callback')
def callback():
    code = request.args.get('code')
    token = request.args.get('state')
    sess_token = session.pop('token', None)
    if sess_token is None or token is None or token != sess_token:
        return 'Login EVE Online SSO failed: Session Token Mismatch', 403

    try:
        auth_response = esisecurity.auth(code)
    except APIException as e:
        return 'Login EVE Online SSO failed: %s' % e.status_code, 403

    cdata = esisecurity.verify()
    character_id = int(cdata['sub'].split(':')[-1])
    users[character_id] = {
        'character_id': character_id,
        'character_name': cdata['name'],
        'character_owner_hash': cdata['owner'],
        'scopes': cdata['scp'],
        'tokens': auth_response,
    }
    session['character_id'] = character_id
    return redirect(url_for('index'))


@app.route('/')
def index():
    user = users.get(session.get('character_id'))
    if user is None:
        return 'nobody is logged in'

    esisecurity.update_token(user['tokens'])
    wallet = esiclient.request(
        esiapp.op['get_characters_character_id_wallet'](
            character_id=user['character_id']
        )
    )
    location = esiclient.request(
        esiapp.op['get_characters_character_id_location'](
            character_id=user['character_id']
        )
    )
    return '%s has %0.2f ISK and is in %d' % (
        user['character_name'], wallet.data, location.data.solar_system_id
    )


@app.route('/sso/logout')
def logout():
    users.pop(session.pop('character_id', None), None)
    return redirect(url_for('index'))


if __name__ == '__main__':
    with app.test_client() as browser:
        print('before:', browser.get('/').get_data(as_text=True))
        answer = browser.get('/sso/login')
        print('login:', answer.status_code)
        back = player.log_in(answer.headers['Location'], config.LOGINS[0]['character_id'])
        print('sent back to:', back.split('?')[0])
        answer = browser.get(back[len('http://127.0.0.1:8635'):])
        print('callback:', answer.status_code, answer.headers['Location'])
        print('after:', browser.get('/').get_data(as_text=True))
        for user in users.values():
            print('scopes:', sorted(user['scopes']))
            print('token type:', user['tokens']['token_type'], user['tokens']['expires_in'])
        print('forged:', browser.get('/callback?code=abc&state=abc').status_code)
        with browser.session_transaction() as kept:
            kept['token'] = 'xyz'
        print('bad code:', browser.get('/callback?code=abc&state=xyz').get_data(as_text=True))
        browser.get('/sso/logout')
        print('left:', browser.get('/').get_data(as_text=True))
