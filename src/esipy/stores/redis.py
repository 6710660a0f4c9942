"""A Redis or Valkey server: its connection, its scripts, and what is said when it fails.

The only file that imports the package ``redis`` (the extra of that name). Rules:

- a verb is one script and one round trip; a script that the server has forgotten is sent again, in full;
- whatever keeps the server from answering is a `StoreUnavailable`, in words of our own: those of the server and of
  the package may bear users' names, and its URL a password;
- nothing waits long: a shared store that is slow has to be done without, like one that is gone. The connection is
  made again by itself;
- who is interrupted (Ctrl-C) leaves no connection behind on which an answer is still to come: the package gives it back
  to its pool, and whoever takes it next would read another's answer;
- a child of a fork makes connections of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Self
from urllib.parse import urlsplit

from esipy._forks import abandon, forget_after_fork
from esipy.stores.base import StoreUnavailable
from esipy.stores.doors_clients import require_redis

__all__ = ["TIMEOUT_SECONDS", "RedisServer", "Script"]

TIMEOUT_SECONDS = 1.0
"""For connecting, and for an answer; ``?socket_timeout=`` in a URL wins. A script takes well under a millisecond."""

SCHEMES = {"valkey": "redis", "valkeys": "rediss", "valkey+unix": "unix"}
"""Valkey's own schemes, which the package ``redis`` does not know."""

WORDS = {
    "AuthenticationError": "refuses the user or the password",
    "AuthenticationWrongNumberOfArgsError": "refuses the user or the password",
    "AuthorizationError": "does not allow this user that",
    "NoPermissionError": "does not allow this user that",
    "BusyLoadingError": "is still loading its data",
    "ReadOnlyError": "is a replica that cannot be written to",
    "OutOfMemoryError": "is out of memory",
    "TimeoutError": "did not answer in time",
    "ConnectionError": "cannot be reached",
    "OSError": "cannot be reached",
}
"""What an error of the package (or of ``valkey``, by the same names) says, the nearest class first."""

REFUSALS = frozenset({"RedisError", "ValkeyError"})


class Script:
    """A Lua script, and the name that servers give it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    @classmethod
    def of(cls, file_names: Sequence[str], constants: Mapping[str, object]) -> Self:
        """The script that these files of the package are together, after numbers that Python has too."""
        head = [f"local {name} = {value!r}\n" for name, value in constants.items()]
        return cls("".join(head + [files("esipy.stores").joinpath(name).read_text("utf-8") for name in file_names]))


class RedisServer:
    """One server, or cluster.

    Args:
        url_or_client: ``redis://[user:password@]host[:port][/db]``, ``rediss://`` for TLS, ``unix:///path``; or a
            client of the package ``redis`` or ``valkey``, with a short ``socket_timeout``.

    Raises:
        ImportError: a URL, and the package is missing.
        TypeError: a client that cannot be used.
        ValueError: not a URL of a server.
    """

    def __init__(self, url_or_client: Any) -> None:
        self._client: Any = None
        self._url: str | None = None
        if isinstance(url_or_client, str):
            self._url, self.name = _read_url(url_or_client)
            self._connect()  # says at once what is wrong with the URL; opens nothing
        else:
            require_redis(url_or_client)
            self._client = url_or_client
            self.name = f"the {type(url_or_client).__name__} given"
        forget_after_fork(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def run(self, script: Script, keys: list[str], *arguments: Any) -> Any:
        """Run a script.

        Raises:
            StoreUnavailable: the server does not answer, or refuses.
        """
        client = self._client or self._connect()
        try:
            try:
                return client.evalsha(script.sha, len(keys), *keys, *arguments)
            except Exception as error:
                if "NoScriptError" not in _kinds(error):
                    raise
                return client.eval(script.text, len(keys), *keys, *arguments)
        except BaseException as error:
            said = _said(error)
            if said is None:
                _drop_idle(client)
                raise
        raise StoreUnavailable(f"{self.name} {said}")  # out of the handler: the other's words are not to be shown

    def close(self) -> None:
        """Close the connections; they are opened again when needed."""
        if self._url is None:
            return  # the program's own, to be closed by it
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def forget(self) -> None:
        """In a child after fork: the connections are the parent's. (A client that was given looks after itself.)"""
        if self._url is not None:
            abandon(self._client)
            self._client = None

    def _connect(self) -> Any:
        try:
            from redis import Redis
            from redis.backoff import NoBackoff
            from redis.exceptions import ConnectionError as BrokenConnection
            from redis.retry import Retry
        except ImportError:
            raise ImportError('Redis and Valkey need the extra redis: pip install "EsiPy[redis]"') from None
        # A connection that broke while it was idle is no failure: it is made again, once, and at once. An answer that
        # did not come in time is one: the script may have run.
        retry = Retry(NoBackoff(), 1, supported_errors=(BrokenConnection,))
        package: Any = Redis  # its own types are partial
        try:
            client = package.from_url(
                self._url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, retry=retry
            )
            pool = client.connection_pool
            pool.connection_class(**pool.connection_kwargs)  # not connected: does it take the options?
        except Exception:
            client = None
        if client is None:
            raise ValueError(f"the URL of {self.name} has options that the package redis does not take")
        self._client = client
        return client


def _read_url(url: str) -> tuple[str, str]:
    """The URL as the package wants it, and as it may be shown."""
    scheme, separator, rest = url.partition("://")
    scheme = SCHEMES.get(scheme, scheme)
    name = None
    if separator and scheme in ("redis", "rediss", "unix"):
        try:
            parts = urlsplit(f"{scheme}://{rest}")
            port = parts.port
            host = parts.hostname or ("" if scheme == "unix" else "localhost")
            placed = bool(parts.path) if scheme == "unix" else (parts.path.strip("/") or "0").isdecimal()
            # Elsewhere such characters are a password's: what follows them would be shown, and another server asked.
            if placed and not parts.fragment and "@" not in parts.query:
                name = f"{scheme}://{host}{f':{port}' if port else ''}{parts.path}"
        except ValueError:
            name = None
    if name is None:  # not shown: whatever it is, it may hold a password
        raise ValueError(
            "not the URL of a Redis or Valkey server: redis://[user:password@]host[:port][/db], rediss://... with TLS, "
            "unix:///path; characters like / and @ in a password are written %2F and %40"
        )
    return f"{scheme}://{rest}", name


def _drop_idle(client: Any) -> None:
    """Close the connections of a client that nobody uses this moment; they are made again when needed."""
    nodes = client.get_nodes() if hasattr(client, "disconnect_connection_pools") else ()  # of a cluster
    for each in (client, *(node.redis_connection for node in nodes)):
        pool = getattr(each, "connection_pool", None)
        if pool is not None:
            try:
                pool.disconnect(False)
            except TypeError:  # redis 6: its BlockingConnectionPool closes all
                pool.disconnect()
        if getattr(each, "connection", None) is not None:  # single_connection_client=True
            each.connection.disconnect()


def _kinds(error: BaseException) -> list[str]:
    return [kind.__name__ for kind in type(error).__mro__]


def _said(error: BaseException) -> str | None:
    """What an error means, in our words; None: it is not the server's doing."""
    kinds = _kinds(error)
    for kind in kinds:
        if kind in WORDS:
            return WORDS[kind]
    if not REFUSALS.intersection(kinds):
        return None
    code = str(error).partition(" ")[0]
    return f"refuses: {code}" if code.isalpha() and code.isupper() else f"refuses: {kinds[0]}"
