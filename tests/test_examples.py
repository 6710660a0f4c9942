"""Every example runs as its docstring says, against a sandbox of its own, and says what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

SAYS: dict[str, list[str]] = {
    "django_tokens": ["the store keeps what it has to keep", " ISK, and a login that is ok"],
    "limit_policies": [
        "burst     80 calls are planned to take 90",
        "74 calls left at once; the next one would leave in ",
        "fail ",
        "refused by ESI: none",
    ],
    "mail_notifier": ["has a mail: News ", "away for a moment", "2112000001 has a mail: While you were away"],
    "market_watcher": ["watching 60 sell orders", " ISK\n", "0 new orders, 0 gone, ", " units sold"],
    "sqlalchemy_tokens": ["the store keeps what it has to keep", " ISK, and a login that is ok"],
    "shared_limits": ["together 74\n", "refused by ESI: none"],
}
"""What is to be found in what an example prints, in this order."""

SERVERS = {"django_login", "fastapi_login", "flask_login"}
"""They serve until they are told to end: tests/web runs them."""


def test_every_example_is_run_here() -> None:
    """A new one is entered in the table."""
    assert SAYS.keys() | SERVERS == {path.stem for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs_and_says_what_it_promises(name: str) -> None:
    """In a process of its own, without a network, in seconds."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")], capture_output=True, text=True, timeout=60
    )
    assert (0, "") == (done.returncode, done.stderr)
    place = 0
    for words in SAYS[name]:
        assert words in done.stdout[place:], done.stdout
        place = done.stdout.index(words, place) + len(words)
