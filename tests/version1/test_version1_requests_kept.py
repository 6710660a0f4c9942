"""Version 1's requests as its programs keep them: read, paired with their answers, sent again, compared and changed."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from typing import Any

import pytest

from esipy import ops
from esipy.operation import Call
from esipy.sandbox import RunningSandbox
from esipy.version1.pairs import PendingResponse
from esipy.version1.requests import Request, request_of
from tests.version1.requests_kit import ASSETS, OP, TOKEN

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
