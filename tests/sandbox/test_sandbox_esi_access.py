"""Tokens, owners, roles, compatibility dates, tenants and languages."""

from __future__ import annotations

import pytest

from tests.sandbox.sandbox_esi_caller import START, Caller, data, header

WALLET = "/characters/2112000001/wallet"
SCOPE = "esi-wallet.read_character_wallet.v1"


# ---- tokens ----


def test_without_a_token_a_private_route_is_401(caller: Caller) -> None:
    """A route with a scope asks for a token."""
    answer = caller.send(WALLET)
    assert 401 == answer.status
    assert "Bearer" == header(answer, "WWW-Authenticate")


@pytest.mark.parametrize("problem", ["malformed", "unknown", "expired", "revoked"])
def test_a_token_that_cannot_be_used_is_401_even_on_a_public_route(caller: Caller, problem: str) -> None:
    """A token that is sent has to be good, whether it is needed or not; the error says what is wrong with it."""
    for path in (WALLET, "/status"):
        answer = caller.send(path, token_error=problem)
        assert 401 == answer.status
        assert problem in data(answer)["error"]


def test_a_token_without_the_scope_is_403_and_named(caller: Caller) -> None:
    """The missing scope stands in the error."""
    answer = caller.send(WALLET, identity=caller.identity(scopes=frozenset({"publicData"})))
    assert 403 == answer.status
    assert SCOPE in data(answer)["error"]


def test_a_token_with_the_scope_is_answered(caller: Caller) -> None:
    """The one scope of the route is enough; the wallet is a bare number."""
    answer = caller.send(WALLET, identity=caller.identity(scopes=frozenset({SCOPE})))
    assert (200, b"29500.01") == (answer.status, answer.body)


def test_every_character_has_a_wallet_of_its_own(caller: Caller) -> None:
    """Two characters, two balances; `bump` changes one."""
    balances = [data(caller.mine("/characters/{me}/wallet", place=place)) for place in range(2)]
    assert balances[0] != balances[1]
    caller.api.bump("/characters/2112000002/wallet")
    assert [True, False] == [
        balance == data(caller.mine("/characters/{me}/wallet", place=place)) for place, balance in enumerate(balances)
    ]


def test_another_character_is_403(caller: Caller) -> None:
    """A token speaks for its own character only."""
    assert 403 == caller.send(WALLET, identity=caller.identity(1)).status


def test_another_corporation_is_403(caller: Caller) -> None:
    """A token speaks for its character's corporation only."""
    assert 200 == caller.mine("/corporations/{corp}/members").status
    assert 403 == caller.mine("/corporations/98000099/members").status


def test_another_alliance_is_403(caller: Caller) -> None:
    """A token speaks for its character's alliance only."""
    alliance = caller.character().alliance_id
    assert 200 == caller.mine(f"/alliances/{alliance}/contacts").status
    assert 403 == caller.mine(f"/alliances/{alliance and alliance + 1}/contacts").status


# ---- roles ----


def test_a_role_is_needed_where_the_catalogue_says_so(caller: Caller) -> None:
    """The chief of a corporation has every role; a member without one is refused, and told which would do."""
    path = "/corporations/{corp}/wallets"
    assert 200 == caller.mine(path).status
    caller.api.set_roles(caller.character(1).character_id, [])
    answer = caller.mine(path, place=1)
    assert 403 == answer.status
    assert "Accountant, Junior_Accountant" in data(answer)["error"]
    caller.api.set_roles(caller.character(1).character_id, ["Junior_Accountant"])
    assert 200 == caller.mine(path, place=1).status


def test_roles_are_told_as_they_are_checked(caller: Caller) -> None:
    """The roles a character reads are those that decide; members differ in them, and none but the chief directs."""
    chief = data(caller.mine("/characters/{me}/roles"))["roles"]
    assert "Director" in chief
    rows = data(caller.mine("/corporations/{corp}/roles"))
    assert chief == rows[0]["roles"]
    assert all("Director" not in row["roles"] for row in rows[1:])
    assert len({tuple(row["roles"]) for row in rows}) > 1


def test_changed_roles_are_read_at_once(caller: Caller) -> None:
    """What `set_roles` gives is what the roles routes tell, though they were read before."""
    caller.mine("/characters/{me}/roles", place=1)
    caller.api.set_roles(caller.character(1).character_id, ["Trader"])
    assert ["Trader"] == data(caller.mine("/characters/{me}/roles", place=1))["roles"]


def test_roles_can_be_left_unchecked() -> None:
    """With ``enforce_roles=False`` the scope is enough."""
    caller = Caller(enforce_roles=False)
    caller.api.set_roles(caller.character(1).character_id, [])
    assert 200 == caller.mine("/corporations/{corp}/wallets", place=1).status


# ---- dates ----


def test_without_a_date_the_api_is_at_its_oldest(caller: Caller) -> None:
    """Routes that came later do not exist for those who name no date."""
    assert 200 == caller.send("/status", date=None).status
    answer = caller.send("/characters/2112000001", date=None)
    assert 404 == answer.status
    assert "2026-06-09" in data(answer)["error"]


def test_a_route_exists_from_its_date_on(caller: Caller) -> None:
    """The day of its introduction is the first on which it is there; the query names the date as well."""
    path = "/characters/2112000001"
    assert 404 == caller.send(path, date="2026-06-08").status
    assert 200 == caller.send(path, date="2026-06-09").status
    assert 200 == caller.send(path, ("compatibility_date", "2026-06-09"), date=None).status


@pytest.mark.parametrize("date", ["tomorrow", "2026-13-01", "2026-8-4", "20260804", "2019-12-31", "2026-09-22"])
def test_a_date_that_cannot_be_is_400(caller: Caller, date: str) -> None:
    """No date, one before the oldest, and one in the future are refused with the place of the mistake."""
    answer = caller.send("/status", date=date)
    assert 400 == answer.status
    detail = data(answer)["details"][0]
    assert ("header.X-Compatibility-Date", date) == (detail["location"], detail["value"])


def test_the_day_begins_at_eleven(caller: Caller) -> None:
    """A new date is accepted from 11:00 UTC on."""
    midnight = 86_400 - START % 86_400
    caller.clock.advance(midnight + 11 * 3600 - 1)
    assert 400 == caller.send("/status", date="2026-09-22").status
    caller.clock.advance(1)
    assert 200 == caller.send("/status", date="2026-09-22").status


def test_the_dates_and_changes_that_are_told_agree(caller: Caller) -> None:
    """Every date after the oldest brings changes, and every route that is said to be new exists from its date on."""
    dates = data(caller.send("/meta/compatibility-dates"))["compatibility_dates"]
    changelog = data(caller.send("/meta/changelog"))["changelog"]
    assert ["2026-08-04", "2020-01-01"] == [dates[0], dates[-1]]
    assert dates[:-1] == list(changelog)
    assert 34 == sum(len(changes) for changes in changelog.values())
    assert 225 == len(data(caller.send("/meta/status"))["routes"])


def test_the_document_names_every_operation(caller: Caller) -> None:
    """``/meta/openapi.json`` is a small document: paths, methods, ids."""
    paths = data(caller.send("/meta/openapi.json", ("compatibility_date", "2026-08-04"), date=None))["paths"]
    assert 210 == len(paths)
    assert "GetStatus" == paths["/status"]["get"]["operationId"]


# ---- tenant and language ----


def test_an_unknown_tenant_is_400(caller: Caller) -> None:
    """Header and the older query parameter name the server; one that there is not is refused."""
    assert 200 == caller.send("/status", headers={"x-tenant": "tranquility"}).status
    assert 400 == caller.send("/status", headers={"x-tenant": "elsewhere"}).status
    assert 400 == caller.send("/status", ("datasource", "elsewhere")).status


def test_T01_another_tenant_has_other_data(caller: Caller) -> None:
    """What one server answers is no answer of the other's; Tranquility is who is asked when none is named."""
    tranquility = caller.mine("/characters/{me}/assets")
    singularity = caller.mine("/characters/{me}/assets", headers={"x-tenant": "singularity"})
    assert tranquility.body != singularity.body
    assert tranquility.body == caller.mine("/characters/{me}/assets", headers={"x-tenant": "tranquility"}).body


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("de", "de"),
        ("fr-FR,fr;q=0.9", "fr"),
        ("xx", "en"),
        ("en;q=0.5, ja", "ja"),
        ("de;q=0", "en"),
        ("de;q=much", "en"),
        ("", "en"),
    ],
)
def test_the_language_that_is_wanted_most_is_answered(caller: Caller, wanted: str, language: str) -> None:
    """Accept-Language chooses among ESI's languages, English is what remains; names differ, and so does the ETag."""
    answer = caller.send("/universe/types/587", headers={"accept-language": wanted})
    assert language == header(answer, "Content-Language")
    assert ("Rifter" if language == "en" else f"Rifter ({language})") == data(answer)["name"]


def test_a_route_without_languages_says_none(caller: Caller) -> None:
    """Where the catalogue declares no language, none is told and none changes the answer."""
    answer = caller.send("/status", headers={"accept-language": "de"})
    assert None is header(answer, "Content-Language")
    assert caller.send("/status").body == answer.body
