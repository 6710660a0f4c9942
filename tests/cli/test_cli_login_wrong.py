"""``esipy login``, and what can be wrong on the way: one line, exit status 1, and nothing that was there is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.characters import FIRST_CHARACTER
from esipy.stores.sqlite_tokens import SqliteTokens
from tests.cli.login_kit import APP, WALLET, browse, environment, esipy, kept, logging_in
from tests.urls import query_of

WHO = FIRST_CHARACTER


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


def test_a_code_that_was_used_is_one_error(server: RunningSandbox, around: dict[str, str]) -> None:
    """The SSO refuses it; the page and the terminal say so."""
    with logging_in(server, around, "--scopes", WALLET) as begun:
        callback = server.approve(begun.url, WHO)
        assert server.sandbox.tokens.take_code(query_of(callback)["code"]) is not None
        page = browse(callback)
        done = begun.done()
    assert (502, 1, 1) == (page.status, done.status, len(done.err.splitlines()))
    assert "it was used, or is too old" in done.err
    assert "it was used, or is too old" in page.text
    assert [] == kept(around)


def test_a_code_that_is_too_old_is_one_error(tmp_path: Path) -> None:
    """A browser that was left standing for minutes with the SSO's last page."""
    with serve() as server:
        around = environment(server, tmp_path)
        with logging_in(server, around, "--scopes", WALLET) as begun:
            callback = server.approve(begun.url, WHO)
            server.advance(301)
            page = browse(callback)
            done = begun.done()
    assert (502, 1, 1) == (page.status, done.status, len(done.err.splitlines()))
    assert "it was used, or is too old" in done.err


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
        (("--client-id", APP, "--tokens", "memory"), "the login would end with this command"),
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


def _without_rights() -> list[str]:
    """What takes from root, as containers run tests, the right to write where nobody may."""
    if os.geteuid() != 0:
        return []
    rights = "-dac_override,-dac_read_search"
    before = ["setpriv", "--bounding-set", rights, "--inh-caps", rights]
    if shutil.which("setpriv") is None or subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("this is root, who may write everywhere")
    return before


@pytest.mark.skipif(sys.platform == "win32", reason="rights are of another kind there")
def test_a_store_that_may_only_be_read_is_told_first(around: dict[str, str], tmp_path: Path) -> None:
    """Before anybody is sent to the SSO; the file is as it was."""
    before = _without_rights()
    path = tmp_path / "tokens.sqlite3"
    store = SqliteTokens(path)
    assert [] == list(store.records())
    store.close()
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    was = path.read_bytes()
    try:
        done = esipy(around, "login", "--client-id", APP, "--port", "0", before=before)
        assert was == path.read_bytes()
    finally:
        tmp_path.chmod(0o700)
    assert (1, 1, "") == (done.status, len(done.err.splitlines()), done.out), done
    assert str(path) in done.err
    assert "give this user the right to write to the file and its folder" in done.err


def test_a_scope_that_nobody_knows_is_pointed_out(server: RunningSandbox, around: dict[str, str]) -> None:
    """It may be new, so the SSO decides: here it comes back as an error, in one line each."""
    with logging_in(server, around, "--scopes", "esi-wallet.read_character_walet.v1") as begun:
        page = browse(server.approve(begun.url, WHO))
        done = begun.done()
    first, second = done.err.splitlines()
    assert f"is {WALLET} meant?" in first
    assert "invalid_scope" in second
    assert (502, 1) == (page.status, done.status)
