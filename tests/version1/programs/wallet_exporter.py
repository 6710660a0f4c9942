"""Writes a corporation's and a character's journals to files: JSON for the site, pickles for the next run."""
import io
import json
import pickle

from esipy import App, EsiClient, EsiSecurity

import config

app = App.create(url=config.ESI_SWAGGER_JSON)


def serialize(obj):
    """JSON for what the standard library does not know."""
    if hasattr(obj, 'to_json'):
        return obj.to_json()
    raise TypeError('%r is not JSON serializable' % obj)


def get_client(login):
    security = EsiSecurity(
        redirect_uri=config.ESI_CALLBACK,
        client_id=config.ESI_CLIENT_ID,
        secret_key=config.ESI_SECRET_KEY,
        headers={'User-Agent': config.ESI_USER_AGENT},
        sso_endpoints_url=config.SSO_METADATA,
    )
    security.update_token({
        'access_token': '', 'expires_in': -1.0, 'refresh_token': login['refresh_token']
    })
    security.refresh()
    return EsiClient(security=security, headers={'User-Agent': config.ESI_USER_AGENT})


def journal(client, name, **arguments):
    operation = app.op[name](page=1, **arguments)
    response = client.request(operation)
    rows = list(response.data)
    pages = response.header['X-Pages'][0] if 'X-Pages' in response.header else 1
    for page in range(2, pages + 1):
        rows.extend(client.request(app.op[name](page=page, **arguments)).data)
    return pages, rows


def main():
    login = config.LOGINS[0]
    client = get_client(login)
    character_id = login['character_id']

    pages, rows = journal(client, 'get_characters_character_id_wallet_journal', character_id=character_id)
    print('journal:', pages, 'pages', len(rows), 'rows')
    rows.sort(key=lambda row: (row.date.v, row.id))
    for row in rows[:3]:
        print(row.date.to_json(), row.id, row.ref_type, '%.2f' % row.get('amount', 0), 'tax' in row)
    text = json.dumps(rows[:2], default=serialize, sort_keys=True)
    print(text == json.dumps(json.loads(text), sort_keys=True), sorted(json.loads(text)[0])[:4])
    print('sum: %.2f' % sum(row.get('amount', 0) for row in rows))

    kept = io.BytesIO()
    pickle.dump([dict(row, date=row.date.v) for row in rows], kept)
    kept.seek(0)
    print('kept:', len(pickle.load(kept)))

    operation = app.op['get_characters_character_id_wallet_transactions'](character_id=character_id)
    transactions = client.request(operation).data
    print('transactions:', len(transactions), len(set(row['transaction_id'] for row in transactions)))
    row = transactions[0]
    print('%(type_id)d x %(quantity)d at %(unit_price).2f' % row)
    print('keys:', sorted(row.keys()) == sorted(key for key, _ in row.items()))
    print('attributes:', row.is_buy, row.is_personal, row.client_id == row['client_id'])
    copied = pickle.loads(pickle.dumps(row))
    print('pickled:', copied.transaction_id == row.transaction_id, copied.date.v == row.date.v)
    try:
        row.nothing
    except KeyError:
        print('no attribute')
    print('missing:', row.get('nothing'), 'nothing' in row, 'date' in row)

    corporation_id = client.request(
        app.op['get_characters_character_id'](character_id=character_id)
    ).data.corporation_id
    wallets = client.request(
        app.op['get_corporations_corporation_id_wallets'](corporation_id=corporation_id)
    )
    for wallet in wallets.data:
        print('division %d: %.2f' % (wallet.division, wallet.balance))
    print(json.loads(wallets.raw.decode('utf-8'))[0]['division'])


if __name__ == '__main__':
    main()
