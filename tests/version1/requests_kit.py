"""What the tests of version 1's requests stand on: its operations, and a client of a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from esipy import EsiApp, EsiClient
from esipy.sandbox import RunningSandbox, serve
from tests.client.colours import UA

OP: Any = EsiApp().get_latest_swagger.op
TOKEN = "a-token-that-is-secret"
ASSETS = "get_characters_character_id_assets"


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
