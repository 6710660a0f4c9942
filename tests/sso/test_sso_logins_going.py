"""Logouts while others are at work: a logout ends what there is of a login, and nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from esipy.exceptions import LoginRequiredError, TokenKeyError, TokenStoreError
from esipy.sso.leases import lease_seconds
from esipy.sso.sealing import Sealer
from esipy.sso.vault import Kept
from tests.sso.logins_kit import WHO, BrokenTokens, Process, VirtualSso, ask, kept, later, put
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
    assert (sso.minted[-1], sso.minted[-1]) == later(sso, process, waiting)
    assert (1, 0) == (sso.refreshes, sso.refused)


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
