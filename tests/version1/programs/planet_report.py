"""When do the extractors of my colonies stop? As a table, and as JSON for the alliance's site."""
import json
from datetime import datetime, timedelta, timezone

from esipy import App, EsiClient, EsiSecurity

import config

app = App.create(config.ESI_SWAGGER_JSON)
TODAY = datetime(2026, 8, 4, 12, 0, tzinfo=timezone.utc)


def main():
    login = config.LOGINS[0]
    security = EsiSecurity(
        redirect_uri='',
        client_id=config.ESI_CLIENT_ID,
        secret_key=config.ESI_SECRET_KEY,
        headers={'User-Agent': config.ESI_USER_AGENT},
        sso_endpoints_url=config.SSO_METADATA,
    )
    security.update_token({
        'access_token': '', 'expires_in': -1, 'refresh_token': login['refresh_token']
    })
    client = EsiClient(security=security, headers={'User-Agent': config.ESI_USER_AGENT})

    planets = client.request(
        app.op['get_characters_character_id_planets'](character_id=login['character_id'])
    ).data
    print(login['name'], 'has', len(planets), 'colonies')
    report = []
    for planet in sorted(planets, key=lambda planet: planet.planet_id):
        print('%s planet %d, level %d, last update %s' % (
            planet.planet_type, planet.planet_id, planet.upgrade_level, planet.last_update.to_json()
        ))
        age = TODAY - planet.last_update.v
        print('  days old:', age.days, 'old:', planet.last_update.v < TODAY - timedelta(days=30))
        layout = client.request(
            app.op['get_characters_character_id_planets_planet_id'](
                character_id=login['character_id'],
                planet_id=planet.planet_id
            )
        ).data
        pins = []
        for pin in layout.pins:
            row = {'type': pin.type_id, 'contents': len(pin.get('contents', []))}
            if 'expiry_time' in pin:
                row['expires'] = pin.expiry_time.to_json()
                row['hours'] = int((pin['expiry_time'].v - TODAY).total_seconds() // 3600)
                row['weekday'] = pin.expiry_time.v.strftime('%A')
            pins.append(row)
        for row in pins:
            print('  ', sorted(row.items()))
        report.append({
            'planet_id': planet.planet_id,
            'system': planet.solar_system_id,
            'pins': pins,
            'updated': planet.last_update,
            'links': len(layout.links),
        })
    print(json.dumps(report[0], sort_keys=True, default=lambda value: value.to_json()))
    soonest = sorted(planets, key=lambda planet: planet.last_update.v)[0]
    print('touched longest ago:', soonest.planet_id, soonest.last_update.v.tzinfo is not None)
    print('as text:', str(soonest.last_update) == soonest.last_update.v.isoformat())


if __name__ == '__main__':
    main()
