"""Settings, as every program of those days had: from the environment, with EVE's own addresses as defaults."""
import json
import os

ESI_SWAGGER_JSON = os.environ.get(
    'ESI_SWAGGER_JSON',
    'https://esi.evetech.net/latest/swagger.json?datasource=tranquility'
)
ESI_META_JSON = os.environ.get('ESI_META_JSON', 'https://esi.evetech.net/swagger.json')
SSO_METADATA = os.environ.get(
    'SSO_METADATA',
    'https://login.eveonline.com/.well-known/oauth-authorization-server'
)
ESI_CLIENT_ID = os.environ.get('ESI_CLIENT_ID', '')
ESI_SECRET_KEY = os.environ.get('ESI_SECRET_KEY', '')
ESI_DESKTOP_CLIENT_ID = os.environ.get('ESI_DESKTOP_CLIENT_ID', '')
ESI_CALLBACK = os.environ.get('ESI_CALLBACK', 'http://127.0.0.1:8635/callback')
ESI_USER_AGENT = 'EsiPy 1 program / tests (programs@example.com)'

# who has logged in before: [{"character_id": ..., "name": ..., "refresh_token": ...}, ...]
LOGINS = json.loads(os.environ.get('ESI_LOGINS', '[]'))
