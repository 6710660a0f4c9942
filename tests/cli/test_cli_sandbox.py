"""``esipy sandbox``: a process of its own that says where it is, is driven from outside, and ends when told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest

from esipy.cli import main
from esipy.sandbox import HIDDEN_LIMITS, ControlClient, serve
from esipy.sandbox.characters import FIRST_CHARACTER
from tests.cli.login_kit import KEY, browse, esipy, logging_in, without_esi
from tests.sandbox.wire import ask

COMMAND = [sys.executable, "-W", "error", "-c", "from esipy.cli import main; main()", "sandbox"]


@contextmanager
def started(*options: str) -> Generator[subprocess.Popen[str]]:
    """The command, running; its stdin is a pipe."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([*COMMAND, *options], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
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


def test_it_counts_limits_as_it_is_told() -> None:
    """Each option reaches the sandbox; without them limits are enforced and counted exactly."""
    given = ["--no-limits", "--release-late", "5", "--hidden-limits", "--foreign-share", "0.2", "--foreign-bursts"]
    with started("--json", *given, "--daily-downtime", "60", "--reorder", "0.5") as process:
        assert process.stdout is not None
        told = ControlClient(json.loads(process.stdout.readline())["url"]).about()["limits"]
    assert {
        "enforce_limits": False,
        "release_late_seconds": 5.0,
        "hidden_limits": dict(HIDDEN_LIMITS),
        "hidden_status": 429,
        "foreign_share": 0.2,
        "foreign_manner": "bursts",
        "daily_downtime_seconds": 60.0,
        "reorder_share": 0.5,
    } == told
    with started("--json") as process:
        assert process.stdout is not None
        told = ControlClient(json.loads(process.stdout.readline())["url"]).about()["limits"]
    assert (True, 0.0, {}, 0.0) == (
        told["enforce_limits"],
        told["release_late_seconds"],
        told["hidden_limits"],
        told["foreign_share"],
    )


def test_it_tells_people_where_it_is() -> None:
    """Without ``--json`` the addresses stand there to be copied into a shell."""
    with started("--port", "0") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(8)]
        url = lines[0].rpartition(" ")[2]
        assert f"export ESI_BASE_URL={url}" in lines
        assert f"export ESI_SSO_URL={url}" in lines
        assert ask(url, "/_sandbox/about").status == 200


def test_what_it_prints_logs_a_character_in() -> None:
    """The exports and the command that it shows are all that another terminal needs, from the login to the wallet;
    what was kept for it is gone with it."""
    with started() as process:
        assert process.stdout is not None
        lines = list(takewhile(lambda line: not line.startswith("Stop it"), process.stdout))
        exported = dict(line.split()[1].split("=", 1) for line in lines if line.startswith("  export "))
        (shown,) = (line.split() for line in lines if line.startswith("  esipy login"))
        assert ["--client-id", "sandbox-demo-pkce"] == shown[2:4]
        server = ControlClient(exported["ESI_BASE_URL"])
        kept = Path(exported["ESI_TOKENS"].removeprefix("sqlite:///")).parent
        around = {**without_esi(), "ESI_TOKEN_KEY": KEY, **exported}
        with logging_in(server, around, *shown[4:], client_id="sandbox-demo-pkce") as login:
            assert 200 == browse(server.approve(login.url, FIRST_CHARACTER)).status
            assert 0 == login.done().status
        wallet = esipy(around, "call", "get_characters_character_id_wallet", "--as", str(FIRST_CHARACTER))
        assert (0, "") == (wallet.status, wallet.err)
        assert 0 <= float(wallet.out)
        assert kept.is_dir()
        process.terminate()
        assert 0 == process.wait(20)
    assert not kept.exists()


def test_other_callbacks_can_be_registered() -> None:
    """``--callback``: both applications may be sent back there, too."""
    with started("--json", "--callback", "http://127.0.0.1:7000/back", "--callback", "http://localhost/") as process:
        assert process.stdout is not None
        clients = ControlClient(json.loads(process.stdout.readline())["url"]).about()["clients"]
    assert 2 * [["http://127.0.0.1:8635/callback", "http://127.0.0.1:7000/back", "http://localhost/"]] == [
        client["redirect_uris"] for client in clients
    ]


def test_with_its_parent_it_ends() -> None:
    """``--with-parent``: the end of stdin ends it as a signal does; what is written to stdin before does not."""
    with started("--json", "--with-parent") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("not the end\n")
        process.stdin.flush()
        url = json.loads(process.stdout.readline())["url"]
        assert 200 == ask(url, "/status").status
        output, errors = process.communicate(timeout=20)
        assert ("", "", 0) == (output, errors, process.returncode)


def test_without_that_the_end_of_stdin_is_nothing() -> None:
    """A service that is started with stdin closed goes on serving."""
    with started("--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        url = json.loads(process.stdout.readline())["url"]
        assert 200 == ask(url, "/status").status
        assert process.poll() is None
        process.stdin = None  # for communicate(), which would write to it


def test_a_port_in_use_is_said_in_one_line() -> None:
    """No traceback, nothing left open, and the exit status is 1."""
    with serve() as running, started("--port", running.url.rpartition(":")[2]) as process:
        output, errors = process.communicate(timeout=20)
    assert ("", 1) == (output, process.returncode)
    (line,) = errors.splitlines()
    assert line.startswith("esipy: [Errno ")
    assert running.url.rpartition(":")[2] in line


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_what_is_no_port_is_refused_with_its_name(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a usage error, before anything is opened."""
    monkeypatch.setattr(sys, "argv", ["esipy", "sandbox", "--port", port])
    with pytest.raises(SystemExit) as ended:
        main()
    assert 2 == ended.value.code
    assert "--port" in capsys.readouterr().err
