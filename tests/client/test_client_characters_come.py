"""How characters' logins come to a client's store, and go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from esipy import AsyncEsiSecurity, EsiSecurity
from esipy.events import LOGIN_COMPLETED, OWNER_CHANGED
from esipy.exceptions import (
    LoginRequiredError,
    SettingError,
    SSOUnavailableError,
    TokenRevokedError,
    TokenStoreError,
)
from esipy.stores.memory import MemoryCache
from esipy.testing import SignalRecorder
from esipy.tokens import SqliteTokens
from tests.client.characters_kit import (
    REVOKE,
    TOKEN,
    WALLET,
    complete,
    ids,
    log_in,
    signed_by,
    wallet_of,
)
from tests.client.characters_kit import options as options
from tests.client.colours import UA, Connect
from tests.urls import query_of


def test_a_code_is_good_for_one_login(connect: Connect, options: dict[str, Any]) -> None:
    """Used again it is refused, and what is kept stays; the login is told once."""
    client = connect(**options)
    (who,) = ids(client.box, 1)
    security = EsiSecurity(client.box.redirect_uri, client.box.client_id, "secret", headers=UA, sso_url=client.box.url)
    back = client.box.approve(security.get_auth_uri("state", [WALLET]), who)
    code = query_of(back)["code"]
    with SignalRecorder(LOGIN_COMPLETED) as told:
        complete(client, code)
        with pytest.raises(TokenRevokedError):
            complete(client, code)
    name = client.box.sandbox.roster.get(who).name
    expected = {"client_id": client.box.client_id, "character_id": who, "name": name, "scopes": (WALLET,)}
    assert [expected] == told.payloads
    assert client.do(client.client.as_character(who).fetch(wallet_of(who))) > 0


def test_T47_a_new_owners_login_is_told_and_counts(connect: Connect, options: dict[str, Any]) -> None:
    """The character was sold, and its new owner logs in: OWNER_CHANGED, and the new login is the one that is used."""
    client = connect(**options)
    who = client.box.sandbox.roster.ids[9]
    log_in(client, who)
    client.box.sell(who)
    with SignalRecorder(OWNER_CHANGED) as told:
        log_in(client, who)
        log_in(client, who)
    assert [who] == told.values("character_id")
    assert client.do(client.client.as_character(who).fetch(wallet_of(who))) > 0


def test_a_store_that_takes_nothing_costs_no_code(connect: Connect, options: dict[str, Any], tmp_path: Path) -> None:
    """The error comes before the code is spent: with a store that works the same login can be ended."""
    client = connect(**{**options, "tokens": SqliteTokens(tmp_path)})  # a folder
    (who,) = ids(client.box, 1)
    security = EsiSecurity(client.box.redirect_uri, client.box.client_id, "secret", headers=UA, sso_url=client.box.url)
    back = client.box.approve(security.get_auth_uri("state", [WALLET]), who)
    code = query_of(back)["code"]
    with pytest.raises(TokenStoreError, match="folder"):
        complete(client, code)
    assert [] == client.box.received(TOKEN)
    assert who == complete(connect(**options), code).character_id


def test_old_databases_can_be_taken_over(connect: Connect, options: dict[str, Any]) -> None:
    """A bare refresh token, of whom it is known or not, and an `EsiSecurity`; each is used by its view afterwards."""
    client = connect(**options)
    one, two, three = ids(client.box, 3)
    assert one == client.add_character(client.box.login(one)["refresh_token"]).character_id
    assert 1 == len(client.box.received(TOKEN))
    assert (two, "") == client.add_character(client.box.login(two)["refresh_token"], two)[:2]
    kind = EsiSecurity if client.name == "blocking" else AsyncEsiSecurity
    security = kind(client.box.redirect_uri, client.box.client_id, client.box.secret_key, headers=UA,
                    sso_url=client.box.sso_url)  # fmt: skip
    security.update_token(client.box.login(three))
    assert client.box.sandbox.roster.get(three).name == client.add_character(security).name
    assert 1 == len(client.box.received(TOKEN))
    for who in (one, two, three):
        assert client.do(client.client.as_character(who).fetch(wallet_of(who))) > 0
    assert 2 == len(client.box.received(TOKEN))
    # Again, as when a script that takes them over was interrupted: what is kept is newer.
    client.add_character("a token that was rotated away", two)
    assert client.do(client.client.as_character(two).fetch(wallet_of(two))) > 0


def test_what_cannot_be_taken_over_is_said(connect: Connect, options: dict[str, Any]) -> None:
    """A dead refresh token, a login without any, one of another application; nothing is kept of them."""
    client = connect(**options)
    with pytest.raises(TokenRevokedError):
        client.add_character("dead")
    empty = EsiSecurity(client.box.redirect_uri, client.box.client_id, "secret", headers=UA, sso_url=client.box.url)
    with pytest.raises(LoginRequiredError, match="log in first"):
        client.add_character(empty)
    other = EsiSecurity(client.box.redirect_uri, "other", "secret", headers=UA, sso_url=client.box.url)
    with pytest.raises(SettingError, match="of the application other"):
        client.add_character(other)
    assert [] == client.characters()


def test_what_is_cached_is_not_given_after_a_logout(connect: Connect, options: dict[str, Any]) -> None:
    """Neither to a view that was made before, nor to a new one; nothing is sent for it."""
    client = connect(**{**options, "cache": MemoryCache()})
    (who,) = ids(client.box, 1)
    log_in(client, who)
    view = client.client.as_character(who)
    assert client.do(view.fetch(wallet_of(who))) == client.do(view.fetch(wallet_of(who)))
    sent = len(signed_by(client.box, f"/characters/{who}/wallet"))
    client.remove_character(who)
    for after in (view, client.client.as_character(who)):
        with pytest.raises(LoginRequiredError):
            client.do(after.fetch(wallet_of(who)))
    assert sent == len(signed_by(client.box, f"/characters/{who}/wallet")) == 1


def test_a_logout_ends_the_login_there_and_here(connect: Connect, options: dict[str, Any]) -> None:
    """The SSO forgets it first; while that cannot be had, everything stays."""
    client = connect(**options)
    (who,) = ids(client.box, 1)
    client.box.revoke(who)
    log_in(client, who)
    client.box.fail(REVOKE, status=503)
    with pytest.raises(SSOUnavailableError):
        client.remove_character(who)
    assert client.do(client.client.as_character(who).fetch(wallet_of(who))) > 0
    client.remove_character(who)
    assert ([], []) == (client.characters(), client.box.grants(who))
    with pytest.raises(LoginRequiredError):
        client.do(client.client.as_character(who).fetch(wallet_of(who)))
    with pytest.raises(LoginRequiredError, match="nothing to revoke"):
        client.remove_character(who)


class Int64:
    """What tables of numbers hold: it stands for an integer, and is none."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


def test_an_id_from_a_table_is_kept_as_the_number_it_is(connect: Connect, options: dict[str, Any]) -> None:
    """A login that was kept under anything else would not be found again, nor open."""
    client = connect(**options)
    (who,) = ids(client.box, 1)
    client.add_character(client.box.login(who)["refresh_token"], Int64(who))
    assert client.do(client.client.as_character(Int64(who)).fetch(wallet_of(who))) > 0
    assert [(who, int)] == [(it.character_id, type(it.character_id)) for it in client.characters()]
    client.remove_character(Int64(who))
    assert [] == client.characters()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((None,), "add_character(NoneType): has to be a refresh token, or an EsiSecurity that has one"),
        (("",), "add_character(an empty text): has to be a refresh token, or an EsiSecurity that has one"),
        (({"refresh_token": "x"},), "add_character(dict): has to be a refresh token, or an EsiSecurity that has one"),
        (("x", "2112000001"), "add_character(..., str): has to be a character's id, as client.characters() lists them"),
        (("x", 5.0), "add_character(..., float): has to be a character's id, as client.characters() lists them"),
    ],
)
def test_what_is_no_login_is_refused_before_anything_is_kept(
    connect: Connect, options: dict[str, Any], given: tuple[Any, ...], said: str
) -> None:
    """A login under a name that nobody will look for would be lost."""
    client = connect(**options)
    with pytest.raises(SettingError) as refused:
        client.add_character(*given)
    assert said == str(refused.value)
    assert [] == client.characters()


def test_a_login_that_is_over_is_told_with_whose_it_is(connect: Connect, options: dict[str, Any]) -> None:
    """At the first call, too, where the SSO says no more than that a token is dead."""
    client = connect(**options)
    (who,) = ids(client.box, 1)
    client.add_character(client.box.login(who)["refresh_token"], who)
    client.box.revoke(who)
    for said in ("invalid_grant", "it was revoked at the SSO"):
        with pytest.raises(TokenRevokedError, match=f"the login of .*{who}.* is over: .*{said}.*log in again"):
            client.do(client.client.as_character(who).fetch(wallet_of(who)))
