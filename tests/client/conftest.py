"""A sandbox for the module, healed for each test, and clients of both colours over it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esipy.sandbox import RunningSandbox, serve
from tests.client.colours import COLOURS, Colour, Connect


@pytest.fixture(scope="module")
def served() -> Iterator[RunningSandbox]:
    with serve() as box:
        yield box


@pytest.fixture
def box(served: RunningSandbox) -> RunningSandbox:
    served.heal()
    served.forget()
    served.reset_limits()
    return served


@pytest.fixture(params=COLOURS)
def connect(request: pytest.FixtureRequest, box: RunningSandbox) -> Iterator[Connect]:
    """Makes clients of one colour; closes them."""
    made: list[Colour] = []

    def make(**options: object) -> Colour:
        made.append(Colour(request.param, box, **options))
        return made[-1]

    yield make
    box.release()
    for client in made:
        client.close()
