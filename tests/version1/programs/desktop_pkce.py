"""A desktop tool: logs in without a secret, keeps the tokens, and reads them back with a login of its own."""
from urllib.parse import parse_qs, urlsplit

from esipy import App, EsiClient, EsiSecurity
from esipy.utils import generate_code_challenge, generate_code_verifier

import config
import player

SCOPES = ['esi-assets.read_assets.v1', 'esi-wallet.read_character_wallet.v1']

app = App.create(config.ESI_SWAGGER_JSON)


class TokenFile(object):
    """Signs requests with a kept token; does for a client what a login does."""

    def __init__(self, token):
        self.token = token
        self.signed = []
        self.public = 0

    def __call__(self, request):
        if not request._security:
            self.public += 1
            return request
        for security in request._security:
            if 'evesso' in security:
                self.signed.extend(security['evesso'])
        request._p['header'].update({'Authorization': 'Bearer %s' % self.token})
        return request


def log_in(character_id):
    verifier = generate_code_verifier()
    print('verifier:', 43 <= len(verifier) <= 128, 'challenge:', len(generate_code_challenge(verifier)))
    security = EsiSecurity(
        redirect_uri=config.ESI_CALLBACK,
        client_id=config.ESI_DESKTOP_CLIENT_ID,
        code_verifier=verifier,
        headers={'User-Agent': config.ESI_USER_AGENT},
        sso_endpoints_url=config.SSO_METADATA,
    )
    auth_uri = security.get_auth_uri(state='desktop', scopes=SCOPES)
    asked = parse_qs(urlsplit(auth_uri).query)
    print('asked:', asked['response_type'], asked['code_challenge_method'], asked['state'], asked['scope'])
    print('challenge fits:', asked['code_challenge'] == [generate_code_challenge(verifier)])
    back = parse_qs(urlsplit(player.log_in(auth_uri, character_id)).query)
    print('came back:', sorted(back), back['state'])
    tokens = security.auth(back['code'][0])
    print('tokens:', sorted(tokens))
    return security


def main():
    character_id = config.LOGINS[0]['character_id']
    security = log_in(character_id)
    claims = security.verify()
    print('claims:', claims['sub'], claims['name'], sorted(claims['scp']), claims['azp'])
    client = EsiClient(security, headers={'User-Agent': config.ESI_USER_AGENT})
    wallet = client.request(app.op['get_characters_character_id_wallet'](character_id=character_id))
    print('wallet: %.2f' % wallet.data)
    print('params:', sorted(security.get_refresh_token_params()['data']))
    security.refresh()
    print('refreshed, expired:', security.is_token_expired(), security.is_token_expired(offset=3600))

    tokens = TokenFile(security.access_token)
    other = EsiClient(tokens, headers={'User-Agent': config.ESI_USER_AGENT})
    assets = app.op['get_characters_character_id_assets'](character_id=character_id)
    print('assets:', other.request(assets).status, len(assets[1].data))
    print('status:', other.request(app.op['get_status']()).status)
    print('signed:', tokens.signed, 'public:', tokens.public)

    stranger = EsiClient(headers={'User-Agent': config.ESI_USER_AGENT})
    refused = stranger.request(app.op['get_characters_character_id_assets'](character_id=character_id))
    print('without a login:', refused.status, 'error' in refused.data)
    security.revoke()
    print('revoked:', security.access_token, security.refresh_token, security.is_token_expired())
    try:
        security.refresh()
    except AttributeError as error:
        print('refresh:', type(error).__name__ == 'AttributeError' or isinstance(error, AttributeError))


if __name__ == '__main__':
    main()
