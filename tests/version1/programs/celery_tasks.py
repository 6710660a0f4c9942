"""Tasks of a worker that keeps a corporation's characters up to date, with a cache of the project's own."""
import functools
import pickle
import time

from esipy import App, EsiClient, EsiSecurity
from esipy.cache import BaseCache, _hash
from esipy.events import API_CALL_STATS

import config


class LocMemCache(BaseCache):
    """What django's cache does, without django."""

    def __init__(self):
        self.store = {}
        self.hits = 0

    def set(self, key, value, timeout=300):
        self.store[_hash(key)] = (time.time() + timeout, pickle.dumps(value))

    def get(self, key, default=None):
        expires, value = self.store.get(_hash(key), (0, None))
        if value is None or expires < time.time():
            return default
        self.hits += 1
        return pickle.loads(value)

    def invalidate(self, key):
        self.store.pop(_hash(key), None)


class Task(object):
    """``@app.task(bind=True)``, as far as it is needed here."""

    def __init__(self, func, max_retries):
        functools.update_wrapper(self, func)
        self.func = func
        self.max_retries = max_retries

    def delay(self, *args, **kwargs):
        for retries in range(self.max_retries + 1):
            try:
                return self.func(self, *args, **kwargs)
            except RuntimeError as exc:
                print('%s: retry %d: %s' % (self.__name__, retries + 1, exc))
        raise RuntimeError('no more retries')


def task(max_retries=3):
    return lambda func: Task(func, max_retries)


cache = LocMemCache()
calls = []
DATABASE = {}


def count_calls(url, status_code, elapsed_time, message):
    calls.append(status_code)


API_CALL_STATS.add_receiver(count_calls)
esiapp = App.create(config.ESI_SWAGGER_JSON)


def get_client(login):
    security = EsiSecurity(
        config.ESI_CALLBACK,
        config.ESI_CLIENT_ID,
        config.ESI_SECRET_KEY,
        headers={'User-Agent': config.ESI_USER_AGENT},
        sso_endpoints_url=config.SSO_METADATA,
    )
    if 'access_token' not in login:
        security.update_token({
            'access_token': '', 'expires_in': -1, 'refresh_token': login['refresh_token']
        })
        login.update(security.refresh())
        login['expires_at'] = time.time() + login['expires_in']
    security.update_token({
        'access_token': login['access_token'],
        'expires_in': login['expires_at'] - time.time(),
        'refresh_token': login['refresh_token'],
    })
    return EsiClient(security, cache=cache, headers={'User-Agent': config.ESI_USER_AGENT})


@task()
def update_character(self, login):
    client = get_client(login)
    res = client.request(
        esiapp.op['get_characters_character_id'](character_id=login['character_id'])
    )
    if res.status != 200:
        raise RuntimeError('HTTP %s' % res.status)
    DATABASE[login['character_id']] = {
        'name': res.data['name'],
        'corporation': res.data.get('corporation_id'),
        'birthday': res.data['birthday'].v.date().isoformat(),
    }
    return res.data['name']


@task()
def update_skills(self, login):
    client = get_client(login)
    res = client.request(
        esiapp.op['get_characters_character_id_skills'](character_id=login['character_id'])
    )
    if res.status != 200:
        raise RuntimeError('HTTP %s' % res.status)
    row = DATABASE.setdefault(login['character_id'], {})
    row['total_sp'] = res.data.total_sp
    row['skills'] = len(res.data.skills)
    row['level five'] = len([s for s in res.data.skills if s.trained_skill_level == 5])
    return row['total_sp']


if __name__ == '__main__':
    for run in (1, 2):
        del calls[:]
        for login in config.LOGINS[:2]:
            print('run %d: %s' % (run, update_character.delay(login)))
            print('run %d: %s SP' % (run, update_skills.delay(login)))
        print('run %d: %d calls reached ESI' % (run, len(calls)))
    for character_id, row in sorted(DATABASE.items()):
        print(character_id, sorted(row.items()))
    print('in the cache:', len(cache.store) > 0, 'used:', cache.hits >= 4)
    cache.store.clear()
    print('after clearing:', update_character.delay(config.LOGINS[0]), calls[-1])
