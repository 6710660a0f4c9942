"""``esipy call`` in this process and in one of its own, over a sandbox."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from esipy.cli import main
from esipy.sandbox import RunningSandbox, serve
from tests.cli.login_kit import COMMAND, Done

CALL = [*COMMAND, "call"]
JITA, THE_FORGE, PERIMETER = 30000142, 10000002, 30000144

Call = Callable[..., Done]


@pytest.fixture(scope="module")
def served() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture
def box(served: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """A sandbox, named by the environment."""
    served.heal()
    served.forget()
    monkeypatch.setenv("ESI_BASE_URL", served.url)
    return served


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs the command in this process."""

    def run(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["esipy", "call", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return run
