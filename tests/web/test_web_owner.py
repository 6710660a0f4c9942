"""A character is sold while its old owner's session goes on: the session shows nothing of the new owner's (T47)."""

from __future__ import annotations

import pytest

from esipy import EsiClient, ops
from esipy.exceptions import LoginRequiredError, OwnerChangedError
from esipy.login import WebLogin
from esipy.sandbox import RunningSandbox
from esipy.tokens import MemoryTokens
from tests.web.web_kit import FRAMEWORKS, ME, site_of

WALLET = "esi-wallet.read_character_wallet.v1"


def test_T47_one_owners_session_never_uses_anothers_login(eve: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a call nor from the cache, also while the store cannot say whose it is; the new owner's works."""

    class Failing(MemoryTokens):
        down = False

        def load(self, client_id: str, character_id: int):  # type: ignore[no-untyped-def]
            if self.down:
                raise OSError("gone")
            return super().load(client_id, character_id)

    store = Failing()
    with EsiClient(
        client_id=eve.client_id, secret_key=eve.secret_key, tokens=store, base_url=eve.url, sso_url=eve.url, headers=ME
    ) as client:
        login = WebLogin(client, eve.redirect_uri, [WALLET])

        def log_in() -> tuple[int, str]:
            session: dict[str, object] = {}
            claims = login.finish(session, eve.approve(login.start(session)))
            return claims.character_id, claims.owner

        character_id, seller = log_in()
        call = ops.wallet.get_characters_character_id_wallet(character_id=character_id)
        assert client.as_character(character_id, owner=seller).fetch(call) > 0
        eve.sell(character_id)
        same_id, buyer = log_in()
        assert (character_id, True) == (same_id, seller != buyer)
        assert client.as_character(character_id, owner=buyer).fetch(call) > 0
        for _ in range(2):
            with pytest.raises(OwnerChangedError, match="another account than the one that logged in; log in again"):
                client.as_character(character_id, owner=seller).fetch(call)
            assert client.as_character(character_id).fetch(call) > 0
            # The second time the store would be looked at again, and fails: what is remembered counts on.
            store.down, now = True, client._engine.runtime.now
            monkeypatch.setattr(client._engine.runtime, "now", lambda: now() + 60)  # noqa: B023


def test_logins_of_one_second_replace_each_other(eve: RunningSandbox) -> None:
    """The last one is kept, whatever the SSO's clock, which tells whole seconds, makes of their order."""
    store = MemoryTokens()
    with EsiClient(
        client_id=eve.client_id, secret_key=eve.secret_key, tokens=store, base_url=eve.url, sso_url=eve.url, headers=ME
    ) as client:
        login = WebLogin(client, eve.redirect_uri, [WALLET])
        for _ in range(5):
            session: dict[str, object] = {}
            claims = login.finish(session, eve.approve(login.start(session)))
            assert [claims.owner] == [record.owner for record in store.records()]
            eve.sell(claims.character_id)


def test_what_is_cached_is_not_shown_once_the_login_is_over(eve: RunningSandbox) -> None:
    """A session of an account is served from the cache only while that account's login is known to be good."""
    with EsiClient(
        client_id=eve.client_id, secret_key=eve.secret_key, tokens=MemoryTokens(), base_url=eve.url, sso_url=eve.url,
        headers=ME,
    ) as client:  # fmt: skip
        login, session = WebLogin(client, eve.redirect_uri, [WALLET]), {}
        claims = login.finish(session, eve.approve(login.start(session)))
        call = ops.wallet.get_characters_character_id_wallet(character_id=claims.character_id)
        mine = client.as_character(claims.character_id, owner=claims.owner)
        assert ["network", "cache"] == [mine.request(call).source for _ in range(2)]
        client.remove_character(claims.character_id)
        with pytest.raises(LoginRequiredError):
            mine.fetch(call)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_T47_the_old_owners_browser_sees_nothing_of_the_new_ones(framework: str) -> None:
    """The examples keep in the session which account logged in, and a page for another one says so."""
    with site_of(framework) as site:
        seller, buyer, character_id = site.person(), site.person(), site.eve.sandbox.roster.ids[4]
        assert " ISK" in seller.log_in(site.eve, character_id).text
        site.eve.sell(character_id)
        assert " ISK" in buyer.log_in(site.eve, character_id).text
        page = seller.get("/")
        assert (True, True) == (page.status in (400, 503), "belongs to another account" in page.text)
        assert " ISK" not in page.text
        assert " ISK" in buyer.get("/").text
