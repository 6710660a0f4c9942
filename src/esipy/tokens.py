"""Where the logins of many characters are kept: stores, their names, and the keys that seal what is in them.

============================================  =====================================================================
``tokens=``, or the variable ``ESI_TOKENS``    keeps
============================================  =====================================================================
nothing, None, or ``sqlite:``                 in a file of this user's, for all programs that say nothing else
``sqlite:///tokens.sqlite3``                  in a file, here in the working directory
``sqlite:////var/lib/my-app/tokens.sqlite3``  the same, with a whole path; ``sqlite:///~/...`` is in your home
``redis://host:6379/0``                       in Redis, for all machines; also ``rediss://``, ``unix://``, and
                                              ``valkey://``, ``valkeys://``, ``valkey+unix://``
``memory``                                    in this process, and ends with it
an object                                     one of the classes here, or a `TokenStore` of your own
============================================  =====================================================================
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from esipy._named import at_server, read_name
from esipy.exceptions import SettingError, TokenKeyError, TokenStoreError
from esipy.sso.keychain import given_keys, keyring_keys, new_key
from esipy.sso.sealing import Sealer
from esipy.stores.memory_tokens import MemoryTokens
from esipy.stores.places import TOKENS, user_data_file
from esipy.stores.redis_tokens import RedisTokens
from esipy.stores.sqlite_tokens import SqliteTokens
from esipy.stores.tokens import TokenRecord, TokenState, TokenStore

__all__ = [
    "MemoryTokens",
    "RedisTokens",
    "Rekeyed",
    "SqliteTokens",
    "TokenRecord",
    "TokenState",
    "TokenStore",
    "new_key",
    "open_tokens",
    "rekey",
    "sealer_for",
]

VARIABLE = "ESI_TOKENS"
"""The environment variable that names the store of clients that are given none."""

VERBS = ("load", "save", "records", "lease")


def open_tokens(given: TokenStore | str | None = None) -> TokenStore:
    """The store that a text names; nothing is opened yet. A store is given back as it is.

    Raises:
        SettingError: no store can be meant; the text shows no password.
        ImportError: it needs the extra ``redis``.
    """
    source = "tokens"
    if given is None:
        source, given = VARIABLE, os.environ.get(VARIABLE) or "sqlite:"
    if not isinstance(given, str):
        if not all(callable(getattr(given, verb, None)) for verb in VERBS):
            raise SettingError(
                f"{source}={type(given).__name__}: has to be a text such as sqlite:///{TOKENS}, or an object with the "
                f"verbs of esipy.tokens.TokenStore: {', '.join(VERBS)}"
            )
        return given
    if given == "memory":
        return MemoryTokens()
    named = read_name(source, given, TOKENS, user_data_file)
    return SqliteTokens(named) if isinstance(named, Path) else at_server(source, RedisTokens, named)


def sealer_for(store: TokenStore, token_key: str | None = None, *, renew: bool = False) -> Sealer:
    """What seals the tokens of a store: see `esipy.sso.keychain`.

    Args:
        renew: make a new key in this user's keyring first.

    Raises:
        SettingError: what is given is no key; or it is to be renewed, and is not in a keyring.
        TokenKeyError: this user's keyring does not open.
    """
    keys = given_keys(token_key)
    if keys is None:
        keys = keyring_keys(user_data_file("keyring.lock"), renew=renew) if isinstance(store, SqliteTokens) else ()
        renew = renew and not keys
    if renew:
        raise SettingError(
            "the key of these tokens is not in a keyring: make one with `esipy tokens key`, and give it before the "
            "old one: ESI_TOKEN_KEY=new,old"
        )
    place = store.place if isinstance(store, (SqliteTokens, RedisTokens)) else repr(store)
    return Sealer(keys, kept_in=None if isinstance(store, MemoryTokens) else place)


class Rekeyed(NamedTuple):
    """What `rekey` has done.

    Attributes:
        sealed: how many characters' tokens were sealed with the first key now.
        already: how many had been sealed with it before.
        unopened: how many were left as they are, because their key is not at hand or they are damaged.
        error: why the first of those could not be opened; None when all could.
    """

    sealed: int
    already: int
    unopened: int
    error: TokenStoreError | None


def rekey(store: TokenStore, sealer: Sealer) -> Rekeyed:
    """Seal all tokens of a store with the first key.

    Others may use the store meanwhile, with the old keys or with all; it can be ended half-way and run again.

    Raises:
        TokenKeyError: there is no key.
        TokenStoreError: the store fails; what was sealed so far stays so.
    """
    if sealer.key_id is None:
        raise TokenKeyError("there is no key to seal tokens with: `esipy tokens key` prints one, for ESI_TOKEN_KEY")
    sealed = already = unopened = 0
    first_error: TokenStoreError | None = None
    for record in store.records():
        done = _reseal(store, sealer, record)
        if isinstance(done, TokenStoreError):
            unopened += 1
            first_error = first_error or done
        elif done:
            sealed += 1
        else:
            already += 1
    return Rekeyed(sealed, already, unopened, first_error)


def _reseal(store: TokenStore, sealer: Sealer, record: TokenRecord) -> bool | TokenStoreError:
    """Whether it was sealed here, and not by others, or not at all; or why it does not open."""
    whose = record[:2]
    found: TokenRecord | None = record
    while found is not None and found.sealed and not sealer.is_current(found.sealed):
        try:
            plain = sealer.open(found.sealed, whose)
        except TokenStoreError as error:
            return error
        again = found._replace(sealed=sealer.seal(plain, whose))
        if store.save(*whose, again, found.version):
            return True
        found = store.load(*whose)  # another was quicker, perhaps with a key that is no longer the first
    return False
