"""What do I own, where is it, and what is it called? Assets in pages, names in bulk."""
from collections import Counter

from esipy import App, EsiClient, EsiSecurity

import config

app = App.create(config.ESI_SWAGGER_JSON)


def main():
    login = config.LOGINS[1]
    character_id = login['character_id']
    security = EsiSecurity(
        redirect_uri=config.ESI_CALLBACK,
        client_id=config.ESI_CLIENT_ID,
        secret_key=config.ESI_SECRET_KEY,
        headers={'User-Agent': config.ESI_USER_AGENT},
        sso_endpoints_url=config.SSO_METADATA,
        token_identifier=character_id,
    )
    security.update_token({
        'access_token': '', 'expires_in': -1, 'refresh_token': login['refresh_token']
    })
    client = EsiClient(security=security, headers={'User-Agent': config.ESI_USER_AGENT})

    first = client.request(
        app.op['get_characters_character_id_assets'](character_id=character_id)
    )
    pages = first.header['X-Pages'][0]
    operations = [
        app.op['get_characters_character_id_assets'](character_id=character_id, page=page)
        for page in range(2, pages + 1)
    ]
    assets = list(first.data)
    for _, response in client.multi_request(operations, threads=4):
        assets += response.data
    print('pages:', pages, 'assets:', len(assets))

    flags = Counter(asset.location_flag for asset in assets)
    print(sorted(flags.items())[:5])
    item_ids = sorted(asset.item_id for asset in assets)[:10]
    print('largest id over 32 bits:', max(item_ids) > 2 ** 32)

    names = client.request(
        app.op['post_characters_character_id_assets_names'](
            character_id=character_id,
            item_ids=item_ids,
        )
    )
    print(names.status, [(row.item_id in item_ids, row.name) for row in names.data][:3])
    places = client.request(
        app.op['post_characters_character_id_assets_locations'](
            character_id=character_id,
            item_ids=item_ids,
        )
    )
    print(places.status, ['%.1f' % row.position.x for row in places.data][:3])

    type_ids = sorted(set(asset.type_id for asset in assets))[:20]
    types = client.request(app.op['post_universe_names'](ids=type_ids)).data
    quantities = Counter()
    for asset in assets:
        quantities[asset.type_id] += asset['quantity']
    for row in sorted(types, key=lambda row: row.id):
        print('%6d %-30s %d' % (row.id, row.name, quantities[row.id]))

    affiliation = client.request(
        app.op['post_characters_affiliation'](
            characters=[row['character_id'] for row in config.LOGINS]
        )
    ).data
    for row in affiliation:
        print(row.character_id, row.corporation_id, row.get('alliance_id'))


if __name__ == '__main__':
    main()
