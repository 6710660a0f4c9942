"""Logins that come by a bare refresh token: what the SSO gives for it is not lost, whatever comes with it."""

from __future__ import annotations

from typing import Any

import pytest

from esipy.events import AFTER_TOKEN_REFRESH
from esipy.exceptions import TokenInvalidError, TokenRevokedError
from esipy.sso.login import Login
from esipy.sso.tokens import Held
from tests.sso.logins_kit import WHO, VirtualSso, kept
from tests.sso.sso_kit import OTHER_KEY, reply, signed


def wrong(sso: VirtualSso) -> None:
    """From now on the SSO takes refresh tokens and rotates them, with access tokens that an unknown key has signed."""

    def answer(form: dict[str, str]) -> Any:
        before = set(sso.good)
        if sso.refreshed(form).status != 200:
            return reply(400, {"error": "invalid_grant"})
        (rotated,) = set(sso.good) - before
        access_token = signed(OTHER_KEY, sub=f"CHARACTER:EVE:{WHO}")
        return reply(200, {"access_token": access_token, "expires_in": 1199, "refresh_token": rotated})

    sso.before = answer


def right(sso: VirtualSso) -> None:
    """From now on the SSO's answers can be verified."""
    sso.before = lambda form: None


@pytest.mark.parametrize("times", [1, 3])
def test_T42_a_refresh_token_that_came_with_a_wrong_answer_is_used_when_it_is_added_again(
    sso: VirtualSso, times: int
) -> None:
    """The one that was given is dead by then; the same is to be given again, as the program knows no other."""
    store, given = sso.store(), sso.new_refresh_token(WHO)
    process = sso.process(store)
    wrong(sso)
    for _ in range(times):
        with pytest.raises(TokenInvalidError, match="not valid"):
            sso.runtime.run(process.logins.add(process, given))
    assert given not in sso.good
    assert store.load("app", WHO) is None
    right(sso)
    assert WHO == sso.runtime.run(process.client().add(process, given)).character_id
    assert [kept(store, "app", WHO).refresh_token] == list(sso.good)


def test_T42_a_refresh_token_that_came_with_a_wrong_answer_is_kept_with_the_one_that_is_said_to_be_somebodys(
    sso: VirtualSso,
) -> None:
    """Its first use sends the dead one, and then the one that came for it; also another process does."""
    store, given = sso.store(), sso.new_refresh_token(WHO)
    process = sso.process(store)
    wrong(sso)
    with pytest.raises(TokenInvalidError):
        sso.runtime.run(process.logins.add(process, given))
    right(sso)
    sso.runtime.run(process.logins.add(process, given, WHO))
    assert sso.runtime.run(sso.process(store).token(WHO)) == sso.minted[-1]
    assert [kept(store, "app", WHO).refresh_token] == list(sso.good)


def test_T42_what_a_login_of_its_own_kept_aside_comes_with_it(sso: VirtualSso) -> None:
    """It was refreshed by itself before, with an answer that was refused: its refresh token is dead, too."""
    store, given = sso.store(), sso.new_refresh_token(WHO)
    process = sso.process(store)
    login = Login("", process.logins.application, process.logins.source, AFTER_TOKEN_REFRESH, None)
    login._replace(Held(None, given, None))
    wrong(sso)
    with pytest.raises(TokenInvalidError):
        sso.runtime.run(login.token(process))
    right(sso)
    assert WHO == sso.runtime.run(process.logins.add(process, login)).character_id
    assert [kept(store, "app", WHO).refresh_token] == list(sso.good)


def test_a_refresh_token_that_is_dead_with_all_that_came_for_it_is_said_to_be(sso: VirtualSso) -> None:
    """It is revoked, and nothing else is sent for it from then on."""
    store, given = sso.store(), sso.new_refresh_token(WHO)
    process = sso.process(store)
    wrong(sso)
    with pytest.raises(TokenInvalidError):
        sso.runtime.run(process.logins.add(process, given))
    right(sso)
    sso.good.clear()
    for sent in (2, 1):
        sso.asked.clear()
        with pytest.raises(TokenRevokedError):
            sso.runtime.run(process.logins.add(process, given))
        assert sent == len(sso.asked)
