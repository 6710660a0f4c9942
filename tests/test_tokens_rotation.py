"""`esipy.tokens`: how keys rotate, while others use what they seal; and ``esipy tokens``."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from esipy.exceptions import TokenKeyError, TokenStoreError
from esipy.sso.keychain import given_keys
from esipy.sso.sealing import key_id_of
from esipy.tokens import MemoryTokens, Rekeyed, SqliteTokens, TokenRecord, rekey
from tests.stores.token_stores import APP, record
from tests.tokens_kit import LOST, NEW, OLD, opened, put, sealer

COMMAND = [sys.executable, "-W", "error", "-m", "esipy", "tokens"]


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
