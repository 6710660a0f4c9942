"""What a login does not allow is not sent; what ESI forbids all the same is explained."""

from __future__ import annotations

import pytest

from esipy import EsiApp, ops
from esipy.exceptions import ForbiddenError, MissingScopeError, UnauthorizedError
from esipy.sandbox import RunningSandbox
from tests.client.colours import Colour, Connect

MAIL = "esi-mail.read_mail.v1"
WALLET_SCOPE = "esi-wallet.read_character_wallet.v1"
HERO = 2112000001
WALLET = ops.wallet.get_characters_character_id_wallet(character_id=HERO)
DIVISIONS = "get_corporations_corporation_id_wallets"


def with_scopes(connect: Connect, box: RunningSandbox, scopes: list[str], **options: bool) -> Colour:
    """A client whose login allows just these."""
    client = connect(login=True, **options)
    client.security.update_token(box.login(HERO, scopes))
    return client


def test_T43_a_call_that_the_login_does_not_allow_is_not_sent(connect: Connect, box: RunningSandbox) -> None:
    """The error names the scope, and how to get it; ESI, which counts such calls, is not asked."""
    client = with_scopes(connect, box, [MAIL])
    with pytest.raises(MissingScopeError, match=WALLET_SCOPE) as raised:
        client.fetch(WALLET)
    assert WALLET_SCOPE == raised.value.scope
    assert "esipy login --for get_characters_character_id_wallet" in str(raised.value)
    assert [] == box.received()


def test_T43_a_call_without_a_login_is_not_sent(connect: Connect, box: RunningSandbox) -> None:
    """It says how to log in."""
    with pytest.raises(MissingScopeError, match="as_character") as raised:
        connect().fetch(WALLET)
    assert (401, WALLET_SCOPE) == (raised.value.status_code, raised.value.scope)
    assert [] == box.received()


def test_T43_request_answers_as_esi_would(connect: Connect, box: RunningSandbox) -> None:
    """403, or 401 without a login, with the error that says why, for calls of version 1 too; no other call is lost."""
    client = with_scopes(connect, box, [MAIL])
    response = client.request(WALLET)
    assert (403, "nowhere", MissingScopeError) == (response.status, response.source, type(response.error))
    assert 401 == connect().request(EsiApp().op["get_characters_character_id_wallet"](character_id=HERO)).status
    answers = client.multi_request([WALLET, ops.status.get_status()])
    assert [403, 200] == [answer.status for _, answer in answers]
    assert 1 == len(box.received())


def test_it_is_sent_all_the_same_where_the_program_says_so(connect: Connect, box: RunningSandbox) -> None:
    """``check_scopes=False``: ESI's own words are the answer, and its 403 says that it is the scope."""
    with pytest.raises(ForbiddenError, match=f"ask for it too|{WALLET_SCOPE}") as raised:
        with_scopes(connect, box, [MAIL], check_scopes=False).fetch(WALLET)
    assert ("scope", WALLET_SCOPE) == (raised.value.reason, raised.value.scope)
    with pytest.raises(UnauthorizedError):
        connect(check_scopes=False).fetch(WALLET)


def test_a_403_for_a_role_in_game_names_the_roles(connect: Connect, box: RunningSandbox) -> None:
    """No scope helps: a director of the corporation has to give the role."""
    operation = ops.operation(DIVISIONS)
    client = with_scopes(connect, box, [str(operation.scope)])
    box.set_roles(HERO, [])
    corporation_id = client.fetch(ops.character.get_characters_detail(character_id=HERO)).corporation_id
    with pytest.raises(ForbiddenError, match="Accountant, Junior_Accountant") as raised:
        client.fetch(ops.wallet.get_corporations_corporation_id_wallets(corporation_id=corporation_id))
    assert ("role", operation.roles) == (raised.value.reason, raised.value.roles)


def test_a_403_for_what_is_anothers_says_so(connect: Connect, box: RunningSandbox) -> None:
    """Neither scope nor role is missing: it is not this character's."""
    client = with_scopes(connect, box, [WALLET_SCOPE])
    with pytest.raises(ForbiddenError, match="not this character's") as raised:
        client.fetch(WALLET.replace(character_id=HERO + 1))
    assert "access" == raised.value.reason
