"""The examples for Flask, FastAPI and Django as a stranger runs them: one command, a real server, a real login."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from esipy.sandbox.browser import approve
from esipy.sandbox.characters import FIRST_CHARACTER, Roster
from tests.web.web_kit import EXAMPLES, FRAMEWORKS, Person, free_port, over_http


@contextmanager
def served(framework: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An example in a process of its own, and the address that it prints; the process is gone afterwards."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{framework}_login.py"), str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                process.wait(60)
                assert process.stderr is not None
                pytest.fail(process.stderr.read())
            found = re.fullmatch(r"open (http://127\.0\.0\.1:\d+/)\n", line)
            assert found, line
            yield process, found[1]
        finally:
            process.kill()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_example_serves_logins_in_one_command(framework: str) -> None:
    """It says where; a user logs in, sees the wallet and logs out; Ctrl-C ends it, and its log holds no code."""
    with served(framework) as (process, address):
        me = Person(over_http(urlsplit(address).netloc))
        callback = approve(me.begin(), FIRST_CHARACTER + 3)
        assert "/" == me.get(callback).location
        page = me.get("/")
        assert 200 == page.status
        assert Roster().get(FIRST_CHARACTER + 3).name in page.text
        assert re.search(r"[\d,]+\.\d\d ISK", page.text)
        assert me.log_out().status in (302, 303)
        assert "Log in with EVE Online" in me.get("/").text
        process.send_signal(signal.SIGINT)
        said = "".join(process.communicate(timeout=60))
        secrets = [value for values in parse_qs(urlsplit(callback).query).values() for value in values]
        assert (2, []) == (len(secrets), [secret for secret in secrets if secret in said])
        assert "Traceback" not in said, said
