"""Where the keys that seal tokens come from."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends import fail, null
from keyring.errors import KeyringLocked

from esipy.exceptions import SettingError, TokenKeyError
from esipy.sso.keychain import FILE_VARIABLE, VARIABLE, given_keys, keyring_keys, new_key
from esipy.sso.sealing import KEY_BYTES
from tests.sso.keyrings import InMemory

A, B = bytes(range(KEY_BYTES)), bytes(range(100, 100 + KEY_BYTES))
TEXT_A, TEXT_B = base64.b64encode(A).decode(), base64.urlsafe_b64encode(B).decode()


class Locked(InMemory):
    """One whose user does not unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("the password was secret-of-the-user")


@pytest.fixture
def ring() -> Iterator[Any]:
    """Puts a backend in the place of this machine's."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_a_new_key_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As text, and another one each time."""
    first, second = new_key(), new_key()
    assert first != second
    (key,) = given_keys(first) or ()
    assert KEY_BYTES == len(key)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (TEXT_A, (A,)),
        (TEXT_A.rstrip("="), (A,)),
        (base64.urlsafe_b64encode(A).decode(), (A,)),
        (f"{TEXT_B},{TEXT_A}", (B, A)),
        (f"  {TEXT_B} ,\n{TEXT_A}\n", (B, A)),
        ("none", ()),
    ],
)
def test_keys_are_base64_with_commas_between(text: str, keys: tuple[bytes, ...]) -> None:
    """Of either alphabet, with its padding or without; ``none`` is no key, on purpose."""
    assert keys == given_keys(text)


@pytest.mark.parametrize(
    "text", ["", " ", "geheim", TEXT_A[:-3], TEXT_A + "AAAA", f"{TEXT_A},geheim", "none,none", "ключ"]
)
def test_what_is_no_key_is_refused_unseen(text: str) -> None:
    """The error names where it came from, and shows nothing of it."""
    with pytest.raises(SettingError, match="token_key: has to be 32 bytes as base64") as caught:
        given_keys(text)
    assert "geheim" not in str(caught.value)
    assert TEXT_A not in str(caught.value)
    assert caught.value.__context__ is None


def test_the_first_that_is_given_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The keyword, the variable, the file, in this order; nothing is None."""
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_text(f"{TEXT_A}\n{TEXT_B}\n")
    assert None is given_keys()
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    assert (A, B) == given_keys()
    monkeypatch.setenv(VARIABLE, TEXT_B)
    assert (B,) == given_keys()
    assert (A,) == given_keys(TEXT_A)


@pytest.mark.skipif(os.name != "posix", reason="rights are of another kind here")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_read_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int) -> None:
    """With the command that mends it; one that only its owner may read is not."""
    file = tmp_path / "key"
    file.write_text(TEXT_A)
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    file.chmod(mode)
    with pytest.raises(SettingError, match=r"ESI_TOKEN_KEY_FILE=.*: others may read or write it: chmod 600 "):
        given_keys()
    file.chmod(0o400)
    assert (A,) == given_keys()


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"", b"geheim"])
def test_a_key_file_without_a_key_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    """One that is not there, is no text, is empty, or holds something else; the file is named, not its content."""
    file = tmp_path / "key"
    if content is not None:
        file.touch(0o600)
        file.write_bytes(content)
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    with pytest.raises(SettingError, match=f"ESI_TOKEN_KEY_FILE=.*{file.name}: (cannot be read|has to be)") as caught:
        given_keys()
    assert "geheim" not in str(caught.value)


def test_a_keyring_is_given_a_key_when_it_has_none(ring: Any, tmp_path: Path) -> None:
    """Which it has from then on."""
    backend = InMemory()
    ring(backend)
    lock = tmp_path / "folder" / "keyring.lock"
    first = keyring_keys(lock)
    assert 1 == len(first)
    assert first == keyring_keys(lock)
    assert [("esipy", "token key")] == list(backend.entries)


def test_a_key_is_made_once_however_many_ask(ring: Any, tmp_path: Path) -> None:
    """Eight at once, none of whom finds one there: they all get the same."""
    meeting = threading.Barrier(8)

    class Slow(InMemory):
        """All have looked before anyone writes."""

        def get_password(self, service: str, username: str) -> str | None:
            found = super().get_password(service, username)
            if not getattr(seen, "before", False):
                seen.before = True
                meeting.wait(60)
            return found

    seen = threading.local()
    ring(Slow())
    with ThreadPoolExecutor(8) as pool:
        assert 1 == len(set(pool.map(lambda _: keyring_keys(tmp_path / "keyring.lock"), range(8))))


def test_a_key_that_is_renewed_stands_before_the_old_ones(ring: Any, tmp_path: Path) -> None:
    """Which stay: there may be other files that they have sealed."""
    ring(InMemory())
    lock = tmp_path / "keyring.lock"
    first = keyring_keys(lock, renew=True)
    second = keyring_keys(lock, renew=True)
    assert (1, 2) == (len(first), len(second))
    assert first == second[1:]


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
def test_where_there_is_no_keyring_there_is_no_key(ring: Any, tmp_path: Path, backend: Any) -> None:
    """As on a server, or where its user has switched it off."""
    ring(backend())
    assert () == keyring_keys(tmp_path / "keyring.lock")


def test_a_service_without_keyring_or_home_has_no_key(ring: Any, tmp_path: Path) -> None:
    """Nothing is locked, nor written, in order to make a key that no keyring would take."""
    backend: Any = fail.Keyring
    ring(backend())
    (tmp_path / "file").touch()
    assert () == keyring_keys(tmp_path / "file" / "keyring.lock")


def test_a_keyring_that_stays_locked_is_told(ring: Any, tmp_path: Path) -> None:
    """Instead of going on without a key; its own words are not shown."""
    ring(Locked())
    with pytest.raises(
        TokenKeyError, match=r"does not give the key of the tokens \(KeyringLocked\): unlock it"
    ) as caught:
        keyring_keys(tmp_path / "keyring.lock")
    assert "secret-of-the-user" not in str(caught.value)


def test_a_key_that_cannot_be_made_alone_is_told(ring: Any, tmp_path: Path) -> None:
    """Two programs that make one at once would not know each other's."""
    backend = InMemory()
    ring(backend)
    (tmp_path / "file").touch()
    with pytest.raises(TokenKeyError, match=r"no key can be made in this user's keyring: .*keyring\.lock cannot be"):
        keyring_keys(tmp_path / "file" / "keyring.lock")
    with pytest.raises(
        TokenKeyError, match=r"cannot be locked \(unable to open database file\); give a key as ESI_TOKEN"
    ):
        keyring_keys(tmp_path)
    assert {} == backend.entries


def test_what_others_put_into_the_keyring_is_no_key(ring: Any, tmp_path: Path) -> None:
    """It is left there, and said to be no key."""
    backend = InMemory()
    backend.entries["esipy", "token key"] = "geheim"
    ring(backend)
    with pytest.raises(SettingError, match="the entry 'token key' of 'esipy' in the keyring: has to be 32") as caught:
        keyring_keys(tmp_path / "keyring.lock")
    assert "geheim" not in str(caught.value)
    assert {("esipy", "token key"): "geheim"} == backend.entries


def test_without_the_package_there_is_no_keyring(tmp_path: Path) -> None:
    """The extra ``keyring`` is not installed: no error, no key."""
    program = (
        "import sys; sys.modules['keyring'] = None\nfrom pathlib import Path\n"
        "from esipy.sso.keychain import keyring_keys\nprint(keyring_keys(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "keyring.lock")]
    assert "()\n" == subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
