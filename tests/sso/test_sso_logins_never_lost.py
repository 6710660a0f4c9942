"""No login is lost, mixed up or ended without cause, whatever store and SSO do wrong: saved before it is used."""

from __future__ import annotations

from typing import Any

import pytest

from esipy.core.moments import as_seconds
from esipy.exceptions import (
    OwnerChangedError,
    SSOUnavailableError,
    TokenInvalidError,
    TokenRevokedError,
    TokenStoreError,
)
from esipy.sso.vault import Kept
from tests.sso.logins_kit import WHO, VirtualSso, ask, heard, kept, put, renewed, state
from tests.sso.sso_kit import OTHER_KEY, reply, signed


def test_a_store_that_fails_costs_no_call_whose_token_is_good(sso: VirtualSso) -> None:
    """What is remembered is used on, until it is over; then the error says what is wrong."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    first = ask(sso, process)
    store.broken = {"load", "save", "lease"}
    sso.runtime.run(sso.runtime.sleep(600))
    assert first == ask(sso, process)
    sso.runtime.run(sso.runtime.sleep(600))
    with pytest.raises(TokenStoreError, match="the disk is full"):
        ask(sso, process)


def test_a_store_that_cannot_be_written_to_fails_before_the_token_is_spent(sso: VirtualSso) -> None:
    """The lease is a write: read-only or full, nothing is sent to the SSO."""
    store = sso.store()
    token = sso.keep(store, WHO)
    store.broken = {"lease", "save"}
    with pytest.raises(TokenStoreError):
        ask(sso, sso.process(store))
    assert ([], token in sso.good) == (sso.asked, True)


def test_T38_what_cannot_be_saved_is_kept_in_memory_and_saved_later(sso: VirtualSso) -> None:
    """The disk fills after the lease: the caller is told, nobody gets the new token, and the next use saves it."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    store.broken = {"save"}
    with heard() as told:
        for _ in range(2):
            with pytest.raises(TokenStoreError, match=r"the disk is full.*keeps them in memory"):
                ask(sso, process)
        assert [] == told()
    assert 1 == sso.refreshes
    store.broken = set()
    process.logins = process.client()  # another client of the same process, too
    with heard() as told:
        assert renewed(sso, process)
        assert ["AFTER_TOKEN_REFRESH"] == told()
    assert 1 == sso.refreshes
    assert kept(store, "app", WHO).refresh_token in sso.good


def test_T38_a_caller_that_is_cancelled_loses_nothing(sso: VirtualSso) -> None:
    """Who waits for a refresh may be cancelled at any moment: the refresh ends, and its tokens are saved."""
    for moment in range(1, 40):
        store = sso.store()
        sso.keep(store, WHO)
        process = sso.process(store)
        flight = sso.runtime.spawn(process.token(WHO))
        sso.runtime.run(sso.runtime.sleep(moment * 0.01))
        sso.runtime.cancel(flight)
        sso.runtime.run(sso.runtime.sleep(60))
        assert kept(store, "app", WHO).refresh_token in sso.good, moment


def test_T39_a_token_that_another_has_replaced_is_not_believed_to_be_dead(sso: VirtualSso) -> None:
    """``invalid_grant`` while the store has another token by now: that one is used; nobody is logged out."""
    store = sso.store()
    dead = sso.keep(store, WHO)
    process = sso.process(store)
    del sso.good[dead]

    def another(form: dict[str, str]) -> None:
        if form["refresh_token"] == dead:
            sso.keep(store, WHO)

    sso.before = another
    with heard() as told:
        assert renewed(sso, process)
    assert (["AFTER_TOKEN_REFRESH"], 2) == (told(), len(sso.asked))


def test_T40_only_invalid_grant_ends_a_login(sso: VirtualSso) -> None:
    """It is told once; the record says so, its tokens are gone, and the SSO is not asked again."""
    store = sso.store()
    token = sso.keep(store, WHO)
    process = sso.process(store)
    del sso.good[token]
    with heard() as told:
        for _ in range(3):
            with pytest.raises(TokenRevokedError, match="log in again"):
                ask(sso, process)
        assert ["TOKEN_REVOKED"] == told()
    assert ("revoked", Kept(), 1) == (state(store, "app", WHO), kept(store, "app", WHO), len(sso.asked))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 200])
def test_T40_an_outage_never_ends_a_login(sso: VirtualSso, status: int) -> None:
    """Every other failure keeps the token; the record says so with one write, and the error when to come back."""
    store = sso.store()
    token = sso.keep(store, WHO)
    process = sso.process(store)
    sso.before = lambda form: reply(status, {"error": "server_error"} if status != 200 else b"<html>")
    with heard() as told:
        saves = []
        for _ in range(3):
            with pytest.raises(SSOUnavailableError) as raised:
                ask(sso, process)
            retry_at = as_seconds(raised.value.retry_at)
            assert retry_at is not None
            assert retry_at > sso.runtime.now()
            sso.runtime.run(sso.runtime.sleep(retry_at - sso.runtime.now()))
            saves.append(store.saves)
        assert ["SSO_UNREACHABLE"] * 3 == told()
    assert ("unreachable", token, 1) == (state(store, "app", WHO), kept(store, "app", WHO).refresh_token, len({*saves}))
    sso.before = lambda form: None
    assert renewed(sso, process)
    assert "ok" == state(store, "app", WHO)


def test_T40_an_outage_makes_no_storm(sso: VirtualSso) -> None:
    """Three hundred characters call for ten minutes while the SSO is down: it hears of few, in growing pauses."""
    store = sso.store()
    for who in range(300):
        sso.keep(store, who)
    process = sso.process(store)
    sso.before = lambda form: reply(503, b"<html>", retry_after="30")

    async def call(who: int) -> None:
        for _ in range(20):
            with pytest.raises(SSOUnavailableError):
                await process.token(who)
            await sso.runtime.sleep(30 * (0.5 + sso.runtime.random()))

    async def main() -> None:
        flights = [sso.runtime.spawn(call(who)) for who in range(300)]
        for flight in flights:
            await sso.runtime.join(flight)

    sso.runtime.run(main())
    assert len(sso.asked) <= 5 * 15
    assert 300 == len(sso.good)


def test_T42_an_answer_that_is_wrong_is_refused_and_what_is_in_it_kept_aside(sso: VirtualSso) -> None:
    """The old tokens stay; the rotated refresh token is kept durably, and used once the SSO refuses the old one."""
    store = sso.store()
    old = sso.keep(store, WHO)

    def wrong(form: dict[str, str]) -> Any:
        sso.refreshed(form)
        (new,) = sso.good
        access_token = signed(OTHER_KEY, sub=f"CHARACTER:EVE:{WHO}")
        return reply(200, {"access_token": access_token, "expires_in": 1199, "refresh_token": new})

    sso.before = wrong
    with heard() as told:
        with pytest.raises(TokenInvalidError):
            ask(sso, sso.process(store))
        assert [] == told()
    there = kept(store, "app", WHO)
    assert Kept("old", old, there.aside) == there  # nothing of the token that is wrong
    assert there.aside is not None
    assert (old, True) == (there.aside[0], there.aside[1] in sso.good)
    sso.before = lambda form: None
    assert renewed(sso, sso.process(store))  # another process: what was kept aside is in the store
    there = kept(store, "app", WHO)
    assert (None, True) == (there.aside, there.refresh_token in sso.good)


def test_T42_answers_that_are_wrong_make_no_storm(sso: VirtualSso) -> None:
    """While the SSO gives nothing but what is refused it is asked ever more seldom, for this character alone."""
    store = sso.store()
    for who in (WHO, WHO + 1):
        sso.keep(store, who)
    process = sso.process(store)
    wrong = signed(OTHER_KEY, sub=f"CHARACTER:EVE:{WHO}")
    sso.before = lambda form: reply(200, {"access_token": wrong, "expires_in": 1199})
    with pytest.raises(TokenInvalidError):
        ask(sso, process)
    for _ in range(600):
        with pytest.raises((TokenInvalidError, SSOUnavailableError), match="not valid"):
            ask(sso, process)
        sso.runtime.run(sso.runtime.sleep(1))
    assert len(sso.asked) <= 15
    sso.before = lambda form: None
    assert renewed(sso, process, WHO + 1)
    sso.runtime.run(sso.runtime.sleep(120))
    assert renewed(sso, process)


def test_T42_a_token_of_another_character_is_refused(sso: VirtualSso) -> None:
    """Two characters are never mixed, whatever the SSO says."""
    store = sso.store()
    old = sso.keep(store, WHO)
    sso.before = lambda form: reply(200, {"access_token": sso.mint(WHO + 1), "expires_in": 1199, "refresh_token": old})
    with pytest.raises(TokenInvalidError, match="another character"):
        ask(sso, sso.process(store))
    assert Kept("old", old) == kept(store, "app", WHO)


def test_T47_a_character_that_was_sold_is_not_spoken_for(sso: VirtualSso) -> None:
    """Another owner hash: told once, the record says so, the new token is used by nobody; a new login works."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    sso.before = lambda form: sso.refreshed(form, owner="another account")
    with heard() as told:
        for _ in range(2):
            with pytest.raises(OwnerChangedError, match="belongs to another account"):
                ask(sso, process)
        assert ["OWNER_CHANGED"] == told()
    assert ("owner changed", None, 1) == (state(store, "app", WHO), kept(store, "app", WHO).access_token, sso.refreshes)


def test_T47_a_character_that_was_sold_is_not_spoken_for_by_the_old_token_either(sso: VirtualSso) -> None:
    """It is found out by a refresh before the time: the token that would still be good is not used any more."""
    store = sso.store()
    expires_at = sso.runtime.now() + 12
    token = sso.new_refresh_token(WHO)
    put(store, "app", WHO, Kept("good", token), expires_at=expires_at, refreshed_at=sso.runtime.now() - 1187)
    process = sso.process(store)
    sso.before = lambda form: sso.refreshed(form, owner="another account")
    with heard() as told:
        while not sso.asked:
            assert "good" == ask(sso, process)
            sso.runtime.run(sso.runtime.sleep(0.5))
        with pytest.raises(OwnerChangedError):
            ask(sso, process)
        assert sso.runtime.now() < expires_at - 5
        assert ["OWNER_CHANGED"] == told()
