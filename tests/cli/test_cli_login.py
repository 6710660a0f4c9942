"""``esipy login``: a stranger's way to a login that is kept, and everything that can be wrong on it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from esipy.client import EsiClient
from esipy.login import Character
from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.characters import FIRST_CHARACTER
from tests.cli.login_kit import APP, KEY, MAIL, WALLET, browse, environment, esipy, logging_in

WHO = FIRST_CHARACTER


@pytest.fixture(scope="module")
def served() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture
def server(served: RunningSandbox) -> RunningSandbox:
    """A sandbox in which nothing has happened or fails."""
    served.heal()
    served.forget()
    return served


@pytest.fixture
def around(server: RunningSandbox, tmp_path: Path) -> dict[str, str]:
    return environment(server, tmp_path)


def asked(url: str) -> dict[str, str]:
    """What an application asks of the SSO."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def kept(around: dict[str, str]) -> list[Character]:
    """The logins that are kept."""
    with EsiClient(
        client_id=APP, tokens=around["ESI_TOKENS"], token_key=KEY, headers={"User-Agent": "test"}, cache=None
    ) as client:
        return client.characters()


def test_a_login_from_the_address_to_the_table(server: RunningSandbox, around: dict[str, str]) -> None:
    """PKCE, scopes as asked; the page says who; the login is kept, listed, shown to work, and forgotten by the SSO."""
    with logging_in(
        server, around, "--for", "get_characters_character_id_wallet", "--scopes", f"{MAIL},{WALLET}"
    ) as begun:
        query = asked(begun.url)
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
    assert (1, "esipy: no character is logged in: esipy login, or esipy characters for those who are\n") == (
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


def test_stdin_that_ends_ends_it_where_nothing_listens(server: RunningSandbox, around: dict[str, str]) -> None:
    """With no listener and nobody to paste, waiting is of no use."""
    done = esipy(around, "login", "--client-id", APP, "--callback", "https://example.com/back")
    assert 1 == done.status
    assert "esipy: the login was not finished: no address of a callback came\n" == done.err


def test_a_denied_login_changes_nothing(server: RunningSandbox, around: dict[str, str]) -> None:
    """The page and the terminal say it, and the login that was there stays."""
    with logging_in(server, around, "--scopes", WALLET) as begun:
        browse(server.approve(begun.url, WHO))
        begun.done()
    before = kept(around)
    with logging_in(server, around, "--scopes", WALLET) as begun:
        page = browse(server.deny(begun.url))
        done = begun.done()
    assert "The login was denied" in page.text
    assert (1, 1) == (done.status, len(done.err.splitlines()))
    assert "denied" in done.err
    assert before == kept(around)


def test_a_wrong_state_is_refused_and_the_login_goes_on(server: RunningSandbox, around: dict[str, str]) -> None:
    """A callback of someone else's login is a page and a line; its code is not used."""
    with logging_in(server, around, "--scopes", WALLET) as begun:
        state = asked(begun.url)["state"]
        page = browse(server.approve(begun.url.replace(state, "other"), WHO))
        assert (400, begun.redirect_uri + "/refused") == (page.status, page.url)
        assert [] == server.received("/v2/oauth/token")
        assert 200 == browse(server.approve(begun.url, WHO)).status
        done = begun.done()
    assert 0 == done.status
    assert 1 == len(done.err.splitlines())


def test_a_code_that_was_used_is_one_error(server: RunningSandbox, around: dict[str, str]) -> None:
    """The SSO refuses it; the page and the terminal say so."""
    with logging_in(server, around, "--scopes", WALLET) as begun:
        callback = server.approve(begun.url, WHO)
        assert server.sandbox.tokens.take_code(asked(callback)["code"]) is not None
        page = browse(callback)
        done = begun.done()
    assert (502, 1, 1) == (page.status, done.status, len(done.err.splitlines()))
    assert "it was used, or is too old" in done.err
    assert "it was used, or is too old" in page.text
    assert [] == kept(around)


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


def test_a_wrong_secret_is_one_error(server: RunningSandbox, around: dict[str, str]) -> None:
    """The secret comes from the environment; the SSO does not take it; it is shown nowhere."""
    with logging_in(server, {**around, "ESI_SECRET_KEY": "wr0ng-secret"}, "--scopes", WALLET) as begun:
        assert "code_challenge" not in begun.url
        server.register(APP, [begun.redirect_uri], "the-right-one")
        page = browse(server.approve(begun.url, WHO))
        done = begun.done()
    assert (502, 1, 1) == (page.status, done.status, len(done.err.splitlines()))
    assert "check client_id and secret_key" in done.err
    assert "check client_id and secret_key" in page.text
    assert "wr0ng-secret" not in page.text + done.err + done.out


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


def test_an_sso_that_is_down_is_one_error(server: RunningSandbox, around: dict[str, str]) -> None:
    """The user who approved sees why it came to nothing."""
    with logging_in(server, around, "--scopes", WALLET) as begun:
        callback = server.approve(begun.url, WHO)
        server.fail("/v2/oauth/token", None, status=503)
        page = browse(callback)
        done = begun.done()
    assert (502, 1) == (page.status, done.status)
    assert "the SSO answered 503" in done.err
    assert [] == kept(around)


def test_a_token_of_another_application_is_refused(server: RunningSandbox, around: dict[str, str]) -> None:
    """What the SSO gives has to be for this application; nothing of it is kept."""
    odd = {"access_token": server.mint(WHO, client_id="other"), "expires_in": 1199, "refresh_token": "r3fresh"}
    with logging_in(server, around, "--scopes", WALLET) as begun:
        callback = server.approve(begun.url, WHO)
        server.fail("/v2/oauth/token", status=200, body=json.dumps(odd))
        page = browse(callback)
        done = begun.done()
    assert (502, 1) == (page.status, done.status)
    assert "another application" in done.err
    assert "r3fresh" not in page.text + done.err + done.out
    assert [] == kept(around)


@pytest.mark.parametrize("wrong", [{"client_id": "nobody"}, {"redirect_uri": "http://127.0.0.1:1/callback"}])
def test_what_the_sso_does_not_send_back_ends_by_time(
    server: RunningSandbox, around: dict[str, str], wrong: dict[str, str]
) -> None:
    """A client id or callback that the SSO does not know is an error page of its own: nobody comes back, and the
    error names what may be wrong."""
    with logging_in(server, around, "--timeout", "1") as begun:
        if "client_id" in wrong:
            del server.sandbox.clients[APP]
        else:
            server.register(APP, ["http://127.0.0.1:1/callback"])
        with pytest.raises(ValueError, match="error page"):
            server.approve(begun.url, WHO)
        done = begun.done()
    assert 1 == done.status
    assert "within 1 s" in done.err
    assert "client id" in done.err
    assert "callback address" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
def test_ctrl_c_ends_it(server: RunningSandbox, around: dict[str, str]) -> None:
    """At once, without a traceback, and the port is free."""
    with logging_in(server, around) as begun:
        begun.process.send_signal(signal.SIGINT)
        done = begun.done()
    assert 1 <= done.status <= 130
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) <= 1
    with pytest.raises(ConnectionRefusedError):
        browse(begun.redirect_uri)


def test_a_port_that_is_taken_is_one_error(server: RunningSandbox, around: dict[str, str]) -> None:
    """It names the port, and the way out."""
    port = urlsplit(server.url).port
    done = esipy(around, "login", "--client-id", APP, "--port", str(port))
    assert (1, 1) == (done.status, len(done.err.splitlines()))
    assert f"cannot listen at 127.0.0.1:{port}" in done.err
    assert "--port" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "client"),
        (("--client-id", APP, "--for", "get_characters_character_id_walet"), "get_characters_character_id_wallet"),
        (("--client-id", APP, "--port", "1", "--callback", "http://127.0.0.1/"), "--port is a part of --callback"),
        (("--client-id", APP, "--callback", "nonsense"), "redirect_uri='nonsense'"),
        (("--client-id", APP, "--callback", "http://127.0.0.1:x/"), "x"),
        (("--client-id", APP, "--tokens", "nowhere"), "tokens: has to begin with"),
        (("--client-id", APP, "--port", "0", "--tokens", "sqlite:////dev/null/x"), "/dev/null/x"),
    ],
)
def test_what_cannot_be_meant_is_one_line(around: dict[str, str], words: tuple[str, ...], said: str) -> None:
    """Before any browser is opened."""
    done = esipy(around, "login", *words)
    assert (1, 1, "") == (done.status, len(done.err.splitlines()), done.out), done
    assert said in done.err
    assert done.err.startswith("esipy: ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ulimit")
@pytest.mark.parametrize("trouble", ["full", "no store"])
def test_a_store_that_cannot_be_used_is_told_first(around: dict[str, str], tmp_path: Path, trouble: str) -> None:
    """A disk without room, or a file that is something else: before anybody is sent to the SSO."""
    if trouble == "no store":
        (tmp_path / "tokens.sqlite3").write_text("what it is not\n" * 1000)
    shell = ["sh", "-c", 'ulimit -f 0; exec "$@"' if trouble == "full" else 'exec "$@"', "sh"]
    done = esipy(around, "login", "--client-id", APP, "--port", "0", before=shell)
    assert (1, 1, "") == (done.status, len(done.err.splitlines()), done.out), done
    assert str(tmp_path / "tokens.sqlite3") in done.err


def test_a_scope_that_nobody_knows_is_pointed_out(server: RunningSandbox, around: dict[str, str]) -> None:
    """It may be new, so the SSO decides: here it comes back as an error, in one line each."""
    with logging_in(server, around, "--scopes", "esi-wallet.read_character_walet.v1") as begun:
        page = browse(server.approve(begun.url, WHO))
        done = begun.done()
    first, second = done.err.splitlines()
    assert f"is {WALLET} meant?" in first
    assert "invalid_scope" in second
    assert (502, 1) == (page.status, done.status)


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
