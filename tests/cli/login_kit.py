"""``esipy login`` as a process of its own, and a user at it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Timer
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from esipy.client import EsiClient
from esipy.login import Character
from esipy.sandbox import ControlClient, RunningSandbox

COMMAND = [sys.executable, "-W", "error", "-c", "from esipy.cli import main; main()"]
APP = "my-application"
WALLET = "esi-wallet.read_character_wallet.v1"
MAIL = "esi-mail.read_mail.v1"
KEY = "A" * 43 + "="
LIMIT_SECONDS = 120
"""What takes longer hangs."""


class Done(NamedTuple):
    """How a command ended, and what it wrote since it was last looked at."""

    status: int
    out: str
    err: str


class Page(NamedTuple):
    """What a browser shows at the end, and where it stands."""

    status: int
    url: str
    text: str


def environment(server: RunningSandbox, folder: Path, **more: str) -> dict[str, str]:
    """What a command finds around it: the sandbox, a token store, no browser."""
    return without_esi() | {
        "ESI_BASE_URL": server.url,
        "ESI_SSO_URL": server.sso_url,
        "ESI_TOKENS": f"sqlite:///{folder}/tokens.sqlite3",
        "ESI_TOKEN_KEY": KEY,
        **more,
    }


def without_esi() -> dict[str, str]:
    """The environment, without what leads to an ESI or to a browser."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return {name: value for name, value in os.environ.items() if not name.startswith("ESI_") and name not in screens}


def esipy(around: dict[str, str], *words: str, before: Sequence[str] = ()) -> Done:
    """A command, run to its end, with nothing in stdin.

    Args:
        before: the command that runs it.
    """
    done = subprocess.run(
        [*before, *COMMAND, *words], env=around, input="", capture_output=True, text=True, timeout=LIMIT_SECONDS,
        check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


class Login:
    """A login that waits for its callback.

    Attributes:
        redirect_uri: the callback's address, as it is printed.
        url: where the user is sent, as it is printed.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.redirect_uri = self._line("callback address").rpartition(" ")[2]
        self.url = self._line("https://", "http://127").strip()

    def _line(self, *parts: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if any(part in line for part in parts):
                return line.rstrip("\n")
        raise AssertionError(f"it ended: {self.process.communicate()[1]}")

    def paste(self, address: str) -> None:
        """What a user without a browser here does."""
        assert self.process.stdin is not None
        self.process.stdin.write(address + "\n")
        self.process.stdin.flush()

    def done(self) -> Done:
        """Wait until the command has ended."""
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.close()
        hangs = Timer(LIMIT_SECONDS, process.kill)
        hangs.start()
        # Not communicate(): it reads what is in the pipes, without what `_line` has read ahead.
        with ThreadPoolExecutor(1) as beside:
            err = beside.submit(process.stderr.read)
            out = process.stdout.read()
            done = Done(process.wait(), out, err.result())
        hangs.cancel()
        return done


@contextmanager
def logging_in(
    server: RunningSandbox | ControlClient, around: dict[str, str], *words: str, client_id: str = APP, typed: str = ""
) -> Iterator[Login]:
    """``esipy login``, at a free port unless a callback is given; its callback is registered with the sandbox.

    Args:
        typed: what stands in stdin when it begins.
    """
    place = () if "--callback" in words else ("--port", "0")
    pipe = subprocess.PIPE
    command = [*COMMAND, "login", "--client-id", client_id, *place, *words]
    with subprocess.Popen(command, env=around, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(typed)
            process.stdin.flush()
            login = Login(process)
            server.register(client_id, [login.redirect_uri], around.get("ESI_SECRET_KEY"))
            yield login
        finally:
            process.kill()


def browse(address: str) -> Page:
    """Go to an address as a browser does: by GET, and on to where one is sent."""
    while True:
        parts = urlsplit(address)
        connection = HTTPConnection(parts.netloc, timeout=60)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
            answer = connection.getresponse()
            text, location = answer.read().decode(), answer.getheader("Location")
        finally:
            connection.close()
        if location is None:
            return Page(answer.status, address, text)
        address = urljoin(address, location)


def kept(around: dict[str, str]) -> list[Character]:
    """The logins that are kept."""
    with EsiClient(
        client_id=APP, tokens=around["ESI_TOKENS"], token_key=KEY, headers={"User-Agent": "test"}, cache=None
    ) as client:
        return client.characters()
