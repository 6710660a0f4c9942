"""Version 1's requests: what its programs pass to an operation, read of the request, and what is sent for it."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from esipy import EsiApp, EsiClient, ops
from esipy.exceptions import InvalidCallError, SettingError
from esipy.operation import Call, Operation
from esipy.sandbox import RunningSandbox, serve
from esipy.version1.names import BODY_NAMES
from esipy.version1.pairs import PendingResponse
from esipy.version1.requests import Request, request_of
from tests.client.colours import UA

OP: Any = EsiApp().get_latest_swagger.op
WITH_BODY = [operation for operation in ops.operations() if operation.body is not None]
TOKEN = "a-token-that-is-secret"
ASSETS = "get_characters_character_id_assets"

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


@pytest.fixture(scope="module")
def served() -> Iterator[RunningSandbox]:
    with serve() as box:
        yield box


@pytest.fixture
def box(served: RunningSandbox) -> RunningSandbox:
    served.heal()
    served.forget()
    return served


@pytest.fixture
def client(box: RunningSandbox) -> Iterator[Any]:
    with EsiClient(headers=UA, base_url=box.url) as client:
        yield client


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


# ---- what is read of a request ----


def test_what_programs_read() -> None:
    """Path values as text, the query as pairs, the login as the document said it."""
    op = OP["get_markets_structures_structure_id"](structure_id=1035466617946, page=2)
    assert {"structure_id": "1035466617946"} == op[0]._p["path"]
    assert [("page", "2")] == op[0]._p["query"] == list(op[0].query)
    assert [{"evesso": ["esi-markets.structure_markets.v1"]}] == op[0]._security
    assert "https://esi.evetech.net/markets/structures/1035466617946" == op[0].url
    assert ("get", "/markets/structures/1035466617946", None, {}) == (op[0].method, op[0].path, op[0].data, op[0].files)
    assert (["https"], "https", 0) == (op[0].schemes, op[0].scheme, len(op[0].header))
    assert OP["get_status"]()[0]._security is None
    assert (op, None) == (op.prepare("https"), op.reset())


def test_an_operation_is_read_too() -> None:
    """Its address as a template, its parameters by name, those that were beside ESI's own too."""
    operation = OP["get_universe_types_type_id"]
    assert "//esi.evetech.net/universe/types/{type_id}" == operation.url
    assert ("/universe/types/{type_id}", "GET", "get_universe_types_type_id") == (
        operation.path, operation.method, operation.operationId,
    )  # fmt: skip
    names = [parameter.name for parameter in operation.parameters]
    assert ["type_id", "datasource", "If-None-Match", "language", "Accept-Language"] == names
    assert {"token", "datasource"} <= {parameter.name for parameter in OP[ASSETS].parameters}
    assert [{"evesso": [OP[ASSETS].scope]}] == OP[ASSETS].security
    assert ("assets",) == OP[ASSETS].tags


def test_operations_are_kept_compared_and_pickled() -> None:
    """One view of each operation, whose calls are calls of the catalogue's."""
    operation = OP["post_universe_names"]
    assert operation is OP["post_universe_names"]
    assert operation == pickle.loads(pickle.dumps(operation))
    assert operation in {copy.deepcopy(operation)}
    assert operation != OP["get_status"]
    assert operation.today is ops.operation("post_universe_names") is operation(ids=[1]).operation
    assert operation.body is operation.today.body


def test_the_address_is_the_settings_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``ESI_BASE_URL`` names."""
    monkeypatch.setenv("ESI_BASE_URL", "http://127.0.0.1:4711")
    assert "http://127.0.0.1:4711/status" == OP["get_status"]().url
    assert "//127.0.0.1:4711/status" == OP["get_status"].url
    assert ["http"] == OP["get_status"]().schemes


# ---- the pair, kept and sent again ----


def test_a_pair_is_unpacked_and_sent(client: Any) -> None:
    """``request, response = op``: the response is filled when the pair was sent."""
    request, response = OP["get_status"]()
    assert isinstance(response, PendingResponse)
    assert (None, None, None, {}) == (response.status, response.data, response.raw, response.header)
    assert "<PendingResponse>" == repr(response)
    answer = client.request((request, response))
    assert (200, answer.data, answer.raw) == (response.status, response.data, response.raw)
    assert answer.header["Content-Type"] == response.header["content-type"]
    assert "<PendingResponse 200>" == repr(response)


def test_a_call_is_a_pair_itself(client: Any) -> None:
    """Two items: itself, and the last answer."""
    op = OP["get_status"]()
    client.request(op)
    assert (2, op, 200) == (len(op), op[0], op[1].status)
    assert op[1] is op[-1] is list(op)[1]
    with pytest.raises(IndexError):
        op[2]
    with pytest.raises(TypeError, match=r"str is no call: build one with esipy\.ops"):
        client.request("get_status")
    with pytest.raises(TypeError, match="tuple is no call"):
        client.request((1, 2))


def test_requests_come_back_from_multi_request(client: Any) -> None:
    """Each answer with its request, from calls and from pairs."""
    requests = [OP["get_universe_types_type_id"](type_id=type_id) for type_id in (34, 35)]
    pairs = client.multi_request([requests[0], tuple(requests[1])])
    assert ["34", "35"] == [request._p["path"]["type_id"] for request, _ in pairs]
    assert requests == [request for request, _ in pairs]


def test_operations_are_kept_and_called_later(client: Any) -> None:
    """In a table, through a partial, and one request many times."""
    table = {"orders": partial(OP["get_markets_region_id_orders"], order_type="all"), "status": OP["get_status"]}
    page = table["orders"](region_id=10000002, page=1)
    assert [200] * 3 == [client.request(page).status for _ in range(3)]
    assert 200 == client.request(table["status"]()).status


# ---- requests as values ----


def test_requests_are_values() -> None:
    """Equal when they send the same; hashable, picklable, copyable; never equal to a typed call."""
    call = OP[ASSETS](character_id=1, token=TOKEN, page=2, language="de")
    assert {call} == {OP[ASSETS](character_id="1", token=TOKEN, page="2", language="de")}
    for other in (pickle.loads(pickle.dumps(call)), copy.copy(call), copy.deepcopy(call)):
        assert (call, hash(call), TOKEN, "de") == (other, hash(other), other.token, other.language)
    assert call != OP[ASSETS](character_id=1, page=2, language="de")
    assert call != ops.assets.get_characters_character_id_assets(character_id=1, page=2)
    with pytest.raises(AttributeError, match="a call is a value"):
        call.body = b""


def test_a_changed_request_keeps_the_rest() -> None:
    """By version 1's names or today's; what is given anew counts."""
    call = OP["post_universe_names"](ids=[1], datasource="tranquility")
    changed = call.replace(ids=[2], datasource="singularity")
    assert (b"[2]", (("X-Tenant", "singularity"),)) == (changed.body, changed.headers)
    assert (b"[1]", (("X-Tenant", "tranquility"),)) == (call.body, call.headers)
    assert ("fr", call.headers) == (call.in_language("fr").language, call.in_language("fr").headers)


def test_what_is_written_into_the_headers_is_sent(client: Any, box: RunningSandbox) -> None:
    """By programs that edit ``_p["header"]``; what version 1 showed there unasked is not."""
    call = OP["get_universe_types_type_id"](type_id=34)
    assert {"Accept-Language": "en-us"} == call._p["header"]
    assert () == call.headers
    call._p["header"]["X-Mine"] = 1
    client.request(call)
    assert "1" == box.received()[-1].headers["x-mine"]
    assert "en" == box.received()[-1].headers["accept-language"]


def test_a_login_writes_into_a_request_of_its_own() -> None:
    """`request_of`: the call that the program holds stays as it is, typed ones too."""
    call = OP[ASSETS](character_id=1)
    typed = ops.assets.get_characters_character_id_assets(character_id=1)
    for given in (call, typed):
        request = request_of(given)
        request._p["header"].update({"Authorization": f"Bearer {TOKEN}"})
        assert (TOKEN, None, given.typed) == (request.token, given.token, request.typed)
        assert isinstance(request, Request)
        assert given.target == request.target
    basic = request_of(call)
    basic._p["header"]["Authorization"] = "Basic abc"
    assert (None, (("Authorization", "Basic abc"),)) == (basic.token, basic.headers)


def test_marks_tell_headers_apart() -> None:
    """What changes the answer is part of the key; who sends it is not."""
    plain, agent = OP["get_status"](), OP["get_status"](user_agent="x")
    tenants = [OP["get_status"](datasource=name) for name in ("tranquility", "singularity")]
    assert ("", "") == (plain.marks, agent.marks)
    assert 2 == len({call.marks for call in tenants})
    assert all(len(call.marks) == 32 for call in tenants)


def test_typed_calls_know_nothing_of_it() -> None:
    """They have no headers, token or marks of their own."""
    call: Call[Any] = ops.status.get_status()
    assert ((), None, None, "") == (call.headers, call.token, call.holder, call.marks)


def test_T45_a_token_of_a_call_never_leaves_in_clear() -> None:
    """The address is another machine's, and not https: the call is refused before anything is sent."""
    client = EsiClient(headers={"User-Agent": "tests"}, base_url="http://esi.example.com")
    with client, pytest.raises(SettingError, match="https"):
        client.request(OP[ASSETS](character_id=1, token=TOKEN))
