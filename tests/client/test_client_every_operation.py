"""All 225 operations, both colours: random calls from the catalogue get answers that decode into the declared types."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esipy import AsyncEsiClient, EsiClient, EsiSecurity, ops
from esipy.operation import Call
from esipy.response import Response
from esipy.sandbox import RunningSandbox, serve
from tests.strategies import arguments

UA = {"User-Agent": "esipy-tests/1.0 (tests@example.com)"}
REFUSALS = {
    # What a random call may rightly be told: the thing is not there (any more), or was not made by this character.
    404,
}


class World:
    """A sandbox, one character's login, and a client of each colour; the asyncio one lives in one loop."""

    def __init__(self, box: RunningSandbox) -> None:
        self.box = box
        self.character = box.sandbox.roster.get(box.sandbox.roster.ids[0])
        security = EsiSecurity(box.redirect_uri, box.client_id, box.secret_key, headers=UA, sso_url=box.sso_url)
        security.update_token(box.login(self.character.character_id))
        options: dict[str, Any] = {"headers": UA, "base_url": box.url, "cache": None, "retry_requests": False}
        self.blocking = EsiClient(security, **options)
        self.loop = asyncio.Runner()
        self.loop.run(asyncio.sleep(0))
        self.asyncio = AsyncEsiClient(security, **options)

    def both(self, call: Call[Any]) -> list[Response[Any]]:
        """The answers of both colours. What a write changed for the first is put back before the second."""
        return [self.blocking.request(call), self.loop.run(self.asyncio.request(call))]

    def close(self) -> None:
        self.blocking.close()
        self.loop.run(self.asyncio.close())
        self.loop.close()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serve(seed=7) as box:
        made = World(box)
        made.box.set_roles(made.character.character_id, ["Director"])
        yield made
        made.close()


@pytest.mark.parametrize("name", ops.names())
def test_random_calls_of_every_operation_decode_into_the_declared_type(world: World, name: str) -> None:
    """Whatever arguments ESI takes, the answer is strictly of the type that the catalogue declares, in both colours."""
    operation = ops.operation(name)
    fixed = {
        "character_id": world.character.character_id,
        "corporation_id": world.character.corporation_id,
        "alliance_id": world.character.alliance_id,
    }
    strict = msgspec.json.Decoder(operation.result_type()) if operation.result is not None else None

    @settings(max_examples=4, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        call = Call(operation, data.draw(arguments(operation, fixed)))
        for response in world.both(call):
            if response.status in REFUSALS:
                assert response.data["error"]
                continue
            assert response.status in operation.statuses, (call, response.status, response.raw)
            if response.status == 204 or strict is None:
                assert response.raw == b""
            else:
                assert response.data == strict.decode(response.raw)

    check()
