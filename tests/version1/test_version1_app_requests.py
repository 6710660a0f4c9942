"""Version 1's requests: what its programs pass to an operation, and what is sent for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from esipy import EsiClient, ops
from esipy.exceptions import InvalidCallError, SettingError
from esipy.operation import Operation
from esipy.sandbox import RunningSandbox
from esipy.version1.names import BODY_NAMES
from tests.version1.requests_kit import ASSETS, OP, TOKEN

WITH_BODY = [operation for operation in ops.operations() if operation.body is not None]

BODIES: dict[str, Any] = {  # one good body each; the old name is the table's, written here again from the old document
    "post_characters_affiliation": ("characters", [1, 2]),
    "post_characters_character_id_assets_locations": ("item_ids", [1]),
    "post_characters_character_id_assets_names": ("item_ids", [1]),
    "put_characters_character_id_calendar_event_id": ("response", {"response": "accepted"}),
    "post_characters_character_id_contacts": ("contact_ids", [1]),
    "put_characters_character_id_contacts": ("contact_ids", [1]),
    "post_characters_character_id_cspa": ("characters", [1]),
    "post_characters_character_id_fittings": (
        "fitting",
        {"name": "n", "description": "d", "ship_type_id": 1, "items": [{"type_id": 1, "flag": "Cargo", "quantity": 1}]},
    ),
    "post_characters_character_id_mail": (
        "mail",
        {"subject": "s", "body": "b", "recipients": [{"recipient_id": 1, "recipient_type": "character"}]},
    ),
    "post_characters_character_id_mail_labels": ("label", {"name": "n"}),
    "put_characters_character_id_mail_mail_id": ("contents", {"read": True}),
    "post_corporations_corporation_id_assets_locations": ("item_ids", [1]),
    "post_corporations_corporation_id_assets_names": ("item_ids", [1]),
    "put_fleets_fleet_id": ("new_settings", {"motd": "m"}),
    "post_fleets_fleet_id_members": ("invitation", {"character_id": 1, "role": "squad_member"}),
    "put_fleets_fleet_id_members_member_id": ("movement", {"role": "squad_member"}),
    "put_fleets_fleet_id_squads_squad_id": ("naming", {"name": "n"}),
    "put_fleets_fleet_id_wings_wing_id": ("naming", {"name": "n"}),
    "post_route": ("body", {"preference": "Safer"}),
    "post_ui_openwindow_newmail": ("new_mail", {"subject": "s", "body": "b", "recipients": [1]}),
    "post_universe_ids": ("names", ["Jita"]),
    "post_universe_names": ("ids", [34]),
}


# ---- bodies ----


def test_the_table_of_bodies_is_complete() -> None:
    """All 22 operations that have a body, each with its old name."""
    assert 22 == len(WITH_BODY)
    assert {name: old for name, (old, _) in BODIES.items()} == BODY_NAMES == {**BODY_NAMES}
    assert {operation.name for operation in WITH_BODY} == set(BODY_NAMES)


def others(operation: Operation[Any]) -> dict[str, Any]:
    """Values for the parameters that are not the body."""
    values: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "string": "x"}
    wanted = (one for one in operation.parameters if one.required and one.where != "body")
    return {one.name: values.get(one.kind, [1]) for one in wanted}


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)
def test_a_body_is_taken_under_its_old_name(operation: Operation[Any]) -> None:
    """Plain dicts and lists; today's name means the same; both at once are refused."""
    old, value = BODIES[operation.name]
    call = OP[operation.name](**others(operation), **{old: value})
    assert value == json.loads(call.body)
    assert call == OP[operation.name](**others(operation), body=value)
    assert {old: value} == call._p["body"]
    assert old in [parameter.name for parameter in OP[operation.name].parameters]
    if old != "body":
        with pytest.raises(InvalidCallError, match=f"the body is given twice, as 'body' and as '{old}'"):
            OP[operation.name](**others(operation), **{old: value, "body": value})


def test_a_body_is_missing_under_no_name() -> None:
    """A ValueError, as in version 1."""
    with pytest.raises(ValueError, match="post_universe_names: parameter 'body' is missing"):
        OP["post_universe_names"]()


# ---- values, as pyswagger took them ----


@pytest.mark.parametrize(
    ("name", "given", "query"),
    [
        ("get_characters_character_id_search", {"character_id": "1", "search": "Jita", "categories": "agent, station"},
         (("categories", "agent"), ("categories", "station"), ("search", "Jita"))),
        ("get_characters_character_id_search",
         {"character_id": 1.0, "search": 123, "categories": ["agent"], "strict": 1},
         (("categories", "agent"), ("search", "123"), ("strict", "true"))),
        ("get_markets_region_id_orders", {"region_id": "10000002", "order_type": "all", "page": "2"},
         (("order_type", "all"), ("page", "2"))),
        ("delete_characters_character_id_contacts", {"character_id": 1, "contact_ids": "1,2"},
         (("contact_ids", "1"), ("contact_ids", "2"))),
    ],
)  # fmt: skip
def test_values_are_taken_in_version_1_forms(name: str, given: dict[str, Any], query: Any) -> None:
    """Lists as text with commas, numbers as text and the other way round, 1 for True."""
    assert query == OP[name](**given).query


@pytest.mark.parametrize("ids", [[3, 1, 3, 2, 1], (3, 1, 2, 3), "3,1,2", iter([3, 1, 2])])
def test_repeated_ids_are_sent_once(ids: Any) -> None:
    """Version 1 dropped the repetitions of a list of unique items; ESI refuses them."""
    call = OP["post_universe_names"](ids=ids)
    call.check_sendable()
    assert b"[3,1,2]" == call.body


@pytest.mark.parametrize("value", ["x", 1.5, [1], None, True, float("nan"), {}])
def test_what_is_wrong_today_too_is_refused(value: Any) -> None:
    """A ValueError, before anything is sent."""
    with pytest.raises(ValueError, match="region_id"):
        OP["get_markets_region_id_orders"](region_id=value, order_type="all")


# ---- what stood beside the parameters ----


def test_datasource_language_and_etag_become_headers(client: Any, box: RunningSandbox) -> None:
    """They are read where they were, and sent as ESI takes them today; nothing of them is in the URL."""
    call = OP["get_universe_types_type_id"](
        type_id=34, datasource="tranquility", language="de", If_None_Match='"x"', user_agent="Old/1.0"
    )
    assert [("language", "de"), ("datasource", "tranquility")] == call._p["query"]
    assert "de" == call.language
    assert 200 == client.request(call).status
    entry = box.received()[-1]
    assert ("/universe/types/34", []) == (entry.path, entry.query)
    sent = {name: entry.headers[name] for name in ("x-tenant", "accept-language", "if-none-match")}
    assert {"x-tenant": "tranquility", "accept-language": "de", "if-none-match": '"x"'} == sent
    assert entry.headers["user-agent"].startswith("Old/1.0 EsiPy/")


def test_T01_what_headers_change_is_kept_apart(client: Any, box: RunningSandbox) -> None:
    """By data source and by ETag, each kept for itself; who sends is no difference."""
    status = OP["get_status"]
    calls = [status(), status(datasource="singularity"), status(If_None_Match='"x"')]
    for call in (*calls, *calls, status(user_agent="Old/1.0")):
        assert 200 == client.request(call).status
    assert 3 == len(box.received("/status"))


@pytest.mark.parametrize("name", ["If_None_Match", "if_none_match", "If-None-Match"])
def test_an_etag_of_ones_own_gets_a_304(client: Any, box: RunningSandbox, name: str) -> None:
    """As in version 1, for programs that keep answers themselves."""
    etag = client.request(OP["get_universe_regions"]()).headers["etag"]
    response = client.request(OP["get_universe_regions"](**{name: etag}))
    assert (304, b"") == (response.status, response.raw)
    assert etag == box.received()[-1].headers["if-none-match"]


@pytest.mark.parametrize(("language", "today"), [("en-us", "en"), ("EN-US", "en"), ("fr", "fr")])
@pytest.mark.parametrize("name", ["language", "Accept_Language", "accept_language", "Accept-Language"])
def test_languages_have_todays_names(name: str, language: str, today: str) -> None:
    """``en-us`` is ``en``."""
    assert today == OP["get_universe_types_type_id"](type_id=34, **{name: language}).language


def test_none_is_not_given() -> None:
    """Programs pass what they may have."""
    bare = OP[ASSETS](character_id=1)
    assert bare == OP[ASSETS](character_id=1, token=None, datasource=None, language=None, page=None)


def test_T51_what_nobody_knows_is_refused() -> None:
    """With the nearest right name; a public operation takes no token."""
    with pytest.raises(ValueError, match=r"unknown parameter 'regoin_id'; did you mean 'region_id'\?"):
        OP["get_markets_region_id_orders"](regoin_id=1, order_type="all")
    with pytest.raises(ValueError, match="get_status: unknown parameter 'token'"):
        OP["get_status"](token=TOKEN)


# ---- a token of its own ----


def test_a_token_is_sent_for_its_call_only(client: Any, box: RunningSandbox) -> None:
    """In the Authorization header; another character's token gets that character's answer, not a kept one (T03)."""
    wallet = OP["get_characters_character_id_wallet"]
    first, second = (box.login(character_id) for character_id in box.sandbox.roster.ids[:2])
    answers = []
    for character_id, grant in zip(box.sandbox.roster.ids[:2], (first, second), strict=True):
        call = wallet(character_id=character_id, token=grant["access_token"])
        answers.append(client.request(call))
        assert grant["access_token"] not in answers[-1].url
        assert (character_id, []) == (box.received()[-1].character_id, box.received()[-1].query)
    assert [200, 200] == [answer.status for answer in answers]
    other = wallet(character_id=box.sandbox.roster.ids[0], token=second["access_token"])
    assert 403 == client.request(other).status
    assert 401 == client.request(wallet(character_id=box.sandbox.roster.ids[0])).status


def test_T44_a_token_is_in_no_repr_key_or_url() -> None:
    """Of a call with a token of its own, its pair, parts of keys and errors."""
    call = OP[ASSETS](character_id=1, token=TOKEN, datasource="tranquility")
    shown = [repr(call), str(call), repr(tuple(call)), call.url, call.target, call.holder, call.marks]
    shown += [repr(call._p["query"]), repr(call._p["path"]), repr(call.headers), repr(call.operation)]
    assert TOKEN == call.token
    assert [] == [text for text in shown if TOKEN in text]
    with pytest.raises(InvalidCallError) as refused:
        OP[ASSETS](character_id=1, token=f"{TOKEN}\nX-Other: 1")
    assert TOKEN not in str(refused.value)


def test_holders_are_told_apart() -> None:
    """Each token has a name of its own, the same in every process."""
    one, two = (OP[ASSETS](character_id=1, token=token) for token in ("a", "b"))
    assert "token:ca978112ca1bbdcafac231b39a23dc4d" == one.holder
    assert one.holder != two.holder
    assert one != two


def test_T45_a_token_of_a_call_never_leaves_in_clear() -> None:
    """The address is another machine's, and not https: the call is refused before anything is sent."""
    client = EsiClient(headers={"User-Agent": "tests"}, base_url="http://esi.example.com")
    with client, pytest.raises(SettingError, match="https"):
        client.request(OP[ASSETS](character_id=1, token=TOKEN))
