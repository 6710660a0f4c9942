"""Logins that come and go while others are at work: a logout ends what there is, and nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from esipy.exceptions import LoginRequiredError, TokenKeyError, TokenStoreError
from esipy.sso.leases import lease_seconds
from esipy.sso.login import refreshes_of
from esipy.sso.sealing import Sealer
from esipy.sso.vault import Kept
from tests.sso.logins_kit import NEWS, WHO, BrokenTokens, Process, VirtualSso, ask, heard, kept, put
from tests.sso.sso_kit import REVOKE, reply


def revoking(sso: VirtualSso, process: Process, meanwhile: Any = None) -> list[str]:
    """Have the SSO revoke tokens, too; what it has revoked. ``meanwhile``: awaited after each."""
    revoked: list[str] = []
    real = sso.runtime.send

    async def send(request: Any) -> Any:
        if not request.url.endswith(REVOKE):
            return await real(request)
        revoked.append(dict(parse_qsl((request.body or b"").decode()))["token"])
        sso.good.pop(revoked[-1], None)
        if meanwhile is not None:
            await meanwhile()
        return reply(200, {})

    process.send = send  # type: ignore[attr-defined]
    return revoked


def test_a_logout_revokes_what_was_kept_aside_too(sso: VirtualSso) -> None:
    """Both refresh tokens may be good at the SSO."""
    store = sso.store()
    put(store, "app", WHO, Kept("old", "sent", ("sent", "aside")))
    process = sso.process(store)
    revoked = revoking(sso, process)
    sso.runtime.run(process.logins.forget(process, WHO))
    assert ["sent", "aside"] == revoked
    assert store.load("app", WHO) is None


def test_a_logout_waits_for_a_refresh_and_revokes_what_it_brought(sso: VirtualSso) -> None:
    """Else the login would stay good at the SSO, and nobody would know."""
    store = sso.store()
    sso.keep(store, WHO)
    process, other = sso.process(store), sso.process(store)
    revoking(sso, process)
    flight = sso.runtime.spawn(other.token(WHO))

    async def log_out() -> None:
        while not sso.asked:
            await sso.runtime.sleep(0.01)
        await process.logins.forget(process, WHO)
        await sso.runtime.join(flight)

    sso.runtime.run(log_out())
    assert (1, {}) == (sso.refreshes, sso.good)
    assert store.load("app", WHO) is None


def spoil(store: BrokenTokens, wrong: str) -> None:
    """Make what is kept of a character not open any more."""
    record = store.load("app", WHO)
    assert record is not None
    sealed = b"?" if wrong == "damaged" else Sealer([b"l" * 32]).seal(b"", ("app", WHO))
    assert store.save("app", WHO, record._replace(sealed=sealed, version=record.version + 1), record.version)


@pytest.mark.parametrize(("wrong", "kind"), [("damaged", TokenStoreError), ("its key is lost", TokenKeyError)])
def test_a_login_that_does_not_open_is_removed_only_by_an_explicit_wish(
    sso: VirtualSso, wrong: str, kind: type[TokenStoreError]
) -> None:
    """It cannot be revoked, so it stays; the error names the way to remove it, and where it can be ended."""
    store = sso.store()
    for who in (WHO, WHO + 1):
        sso.keep(store, who)
    spoil(store, wrong)
    there = store.load("app", WHO)
    process = sso.process(store)
    revoked = revoking(sso, process)
    with pytest.raises(kind) as refused:
        sso.runtime.run(process.logins.forget(process, WHO))
    assert (kind, there) == (refused.type, store.load("app", WHO))
    for way in ("revoke=False", "--forget", "https://developers.eveonline.com/authorized-apps"):
        assert way in str(refused.value)
    sso.runtime.run(process.logins.forget(process, WHO, revoke=False))
    assert (None, []) == (store.load("app", WHO), revoked)
    assert store.load("app", WHO + 1) is not None
    with pytest.raises(LoginRequiredError, match="nothing to remove"):
        sso.runtime.run(process.logins.forget(process, WHO, revoke=False))


def test_a_store_that_cannot_be_read_is_no_login_that_does_not_open(sso: VirtualSso) -> None:
    """Nobody is told to remove a login that is as good as before."""
    store = sso.store()
    sso.keep(store, WHO)
    store.broken = {"load"}
    process = sso.process(store)
    with pytest.raises(TokenStoreError, match="the disk is full") as refused:
        sso.runtime.run(process.logins.forget(process, WHO))
    assert "--forget" not in str(refused.value)


def test_a_login_is_removed_without_the_sso_also_from_memory(sso: VirtualSso) -> None:
    """What could not be saved of it is not saved later, and its token is not used any more."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    store.broken = {"save"}
    with pytest.raises(TokenStoreError, match="keeps them in memory"):
        sso.runtime.run(process.token(WHO))
    store.broken = set()
    sso.runtime.run(process.logins.forget(process, WHO, revoke=False))
    with pytest.raises(LoginRequiredError):
        sso.runtime.run(process.token(WHO))
    assert store.load("app", WHO) is None


@pytest.mark.parametrize("revoke", [True, False])
def test_a_logout_does_not_wait_for_the_lease_of_its_own_process(sso: VirtualSso, revoke: bool) -> None:
    """What keeps others from tokens that are not saved yet does not keep the process itself from ending the login."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    revoked = revoking(sso, process)
    store.broken = {"save"}
    with pytest.raises(TokenStoreError, match="keeps them in memory"):
        ask(sso, process)
    newest, began = next(iter(sso.good)), sso.runtime.now()
    store.broken = set()
    sso.runtime.run(process.logins.forget(process, WHO, revoke=revoke))
    assert ([newest] if revoke else []) == revoked
    assert sso.runtime.now() - began < lease_seconds(process.logins.source) / 10
    assert store.load("app", WHO) is None
    sso.keep(store, WHO)
    earlier = sso.minted.copy()
    assert ask(sso, sso.process(store)) not in earlier
    assert sso.runtime.now() - began < lease_seconds(process.logins.source) / 10


def test_T38_a_logout_that_fails_still_keeps_others_from_the_old_token(sso: VirtualSso) -> None:
    """The new tokens are still not saved: the old one must not be sent again."""
    store = sso.store()
    sso.keep(store, WHO)
    process, other = sso.process(store), sso.process(store)
    revoking(sso, process)
    store.broken = {"save"}
    for deed in (process.token(WHO), process.logins.forget(process, WHO)):
        with pytest.raises(TokenStoreError, match="keeps them in memory"):
            sso.runtime.run(deed)
    store.broken = set()
    waiting = sso.runtime.spawn(other.token(WHO))

    async def later() -> tuple[str, str]:
        await sso.runtime.sleep(3)
        return await process.token(WHO), await sso.runtime.join(waiting)

    assert (sso.minted[-1], sso.minted[-1]) == sso.runtime.run(later())
    assert (1, 0) == (sso.refreshes, sso.refused)


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


def test_a_logout_leaves_a_login_that_has_come_meanwhile(sso: VirtualSso) -> None:
    """Who logs in anew while the old login is revoked stays logged in."""
    store = sso.store()
    sso.keep(store, WHO)
    process, other = sso.process(store), sso.process(store)

    async def log_in() -> None:
        await other.logins.complete(other, str(WHO))

    revoking(sso, process, log_in)
    sso.runtime.run(process.logins.forget(process, WHO))
    assert sso.logged_in == [kept(store, "app", WHO).refresh_token]
    assert sso.minted[-1] == sso.runtime.run(process.token(WHO))


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


def test_who_is_logged_out_is_not_logged_in(sso: VirtualSso) -> None:
    """In the process that logged it out not for a moment longer."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    revoking(sso, process)
    assert sso.runtime.run(process.token(WHO)) in sso.minted
    sso.runtime.run(process.logins.forget(process, WHO))
    with pytest.raises(LoginRequiredError):
        sso.runtime.run(process.token(WHO))


def test_a_token_is_not_remembered_again_by_who_was_about_to_renew_it(sso: VirtualSso) -> None:
    """Another thread logs the character out between the look at its token and the renewal: the token is not used."""
    store = sso.store()
    now = sso.runtime.now()
    fields = {"expires_at": now + 1000, "refreshed_at": now}
    put(store, "app", WHO, Kept("good", sso.new_refresh_token(WHO)), **fields)
    process = sso.process(store)
    assert "good" == sso.runtime.run(process.token(WHO))
    sso.runtime.run(sso.runtime.sleep(985))  # it is time to renew it, and it is still good
    assert "good" == sso.runtime.run(process.logins._seen(process, WHO)).access_token
    real, known = process.random, process.logins._known

    def random() -> float:
        record = store.load("app", WHO)
        if record is not None:  # what the other thread's logout leaves behind
            assert store.save("app", WHO, None, record.version)
            known.lose(WHO)
        return float(real())

    process.random = random  # type: ignore[attr-defined]
    for _ in range(2):
        with pytest.raises(LoginRequiredError):
            sso.runtime.run(process.token(WHO))
    assert ([], None) == (sso.asked, known.seen(WHO))
