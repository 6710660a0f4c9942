"""Where secrets are looked for: all that a program, its logs, its monitoring or another user of the machine may see.

Rules: what is looked at is what a test's own run produces, at the moment at which it is produced; objects and files are
looked at when the test's body is over. Nothing here changes what the library does: a log record that nobody asked for
is searched, and goes no further.
"""

from __future__ import annotations

import logging
import warnings
import weakref
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from redis.connection import AbstractConnection

import esipy.events
import esipy.exceptions
from esipy import AsyncEsiClient, EsiClient
from esipy._signal import Signal
from esipy.cache import DictCache
from esipy.exceptions import APIException
from esipy.login import _WebLogin
from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime
from esipy.runtime.simulated import SimulatedRuntime
from esipy.sandbox import RunningSandbox
from esipy.sandbox.app import Sandbox
from esipy.sandbox.journal import Journal
from esipy.sandbox.tokens import Tokens
from esipy.sso.login import Login
from esipy.sso.logins import Logins
from esipy.sso.sealing import Sealer
from esipy.sso.vault import Vault
from esipy.stores.memory import MemoryCache
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.redis_tokens import RedisTokens
from esipy.stores.sqlite_tokens import SqliteTokens
from tests.secrecy.search import Watch
from tests.secrecy.sources import after, before

__all__ = ["Places"]

TALKATIVE = ("esipy", "httpx2", "httpcore2", "redis", "valkey", "asyncio", "hpack", "http11")
"""Loggers of the library and of what it stands on: searched down to DEBUG, whatever their level. Others (of browsers,
web servers and test tools) are searched as far as they are on."""

BROWSERS = ("httpx2", "httpcore2")
"""In tests also a browser's part: they log addresses, and a browser asks for callbacks."""

SERVERS = ("selenium", "urllib3", "werkzeug", "uvicorn", "django")
"""Log what they are there to log: the addresses that a browser asks a user's own web server for, callbacks among them.
docs/security.md tells of it."""

TOLD = ("access_token", "refresh_token", "previous_refresh_token")
"""What AFTER_TOKEN_REFRESH is there to tell."""

SHOWN = (
    EsiClient, AsyncEsiClient, Login, Logins, Vault, Sealer, SqliteTokens, RedisTokens, Sandbox, RunningSandbox, Tokens,
    _WebLogin,
)  # fmt: skip
"""Objects that hold or reach secrets, and may be shown by a debugger, a log or an error."""

LARGEST_FILE = 16 * 1024 * 1024
LARGEST_COMMAND = 64 * 1024


class Places:
    """All places of this process.

    Args:
        watch: is told of each text that comes by.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._objects: list[weakref.ref[Any]] = []
        self._spies: dict[int, Any] = {}

    def guard(self, patch: pytest.MonkeyPatch) -> None:
        """Look at everything from now on."""
        self._guard_logs(patch)
        self._guard_signals(patch)
        self._guard_errors(patch)
        look, look_at = self._watch.look, self._watch.look_at
        self._guard_warnings(patch)
        for runtime in (AioRuntime, BlockingRuntime, SimulatedRuntime):
            before(patch, runtime, "send", lambda _, request: look("address", request.url))
        before(patch, MemoryCache, "put", lambda _, key, answer, path: self._cached(key, answer))
        before(patch, DictCache, "set", lambda _, key, value, *__, **___: look_at("cache", (key, value)))
        # What goes to a server, of whatever store: commands, ready to be sent.
        before(patch, AbstractConnection, "send_packed_command", lambda _, commands, *__, **___: self._saved(commands))
        before(patch, MemoryLedger, "reserve", lambda _, ask: self._watch.look_once("ledger", ask.bucket))
        after(patch, Journal, "enter", lambda entry, *_: look("journal", repr(entry)))
        for kind in SHOWN:
            self._guard_objects(patch, kind)

    def remember(self, made: Any) -> None:
        """Look at this object at the end, if it is still there."""
        self._objects.append(weakref.ref(made))

    def look_at_the_end(self, folders: list[Path], output: list[tuple[str, str]], own: tuple[str, ...]) -> None:
        """Look at what a test leaves behind.

        Args:
            folders: with all files that are in them.
            output: what was written to stdout and stderr, each with its name.
            own: patterns of names of files that are the test's own.
        """
        objects, self._objects = self._objects, []
        for reference in objects:
            made = reference()
            if made is not None:
                self._watch.look_at(f"repr of {type(made).__name__}", made)
        del objects
        for name, text in output:
            # A command prints addresses to log in at.
            self._watch.look(name, text, except_for=("state",))
        for folder in folders:
            for path in _files_in(folder):
                if not any(fnmatch(path.name, pattern) for pattern in own):
                    self._look_into(path)

    # ----------------------------------------------------------------------------------------------------------

    def _guard_objects(self, patch: pytest.MonkeyPatch, kind: type) -> None:
        new = kind.__new__

        def made(cls: type, *args: Any, **keywords: Any) -> Any:
            # Not around __init__: a frame more, and its warnings would name another line.
            one = new(cls) if new is object.__new__ else new(cls, *args, **keywords)
            self.remember(one)
            return one

        patch.setattr(kind, "__new__", made)

    def _guard_warnings(self, patch: pytest.MonkeyPatch) -> None:
        warn = warnings.warn

        def warned(message: Any, category: Any = None, stacklevel: int = 1, *args: Any, **keywords: Any) -> None:
            self._watch.look("warning", str(message))
            warn(message, category, stacklevel + 1, *args, **keywords)

        patch.setattr(warnings, "warn", warned)

    def _guard_logs(self, patch: pytest.MonkeyPatch) -> None:
        is_enabled, handle = logging.Logger.isEnabledFor, logging.Logger.handle

        def enabled(logger: logging.Logger, level: int) -> bool:
            return logger.name.startswith(TALKATIVE) or is_enabled(logger, level)

        def handled(logger: logging.Logger, record: logging.LogRecord) -> None:
            if not logger.name.startswith(SERVERS):
                error = record.exc_info[1] if record.exc_info else None
                text = f"{record.getMessage()} {record.args!r}"
                asked = ("code", "state") if logger.name.startswith(BROWSERS) else ()
                self._watch.look(
                    f"log {logger.name}", text if error is None else f"{text} {_words_of(error)}", except_for=asked
                )
            if is_enabled(logger, record.levelno):
                handle(logger, record)

        patch.setattr(logging.Logger, "isEnabledFor", enabled)
        patch.setattr(logging.Logger, "handle", handled)

    def _guard_signals(self, patch: pytest.MonkeyPatch) -> None:
        tune = Signal._tune

        def tuned(signal: Signal[...]) -> None:
            tune(signal)
            spy = self._spies.get(id(signal))
            if spy is not None and not signal._muted:
                signal._live = ((spy, None), *signal._live)

        patch.setattr(Signal, "_tune", tuned)
        for name in esipy.events.__all__:
            signal = getattr(esipy.events, name)
            if isinstance(signal, Signal):
                self._spies[id(signal)] = self._spy(signal.name)
                signal._tune()

    def _spy(self, name: str) -> Any:
        told = TOLD if name == "AFTER_TOKEN_REFRESH" else ()

        def heard(**payload: Any) -> None:
            self._watch.look(f"signal {name}", repr({key: value for key, value in payload.items() if key not in told}))

        return heard

    def _guard_errors(self, patch: pytest.MonkeyPatch) -> None:
        for name in esipy.exceptions.__all__:
            kind = getattr(esipy.exceptions, name)
            own = isinstance(kind, type) and ("__init__" in vars(kind) or not issubclass(kind, APIException))
            if own:  # the others have the constructor of a class above them
                after(patch, kind, "__init__", lambda _, error, *__, **___: self._raised(error))
        after(patch, pytest.RaisesExc, "matches", lambda _, __, error, *___: self._raised(error))

    def _raised(self, error: BaseException) -> None:
        self._watch.look(f"error {type(error).__name__}", _words_of(error))

    def _look_into(self, path: Path) -> None:
        content = path.read_bytes()
        is_of_tokens = path.with_name(path.name.removesuffix("-wal")).name in self._watch.plain_files
        if not is_of_tokens:
            self._watch.look(f"file {path.name}", content)

    def _saved(self, commands: Any) -> None:
        for command in commands if isinstance(commands, (list, tuple)) else [commands]:
            text = command[:LARGEST_COMMAND]
            if not self._watch.is_plain(text if isinstance(text, bytes) else text.encode()):
                self._watch.look("server", text)

    def _cached(self, key: str, answer: Any) -> None:
        self._watch.look("cache", f"{key} {answer.headers!r}")
        self._watch.look("cache", answer.body[:4096])


def _words_of(error: BaseException) -> str:
    """All that an error shows, and those that it came of. (The lines of a traceback are the program's own.)"""
    words: list[str] = []
    at: BaseException | None = error
    while at is not None and len(words) < 50:
        words += [str(at), repr(at), repr(at.args), repr(vars(at)), *getattr(at, "__notes__", ())]
        header = getattr(at, "response_header", None)
        words.append("" if not header else repr(dict(header)))
        if isinstance(at, BaseExceptionGroup):
            words += map(_words_of, at.exceptions)
        at = at.__cause__ or at.__context__
    return "\n".join(words)


def _files_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        try:
            if path.is_file() and path.stat().st_size <= LARGEST_FILE:
                yield path
        except OSError:
            pass  # gone, or a test's own that cannot be read
