"""What a process has in its hands: tokens that are not saved yet, a lease that may be over, a login that has ended."""

from __future__ import annotations

from typing import Any

import pytest

from esipy.exceptions import (
    LoginRequiredError,
    OwnerChangedError,
    SSOUnavailableError,
    TokenRevokedError,
    TokenStoreError,
)
from esipy.sso.leases import lease_name, lease_seconds
from esipy.sso.vault import Kept
from tests.sso.logins_kit import WHO, BrokenTokens, Process, VirtualSso, ask, heard, kept, later, put, state
from tests.sso.sso_kit import JWKS, reply


def holding(sso: VirtualSso, store: BrokenTokens) -> Process:
    """A process that has refreshed, and could not save what it got."""
    process = sso.process(store)
    store.broken = {"save"}
    with pytest.raises(TokenStoreError, match="This process keeps them in memory"):
        ask(sso, process)
    store.broken = set()
    return process


def test_T38_others_are_kept_from_the_old_token_while_the_new_one_is_not_saved(sso: VirtualSso) -> None:
    """The lease stays: they wait, and get what was saved late. The old token is sent once."""
    store = sso.store()
    sso.keep(store, WHO)
    process, other = holding(sso, store), sso.process(store)
    waiting = sso.runtime.spawn(other.token(WHO))
    assert (sso.minted[-1], sso.minted[-1]) == later(sso, process, waiting)
    assert (1, 0) == (sso.refreshes, sso.refused)


def test_T38_a_client_that_is_closed_saves_what_could_not_be_saved(sso: VirtualSso) -> None:
    """Another process then needs no refresh; it is told once."""
    store = sso.store()
    sso.keep(store, WHO)
    with heard() as told:
        process = holding(sso, store)
        assert [] == told()
        sso.runtime.run(process.logins.leave(process))
        assert ["AFTER_TOKEN_REFRESH"] == told()
    assert sso.minted[-1] == ask(sso, sso.process(store))
    assert 1 == sso.refreshes


def test_T38_once_it_is_saved_late_others_may_refresh_at_once(sso: VirtualSso) -> None:
    """The lease that kept them from the old token is given back then, and not only when it ends by itself."""
    store = sso.store()
    sso.keep(store, WHO)
    process = holding(sso, store)
    late = ask(sso, process)
    began = sso.runtime.now()
    assert late != ask(sso, sso.process(store), not_this=late)
    assert sso.runtime.now() < began + 5 < began + lease_seconds(process.logins.source) / 2


def test_a_lease_that_was_kept_is_not_taken_from_who_has_it_now(sso: VirtualSso) -> None:
    """It had ended by itself before the tokens were saved; another is at work under it."""
    store = sso.store()
    sso.keep(store, WHO)
    process = holding(sso, store)
    seconds = lease_seconds(process.logins.source)
    sso.runtime.run(sso.runtime.sleep(seconds + 1))
    assert store.lease(lease_name("app", WHO), "another", seconds)
    ask(sso, process)
    assert not store.lease(lease_name("app", WHO), "a third", seconds)


def test_a_logout_elsewhere_is_not_undone_by_what_was_not_saved(sso: VirtualSso) -> None:
    """Nobody keeps the login any more: the tokens in memory are dropped, and nobody hears of them."""
    store = sso.store()
    sso.keep(store, WHO)
    with heard() as told:
        process = holding(sso, store)
        record = store.load("app", WHO)
        assert record is not None
        assert store.save("app", WHO, None, record.version)
        with pytest.raises(LoginRequiredError, match="no login of character"):
            ask(sso, process)
        assert [] == told()
    assert store.load("app", WHO) is None


def test_T39_a_new_login_is_not_overwritten_by_what_was_not_saved(sso: VirtualSso) -> None:
    """The character has logged in anew elsewhere: that login is used, and the refresh is not told of."""
    store = sso.store()
    sso.keep(store, WHO)
    process = holding(sso, store)
    other = sso.process(store)
    sso.runtime.run(other.logins.complete(other, str(WHO)))
    with heard() as told:
        assert sso.minted[-1] == ask(sso, process)
        assert [] == told()
    assert sso.logged_in[-1] == kept(store, "app", WHO).refresh_token


def test_a_login_that_is_over_is_not_used_from_memory(sso: VirtualSso) -> None:
    """ESI refuses a token, the SSO says that it was revoked: others do not go on with the token in memory."""
    store = sso.store()
    now = sso.runtime.now()
    put(store, "app", WHO, Kept("good", sso.new_refresh_token(WHO)), expires_at=now + 1000, refreshed_at=now)
    process = sso.process(store)
    assert "good" == ask(sso, process)
    sso.good.clear()
    with pytest.raises(TokenRevokedError):
        ask(sso, process, not_this="good")
    with pytest.raises(TokenRevokedError):
        ask(sso, process)
    assert ("revoked", 1) == (state(store, "app", WHO), len(sso.asked))


def test_nothing_is_spent_while_it_cannot_be_verified(sso: VirtualSso) -> None:
    """The SSO's keys cannot be had: the refresh token is not sent."""
    store = sso.store()
    old = sso.keep(store, WHO)
    process, real = sso.process(store), sso.runtime.send

    async def send(request: Any) -> Any:
        return reply(503, {}) if request.url.endswith(JWKS) else await real(request)

    process.send = send  # type: ignore[attr-defined]
    with pytest.raises(SSOUnavailableError):
        ask(sso, process)
    assert ([], old) == (sso.asked, kept(store, "app", WHO).refresh_token)


def test_T37_who_was_held_up_for_longer_than_the_lease_sends_nothing(sso: VirtualSso) -> None:
    """Another has refreshed meanwhile: its token is taken, and the old one is not sent again."""
    store = sso.store()
    sso.keep(store, WHO)
    process, other, real = sso.process(store), sso.process(store), sso.runtime.send

    async def send(request: Any) -> Any:
        if request.url.endswith(JWKS):
            await sso.runtime.sleep(lease_seconds(process.logins.source) + 1)
            await other.token(WHO)
        return await real(request)

    process.send = send  # type: ignore[attr-defined]
    got = ask(sso, process)
    assert [got] == sso.minted
    assert (1, 0) == (sso.refreshes, sso.refused)


def test_what_was_kept_aside_for_another_token_is_not_sent(sso: VirtualSso) -> None:
    """It belongs to the token that it came for; a login that is over is over."""
    store = sso.store()
    put(store, "app", WHO, Kept("old", "dead", ("another", sso.new_refresh_token(WHO))))
    with pytest.raises(TokenRevokedError):
        ask(sso, sso.process(store))
    assert ["dead"] == [token for _, token in sso.asked]


def test_T47_a_refresh_gives_no_token_to_another_accounts_session(sso: VirtualSso) -> None:
    """Who asks for one owner gets nothing of another, also when the token has to be refreshed first."""
    store = sso.store()
    sso.keep(store, WHO)
    with pytest.raises(OwnerChangedError, match="another account"):
        ask(sso, sso.process(store), owner="another")
    assert sso.minted[-1] == ask(sso, sso.process(store), owner="hash")
