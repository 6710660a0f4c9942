"""``esipy demo``, for real: what it prints, and that nothing of it stays."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

COMMAND = [sys.executable, "-W", "error", "-c", "from esipy.cli import main; main()", "demo"]
SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGKILL"])
def test_a_demo_that_is_killed_leaves_no_sandbox(number: str) -> None:
    """The sandbox's process ends with the demo's, although that could not tell it."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "sandbox" in process.stdout.readline()
        url: str = process.stdout.readline().rpartition(" ")[2].strip()
        address = urlsplit(url)
        with socket.create_connection(("127.0.0.1", address.port or 0), timeout=20) as connection:
            process.send_signal(signal.Signals[number])
            assert -signal.Signals[number] == process.wait(20)
            try:
                assert b"" == connection.recv(1)  # comes when the sandbox ends
            except ConnectionResetError:
                pass
        # The sandbox held these too: their end is the end of its process.
        assert "" == process.communicate(timeout=20)[1]


def ran(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The demo, run to its end in an environment of its own, its output piped."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESI_")}
    return subprocess.run(
        COMMAND, capture_output=True, text=True, cwd=tmp_path, env=kept | environment, timeout=120, check=False
    )


def test_the_demo_does_the_whole_main_job(tmp_path: Path) -> None:
    """Log in, refresh with both hooks, fetch The Forge, table: in plain text that fits 60 columns of ASCII."""
    done = ran(tmp_path, COLUMNS="60", TERM="dumb", NO_COLOR="1", PYTHONIOENCODING="ascii")
    assert (0, "") == (done.returncode, done.stderr)
    assert [] == [line for line in done.stdout.splitlines() if len(line) > 60]
    assert "\x1b" not in done.stdout
    expected = [
        r"-+ a sandbox plays ESI and the SSO -+",
        r"listening on http://127\.0\.0\.1:\d+",
        r"-+ log in -+",
        r"a user would open http://127\.0\.0\.1:\d+/v2/oauth/auth\S*\.\.\.",
        r"logged in as [\w' ]+ \(\d+\)",
        r"-+ the token expires, and a call refreshes it -+",
        r"  We got new token: eyJ[\w-]{21}\.\.\.",
        r"  refresh token used: \S{8}\.\.\.",
        r"  Expires in [0-2]",
        r"wallet: [\d,]+\.\d\d ISK \(status 200, from network\)",
        r"-+ The Forge -+",
        r"pages .* 400/400 \d:\d\d:\d\d",
        r"400,000 typed orders \(400,000 ids\) in [\d.]+ s",
        r"240,000 of them sell; the newest is of \d{4}-\d\d-\d\d \d\d:\d\d UTC",
        r"What API_CALL_STATS told \(times in ms\)",
        r"operation +status +calls +p50 +p95",
        r"GetCharactersCharacterIdWallet +200 +1 +[\d.]+ +[\d.]+",
        r"GetMarketsRegionIdOrders +200 +400 +[\d.]+ +[\d.]+",
    ]
    lines = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    assert len(expected) == len(lines), done.stdout
    assert [] == [(line, what) for line, what in zip(lines, expected, strict=True) if not re.fullmatch(what, line)]


def test_without_the_sandboxs_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """Two lines, no traceback, exit status 1."""
    (tmp_path / "httptools.py").write_text("raise ImportError('not installed')\n", encoding="utf-8")
    paths = os.pathsep.join(filter(None, [str(tmp_path), str(SOURCE), os.environ.get("PYTHONPATH")]))
    done = ran(tmp_path, PYTHONPATH=paths)
    assert (1, "") == (done.returncode, done.stdout)
    why, result = done.stderr.splitlines()
    assert 'esipy: the sandbox needs httptools: pip install "EsiPy[sandbox]"' == why
    assert "esipy: the sandbox did not start; why stands above" == result
