"""Logins that come while others are at work: none is lost, and none takes the place of another."""

from __future__ import annotations

from typing import Any

import pytest

from esipy.exceptions import TokenStoreError
from esipy.sso.login import refreshes_of
from esipy.sso.vault import Kept
from tests.sso.logins_kit import NEWS, WHO, VirtualSso, heard, kept, put


def test_a_login_that_came_while_another_was_removed_stays(sso: VirtualSso) -> None:
    """It is not the one that was meant."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    real, new = store.save, sso.new_refresh_token(WHO)

    def save(client_id: str, character_id: int, record: Any, expected: int | None) -> bool:
        store.save = real  # type: ignore[method-assign]
        put(store, "app", WHO, Kept("new", new))
        return store.save(client_id, character_id, record, expected)

    store.save = save  # type: ignore[method-assign]
    with pytest.raises(TokenStoreError, match="meanwhile"):
        sso.runtime.run(process.logins.forget(process, WHO, revoke=False))
    assert Kept("new", new) == kept(store, "app", WHO)


def test_a_new_login_that_cannot_be_saved_is_not_lost(sso: VirtualSso) -> None:
    """Its code is spent: it is kept in memory, and saved when the character is next used."""
    store = sso.store()
    process = sso.process(store)
    store.broken = {"save"}
    with pytest.raises(TokenStoreError, match="This process keeps them in memory"):
        sso.runtime.run(process.logins.complete(process, str(WHO)))
    store.broken = set()
    assert sso.minted[-1] == sso.runtime.run(process.token(WHO))
    assert sso.logged_in == [kept(store, "app", WHO).refresh_token]


def test_a_new_login_is_not_lost_by_who_is_cancelled(sso: VirtualSso) -> None:
    """The code is spent, and the store is slow: whoever waited for it has gone, and it is kept all the same."""
    store = sso.store()
    process = sso.process(store)
    process.store_seconds = 1.0
    flight = sso.runtime.spawn(process.logins.complete(process, str(WHO)))

    async def go() -> None:
        while not sso.logged_in:
            await sso.runtime.sleep(0.01)
        sso.runtime.cancel(flight)
        await sso.runtime.sleep(60)

    sso.runtime.run(go())
    assert sso.logged_in == [kept(store, "app", WHO).refresh_token]


def test_T47_a_login_that_is_late_does_not_replace_that_of_a_later_owner(sso: VirtualSso) -> None:
    """The seller's login is kept up on its way to the store; by then the buyer has logged in, whose login stays."""
    store = sso.store()
    seller, buyer = sso.process(store), sso.process(store)
    real, held_up = seller.logins._saving.settle, 5.0

    async def late(*arguments: Any) -> Any:
        await sso.runtime.sleep(held_up)
        return await real(*arguments)

    seller.logins._saving.settle = late  # type: ignore[assignment, method-assign]
    flight = sso.runtime.spawn(seller.logins.complete(seller, str(WHO)))

    async def sell() -> None:
        await sso.runtime.sleep(held_up / 2)
        mint = sso.mint
        sso.mint = lambda who, **claims: mint(who, owner="buyer", **claims)  # type: ignore[method-assign]
        await buyer.logins.complete(buyer, str(WHO))
        await sso.runtime.join(flight)

    with heard() as told:
        sso.runtime.run(sell())
        assert ["LOGIN_COMPLETED"] == told()
    there = store.load("app", WHO)
    assert there is not None
    assert ("buyer", sso.logged_in[-1]) == (there.owner, kept(store, "app", WHO).refresh_token)


@pytest.mark.parametrize("way", ["complete", "add", "refresh"])
def test_nobody_is_told_while_others_are_held_up(sso: VirtualSso, way: str) -> None:
    """A receiver may need a refresh of its own: no lease is held then, and none of the five places in the process."""
    store = sso.store()
    process = sso.process(store)
    held: list[Any] = []

    def hear(**_: Any) -> None:
        held.append((dict(store._leases), refreshes_of(process)._slots._inside))  # type: ignore[union-attr]

    for signal in NEWS:
        signal.add_receiver(hear)
    try:
        if way == "complete":
            sso.runtime.run(process.logins.complete(process, str(WHO)))
        elif way == "add":
            sso.runtime.run(process.logins.add(process, sso.new_refresh_token(WHO)))
        else:
            sso.keep(store, WHO)
            sso.runtime.run(process.token(WHO))
    finally:
        for signal in NEWS:
            signal.remove_receiver(hear)
    assert [({}, [])] == held


def test_two_stores_of_one_process_share_no_refresh(sso: VirtualSso) -> None:
    """The same character in both, with a login of its own in each: each is refreshed by its own token."""
    stores = sso.store(), sso.store()
    process = sso.process(stores[0])
    both = [process.logins]
    process.store = stores[1]
    both.append(process.client())
    for store in stores:
        sso.keep(store, WHO)
    flights = [sso.runtime.spawn(logins.token(process, WHO)) for logins in both]

    async def land() -> set[str]:
        return {await sso.runtime.join(flight) for flight in flights}

    got = sso.runtime.run(land())
    assert set(sso.minted) == got
    assert (2, 2) == (sso.refreshes, len(sso.minted))
