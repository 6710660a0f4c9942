"""`esipy.tokens`: how a text names a store, and what seals what is in it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest

from esipy import EsiClient, ops
from esipy.exceptions import SettingError, TokenKeyError
from esipy.sso import sealing
from esipy.stores.places import user_data_file
from esipy.testing import sandbox
from esipy.tokens import MemoryTokens, SqliteTokens, open_tokens, sealer_for
from tests.sso.keyrings import InMemory
from tests.stores.token_stores import APP
from tests.tokens_kit import NEW, OLD

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
