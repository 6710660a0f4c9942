"""A sandbox, both colours of a login, and an SSO in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from esipy.runtime.base import Runtime
from esipy.runtime.blocking import BlockingRuntime
from esipy.sandbox import RunningSandbox, serve
from esipy.transport import default_transport
from tests.sso.bad_input_kit import Desk
from tests.sso.logins_kit import VirtualSso
from tests.sso.loopback_kit import login as login
from tests.sso.sso_kit import Colour


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox whose SSO rotates refresh tokens, as the real one may."""
    with serve(rotate_refresh_tokens=True) as running:
        yield running


@pytest.fixture(params=["blocking", "asyncio"])
def colour(request: pytest.FixtureRequest) -> Iterator[Colour]:
    """`EsiSecurity`, then `AsyncEsiSecurity`."""
    colour = Colour(request.param)
    yield colour
    colour.close()


@pytest.fixture
def blocking() -> Iterator[Runtime]:
    """A blocking runtime over real connections."""
    transport = default_transport()
    yield BlockingRuntime(transport)
    transport.close()


@pytest.fixture
def sso() -> VirtualSso:
    """An SSO in virtual time that rotates refresh tokens strictly."""
    return VirtualSso()


@pytest.fixture
def desk(colour: Colour, sandbox: RunningSandbox, tmp_path: Path) -> Iterator[Desk]:
    """In both colours."""
    made = Desk(colour, sandbox, tmp_path / "tokens.sqlite3")
    yield made
    made.close()
