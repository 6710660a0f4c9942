"""A client of many characters: a view for each, whose calls carry that character's token and no other's."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from esipy import AsyncEsiClient, AsyncEsiSecurity, EsiClient, EsiSecurity
from esipy.exceptions import (
    LoginRequiredError,
    SettingError,
    TokenRevokedError,
    TokenStoreError,
)
from esipy.sandbox import RunningSandbox
from esipy.sso.sealing import Sealer
from esipy.sso.vault import Kept, Stored, Vault
from esipy.stores.tokens import TokenRecord
from esipy.tokens import SqliteTokens, new_key
from tests.client.characters_kit import (
    MAIL,
    WALLET,
    expire,
    ids,
    log_in,
    signed_by,
    wallet_of,
)
from tests.client.characters_kit import options as options
from tests.client.colours import UA, Connect


def test_each_view_speaks_for_its_character(connect: Connect, options: dict[str, Any]) -> None:
    """What one was answered is never given to another; connections, cache and limits are shared."""
    client = connect(**{**options, "cache": False})
    one, two = ids(client.box, 2)
    log_in(client, one)
    log_in(client, two)
    views = [client.client.as_character(who) for who in (one, two, one)]
    wallets = [client.do(view.fetch(wallet_of(who))) for view, who in zip(views, (one, two, one), strict=True)]
    assert wallets[0] == wallets[2] != wallets[1]
    assert [[one], [two]] == [signed_by(client.box, f"/characters/{who}/wallet") for who in (one, two)]
    for view in views:
        assert view._transport is client.client._transport
        assert view._engine.ledger is client.client._engine.ledger
        assert view._engine.cache is client.client._engine.cache
        assert type(view) is type(client.client)
    assert client.do(views[1].request(wallet_of(one))).status == 403


def test_a_view_is_light_and_nobody_remembers_it(connect: Connect, options: dict[str, Any]) -> None:
    """A service with any number of characters makes one for each request."""
    client = connect(**options)
    views = [client.client.as_character(who) for who in range(1000)]
    gone = [weakref.ref(view) for view in views]
    del views
    gc.collect()
    assert {None} == {reference() for reference in gone}
    assert [] == client.box.received()


def test_a_login_of_its_own_is_one_of_many(connect: Connect, options: dict[str, Any]) -> None:
    """`EsiSecurity` as before, beside the stored ones; it needs neither store nor application."""
    client = connect(cache=None)
    (who,) = ids(client.box, 1)
    kind = EsiSecurity if client.name == "blocking" else AsyncEsiSecurity
    security = kind(client.box.redirect_uri, client.box.client_id, client.box.secret_key, headers=UA,
                    sso_url=client.box.sso_url)  # fmt: skip
    security.update_token(client.box.login(who))
    view = client.client.as_character(security)
    assert view.security is security
    assert client.do(view.fetch(wallet_of(who))) > 0
    if isinstance(security, AsyncEsiSecurity):
        client.do(security.close())


@pytest.mark.parametrize("who", ["90000001", True, None, 1.5])
def test_what_is_no_character_is_refused(options: dict[str, Any], box: RunningSandbox, who: Any) -> None:
    """At once, with what it has to be."""
    with EsiClient(base_url=box.url, headers=UA, **options) as client, pytest.raises(SettingError, match="id"):
        client.as_character(who)


def test_characters_lists_them_with_their_state(connect: Connect, options: dict[str, Any]) -> None:
    """Name, scopes, last refresh, and what has become of each."""
    client = connect(**options)
    one, two, three, four = ids(client.box, 4)
    for who in (one, two):
        log_in(client, who)
    log_in(client, three, "publicData")
    client.add_character(client.box.login(four)["refresh_token"], four)
    expire(options["tokens"], two)
    client.box.revoke(two)
    with pytest.raises(TokenRevokedError):
        client.do(client.client.as_character(two).fetch(wallet_of(two)))
    found = client.characters()
    assert [one, two, three, four] == [character.character_id for character in found]
    assert ["ok", "revoked", "ok", "ok"] == [character.state for character in found]
    assert [(MAIL, WALLET), (MAIL, WALLET), ("publicData",), ()] == [character.scopes for character in found]
    assert found[0].name == client.box.sandbox.roster.get(one).name
    assert "" == found[3].name
    assert (None, None) == (found[3].refreshed_at, found[3].expires_at)


def test_the_moments_of_a_character_are_aware_datetimes(connect: Connect, options: dict[str, Any]) -> None:
    """In UTC, as those of a response and of a list; the record in the store has seconds since 1970."""
    client = connect(**options)
    (who,) = ids(client.box, 1)
    log_in(client, who)
    (found,) = client.characters()
    record = options["tokens"].load(client.box.client_id, who)
    assert datetime.fromtimestamp(record.refreshed_at, UTC) == found.refreshed_at
    assert (UTC, UTC) == (found.refreshed_at.tzinfo, found.expires_at.tzinfo)
    assert timedelta(seconds=1199) == found.expires_at - found.refreshed_at


def test_one_that_is_damaged_keeps_no_other_from_being_listed(connect: Connect, options: dict[str, Any]) -> None:
    """What was sealed for another character does not open: that is said when it is used, not to who lists them."""
    client = connect(**options, token_key=new_key())
    one, two = ids(client.box, 2)
    for who in (one, two):
        log_in(client, who)
    store = options["tokens"]
    mine, other = store.load(client.box.client_id, one), store.load(client.box.client_id, two)
    assert store.save(client.box.client_id, two, other._replace(sealed=mine.sealed), other.version)
    expire(store)
    assert [one, two] == [character.character_id for character in client.characters()]
    with pytest.raises(TokenStoreError, match="do not open"):
        client.do(client.client.as_character(two).fetch(wallet_of(two)))


def test_a_login_without_scopes_ends_with_its_token(connect: Connect, options: dict[str, Any]) -> None:
    """There is nothing to refresh it with: listed as expired, and a call says that it has to log in again."""
    client = connect(**options, check_scopes=False)
    (who,) = ids(client.box, 1)
    record = TokenRecord(client.box.client_id, who, "One", "", (), "ok", 1.0, 1.0, b"")
    Vault(options["tokens"], Sealer(), client.box.client_id)._save(Stored(record, Kept("access")), None)
    assert ["expired"] == [character.state for character in client.characters()]
    with pytest.raises(LoginRequiredError, match="there is no refresh token"):
        client.do(client.client.as_character(who).fetch(wallet_of(who)))


def test_a_character_that_nobody_logged_in_is_asked_to(connect: Connect, options: dict[str, Any]) -> None:
    """The error says how; nothing is sent."""
    client = connect(**options)
    with pytest.raises(LoginRequiredError, match=r"no login of character 7 is kept .*esipy login"):
        client.do(client.client.as_character(7).fetch(wallet_of(7)))
    assert [] == client.box.received()


def test_closing_a_view_closes_nothing(connect: Connect, options: dict[str, Any]) -> None:
    """It, others and the client go on."""
    client = connect(**options)
    (who,) = ids(client.box, 1)
    log_in(client, who)
    view = client.client.as_character(who)
    client.do(view.close())
    assert client.do(view.fetch(wallet_of(who))) > 0


def test_what_a_view_watches_ends_with_the_client(box: RunningSandbox, options: dict[str, Any]) -> None:
    """No thread goes on looking when the client is closed, though the view was not."""
    with EsiClient(base_url=box.url, headers=UA, **{**options, "cache": False}) as client:
        (who,) = ids(box, 1)
        client.add_character(box.login(who)["refresh_token"], who)
        client.as_character(who).on_change(wallet_of(who)).add_receiver(lambda **_: None)
        box.wait_received(1, f"/characters/{who}/wallet")
    assert [] == [thread.name for thread in threading.enumerate() if thread.name == "esipy_watching"]


def test_no_thread_is_left_of_an_asyncio_client(box: RunningSandbox, options: dict[str, Any]) -> None:
    """Stores are asked beside the loop; the threads that do it go with the client."""
    before = set(threading.enumerate())

    async def main() -> None:
        async with AsyncEsiClient(base_url=box.url, headers=UA, **options) as client:
            assert [] == await client.characters()

    asyncio.run(main())
    beside = [one for one in set(threading.enumerate()) - before if one.name.startswith("esipy_beside")]
    for thread in beside:
        thread.join(30)
    assert [] == [thread for thread in beside if thread.is_alive()]


def test_without_a_client_id_the_only_application_is_meant(box: RunningSandbox, options: dict[str, Any]) -> None:
    """With none or several in the store the error lists them."""
    store = options["tokens"]
    options = {**options, "client_id": None, "base_url": box.url, "headers": UA}
    with EsiClient(**options) as client, pytest.raises(SettingError, match=r"client_id: say which.*no login yet"):
        client.characters()
    store.save(box.client_id, 1, TokenRecord(box.client_id, 1, "One", "", (), "ok", 0, 0, b""), None)
    with EsiClient(**options) as client:
        assert [1] == [character.character_id for character in client.characters()]
    store.save("other", 2, TokenRecord("other", 2, "Two", "", (), "ok", 0, 0, b""), None)
    with EsiClient(**options) as client, pytest.raises(SettingError, match=f"other, {box.client_id}"):
        client.characters()


def test_the_environment_says_what_no_keyword_does(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Application, secret, store and key; a second client of the process uses the same store."""
    (who,) = ids(box, 1)
    path = tmp_path / "tokens.sqlite3"
    for name, value in {
        "ESI_CLIENT_ID": box.client_id, "ESI_SECRET_KEY": box.secret_key or "", "ESI_TOKENS": f"sqlite:///{path}",
        "ESI_TOKEN_KEY": "A" * 43, "ESI_SSO_URL": box.sso_url, "ESI_BASE_URL": box.url, "ESI_USER_AGENT": "T/1 (a@b.c)",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with EsiClient(cache=None) as client:
        client.add_character(box.login(who)["refresh_token"], who)
        with EsiClient(cache=None) as other:
            assert other.as_character(who).fetch(wallet_of(who)) > 0
            assert other._logins._vault.store is client._logins._vault.store
    sealed = SqliteTokens(path).load(box.client_id, who)
    assert sealed is not None
    assert b"\x01" == sealed.sealed[:1]
