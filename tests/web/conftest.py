"""A sandbox, and both colours of a `WebLogin`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esipy.sandbox import RunningSandbox, serve
from tests.web.web_colour import Colour


@pytest.fixture
def eve() -> Iterator[RunningSandbox]:
    """A sandbox."""
    with serve() as running:
        yield running


@pytest.fixture(params=["blocking", "asyncio"])
def colour(request: pytest.FixtureRequest, eve: RunningSandbox) -> Iterator[Colour]:
    """`WebLogin`, then `AsyncWebLogin`."""
    colour = Colour(request.param, eve)
    yield colour
    colour.close()
