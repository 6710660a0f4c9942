"""Every example of the documentation runs, against a sandbox: what people copy works.

The python blocks of one page run in order, in one namespace, each on its own lines of the page, so that a traceback
points at them. Names that a page leaves to its reader come from `prepared`, or from a comment that only this test
reads::

    <!-- hidden
    state = "kept in the user's session"
    -->

``pycon`` blocks are compared with what they print. ``sh`` blocks are given to the command, line by line. ``text``
blocks, and those without a language, only show something.
"""

from __future__ import annotations

import doctest
import io
import re
import shlex
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from esipy import events
from esipy.sandbox import RunningSandbox
from esipy.testing import sandbox
from tests.urls import query_of

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

BLOCK = re.compile(
    r"^```(?P<kind>[^\n]*)\n(?P<code>.*?)^```$|^<!-- hidden\n(?P<hidden>.*?)^-->$",
    re.MULTILINE | re.DOTALL,
)
RUNS_ELSEWHERE = (
    *("esipy demo", "esipy sandbox", "pip install", "make ", "export "),
    *("esipy login", "esipy logout", "esipy whoami", "esipy characters"),
)
"""Commands of ``sh`` blocks that other tests and CI run."""


class Block(NamedTuple):
    """A block of a page: its language (``hidden`` for a comment's), its text, the line on which that begins."""

    kind: str
    code: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    for found in BLOCK.finditer(page):
        group = "code" if found["hidden"] is None else "hidden"
        yield Block(found["kind"] or group, found[group], page.count("\n", 0, found.start(group)) + 1)


def prepared(server: RunningSandbox) -> dict[str, Any]:
    """The names that pages leave to their readers."""

    def log_in(auth_uri: str) -> str:
        """What a user does with a browser: pick a character, approve; gives the code that comes back."""
        return query_of(server.approve(auth_uri))["code"]

    return {
        "client_id": server.client_id,
        "secret_key": server.secret_key,
        "redirect_uri": server.redirect_uri,
        "server": server,
        "log_in": log_in,
    }


def run_python(page: Path, block: Block, names: dict[str, Any]) -> list[str]:
    """One block, compiled as the lines of the page that it is: what it raises has them in its traceback."""
    try:
        exec(compile("\n" * (block.line - 1) + block.code, str(page), "exec", dont_inherit=True), names)
    except Exception:
        return [traceback.format_exc()]
    return []


def run_session(page: Path, block: Block, names: dict[str, Any]) -> list[str]:
    """One ``>>>`` session: what it prints is what the page shows (``...`` stands for anything)."""
    session = doctest.DocTestParser().get_doctest(block.code, names, page.name, str(page), block.line - 1)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(session, out=report.write, clear_globs=False)
    names.update(session.globs)
    return [report.getvalue()] if report.getvalue() else []


def run_shell(page: Path, block: Block, _names: dict[str, Any]) -> list[str]:
    """Each line that calls ``esipy`` succeeds; variables set on the line give way to those that lead to the sandbox."""
    wrong: list[str] = []
    for line in block.code.splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"ESI_\w+_URL=.*", words[0]):
            words.pop(0)
        if not words or " ".join(words).startswith(RUNS_ELSEWHERE):
            continue
        if words[0] != "esipy":
            wrong.append(f"{page.name}: what is {line!r}?")
            continue
        command = [sys.executable, "-m", "esipy", *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            wrong.append(f"{page.name}: {line}\n{done.stderr}")
    return wrong


RUNNERS: dict[str, Callable[[Path, Block, dict[str, Any]], list[str]]] = {
    "python": run_python,
    "hidden": run_python,
    "pycon": run_session,
    "sh": run_shell,
}
"""Each runs a block and gives what it does otherwise than the page says: nothing, of a good one."""

SHOWN = frozenset({"text", "code"})
"""Blocks that only show something; the latter have no language."""


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A namespace for one page, and a sandbox to which everything in it goes; signals are as before afterwards."""
    signals = [value for value in vars(events).values() if isinstance(value, events.Signal)]
    before = [signal.receivers for signal in signals]
    with sandbox(set_environment=True) as server:
        monkeypatch.chdir(tmp_path)
        given = {"__name__": "__main__", **prepared(server)}
        yield given
    for value in given.values():
        if isinstance(value, sqlite3.Connection):  # a page's program would end here
            value.close()
    for signal, receivers in zip(signals, before, strict=True):
        signal.event_receivers = list(receivers)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_of_a_page_runs(page: Path, names: dict[str, Any]) -> None:
    """Copied in order, the examples of a page do what the page says."""
    for block in blocks(page.read_text()):
        if block.kind not in SHOWN and not block.kind.startswith("{"):
            with redirect_stdout(io.StringIO()):
                wrong = RUNNERS[block.kind](page, block, names)
            assert [] == wrong


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        ("python", "assert 1 == 2", "AssertionError"),
        ("hidden", "nobody_gave_this", "NameError: name 'nobody_gave_this'"),
        ("pycon", ">>> 1 + 1\n3\n", "Expected:\n    3\nGot:\n    2\n"),
        ("sh", "esipy no-such-command", "no-such-command"),
        ("sh", "no-such-program", "what is 'no-such-program'?"),
    ],
)
def test_an_example_that_does_not_do_what_the_page_says_fails(kind: str, code: str, said: str) -> None:
    """In each language: running the pages is worth something."""
    wrong = RUNNERS[kind](Path("a page"), Block(kind, code, 1), {})
    assert 1 == len(wrong)
    assert said in wrong[0]


def test_no_example_is_overlooked() -> None:
    """Blocks of code are found wherever they stand, and there are some."""
    found = [block.kind for page in PAGES for block in blocks(page.read_text())]
    assert found.count("python") >= 25
    for kind in RUNNERS.keys() - {"hidden"}:
        assert found.count(kind) == sum(page.read_text().count(f"```{kind}\n") for page in PAGES), kind
