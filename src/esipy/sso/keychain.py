"""Where the keys that seal tokens come from: what is given, the environment, a file, the keyring of this user.

The first of these that has any counts:

1. ``token_key=``
2. the variable ``ESI_TOKEN_KEY``
3. the file that ``ESI_TOKEN_KEY_FILE`` names, which nobody but its owner may read
4. for a file of tokens: the operating system's keyring, by the package ``keyring`` (the extra of that name); a key is
   made there when there is none. What several machines share needs a key that all of them have, so no keyring

A key is base64 of 32 bytes; several are separated by commas or white space: the first seals, all open. ``none`` is no
key, on purpose. Errors show nothing of a key.
"""

from __future__ import annotations

import base64
import os
import secrets
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from esipy.exceptions import SettingError, TokenKeyError
from esipy.sso.sealing import KEY_BYTES

__all__ = ["FILE_VARIABLE", "VARIABLE", "given_keys", "keyring_keys", "new_key"]

VARIABLE = "ESI_TOKEN_KEY"
FILE_VARIABLE = "ESI_TOKEN_KEY_FILE"

SERVICE, ENTRY = "esipy", "token key"
"""Under which the keyring keeps it."""

LOCK_SECONDS = 30.0
"""How long to wait while another process makes a key; a keyring may ask its user first."""


def new_key() -> str:
    """A new key, as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def given_keys(token_key: str | None = None) -> tuple[bytes, ...] | None:
    """The keys that are given; None: none are. An empty tuple: on purpose.

    Raises:
        SettingError: what is given is no key, or its file cannot be read or can be read by others.
    """
    if token_key is not None:
        return _read("token_key", token_key)
    if text := os.environ.get(VARIABLE):
        return _read(VARIABLE, text)
    if name := os.environ.get(FILE_VARIABLE):
        return _read(f"{FILE_VARIABLE}={name}", _text_of(name))
    return None


def _read(source: str, text: str) -> tuple[bytes, ...]:
    words = text.replace(",", " ").split()
    if words == ["none"]:
        return ()
    keys = tuple(key for word in words if (key := _decoded(word)) is not None)
    if not keys or len(keys) != len(words):
        raise SettingError(
            f"{source}: has to be {KEY_BYTES} bytes as base64, or several such keys with commas between them; "
            "`esipy tokens key` prints a new one"
        )
    return keys


def _decoded(word: str) -> bytes | None:
    unpadded = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except ValueError:
        return None
    return key if len(key) == KEY_BYTES else None


def _text_of(name: str) -> str:
    said = "is not text"
    try:
        with Path(name).expanduser().open(encoding="ascii") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                raise SettingError(f"{FILE_VARIABLE}={name}: others may read or write it: chmod 600 {name}")
            return file.read()
    except OSError as error:
        said = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        pass
    raise SettingError(f"{FILE_VARIABLE}={name}: cannot be read: {said}")


def keyring_keys(lock: Path, *, renew: bool = False) -> tuple[bytes, ...]:
    """The keys of this user's keyring; an empty tuple where there is no keyring. One without a key is given one.

    Args:
        lock: a file that all programs of this user know: one of them at a time makes a key.
        renew: make a new one before those that are there, which stay: other files may be sealed with them.

    Raises:
        TokenKeyError: there is a keyring, but it does not open.
        SettingError: what it has is no key.
    """
    keyring = _keyring()
    if keyring is None:
        return ()
    try:
        text = _entry(keyring, lock, renew)
    except _NoKeyring:
        return ()
    return () if text is None else _read(f"the entry {ENTRY!r} of {SERVICE!r} in the keyring", text)


class _NoKeyring(Exception):
    """The package is there, and no keyring that it knows: as on servers."""


def _entry(keyring: Any, lock: Path, renew: bool) -> str | None:
    text = _asked(keyring.get_password, SERVICE, ENTRY)
    if text is None or renew:
        with _alone(lock):
            text = _asked(keyring.get_password, SERVICE, ENTRY)
            if text is None or renew:
                _asked(keyring.set_password, SERVICE, ENTRY, new_key() if text is None else f"{new_key()},{text}")
                text = _asked(keyring.get_password, SERVICE, ENTRY)  # a keyring that keeps nothing counts as no keyring
    return text


@contextmanager
def _alone(lock: Path) -> Generator[None]:
    """While this is open no other program of this user makes a key."""
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        gate = sqlite3.connect(lock, timeout=LOCK_SECONDS, isolation_level=None)
        try:
            gate.execute("BEGIN EXCLUSIVE")
        except BaseException:
            gate.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise TokenKeyError(
            f"no key can be made in this user's keyring: {lock} cannot be locked ({error}); give a key as {VARIABLE}, "
            "which `esipy tokens key` prints, or none"
        ) from None
    with closing(gate):
        yield


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        return None
    return keyring


def _asked(verb: Any, *arguments: str) -> str | None:
    """What the keyring answers; None: it has nothing."""
    try:
        answer: str | None = verb(*arguments)
    except Exception as error:  # each backend has errors of its own
        if type(error).__name__ == "NoKeyringError":
            raise _NoKeyring from None
        said = type(error).__name__
    else:
        return answer
    raise TokenKeyError(
        f"this user's keyring does not give the key of the tokens ({said}): unlock it, or give the key as {VARIABLE}"
    )
