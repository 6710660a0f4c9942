"""Sends mails, sorts them, and keeps the contacts in order: every kind of body and every verb."""
from esipy import App, EsiClient, EsiSecurity

import config

app = App.create(config.ESI_SWAGGER_JSON)


def main():
    sender, receiver = config.LOGINS[0], config.LOGINS[1]
    me = sender['character_id']
    security = EsiSecurity(
        redirect_uri=config.ESI_CALLBACK,
        client_id=config.ESI_CLIENT_ID,
        secret_key=config.ESI_SECRET_KEY,
        headers={'User-Agent': config.ESI_USER_AGENT},
        sso_endpoints_url=config.SSO_METADATA,
    )
    security.update_token({
        'access_token': '', 'expires_in': -1, 'refresh_token': sender['refresh_token']
    })
    client = EsiClient(security=security, cache=None, headers={'User-Agent': config.ESI_USER_AGENT})

    def send(name, **arguments):
        return client.request(app.op[name](character_id=me, **arguments))

    label = send(
        'post_characters_character_id_mail_labels', label={'name': 'robots', 'color': '#0000fe'}
    )
    print('label:', label.status, type(label.data).__name__)
    mail = send(
        'post_characters_character_id_mail',
        mail={
            'approved_cost': 0,
            'subject': 'Fleet at 20:00',
            'body': 'Be there.',
            'recipients': [
                {'recipient_id': receiver['character_id'], 'recipient_type': 'character'}
            ],
        }
    )
    print('mail:', mail.status, mail.data > 0)
    read = send(
        'put_characters_character_id_mail_mail_id',
        mail_id=mail.data, contents={'labels': [label.data], 'read': True}
    )
    print('sorted:', read.status, read.data)
    found = send('get_characters_character_id_mail_mail_id', mail_id=mail.data).data
    print('read:', found.subject, found.read, found.labels == [label.data], found.recipients[0].recipient_type)
    labelled = send('get_characters_character_id_mail', labels=[label.data]).data
    print('labelled:', len(labelled), [row.subject for row in labelled])
    gone = send('delete_characters_character_id_mail_mail_id', mail_id=mail.data)
    print('deleted:', gone.status, gone.data)
    print('afterwards:', send('get_characters_character_id_mail_mail_id', mail_id=mail.data).status)

    others = [row['character_id'] for row in config.LOGINS[1:4]]
    added = send(
        'post_characters_character_id_contacts', contact_ids=others, standing=5.0, watched=True
    )
    print('added:', added.status, [contact in others for contact in added.data])
    changed = send('put_characters_character_id_contacts', contact_ids=others[:1], standing=-10)
    print('changed:', changed.status, changed.data)
    contacts = send('get_characters_character_id_contacts').data
    standings = dict((row.contact_id, row.standing) for row in contacts)
    print('standings:', [standings[contact] == wanted for contact, wanted in zip(others, (-10, 5, 5))])
    removed = send('delete_characters_character_id_contacts', contact_ids=others)
    print('removed:', removed.status, removed.data)
    contacts = send('get_characters_character_id_contacts').data
    print('left:', [contact in [row.contact_id for row in contacts] for contact in others])

    waypoint = client.request(app.op['post_ui_autopilot_waypoint'](
        add_to_beginning=False, clear_other_waypoints=True, destination_id=30000142
    ))
    print('waypoint:', waypoint.status, waypoint.data)
    window = client.request(app.op['post_ui_openwindow_newmail'](new_mail={
        'subject': 'Hello', 'body': 'there', 'recipients': others
    }))
    print('window:', window.status, window.data)


if __name__ == '__main__':
    main()
