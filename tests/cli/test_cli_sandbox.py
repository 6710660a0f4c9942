"""``esipy sandbox``: a process of its own that says where it is, is driven from outside, and ends when told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from esipy.sandbox import ControlClient
from tests.sandbox.wire import ask

COMMAND = [sys.executable, "-W", "error", "-c", "from esipy.cli import main; main()", "sandbox"]


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    """The command, running."""
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(number: signal.Signals) -> None:
    """It prints one line of JSON, obeys its options and the control interface, and ends with 0 and in silence."""
    with started("--json", "--seed", "5", "--characters", "3", "--token-lifetime", "60", "--rotate") as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        server = ControlClient(facts["url"])
        about = server.about()
        assert (about["seed"], about["characters"]) == (5, 3)
        assert (about["token_lifetime_seconds"], about["rotate_refresh_tokens"]) == (60, True)
        assert facts["client_id"] == server.client_id
        assert ask(server.url, "/status").status == 200
        server.fail("/status", status=503)
        assert ask(server.url, "/status").status == 503
        server.fail("/status", kind="hang")
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
        assert (output, errors, process.returncode) == ("", "", 0)


def test_it_tells_people_where_it_is() -> None:
    """Without ``--json`` the addresses stand there to be copied into a shell."""
    with started("--port", "0") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(8)]
        url = lines[0].rpartition(" ")[2]
        assert f"export ESI_BASE_URL={url}" in lines
        assert f"export ESI_SSO_URL={url}" in lines
        assert ask(url, "/_sandbox/about").status == 200
