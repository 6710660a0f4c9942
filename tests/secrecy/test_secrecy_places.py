"""T44's search is one that finds: a leak is planted in each kind of place, and seen there.

What is planted is taken out of what was found, so that these tests do not fail by it.
"""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from esipy import EsiClient
from esipy.cache import DictCache
from esipy.core.answer import Answer
from esipy.core.wire import Headers, HttpRequest
from esipy.events import AFTER_TOKEN_REFRESH, API_CALL_STATS
from esipy.exceptions import APIException, SettingError
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox, serve
from esipy.sso.begun import Begun, keep
from esipy.sso.sealing import Sealer
from esipy.sso.vault import Kept, Stored, Vault
from esipy.stores.base import Ask
from esipy.stores.memory import MemoryCache
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.sqlite_tokens import SqliteTokens
from esipy.stores.tokens import TokenRecord
from esipy.transport.scripted import ScriptedTransport
from tests.sandbox.logins import auth_uri
from tests.secrecy.places import Places
from tests.secrecy.search import WATCH, Secrets
from tests.stores.valkey import admin

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.may_show("leaks are planted", files=["planted"])


@pytest.fixture
def server() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture
def token(server: RunningSandbox) -> str:
    """A refresh token that a sandbox has just given."""
    given: str = server.login()["refresh_token"]
    return given


def seen() -> list[tuple[str, str]]:
    """Where what was seen, since the last time."""
    return [(place, kind) for place, kind, _ in dict.fromkeys(WATCH.take())]


def _log(token: str) -> None:
    logging.getLogger("esipy.planted").debug("kept %s", token)


def _log_of_an_error(token: str) -> None:
    try:
        raise ValueError(token)
    except ValueError:
        logging.getLogger("esipy.planted").debug("failed", exc_info=True)


def _warn(token: str) -> None:
    with pytest.warns(UserWarning, match="planted"):
        warnings.warn(f"planted {token}", UserWarning, stacklevel=1)


def _error(token: str) -> None:
    APIException(f"https://x/?token={token}", 400)


def _error_of_another_kind(token: str) -> None:
    SettingError(token)


def _cause(token: str) -> None:
    def fail() -> None:
        try:
            raise KeyError(token)
        except KeyError as error:
            raise APIException("", 0, message="failed") from error

    with pytest.raises(APIException):
        fail()


def _signal(token: str) -> None:
    API_CALL_STATS.send_robust(
        url=f"https://x/?token={token}", status_code=200, elapsed_time=0.1, message=None, operation_id="x",
        method="GET", principal="ip", attempt=1,
    )  # fmt: skip


def _cache(token: str) -> None:
    run(MemoryCache().put(f"GET https://x/ {token}", Answer(200, Headers(), b"", 0.0, 0.0), "/x"))


def _old_cache(token: str) -> None:
    DictCache().set("key", {"token": token})


def _ledger(token: str) -> None:
    MemoryLedger(lambda: 0.0).reserve(Ask(f"group {token}", "", 10, 60, 1, 1))


def _address(token: str) -> None:
    transport = ScriptedTransport(lambda request: 1 // 0)  # type: ignore[arg-type, return-value]
    with pytest.raises(ZeroDivisionError):
        run(BlockingRuntime(transport).send(HttpRequest("GET", f"https://x/?token={token}")))


@pytest.mark.parametrize(
    ("plant", "place"),
    [
        (_log, "log esipy.planted"),
        (_log_of_an_error, "log esipy.planted"),
        (_warn, "warning"),
        (_error, "error APIException"),
        (_error_of_another_kind, "error SettingError"),
        (_cause, "error APIException"),
        (_signal, "signal API_CALL_STATS"),
        (_cache, "cache"),
        (_old_cache, "cache"),
        (_ledger, "ledger"),
        (_address, "address"),
    ],
)
def test_T44_a_leak_is_seen_where_it_happens(plant: Callable[[str], None], place: str, token: str) -> None:
    """In each place that the library writes to or tells by."""
    plant(token)
    assert (place, "refresh token") in seen()


def test_T44_a_leak_is_seen_in_the_sandboxs_journal(server: RunningSandbox, token: str) -> None:
    """Also what comes under a name that the journal does not hide."""
    server.sandbox.journal.enter(
        "GET", "/status", [("planted", token)], {}, [], body_bytes=0, character_id=None, token_error=None, fault=None
    )
    assert [("journal", "refresh token")] == seen()


def test_T44_a_leak_is_seen_in_what_goes_to_a_server(valkey: Any, token: str) -> None:
    """Whatever store sends it."""
    with admin(valkey) as client:
        client.set("planted", token)
    assert [("server", "refresh token")] == seen()


def test_T44_a_leak_is_seen_in_files_and_objects(tmp_path: Path, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are there when a test is over; a file of SQLite is a file like any other."""
    places = Places(WATCH)
    with sqlite3.connect(tmp_path / "planted") as file:
        file.execute("CREATE TABLE kept (token)")
        file.execute("INSERT INTO kept VALUES (?)", (token,))
    file.close()
    places.look_at_the_end([tmp_path], [("captured stdout", f"token: {token}")], ())
    assert [("captured stdout", "refresh token"), ("file planted", "refresh token")] == seen()
    places.look_at_the_end([tmp_path], [], ("plant*",))
    assert [] == seen()

    with EsiClient(user_agent="x/1 (x@example.com)") as client:
        monkeypatch.setattr(EsiClient, "__repr__", lambda _: token)
        places.remember(client)
        places.look_at_the_end([], [], ())
    assert [("repr of EsiClient", "refresh token")] == seen()


@pytest.mark.parametrize("keys", [[], [b"0123456789abcdefghijklmnopqrstuv"]], ids=["plain", "sealed"])
def test_T44_a_token_file_may_be_plain_only_without_a_key(tmp_path: Path, token: str, keys: list[bytes]) -> None:
    """What a store keeps without a key is expected to be there; what has one is not."""
    with closing(SqliteTokens(tmp_path / "planted.sqlite3")) as store:
        record = TokenRecord("app", 1, "One", "hash", (), "ok", 0.0, 0.0, b"")
        vault = Vault(store, Sealer(keys, kept_in=repr(store)), "app")
        assert vault._save(Stored(record, Kept("access", token)), None)
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert (token.encode() in content) == (not keys)
        Places(WATCH).look_at_the_end([tmp_path], [], ())
        assert [] == seen()


def test_T44_what_a_refresh_tells_is_no_leak(token: str) -> None:
    """Its signal is there to tell the tokens, under their names, and nothing else."""
    told: dict[str, Any] = {"expires_in": 1, "token_type": "Bearer", "token_identifier": None}
    tokens = {"access_token": token, "refresh_token": token, "previous_refresh_token": token}
    AFTER_TOKEN_REFRESH.send_robust(**tokens, **told)
    assert [] == seen()
    AFTER_TOKEN_REFRESH.send_robust(**tokens, **told, also=token)
    assert [("signal AFTER_TOKEN_REFRESH", "refresh token")] == seen()


def test_T44_each_kind_of_secret_is_known(server: RunningSandbox) -> None:
    """Those that are made, and those that a program gives."""
    code = server.approve(auth_uri(server)).partition("code=")[2].partition("&")[0]
    answer = server.login()
    keep({}, Begun("a-State-0f-some-login", 0.0, "a-Verifier-0f-some-login"))
    key = bytes(range(65, 97))
    Sealer([key])
    found = WATCH.secrets.found_in
    kinds = [
        kind
        for text in (code, answer["access_token"], answer["refresh_token"], "a-State-0f-some-login")
        for kind, _ in found(f"so: {text}, here")
    ]
    assert ["code", "access token", "refresh token", "state"] == kinds
    assert "verifier" == found("a-Verifier-0f-some-login")[0][0]
    assert "key" == found(b64encode(key).decode())[0][0] == found(b"\0" + key)[0][0]


def test_T44_what_is_found_is_not_shown() -> None:
    """The report of a leak is none: it shows the text around."""
    secrets = Secrets()
    secrets.add("code", "0123456789-abcdefghij")
    secrets.add("secret", "a secret/with+odd=characters")
    (found,) = secrets.found_in("GET /callback?code=0123456789-abcdefghij HTTP/1.1")
    assert found == ("code", "GET /callback?code=<HERE> HTTP/1.1")
    assert [("code", "<HERE>")] == secrets.found_in(b"0123456789-abcdefghij")
    assert "secret" == secrets.found_in("a%20secret%2Fwith%2Bodd%3Dcharacters")[0][0]
    assert [] == secrets.found_in("0123456789-abcd")


def test_T44_a_test_that_leaks_fails(tmp_path: Path) -> None:
    """By name, and with the place; one beside it that leaks nothing does not."""
    (tmp_path / "test_planted.py").write_text(
        "import logging\n"
        "from esipy.sandbox import serve\n"
        "def test_that_leaks():\n"
        "    with serve() as server:\n"
        "        logging.getLogger('esipy.x').debug(server.login()['refresh_token'])\n"
        "def test_that_does_not():\n"
        "    with serve() as server:\n"
        "        server.login()\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.secrecy.plugin", "-p", "no:cacheprovider", tmp_path]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert 1 == ended.returncode
    assert "refresh token in log esipy.x" in ended.stdout
    assert "ERROR at teardown of test_that_leaks" in ended.stdout
    assert "test_that_does_not" not in ended.stdout
