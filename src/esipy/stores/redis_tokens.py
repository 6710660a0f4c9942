"""Tokens in Redis or Valkey: shared by every process, on every machine, that uses one server.

- Each verb is one Lua script (``tokens.lua``) and one round trip; leases are by the server's time.
- Whether what was saved survives a crash of the server is the server's setting: tokens want ``appendonly yes`` with
  ``appendfsync always``, and ``maxmemory-policy noeviction``. A client cannot make up for it.
- A `save` that is sent again because its connection broke is done once, and says that it was.
- Keys do not end by themselves (but leases do), and lie in one slot of a cluster.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import MsgspecError, msgpack

from esipy.exceptions import TokenStoreError
from esipy.stores.base import StoreUnavailable
from esipy.stores.redis import RedisServer, Script
from esipy.stores.tokens import TokenRecord

__all__ = ["RedisTokens"]

FORMAT = "1"
"""Of what is kept; another one has other keys."""

AT_ONCE = 100
"""How many records are read in one round trip."""

DIGITS = 20
"""Of a character id in a name, so that the order of names is theirs."""


class RedisTokens:
    """`TokenStore` in Redis or Valkey.

    Args:
        url_or_client: ``redis://[user:password@]host[:port][/db]``, ``rediss://`` for TLS, ``unix:///path``; or a
            client of the package ``redis`` or ``valkey`` with a short ``socket_timeout``.
        prefix: of all keys, so that several stores fit into one database.
        clock: for tests: seconds, in the place of the server's time.

    Raises:
        ImportError: a URL, and the package ``redis`` is missing.
        TypeError: a client that cannot be used.
        ValueError: not a URL of a server.
        TokenStoreError: (all verbs) the server does not answer, or refuses.
    """

    def __init__(
        self, url_or_client: Any, *, prefix: str = "esipy:tokens:", clock: Callable[[], float] | None = None
    ) -> None:
        self._server = RedisServer(url_or_client)
        self._clock = clock
        self._root = f"{{{prefix}}}{FORMAT}:"  # what stands in braces decides on the slot
        self._script = Script.of(["tokens.lua"], {})

    @property
    def place(self) -> str:
        """The server, without user and password, for people to read."""
        return self._server.name

    def __repr__(self) -> str:
        return f"<RedisTokens {self.place}>"

    # -- TokenStore --------------------------------------------------------------------------------------------

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        """What is kept of a character; None when nothing is."""
        found = self._run("load", _name(client_id, character_id))
        return None if not found else self._record(client_id, character_id, *found)

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        """Put a record in place if the version there is still the one expected; see `TokenStore`."""
        version = "" if record is None else (expected or 0) + 1
        packed = b"" if record is None else msgpack.encode(record[2:9])
        known = "" if expected is None else expected
        attempt = secrets.token_bytes(8)  # the package may send it again when the connection broke
        return bool(self._run("save", _name(client_id, character_id), known, version, packed, attempt))

    def records(self, client_id: str | None = None) -> Iterator[TokenRecord]:
        """All that is kept, of one application or of all, in the order of application and character.

        They are read `AT_ONCE` at a time; what is saved or removed meanwhile may be among them or not.
        """
        after, before = (b"-", b"+") if client_id is None else (f"[{client_id}\0".encode(), f"({client_id}\1".encode())
        while True:
            last, *found = self._run("list", after, before, AT_ONCE)
            for name, version, packed in found:
                application, _, number = name.decode().rpartition("\0")
                yield self._record(application, int(number), version, packed)
            if not last:
                return
            after = b"(" + last

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Have a name for oneself for a while, by the server's time; see `TokenStore`."""
        return bool(self._run("lease", name, holder, seconds))

    # ----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections; they are opened again when needed."""
        self._server.close()

    def _run(self, verb: str, *arguments: Any) -> Any:
        clock = "" if self._clock is None else repr(self._clock())
        try:
            return self._server.run(self._script, [self._root], verb, clock, self._root, *arguments)
        except StoreUnavailable as error:
            raise TokenStoreError(
                f"the tokens in {error}. Nothing is lost: see that the server runs, lets this program in and can write"
            ) from error

    def _record(self, client_id: str, character_id: int, version: bytes, packed: bytes) -> TokenRecord:
        try:
            rest = msgpack.decode(packed, type=tuple[str, str, tuple[str, ...], str, float, float, bytes])
            return TokenRecord(client_id, character_id, *rest, int(version))  # type: ignore[arg-type]
        except (MsgspecError, ValueError) as error:
            said = str(error)
        raise TokenStoreError(
            f"what {self._server.name} keeps of character {character_id} cannot be read ({said}). It is left as it is; "
            "the character can log in again"
        )


def _name(client_id: str, character_id: int) -> str:
    return f"{client_id}\0{character_id:0{DIGITS}}"
