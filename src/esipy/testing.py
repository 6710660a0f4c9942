"""What users' own tests need: a sandbox to talk to, and an ear for signals.

`sandbox` serves ESI and the SSO on loopback for a with-block; `environment` tells every client of the program to
go there; `SignalRecorder` collects what signals say; `check_token_store` is for who keeps tokens in a database of their
own. The pytest fixtures over the first are in `esipy.fixtures`::

    from esipy.testing import sandbox

    with sandbox() as server:
        client = EsiClient(base_url=server.url)
        server.fail("/status", status=503)
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from threading import Condition
from typing import Any, Protocol, Self, Unpack

from esipy.sandbox import ControlClient, RunningSandbox, serve
from esipy.sandbox.options import ServeOptions
from esipy.stores.tokens import TokenStore

__all__ = ["SignalRecorder", "check_token_store", "environment", "sandbox"]


@contextmanager
def sandbox(*, set_environment: bool = False, **options: Unpack[ServeOptions]) -> Generator[RunningSandbox]:
    """A sandbox that serves for a with-block.

    Args:
        set_environment: also set `environment` for the block, in this process.
        options: ``port``, ``seed``, ``characters``, ``clients``, ``token_lifetime_seconds``,
            ``rotate_refresh_tokens`` and the others of `esipy.sandbox.Sandbox`.

    Raises:
        TypeError: there is no such option.
        ImportError: the extra ``sandbox`` is not installed.
    """
    with serve(**options) as server, _environment_of(server) if set_environment else nullcontext():
        yield server


def environment(server: RunningSandbox | ControlClient) -> dict[str, str]:
    """The environment variables that lead clients to a sandbox."""
    return {"ESI_BASE_URL": server.url, "ESI_SSO_URL": server.sso_url}


def check_token_store(make_store: Callable[[], TokenStore], *, wait: Callable[[float], object] = time.sleep) -> None:
    """Check that a token store of one's own does what the library relies on, eight threads at once included.

    Args:
        make_store: opens the store, at each call anew, as another process would. The store may hold other things: the
            check uses applications of its own, and removes what it saved.
        wait: lets so many seconds pass for the clock of the store's leases; left as it is, two seconds are waited.

    Raises:
        AssertionError: its text says which verb does what it must not.
    """
    from esipy._token_checks import CHECKS, run

    for check in CHECKS:
        run(check, make_store, wait)


@contextmanager
def _environment_of(server: RunningSandbox) -> Generator[None]:
    wanted = environment(server)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Signal(Protocol):
    def add_receiver(self, receiver: Callable[..., object], /) -> object: ...

    def remove_receiver(self, receiver: Callable[..., object], /) -> object: ...


class SignalRecorder:
    """Keeps what a signal says, for a with-block or until `detach`.

    Its repr counts; it never shows a payload, which may hold tokens.

    Attributes:
        payloads: the arguments of each sending, in order.

    Example:
        >>> with SignalRecorder(API_CALL_STATS) as stats:
        ...     client.request(call)
        >>> stats.payloads[0]["status_code"]
        200
    """

    def __init__(self, signal: _Signal) -> None:
        self.payloads: list[dict[str, Any]] = []
        self._signal = signal
        self._changed = Condition()
        signal.add_receiver(self._receive)

    def wait(self, times: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        """Wait until the signal was heard so many times, as from another thread; gives what it said.

        Raises:
            TimeoutError: it was not, within ``timeout`` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.payloads) >= times, timeout):
                raise TimeoutError(f"heard {len(self.payloads)} of {times} signals in {timeout} s")
            return list(self.payloads)

    def values(self, name: str) -> list[Any]:
        """One argument of each sending."""
        return [payload[name] for payload in self.payloads]

    def clear(self) -> None:
        """Forget what was heard."""
        with self._changed:
            self.payloads.clear()

    def detach(self) -> None:
        """Stop listening."""
        self._signal.remove_receiver(self._receive)

    def _receive(self, **payload: Any) -> None:
        with self._changed:
            self.payloads.append(payload)
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.detach()

    def __repr__(self) -> str:
        return f"<SignalRecorder: {len(self.payloads)} payloads>"
