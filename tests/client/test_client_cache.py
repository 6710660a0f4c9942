"""``client.cache``: to forget, to empty, to see what it was good for; and version 1's object, if one was given."""

from __future__ import annotations

from typing import Any

import pytest

from esipy import ops
from esipy.cache import BaseCache, DictCache
from esipy.sandbox import RunningSandbox
from esipy.stores.memory import MemoryCache
from tests.client.colours import Colour, Connect

FORGE = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)
PRICES = ops.market.get_markets_prices()
REGION = ops.universe.get_universe_regions_region_id(region_id=10000002)


def view(client: Colour) -> Any:
    """``client.cache``, its verbs driven in the client's colour."""

    class Driven:
        def __getattr__(self, verb: str) -> Any:
            async def within(*args: Any) -> Any:
                return await getattr(client.client.cache, verb)(*args)

            if client._runner is None:
                return getattr(client.client.cache, verb)
            return lambda *args: client.do(within(*args))

    return Driven()


def test_stats_tell_what_the_cache_was_good_for(connect: Connect, box: RunningSandbox) -> None:
    """Hits, misses, revalidations, stand-ins; and what is kept."""
    client = connect(retry_requests=False)
    for call in (FORGE, FORGE, REGION, REGION):
        client.request(call)
    box.fail("/universe/regions/10000002", 1, status=503)
    assert client.request(REGION).source == "stale"
    stats = view(client).stats()
    assert (1, 2, 1, 1, 0) == (stats.hits, stats.misses, stats.revalidated, stats.stale, stats.joined)
    assert stats.entries == 2
    assert stats.stored_bytes > 2000


def test_a_call_is_forgotten_in_all_its_pages_and_languages(connect: Connect) -> None:
    """And nothing else is."""
    client = connect()
    second = FORGE.replace(page=2)
    german = FORGE.in_language("de")
    for call in (FORGE, second, german, PRICES):
        client.request(call)
    view(client).forget(FORGE)
    calls = (FORGE, second, german, PRICES)
    assert ["network", "network", "network", "cache"] == [client.request(call).source for call in calls]


def test_a_cleared_cache_is_empty(connect: Connect) -> None:
    """Everything is asked for again, as if for the first time; the counts go on."""
    client = connect()
    for call in (FORGE, REGION):
        client.request(call)
    view(client).clear()
    stats = view(client).stats()
    assert (0, 0, 2) == (stats.entries, stats.stored_bytes, stats.misses)
    assert ["network", "network"] == [client.request(call).source for call in (FORGE, REGION)]


def test_what_is_being_read_when_it_is_to_be_forgotten_is_not_kept(connect: Connect, box: RunningSandbox) -> None:
    """A receiver forgets the call that it is told of."""
    client = connect()
    told: list[None] = []

    def forget(**_: Any) -> None:
        if not told:
            told.append(None)
            client.client.cache.forget(FORGE)

    async def forget_async(**_: Any) -> None:
        if not told:
            told.append(None)
            await client.client.cache.forget(FORGE)

    receiver = forget if client.name == "blocking" else forget_async
    with client.client.signal_api_call_stats.connected_to(receiver):
        assert ["network", "network", "cache"] == [client.request(FORGE).source for _ in range(3)]


def test_without_a_cache_there_is_nothing_to_forget(connect: Connect) -> None:
    """No verb fails."""
    client = connect(cache=None)
    client.request(FORGE)
    view(client).forget(FORGE)
    view(client).clear()
    assert (0, 0, 0, 0, 0, None, None) == view(client).stats()
    assert client.client.cache == None  # noqa: E711 (what was given)


def test_T03_a_login_with_fewer_scopes_is_given_nothing_that_is_kept(connect: Connect, box: RunningSandbox) -> None:
    """Of the same character, with one store: ESI itself refuses it, where the client was told not to."""
    store = MemoryCache()
    client, limited = connect(login=True, cache=store), connect(login=True, cache=store, check_scopes=False)
    limited.security.update_token(box.login(client.security.character_id, ["esi-mail.read_mail.v1"]))
    wallet = ops.wallet.get_characters_character_id_wallet(character_id=client.security.character_id)
    assert ["network", "cache"] == [client.request(wallet).source for _ in range(2)]
    assert limited.request(wallet).status == 403
    assert client.request(wallet).source == "cache"


class Mine(BaseCache):
    """As programs of those days wrote it."""

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}

    def set(self, key: Any, value: Any, expire: Any = 300) -> None:  # type: ignore[override]
        self.kept[key] = value

    def get(self, key: Any, default: Any = None) -> Any:  # type: ignore[override]
        return self.kept.get(key, default)

    def invalidate(self, key: Any) -> None:  # type: ignore[override]
        self.kept.pop(key, None)


@pytest.mark.parametrize("kind", [DictCache, Mine])
def test_a_cache_of_version_1_stays_what_it_was(kind: type[Any], connect: Connect) -> None:
    """Its methods and attributes, its class, and that it is the one that was given."""
    cache = kind()
    client = connect(cache=cache).client
    assert isinstance(client.cache, kind)
    assert isinstance(client.cache, BaseCache)
    assert client.cache == cache
    assert hash(client.cache) == hash(cache)
    assert client.cache != kind()
    assert repr(client.cache) == repr(cache)
    client.cache.set("mine", 1, 60)
    assert (1, 1) == (cache.get("mine"), client.cache.get("mine"))
    client.cache.invalidate("mine")
    assert cache.get("mine", "gone") == "gone"
    with pytest.raises(AttributeError, match="unheard_of"):
        client.cache.unheard_of()


def test_what_a_cache_of_version_1_cannot_do_is_said(connect: Connect) -> None:
    """It forgets one call, but others may keep things there too: it is not emptied."""
    client = connect(cache=Mine())
    client.request(FORGE)
    view(client).forget(FORGE)
    assert client.request(FORGE).source == "network"
    assert (None, None) == view(client).stats()[-2:]
    with pytest.raises(TypeError, match="has no clear"):
        view(client).clear()


def test_a_store_of_the_clients_own_shows_as_such(connect: Connect) -> None:
    """The default keeps answers in memory."""
    assert isinstance(connect().client.cache, MemoryCache)


def test_what_a_write_changes_may_be_said_otherwise(connect: Connect) -> None:
    """For this client; what cannot be filled in is refused."""
    client = connect(login=True)
    who = client.security.character_id
    contacts = ops.contacts.get_characters_character_id_contacts(character_id=who, page=1)
    labels = ops.contacts.get_characters_character_id_contacts_labels(character_id=who)
    add = ops.contacts.post_characters_character_id_contacts(character_id=who, standing=5.0, body=[2112000001])
    path = "/characters/{character_id}/contacts"
    client.client.cache.set_changes(path, [path, f"{path}/labels"])
    for call in (contacts, labels):
        client.request(call)
    client.request(add)
    assert ["network", "network"] == [client.request(call).source for call in (contacts, labels)]
    with pytest.raises(ValueError, match=r"\{region_id\} is not in"):
        client.client.cache.set_changes(path, ["/markets/{region_id}/orders"])
