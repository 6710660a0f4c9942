"""``esipy characters``, ``whoami``, ``logout`` and ``call --as``: what is done with the logins that are kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esipy.cli import main
from esipy.client import EsiClient
from esipy.runtime.shared import PROCESS
from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.characters import FIRST_CHARACTER
from esipy.tokens import new_key
from tests.cli.login_kit import KEY, MAIL, WALLET, Done

WHO = FIRST_CHARACTER
APP, OTHER = "sandbox-demo-pkce", "another"
NO_SSO = "http://127.0.0.1:9"

Run = Callable[..., Done]


@pytest.fixture(scope="module")
def served() -> Iterator[RunningSandbox]:
    with serve() as running:
        running.register(OTHER, ["http://127.0.0.1:1/"])
        yield running


@pytest.fixture
def server(served: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """A sandbox, and an empty token store, as the environment names them."""
    served.heal()
    served.forget()
    served.set_tokens(lifetime_seconds=1199)
    monkeypatch.delenv("ESI_CLIENT_ID", raising=False)
    for name, value in {
        "ESI_BASE_URL": served.url,
        "ESI_SSO_URL": served.url,
        "ESI_TOKENS": f"sqlite:///{tmp_path}/tokens.sqlite3",
        "ESI_TOKEN_KEY": KEY,
    }.items():
        monkeypatch.setenv(name, value)
    return served


@pytest.fixture
def run(server: RunningSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def command(*words: str) -> Done:
        PROCESS.clear()  # as a new process, which remembers no token
        monkeypatch.setattr(sys, "argv", ["esipy", *words])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return command


def keep(server: RunningSandbox, character_id: int = WHO, *scopes: str, client_id: str = APP) -> str:
    """A login that is kept; gives the character's name."""
    answer = server.login(character_id, scopes or (WALLET,), client_id)
    with EsiClient(client_id=client_id, headers={"User-Agent": "test"}, cache=None) as client:
        return client.add_character(answer["refresh_token"]).name


def one_line(done: Done) -> str:
    """The error of a command that failed as commands do."""
    assert (1, "", 1) == (done.status, done.out, len(done.err.splitlines())), done
    assert done.err.startswith("esipy: ")
    return done.err


def test_the_table_asks_nobody(server: RunningSandbox, run: Run) -> None:
    """Id, name, state and the number of scopes of each, in the order of the ids."""
    second, first = keep(server, WHO + 1, WALLET, MAIL), keep(server)
    server.forget()
    done = run("characters")
    head, *rows = [line.split() for line in done.out.splitlines()]
    assert ["character", "name", "state"] == head[:3]
    assert "application" not in head
    assert [[str(WHO), *first.split(), "ok", "1"], [str(WHO + 1), *second.split(), "ok", "2"]] == [
        [*row[:4], row[-1]] for row in rows
    ]
    assert [] == server.received()


def test_json_has_everything_but_tokens(server: RunningSandbox, run: Run) -> None:
    """Scopes and times as ISO 8601; nothing that could be used."""
    name = keep(server, WHO, MAIL, WALLET)
    done = run("characters", "--json")
    (login,) = json.loads(done.out)
    assert {"client_id", "character_id", "name", "state", "scopes", "refreshed_at", "expires_at"} == set(login)
    assert (APP, WHO, name, [MAIL, WALLET]) == tuple(
        login[key] for key in ("client_id", "character_id", "name", "scopes")
    )
    assert login["refreshed_at"] < login["expires_at"]
    assert login["expires_at"].endswith("Z")
    assert "eyJ" not in done.out


def test_an_empty_store_is_no_error(run: Run) -> None:
    """There is nobody yet; JSON is an empty list."""
    assert (0, "No character is logged in: esipy login\n") == run("characters")[:2]
    assert [] == json.loads(run("characters", "--json").out)


def test_several_applications_are_told_apart(server: RunningSandbox, run: Run) -> None:
    """All are listed, and a name that two of them have needs --client-id, or ESI_CLIENT_ID."""
    name = keep(server)
    assert name == keep(server, client_id=OTHER)
    listed = run("characters").out
    assert APP in listed
    assert OTHER in listed
    said = one_line(run("logout", name))
    for word in ("2 logins are meant", APP, OTHER, "--client-id"):
        assert word in said
    assert 0 == run("logout", name, "--client-id", OTHER).status
    assert 0 == run("whoami", name).status


def test_the_environment_names_the_application(
    server: RunningSandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then only its logins are there."""
    keep(server)
    monkeypatch.setenv("ESI_CLIENT_ID", OTHER)
    assert "No character is logged in" in run("characters").out


@pytest.mark.parametrize("named", ["id", "name", "NAME"])
def test_characters_are_named_as_people_do(server: RunningSandbox, run: Run, named: str) -> None:
    """By id, or by name in any case."""
    keep(server, WHO + 1)
    name = keep(server)
    done = run("whoami", {"id": str(WHO), "name": name, "NAME": name.upper()}[named])
    assert done.out.startswith(f"{name} ({WHO})")


def test_who_is_not_there_is_one_line(server: RunningSandbox, run: Run) -> None:
    """It says what to do; of several nobody is chosen."""
    assert "no character is logged in: esipy login" in one_line(run("whoami"))
    keep(server)
    keep(server, WHO + 1)
    assert "'Nobody' is not logged in" in one_line(run("whoami", "Nobody"))
    assert "2 logins are meant" in one_line(run("whoami"))


def test_whoami_renews_what_is_over(server: RunningSandbox, run: Run) -> None:
    """It shows that the login works, not that it once did."""
    server.set_tokens(lifetime_seconds=1)
    keep(server)
    server.set_tokens(lifetime_seconds=1199)
    server.forget()
    done = run("whoami", "--json")
    assert 0 == done.status
    assert 1 == len(server.received("/v2/oauth/token"))
    assert "ok" == json.loads(done.out)["state"]
    assert WALLET in run("whoami").out
    assert 1 == len(server.received("/v2/oauth/token"))


def test_a_login_that_was_ended_elsewhere(server: RunningSandbox, run: Run) -> None:
    """`whoami` finds out, and the table says it from then on."""
    server.set_tokens(lifetime_seconds=1)
    keep(server)
    server.revoke(WHO)
    assert "log in again" in one_line(run("whoami"))
    assert "revoked" in run("characters").out


def test_a_logout_that_the_sso_does_not_do_is_none(
    server: RunningSandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its token would live on where nobody knows of it: the login stays, and can be ended later."""
    name = keep(server)
    server.fail("/v2/oauth/revoke", None, status=503)
    assert "503" in one_line(run("logout", name))
    assert name in run("characters").out
    server.heal()
    assert f"Logged out: {name} ({WHO})\n" == run("logout", name).out
    assert 0 == server.revoke(WHO)  # no grant of it lives


def test_a_key_that_is_not_at_hand(server: RunningSandbox, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is logged in can still be seen; what needs the tokens says which key is missing, and nothing is lost."""
    name = keep(server)
    monkeypatch.setenv("ESI_TOKEN_KEY", new_key())
    assert name in run("characters").out
    assert "key" in one_line(run("whoami"))
    assert "--forget" in one_line(run("logout", name))
    monkeypatch.setenv("ESI_TOKEN_KEY", KEY)
    assert 0 == run("whoami").status


def test_a_login_whose_key_is_lost_is_removed_here_alone(
    server: RunningSandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an explicit wish; what is printed says where the player can end it."""
    name = keep(server)
    monkeypatch.setenv("ESI_TOKEN_KEY", new_key())
    done = run("logout", name, "--forget")
    assert (0, "") == (done.status, done.err)
    for said in (f"Removed here: {name} ({WHO})", "not told", "https://developers.eveonline.com/authorized-apps"):
        assert said in done.out
    assert name not in run("characters").out
    assert 0 < server.revoke(WHO)  # it lives on there


def test_a_call_is_made_as_a_character(server: RunningSandbox, run: Run) -> None:
    """With its token, its id where the operation wants one, and only what it allowed."""
    name = keep(server)
    balance = json.loads(run("call", "get_characters_character_id_wallet", "--as", name).out)
    assert isinstance(balance, float)
    assert [WHO] == [entry.character_id for entry in server.received(f"/characters/{WHO}/wallet")]
    assert MAIL in one_line(run("call", "get_characters_character_id_mail", "--as", name))
    said = one_line(run("call", "get_characters_character_id_wallet", f"character_id={WHO}"))
    for word in (WALLET, "--as", "esipy login"):
        assert word in said


def test_a_call_as_somebody_else_is_refused_by_esi(server: RunningSandbox, run: Run) -> None:
    """An id that is given is not replaced."""
    name = keep(server)
    words = ("call", "get_characters_character_id_wallet", "--as", name, f"character_id={WHO + 1}")
    one_line(run(*words))
    assert [(f"/characters/{WHO + 1}/wallet", 403)] == [(entry.path, entry.status) for entry in server.received()[-1:]]
