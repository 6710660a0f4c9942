"""`esipy.tokens`: how a text names a store, what seals what is in it, and how keys rotate; and ``esipy tokens``."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import keyring
import pytest

from esipy import EsiClient, ops
from esipy.exceptions import SettingError, TokenKeyError, TokenStoreError
from esipy.sso import sealing
from esipy.sso.keychain import given_keys
from esipy.sso.sealing import Sealer, key_id_of
from esipy.stores.places import user_data_file
from esipy.testing import sandbox
from esipy.tokens import (
    MemoryTokens,
    Rekeyed,
    SqliteTokens,
    TokenRecord,
    TokenStore,
    new_key,
    open_tokens,
    rekey,
    sealer_for,
)
from tests.sso.keyrings import InMemory
from tests.stores.token_stores import APP, record

COMMAND = [sys.executable, "-W", "error", "-m", "esipy", "tokens"]
OLD, NEW, LOST = new_key(), new_key(), new_key()


def sealer(*texts: str) -> Sealer:
    """With these keys, the first of which seals."""
    return Sealer(given_keys(",".join(texts)) or ())


def put(store: TokenStore, by: Sealer, *character_ids: int) -> None:
    """Keep tokens of these characters, sealed so."""
    for character_id in character_ids:
        sealed = by.seal(f"token {character_id}".encode(), (APP, character_id))
        assert store.save(APP, character_id, record(character_id, sealed), None)


def opened(store: TokenStore, by: Sealer) -> list[bytes]:
    """All tokens, opened."""
    return [by.open(each.sealed, (each.client_id, each.character_id)) for each in store.records()]


# -- names -----------------------------------------------------------------------------------------------------------


def test_a_text_names_a_store(named_files: dict[str, Path], tmp_path: Path) -> None:
    """A file here, by its whole path, at home, of this user; a server; this process."""
    for text, path in {**named_files, "sqlite:": user_data_file("tokens.sqlite3")}.items():
        assert f"<SqliteTokens {path}>" == repr(open_tokens(text))
    assert "<RedisTokens redis://localhost:6379/0>" == repr(open_tokens("valkey://:geheim@localhost:6379/0"))
    assert isinstance(open_tokens("memory"), MemoryTokens)
    given = MemoryTokens()
    assert given is open_tokens(given)
    assert [] == list(tmp_path.iterdir())


def test_nothing_is_the_variable_or_this_users_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Which lies with the user's data, and not with what can be thrown away."""
    monkeypatch.delenv("ESI_TOKENS", raising=False)
    assert f"<SqliteTokens {user_data_file('tokens.sqlite3')}>" == repr(open_tokens())
    monkeypatch.setenv("ESI_TOKENS", f"sqlite:///{tmp_path}/named.sqlite3")
    assert f"<SqliteTokens {tmp_path}/named.sqlite3>" == repr(open_tokens())


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("linux", ".local/share/esipy/tokens.sqlite3"),
        ("darwin", "Library/Application Support/esipy/tokens.sqlite3"),
        ("win32", "AppData/Local/esipy/tokens.sqlite3"),
    ],
)
def test_each_system_has_a_place_for_data(monkeypatch: pytest.MonkeyPatch, platform: str, place: str) -> None:
    """Unless the user has named another."""
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    assert Path.home() / place == user_data_file("tokens.sqlite3")
    monkeypatch.setenv("LOCALAPPDATA" if platform == "win32" else "XDG_DATA_HOME", "/data")
    if platform != "darwin":
        assert Path("/data/esipy/tokens.sqlite3") == user_data_file("tokens.sqlite3")


@pytest.mark.parametrize("text", ["x", "sqlite:x", "sqlite:///", "sqlite:///:memory:", "mysql://u:geheim@h"])
def test_other_texts_are_refused(text: str) -> None:
    """At once, and without showing a password."""
    with pytest.raises(SettingError, match=r"^tokens") as caught:
        open_tokens(text)
    assert "geheim" not in str(caught.value)


def test_what_is_no_store_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object without the four verbs; a server's URL with nonsense in it; the variable is named as such."""
    nothing: Any = 5
    with pytest.raises(SettingError, match=r"tokens=int: has to be a text such as .* load, save, records, lease"):
        open_tokens(nothing)
    monkeypatch.setenv("ESI_TOKENS", "redis://:geheim@localhost:6379/0?nonsense=1")
    with pytest.raises(SettingError, match="ESI_TOKENS: the URL of") as caught:
        open_tokens()
    assert "geheim" not in str(caught.value)


# -- what seals --------------------------------------------------------------------------------------------------------


@pytest.fixture
def ring() -> Iterator[InMemory]:
    """A keyring in the place of this machine's."""
    before = keyring.get_keyring()
    made = InMemory()
    keyring.set_keyring(made)  # type: ignore[no-untyped-call]
    yield made
    keyring.set_keyring(before)  # type: ignore[no-untyped-call]


def test_a_file_has_its_key_in_the_keyring(ring: InMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else is given: the same for all files of this user, and another one when it is renewed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    stores = [SqliteTokens(tmp_path / name) for name in ("a", "b")]
    first, second = (sealer_for(store) for store in stores)
    assert first.key_id is not None
    assert first.key_id == second.key_id
    renewed = sealer_for(stores[0], renew=True)
    assert renewed.key_id not in (None, first.key_id)
    assert b"x" == renewed.open(first.seal(b"x", (APP, 1)), (APP, 1))
    assert renewed.key_id == sealer_for(stores[1]).key_id


def test_what_machines_share_has_no_key_of_one_machines_keyring(ring: InMemory) -> None:
    """Nor has memory, or somebody's own database: the others could not open it."""
    for store in (MemoryTokens(), open_tokens("redis://localhost:6379/0")):
        assert None is sealer_for(store).key_id
        assert None is not sealer_for(store, NEW).key_id
    assert {} == ring.entries


def test_only_a_key_in_a_keyring_can_be_renewed(ring: InMemory, tmp_path: Path) -> None:
    """The error says how it is done for others."""
    for store, given in ((SqliteTokens(tmp_path / "a"), OLD), (open_tokens("redis://localhost:6379/0"), None)):
        with pytest.raises(SettingError, match=r"is not in a keyring: .* ESI_TOKEN_KEY=new,old"):
            sealer_for(store, given, renew=True)
    assert {} == ring.entries


def test_a_store_without_a_key_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many clients use it, and when something is first written; memory says nothing."""
    monkeypatch.setattr(sealing, "_told", set[str]())
    store = SqliteTokens(tmp_path / "tokens.sqlite3")
    with caplog.at_level(logging.WARNING, "esipy.tokens"):
        ways = [sealer_for(store, "none"), sealer_for(store), sealer_for(MemoryTokens(), "none")]
        assert [] == caplog.messages
        for each in ways:
            each.seal(b"x", (APP, 1))
    assert 1 == len(caplog.messages)
    assert f"tokens in {store.place} are NOT encrypted" in caplog.text
    assert str(tmp_path / "tokens.sqlite3") == store.place


def test_a_server_without_a_key_is_told_by_its_address(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without user and password; nobody has to know what the store's class is called."""
    monkeypatch.setattr(sealing, "_told", set[str]())
    store = open_tokens("redis://me:secret@localhost:6379/3")
    with caplog.at_level(logging.WARNING, "esipy.tokens"):
        sealer_for(store, "none").seal(b"x", (APP, 1))
    assert caplog.messages[0].startswith("tokens in redis://localhost:6379/3 are NOT encrypted")


def test_a_wrong_key_loses_nothing(tmp_path: Path) -> None:
    """A client with another key says so, and nothing is sent; with the right one it goes on."""
    scope = "esi-wallet.read_character_wallet.v1"
    with sandbox(set_environment=True) as server:
        me = server.sandbox.roster.ids[0]
        refresh_token = server.login(me, [scope])["refresh_token"]
        call = ops.wallet.get_characters_character_id_wallet(character_id=me)

        def client(key: str) -> EsiClient:
            return EsiClient(
                client_id=server.client_id, secret_key=server.secret_key,
                tokens=SqliteTokens(tmp_path / "tokens"), token_key=key,
                headers={"User-Agent": "test/1.0 (me@example.com)"}, cache=None,
            )  # fmt: skip

        with client(OLD) as right:
            right.add_character(refresh_token, me)
            balance = right.as_character(me).fetch(call)
        before = len(server.received())
        with (
            client(NEW) as wrong,
            pytest.raises(TokenKeyError, match=f"the tokens of character {me} .* Nothing is lost"),
        ):
            wrong.as_character(me).fetch(call)
        assert before == len(server.received())
        with client(f"{NEW},{OLD}") as right:
            assert balance == right.as_character(me).fetch(call)


# -- rotation --------------------------------------------------------------------------------------------------------


def test_keys_rotate() -> None:
    """What the old key sealed, and what none did, is sealed with the new one; then the old one is needed no more."""
    store = MemoryTokens()
    put(store, sealer(OLD), 1, 2)
    put(store, sealer("none"), 3)
    put(store, sealer(NEW), 4)
    assert store.save(APP, 5, record(5, b"", state="revoked"), None)
    assert Rekeyed(3, 2, 0, None) == rekey(store, sealer(NEW, OLD))
    assert Rekeyed(0, 5, 0, None) == rekey(store, sealer(NEW))
    assert store.save(APP, 5, None, 1)
    assert [f"token {number}".encode() for number in (1, 2, 3, 4)] == opened(store, sealer(NEW))
    first = store.load(APP, 1)
    assert first is not None
    assert record(1, first.sealed, version=2) == first


def test_what_no_key_opens_stays_as_it_is_and_is_counted() -> None:
    """The others are sealed; the error names the first, and its key. Nothing is lost."""
    store = MemoryTokens()
    put(store, sealer(OLD), 1, 3)
    put(store, sealer(LOST), 2, 4)
    before = store.load(APP, 2)
    done = rekey(store, sealer(NEW, OLD))
    assert (2, 0, 2) == done[:3]
    (lost,) = given_keys(LOST) or ()
    assert f"of character 2 (application {APP}) are sealed with the key {key_id_of(lost)}" in str(done.error)
    assert before == store.load(APP, 2)
    assert Rekeyed(2, 2, 0, None) == rekey(store, sealer(NEW, LOST))
    assert 4 == len(opened(store, sealer(NEW)))


def test_one_that_is_damaged_keeps_no_other_from_being_sealed() -> None:
    """It is counted, and stays as it is; those behind it are sealed with the new key."""
    store = MemoryTokens()
    put(store, sealer(OLD), 1, 2, 3)
    first, second = store.load(APP, 1), store.load(APP, 2)
    assert first is not None
    assert second is not None
    assert store.save(APP, 2, second._replace(sealed=first.sealed), 1)  # what was sealed for another
    done = rekey(store, sealer(NEW, OLD))
    assert (2, 0, 1) == done[:3]
    assert f"of character 2 (application {APP}) do not open" in str(done.error)
    damaged = store.load(APP, 2)
    assert damaged is not None
    assert first.sealed == damaged.sealed


def test_without_a_key_nothing_is_sealed_anew() -> None:
    """The error says how to come to one."""
    with pytest.raises(TokenKeyError, match="there is no key to seal tokens with: `esipy tokens key`"):
        rekey(MemoryTokens(), sealer("none"))


class Busy(MemoryTokens):
    """Others use it: just before a save, once, what is there is replaced, or removed; or the store fails."""

    doing: Any = None

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        doing, self.doing = self.doing, None
        if doing is not None:
            doing(super().save)
        return super().save(client_id, character_id, record, expected)


def test_what_others_save_meanwhile_is_not_overwritten() -> None:
    """It is read again, and sealed if it has to be; with the new key it does not have to, nor when it is gone."""
    newer = sealer(OLD).seal(b"newer", (APP, 1))
    current = sealer(NEW).seal(b"newer", (APP, 1))
    for given, counted in ((record(1, newer), (1, 0)), (record(1, current), (0, 1)), (None, (0, 1))):
        store = Busy()
        put(store, sealer(OLD), 1)
        store.doing = lambda save, given=given: save(APP, 1, given, 1)
        assert Rekeyed(*counted, 0, None) == rekey(store, sealer(NEW, OLD))
        assert ([] if given is None else [b"newer"]) == opened(store, sealer(NEW))


def test_it_can_be_ended_half_way_and_run_again() -> None:
    """Both keys open what is there meanwhile."""
    store = Busy()
    put(store, sealer(OLD), 1, 2, 3)

    def fail_at_the_next(_: Any) -> None:
        def fail(_: Any) -> None:
            raise TokenStoreError("the disk is full")

        store.doing = fail

    store.doing = fail_at_the_next
    with pytest.raises(TokenStoreError, match="the disk is full"):
        rekey(store, sealer(NEW, OLD))
    assert 3 == len(opened(store, sealer(OLD, NEW)))
    assert Rekeyed(2, 1, 0, None) == rekey(store, sealer(NEW, OLD))
    assert 3 == len(opened(store, sealer(NEW)))


# -- the command -----------------------------------------------------------------------------------------------------


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``esipy tokens ...`` in a process of its own."""
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False, env=os.environ | environment
    )


def test_the_command_prints_a_key() -> None:
    """And nothing else."""
    done = command("key")
    assert (0, "") == (done.returncode, done.stderr)
    assert 1 == len(given_keys(done.stdout) or ())


def test_the_command_seals_all_anew(tmp_path: Path) -> None:
    """It says how many; run again, it finds nothing to do."""
    name = f"sqlite:///{tmp_path}/tokens.sqlite3"
    with closing(SqliteTokens(tmp_path / "tokens.sqlite3")) as store:
        put(store, sealer(OLD), 1, 2)
        put(store, sealer("none"), 3)
        done = command("rekey", ESI_TOKENS=name, ESI_TOKEN_KEY=f"{NEW},{OLD}")
        key_id = sealer(NEW).key_id
        assert (0, f"3 logins sealed with the key {key_id}, 0 were before\n", "") == (
            done.returncode, done.stdout, done.stderr,
        )  # fmt: skip
        assert 3 == len(opened(store, sealer(NEW)))
        done = command("rekey", "--tokens", name, ESI_TOKEN_KEY=NEW)
        assert (0, f"0 logins sealed with the key {key_id}, 3 were before\n") == (done.returncode, done.stdout)


def test_the_command_fails_in_one_line(tmp_path: Path) -> None:
    """No key, a wrong one, no store, a key that is not in a keyring; each with what to do, and no key is shown."""
    path = tmp_path / "tokens.sqlite3"
    with closing(SqliteTokens(path)) as store:
        put(store, sealer(OLD), 1)
        for words, environment, said in (
            ((), {}, "there is no key to seal tokens with"),
            ((), {"ESI_TOKEN_KEY": "geheim"}, "ESI_TOKEN_KEY: has to be 32 bytes as base64"),
            ((), {"ESI_TOKEN_KEY": NEW}, "1 logins are as they were; the first: the tokens of character 1"),
            (("--new",), {"ESI_TOKEN_KEY": NEW}, "is not in a keyring"),
            (("--tokens", f"sqlite:///{tmp_path}"), {"ESI_TOKEN_KEY": NEW}, "this is a folder"),
            (("--tokens", "mysql://u:geheim@h"), {"ESI_TOKEN_KEY": NEW}, "tokens: has to begin with sqlite:"),
        ):
            done = command("rekey", *words, **{"ESI_TOKENS": f"sqlite:///{path}", **environment})
            assert (1, 1) == (done.returncode, done.stderr.count("\n")), done.stderr
            assert said in done.stderr
            assert "geheim" not in done.stderr + done.stdout
            assert NEW not in done.stderr + done.stdout
        assert [b"token 1"] == opened(store, sealer(OLD))
