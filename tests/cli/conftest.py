"""A sandbox to log in at, and what a command finds around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from esipy.sandbox import RunningSandbox, serve
from tests.cli.call_kit import box as box
from tests.cli.call_kit import call as call
from tests.cli.call_kit import served as served
from tests.cli.login_kit import environment


@pytest.fixture(scope="module")
def login_sandbox() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture
def server(login_sandbox: RunningSandbox) -> RunningSandbox:
    """A sandbox in which nothing has happened or fails."""
    login_sandbox.heal()
    login_sandbox.forget()
    return login_sandbox


@pytest.fixture
def around(server: RunningSandbox, tmp_path: Path) -> dict[str, str]:
    """The environment of a command: the sandbox, an empty token store, no browser."""
    return environment(server, tmp_path)
