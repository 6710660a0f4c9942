"""Whose answer is whose: what tells calls, clients and logins apart in the cache, and what does not."""

from __future__ import annotations

import pytest

from esipy import ops
from esipy.engine.exchange import Exchange
from esipy.stores.memory import MemoryCache
from tests.engine.kit import FRESH, ORDERS, WALLET, Bench, Login, Script, answer
from tests.seeds import printed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ORDERS, ORDERS.replace(page=2)),
        (ORDERS, ORDERS.replace(region_id=10000003)),
        (ORDERS, ORDERS.replace(order_type="buy")),
        (ORDERS, ORDERS.in_language("de")),
        (ORDERS, ops.market.get_markets_region_id_history(region_id=10000002, type_id=34)),
        (
            ops.character.post_characters_affiliation(body=[1, 2]),
            ops.character.post_characters_affiliation(body=[1, 3]),
        ),
    ],
)
def test_T01_calls_that_differ_have_keys_that_differ(one: object, other: object) -> None:
    """Path, every parameter, body and language are in the key."""
    bench = Bench("blocking", Script())
    keys = {Exchange(bench.engine, call, call.operation.method).cache_key for call in (one, other)}  # type: ignore[attr-defined]
    assert len(keys) == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"language": "fr"},
        {"tenant": "singularity"},
        {"compatibility_date": "2025-01-01"},
        {"base_url": "http://127.0.0.1:1"},
    ],
)
def test_T01_clients_that_differ_have_keys_that_differ(settings: dict[str, str]) -> None:
    """Language, tenant, compatibility date and address are in the key, so a shared store never mixes them."""
    keys = {Exchange(Bench("blocking", Script(), settings=s).engine, ORDERS, "GET").cache_key for s in ({}, settings)}
    assert len(keys) == 2


def test_T01_who_asks_is_in_the_key_of_calls_with_a_token_only() -> None:
    """Two characters share a public answer, and never one that needs a token."""
    benches = [Bench("blocking", Script(), signer=Login(character)) for character in (91, 92)]
    assert len({Exchange(bench.engine, WALLET, "GET").cache_key for bench in benches}) == 2
    assert len({Exchange(bench.engine, ORDERS, "GET").cache_key for bench in benches}) == 1


def test_T03_a_login_that_is_swapped_under_way_is_kept_under_its_own_name() -> None:
    """The answer belongs to whose token was sent, not to who was logged in when the call began."""

    class Swapped(Login):
        async def token(self, runtime: object, *, not_this: str | None = None) -> str:
            self.principal = "app:92"
            return "token-of-92"

        def principal_of(self, access_token: str) -> str:
            return "app:92"

    contacts = ops.contacts.get_alliances_alliance_id_contacts(alliance_id=99000001)
    store = MemoryCache()
    script = Script(answer([], **FRESH))
    Bench("blocking", script, signer=Swapped(91), cache=store).perform(contacts)
    assert Bench("blocking", script, signer=Login(92), cache=store).perform(contacts).source == "cache"
    assert Bench("blocking", script, signer=Login(91), cache=store).perform(contacts).source == "network"


def test_T03_the_scope_is_checked_on_a_hit_too() -> None:
    """Another login of the same character, which was allowed less, is given nothing that is kept: ESI says so."""

    class Limited(Login):
        def lacks(self, scope: str) -> bool:
            return scope == WALLET.operation.scope

    store = MemoryCache()
    script = Script(answer(29500.01, **FRESH), answer({"error": "token does not have the scope"}, 403))
    allowed = Bench("blocking", script, signer=Login(91), cache=store)
    assert [allowed.perform(WALLET).source for _ in range(2)] == ["network", "cache"]
    unchecked = {"check_scopes": False}
    limited = Bench("blocking", script, signer=Limited(91), cache=store, settings=unchecked)
    assert limited.perform(WALLET).status == 403
    assert allowed.perform(WALLET).source == "cache"


def test_T04_a_new_token_neither_empties_nor_grows_the_cache() -> None:
    """The key names the character: after a refresh the kept answer is still a hit, and the store holds one entry."""
    login = Login(token="token-1")
    script = Script(answer(29500.01, **FRESH))
    store = MemoryCache()
    bench = Bench("blocking", script, signer=login, cache=store)
    bench.perform(WALLET)
    login.tokens = ["token-2"]
    assert bench.perform(WALLET).source == "cache"
    assert (len(script.requests), len(store)) == (1, 1)


def test_T08_the_same_call_has_the_same_key_in_every_process() -> None:
    """No part of a key depends on the process: neither its hash seed nor its objects."""
    program = (
        "from tests.engine.kit import *\n"
        "from esipy.engine.exchange import Exchange\n"
        "b = Bench('blocking', Script(), signer=Login())\n"
        "c = ops.character.post_characters_affiliation(body=[3, 1, 2])\n"
        "print([Exchange(b.engine, x, x.operation.method).cache_key for x in (ORDERS, WALLET, c)])\n"
    )
    assert len(printed(program, "1", "2")) == 1


def test_T10_affiliations_are_kept_by_their_set_of_ids() -> None:
    """Ids in any order are one key; another set is another."""
    script = Script(answer([], cache_control="max-age=3600"))
    bench = Bench("blocking", script)
    for ids in ([1, 2], [2, 1], [1, 2, 3]):
        bench.perform(ops.character.post_characters_affiliation(body=ids))
    assert len(script.requests) == 2
