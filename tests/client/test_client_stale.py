"""``stale_if_error`` of a single call, on every verb of both clients that gives data: else the client's own setting."""

from __future__ import annotations

import inspect
import math
from typing import Any

import msgspec
import pytest

from esipy import ops
from esipy.exceptions import APIException, SettingError
from esipy.sandbox import RunningSandbox
from tests.client.colours import Colour, Connect

VERBS = ("request", "fetch", "multi_request", "snapshot", "pages", "rows", "bulk", "cursor", "walk")
LISTED = {"snapshot", "pages", "rows"}


def call_for(verb: str, hero: int) -> tuple[Any, Any]:
    """A call that the verb is for, and a body that it may be answered."""
    if verb in LISTED:
        return ops.universe.get_universe_types(), [34, 35]
    if verb == "bulk":
        row = {"alliance_id": 1, "character_id": 7, "corporation_id": 2}
        return ops.character.post_characters_affiliation(body=[7]), [row]
    if verb == "cursor":
        return ops.corporation_projects.get_corporations_projects_listing(corporation_id=98000001), {"projects": []}
    if verb == "walk":
        return ops.mail.get_characters_character_id_mail(character_id=hero), []
    return ops.universe.get_universe_categories(), [4, 5]


def read(client: Colour, verb: str, call: Any, **terms: Any) -> int:
    """Use a verb to its end; gives how much data there was."""
    if verb == "request":
        return len(client.request(call, raise_on_error=True, **terms).data)
    if verb == "multi_request":
        [(_, answer)] = client.multi_request([call], raise_on_error=True, **terms)
        return len(answer.data)

    async def drained(given: Any) -> int:
        return len([one async for one in given])

    def length(given: Any) -> int:
        return client.do(drained(given)) if hasattr(given, "__aiter__") else len(list(given))

    if verb == "cursor":
        given = getattr(client.client, verb)(call, **terms).initial()
    else:
        given = getattr(client.client, verb)(call, **terms)
    if inspect.iscoroutine(given):
        given = client.do(given)
    if verb == "bulk":
        return len(given.data)
    return length(given)


@pytest.mark.parametrize("verb", VERBS)
def test_a_call_may_do_without_what_is_kept(connect: Connect, box: RunningSandbox, verb: str) -> None:
    """ESI is down, and what is kept is out of date: the client gives it, a call that says 0 gets the error."""
    client = connect(login=True, retry_requests=False)
    call, body = call_for(verb, client.security.character_id)
    headers = {"ETag": '"a"', "Cache-Control": "max-age=0", "Last-Modified": "Tue, 04 Aug 2026 11:00:00 GMT"}
    box.fail(call.path, kind="status", status=200, headers=headers, body=msgspec.json.encode(body))
    box.fail(call.path, None, status=503)
    there = read(client, verb, call)
    assert there == read(client, verb, call)
    with pytest.raises(APIException) as raised:
        read(client, verb, call, stale_if_error=0)
    assert "503" in str(raised.value)
    assert there == read(client, verb, call, stale_if_error=math.inf)


@pytest.mark.parametrize("verb", ["request", "fetch", "multi_request"])
def test_a_call_may_do_with_what_its_client_would_not_give(connect: Connect, box: RunningSandbox, verb: str) -> None:
    """The other way round: the client gives nothing that is out of date, this call may have it."""
    client = connect(retry_requests=False, stale_if_error=0)
    call = ops.universe.get_universe_regions_region_id(region_id=10000002)
    assert "network" == client.request(call).source
    box.fail(call.path, None, status=503)
    assert 503 == client.request(call).status
    if verb == "fetch":
        assert 10000002 == client.fetch(call, stale_if_error=60).region_id
        return
    given = getattr(client, verb)([call] if verb == "multi_request" else call, stale_if_error=60)
    answer = given[0][1] if verb == "multi_request" else given
    assert ("stale", 200) == (answer.source, answer.status)


@pytest.mark.parametrize("value", [-1, "60", True, math.nan])
def test_what_cannot_be_meant_is_refused(connect: Connect, box: RunningSandbox, value: Any) -> None:
    """SettingError names the keyword; nothing is sent."""
    client = connect()
    with pytest.raises(SettingError, match=r"^stale_if_error=.*a number of seconds, 0 or above"):
        client.request(ops.universe.get_universe_categories(), stale_if_error=value)
    assert [] == box.received()
