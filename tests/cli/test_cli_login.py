"""``esipy login``: a stranger's way to a login that is kept, by a browser or by a pasted address."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from esipy.sandbox import RunningSandbox
from esipy.sandbox.characters import FIRST_CHARACTER
from tests.cli.login_kit import APP, COMMAND, MAIL, WALLET, browse, esipy, kept, logging_in
from tests.ports import free_port
from tests.urls import query_of

WHO = FIRST_CHARACTER


def test_a_login_from_the_address_to_the_table(server: RunningSandbox, around: dict[str, str]) -> None:
    """PKCE, scopes as asked; the page says who; the login is kept, listed, shown to work, and forgotten by the SSO."""
    with logging_in(
        server, around, "--for", "get_characters_character_id_wallet", "--scopes", f"{MAIL},{WALLET}"
    ) as begun:
        query = query_of(begun.url)
        assert ("S256", f"{MAIL} {WALLET}", begun.redirect_uri) == (
            query["code_challenge_method"],
            query["scope"],
            query["redirect_uri"],
        )
        page = browse(server.approve(begun.url, WHO))
        done = begun.done()
    name = server.sandbox.roster.get(WHO).name
    assert (200, begun.redirect_uri + "/done") == (page.status, page.url)
    assert f"Logged in as {name}" in page.text
    assert (0, "") == (done.status, done.err)
    assert f"Logged in: {name} ({WHO})" in done.out
    (login,) = kept(around)
    assert (WHO, name, "ok", (MAIL, WALLET)) == (login.character_id, login.name, login.state, login.scopes)
    table = esipy(around, "characters")
    for word in (str(WHO), name, "ok", "scopes"):
        assert word in table.out
    who = esipy(around, "whoami").out
    assert f"{name} ({WHO}), application {APP}" in who
    assert WALLET in who
    assert 0 == esipy(around, "logout", str(WHO)).status
    assert [] == kept(around)
    assert 1 == len(server.received("/v2/oauth/revoke"))
    gone = esipy(around, "whoami")
    assert (1, "esipy: no character is logged in: esipy login logs one in\n") == (
        gone.status,
        gone.err,
    )


def test_a_pasted_address_is_as_good(server: RunningSandbox, around: dict[str, str]) -> None:
    """Without a browser here the callback's address is taken from stdin; what is no callback of this login is refused
    in one line, and it goes on."""
    with logging_in(server, around, "--no-browser", "--scopes", WALLET) as begun:
        begun.paste("hello")
        begun.paste("")
        begun.paste(f"{begun.redirect_uri}?code=c0de&state=5tate")
        begun.paste(f"  {server.approve(begun.url, WHO)}  ")
        done = begun.done()
    assert 0 == done.status
    assert f"Logged in: {server.sandbox.roster.get(WHO).name}" in done.out
    assert 2 == len(done.err.splitlines())
    assert {"esipy: refused: the callback of another login; this login still waits for its own"} == set(
        done.err.splitlines()
    )
    assert not re.search("c0de|5tate", done.err + done.out.replace(begun.url, ""))


def test_a_callback_elsewhere_can_be_pasted(server: RunningSandbox, around: dict[str, str]) -> None:
    """An application whose callback is a web site: nothing listens here, and the address is pasted."""
    address = "https://example.com/back"
    with logging_in(server, around, "--callback", address, "--scopes", WALLET) as begun:
        assert address == begun.redirect_uri
        begun.paste(server.approve(begun.url, WHO))
        assert 0 == begun.done().status
    assert WHO == kept(around)[0].character_id


def test_a_wrong_state_is_refused_and_the_login_goes_on(server: RunningSandbox, around: dict[str, str]) -> None:
    """A callback of someone else's login is a page and a line; its code is not used."""
    with logging_in(server, around, "--scopes", WALLET) as begun:
        state = query_of(begun.url)["state"]
        page = browse(server.approve(begun.url.replace(state, "other"), WHO))
        assert (400, begun.redirect_uri + "/refused") == (page.status, page.url)
        assert [] == server.received("/v2/oauth/token")
        assert 200 == browse(server.approve(begun.url, WHO)).status
        done = begun.done()
    assert 0 == done.status
    assert 1 == len(done.err.splitlines())


def test_a_callback_counts_once(server: RunningSandbox, around: dict[str, str]) -> None:
    """Loaded again before the login is finished, its code is not sent again."""
    server.fail("/v2/oauth/token", kind="hang")
    with logging_in(server, around, "--scopes", WALLET) as begun, ThreadPoolExecutor(2) as browsers:
        callback = server.approve(begun.url, WHO)
        first = browsers.submit(browse, callback)
        server.wait_received(1, "/v2/oauth/token", timeout=60)
        parts = urlsplit(callback)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as again:
            again.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
            server.release()
            assert 200 == first.result(60).status
            done = begun.done()
    assert (0, "") == (done.status, done.err)
    assert 1 == len(server.received("/v2/oauth/token"))


def test_a_secret_can_be_typed(server: RunningSandbox, around: dict[str, str]) -> None:
    """``--ask-secret`` reads it without showing it; as an argument it could be seen by all users of the machine."""
    with logging_in(server, around, "--ask-secret", "--scopes", WALLET, typed="typed-secret\n") as begun:
        assert "code_challenge" not in begun.url
        server.register(APP, [begun.redirect_uri], "typed-secret")
        assert 200 == browse(server.approve(begun.url, WHO)).status
        done = begun.done()
    assert 0 == done.status
    assert "typed-secret" not in done.out + done.err
    assert 2 == esipy(around, "login", "--client-id", APP, "--secret-key", "x").status


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_a_typed_secret_is_not_shown(around: dict[str, str]) -> None:
    """At a terminal it is asked for, and not repeated."""
    terminal, keyboard = os.openpty()
    words = ["login", "--client-id", APP, "--callback", "https://example.com/back", "--ask-secret"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*COMMAND, *words], env=around, stdin=keyboard, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        os.close(keyboard)
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"The application's secret: " == process.stderr.read(26)
        os.write(terminal, b"typed-secret\n")
        assert b"callback address" in b"".join(islice(process.stdout, 2))
        process.kill()
        written = process.stdout.read() + process.stderr.read()
    with suppress(OSError):  # nothing was echoed, and nobody is at the other end any more
        written += os.read(terminal, 4096)
    os.close(terminal)
    assert b"typed-secret" not in written


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
def test_ctrl_c_ends_it(server: RunningSandbox, around: dict[str, str]) -> None:
    """At once, without a traceback, and the port is free."""
    with logging_in(server, around, "--callback", f"http://127.0.0.1:{free_port()}/callback") as begun:
        begun.process.send_signal(signal.SIGINT)
        done = begun.done()
    assert 1 <= done.status <= 130
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) <= 1
    with pytest.raises(ConnectionRefusedError):
        browse(begun.redirect_uri)


def test_a_login_without_scopes_is_short(server: RunningSandbox, around: dict[str, str]) -> None:
    """It is said beforehand, and the login is over when its token is: nothing can renew it."""
    with logging_in(server, around) as begun:
        page = browse(server.approve(begun.url, WHO))
        done = begun.done()
    assert "nothing but to know who you are" in page.text
    assert (0, "") == (done.status, done.err)
    assert () == kept(around)[0].scopes


@pytest.mark.may_show("without a key, of another process", files=["tokens.sqlite3*"])
def test_where_nothing_seals_it_the_user_is_told(server: RunningSandbox, around: dict[str, str]) -> None:
    """Without a key, in one line; the login is kept all the same."""
    del around["ESI_TOKEN_KEY"]
    nowhere = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    with logging_in(server, {**around, **nowhere}, "--scopes", WALLET) as begun:
        browse(server.approve(begun.url, WHO))
        done = begun.done()
    assert (0, 1) == (done.status, len(done.err.splitlines()))
    assert "NOT encrypted" in done.err
    assert "ok" == kept(around)[0].state


@pytest.mark.skipif(sys.platform == "win32", reason="the browser of this test is a shell script")
def test_the_browser_is_opened(server: RunningSandbox, around: dict[str, str], tmp_path: Path) -> None:
    """The one that the user has named gets the address; nothing has to be pasted."""
    opened, script = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(opened)
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    script.chmod(0o755)
    with (
        ThreadPoolExecutor(1) as reading,
        logging_in(server, {**around, "BROWSER": f"{script} %s"}, "--scopes", WALLET) as begun,
    ):
        assert begun.url == reading.submit(opened.read_text).result(60)
        browse(server.approve(begun.url, WHO))
        done = begun.done()
    assert 0 == done.status
    assert "paste" not in done.out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
def test_ctrl_c_ends_it_while_the_sso_is_asked(server: RunningSandbox, around: dict[str, str]) -> None:
    """An SSO that does not answer holds nobody."""
    server.fail("/v2/oauth/token", kind="hang")
    with logging_in(server, around, "--no-browser", "--scopes", WALLET) as begun:
        begun.paste(server.approve(begun.url, WHO))
        server.wait_received(1, "/v2/oauth/token", timeout=60)
        begun.process.send_signal(signal.SIGINT)
        done = begun.done()
        server.release()
    assert 1 <= done.status <= 130
    assert "" == done.err
    assert [] == kept(around)


@pytest.mark.parametrize("browser", ["false", "no-such-program %s", '"unbalanced %s'])
def test_a_browser_that_does_not_open_is_none(server: RunningSandbox, around: dict[str, str], browser: str) -> None:
    """Then the callback's address can be pasted."""
    with logging_in(server, {**around, "BROWSER": browser}, "--scopes", WALLET) as begun:
        begun.paste(server.approve(begun.url, WHO))
        done = begun.done()
    assert (0, "") == (done.status, done.err)
    assert "paste that page's address here" in done.out
