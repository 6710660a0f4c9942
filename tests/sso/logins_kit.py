"""What the tests of stored logins stand on: logins of many characters at a sandbox, and an SSO in virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.events import AFTER_TOKEN_REFRESH, LOGIN_COMPLETED, OWNER_CHANGED, SSO_UNREACHABLE, TOKEN_REVOKED, Signal
from esipy.exceptions import TokenStoreError
from esipy.runtime.simulated import SimulatedRuntime
from esipy.sandbox import ControlClient, RunningSandbox
from esipy.sso.grants import Application
from esipy.sso.logins import Logins
from esipy.sso.sealing import Sealer
from esipy.sso.source import source_at
from esipy.sso.vault import Kept, Stored, Vault
from esipy.sso.wire import Asker
from esipy.stores.memory_tokens import MemoryTokens
from esipy.stores.tokens import TokenRecord, TokenStore
from tests.sso.sso_kit import AGENT, JWKS, KEY, TOKEN, reply, signed

WHO = 90000001
"""The character of tests that need but one."""

SEALER = Sealer([b"k" * 32])
NEWS = (AFTER_TOKEN_REFRESH, LOGIN_COMPLETED, OWNER_CHANGED, SSO_UNREACHABLE, TOKEN_REVOKED)


def logins_at(
    server: RunningSandbox | ControlClient,
    store: TokenStore,
    shared: dict[Any, Any] | None = None,
    *,
    timeout: float = 60.0,
) -> Logins:
    """The logins of a sandbox's first application in a store; ``shared``: of the process whose they are."""
    source = source_at(server.sso_url, Asker((("User-Agent", AGENT),), timeout, timeout))
    application = Application(server.client_id, server.secret_key, None)
    return Logins(store, SEALER, application, source, {} if shared is None else shared)


def put(store: TokenStore, client_id: str, character_id: int, kept: Kept, **record: Any) -> None:
    """Keep these tokens of a character, over whatever is kept; their time is over, if nothing else is said."""
    there = store.load(client_id, character_id)
    fields: dict[str, Any] = {
        "name": "One",
        "owner": "hash",
        "scopes": (),
        "state": "ok",
        "expires_at": 1.0,
        "refreshed_at": 1.0,
        "sealed": b"",
    } | record
    stored = Stored(TokenRecord(client_id, character_id, **fields), kept)
    vault = Vault(store, SEALER, client_id)
    assert vault._save(stored, None if there is None else there.version)


def keep(server: RunningSandbox | ControlClient, store: TokenStore, character_id: int, **record: Any) -> dict[str, Any]:
    """Log a character of a sandbox in, and keep its tokens as if their time were over; gives the SSO's answer."""
    answer: dict[str, Any] = server.login(character_id)
    fields = {"owner": "", "refreshed_at": time.time() - 1300, "expires_at": time.time() - 100} | record
    put(store, server.client_id, character_id, Kept(answer["access_token"], answer["refresh_token"]), **fields)
    return answer


def kept(store: TokenStore, client_id: str, character_id: int) -> Kept:
    """The tokens that are kept of a character."""
    stored = Vault(store, SEALER, client_id)._load(character_id)
    assert stored is not None
    return stored.kept


def state(store: TokenStore, client_id: str, character_id: int) -> str | None:
    """The state that is kept of a character; None: nothing is."""
    record = store.load(client_id, character_id)
    return None if record is None else record.state


@contextmanager
def heard() -> Iterator[Callable[[], list[str]]]:
    """What the signals of logins tell: a function that gives their names, in order, and forgets them."""
    order: list[str] = []

    def hear(signal: Signal[...]) -> Callable[..., None]:
        return lambda **_: order.append(signal.name)

    receivers = [(signal, hear(signal)) for signal in NEWS]
    for signal, receiver in receivers:
        signal.add_receiver(receiver)

    def told() -> list[str]:
        said = order.copy()
        order.clear()
        return said

    try:
        yield told
    finally:
        for signal, receiver in receivers:
            signal.remove_receiver(receiver)


class BrokenTokens(MemoryTokens):
    """A store whose verbs can be made to fail, one by one: the names in `broken`."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.broken: set[str] = set()
        self.saves = 0

    def _check(self, verb: str) -> None:
        if verb in self.broken:
            raise TokenStoreError(f"{verb} does not work: the disk is full")

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        self._check("load")
        return super().load(client_id, character_id)

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        self._check("save")
        self.saves += 1
        return super().save(client_id, character_id, record, expected)

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        self._check("lease")
        return super().lease(name, holder, seconds)


class Process:
    """One process in virtual time: a runtime that shares nothing with others but the time, and its logins."""

    def __init__(self, runtime: SimulatedRuntime, store: TokenStore) -> None:
        self._runtime = runtime
        self.store_seconds = 0.0
        self.shared: dict[Any, Any] = {}
        self.store = store
        self.logins = self.client()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    async def join(self, flight: Any, seconds: float | None = None) -> Any:
        """What a store does takes a moment, in which other processes do something."""
        if flight.done() and self.store_seconds:
            await self._runtime.sleep(self.store_seconds * self._runtime.random())
        return await self._runtime.join(flight, seconds)

    def client(self) -> Logins:
        """The logins of another client of this process."""
        source = source_at("https://sso.example", Asker((("User-Agent", AGENT),), 60.0, 10.0))
        return Logins(self.store, SEALER, Application("app", "secret", None), source, self.shared)

    async def token(self, who: int, **keywords: Any) -> str:
        """A token of a character."""
        return await self.logins.token(self, who, **keywords)


class VirtualSso:
    """An SSO in virtual time that rotates refresh tokens: the server of a `SimulatedRuntime`.

    Attributes:
        good: the refresh tokens that it takes, and whose they are.
        refreshes: how often a refresh token was taken.
        refused: how often one was not.
        before: asked with each form before it is answered: gives another answer, or None.
        minted: the access tokens that it gave.
        logged_in: the refresh tokens that it gave for codes.
    """

    def __init__(self, *, rotate: bool = True, **runtime: Any) -> None:
        self.runtime = SimulatedRuntime(self, **runtime)
        self.rotate = rotate
        self.good: dict[str, int] = {}
        self.refreshes = 0
        self.refused = 0
        self.logged_in: list[str] = []
        self.asked: list[tuple[float, str]] = []
        self.before: Callable[[dict[str, str]], HttpResponse | None] = lambda form: None
        self.minted: list[str] = []
        self._count = 0

    def new_refresh_token(self, character_id: int) -> str:
        """Another good one."""
        self._count += 1
        token = f"refresh-{character_id}-{self._count}"
        self.good[token] = character_id
        return token

    def mint(self, character_id: int, **claims: Any) -> str:
        """An access token."""
        self._count += 1
        now = int(self.runtime.now())
        token = signed(sub=f"CHARACTER:EVE:{character_id}", exp=now + 1200, jti=str(self._count), **claims)
        self.minted.append(token)
        return token

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = "/" + request.url.split("/", 3)[3]
        if path == JWKS:
            return reply(200, {"keys": [KEY.as_dict(private=False)]})
        if path != TOKEN:
            return reply(404, {})
        form = dict(parse_qsl((request.body or b"").decode()))
        self.asked.append((self.runtime.now(), form.get("refresh_token", "")))
        instead = self.before(form)
        if instead is not None:
            return instead
        return self.exchanged(form) if "code" in form else self.refreshed(form)

    def exchanged(self, form: dict[str, str]) -> HttpResponse:
        """The answer for a code, which is the id of a character here."""
        character_id = int(form["code"])
        answer = {"access_token": self.mint(character_id), "expires_in": 1199}
        self.logged_in.append(self.new_refresh_token(character_id))
        return reply(200, {**answer, "refresh_token": self.logged_in[-1]})

    def refreshed(self, form: dict[str, str], **claims: Any) -> HttpResponse:
        """The answer for a refresh token."""
        shown = form["refresh_token"]
        character_id = self.good.get(shown)
        if character_id is None:
            self.refused += 1
            return reply(400, {"error": "invalid_grant"})
        self.refreshes += 1
        token = shown
        if self.rotate:
            del self.good[shown]
            token = self.new_refresh_token(character_id)
        access_token = self.mint(character_id, **claims)
        return reply(200, {"access_token": access_token, "expires_in": 1199, "refresh_token": token})

    def process(self, store: TokenStore) -> Process:
        """Another process that uses a store."""
        return Process(self.runtime, store)

    def store(self) -> BrokenTokens:
        """A store by virtual time."""
        return BrokenTokens(clock=self.runtime.now)

    def keep(self, store: TokenStore, character_id: int, **record: Any) -> str:
        """Keep a login of a character whose time is over; gives its refresh token."""
        token = self.new_refresh_token(character_id)
        put(store, "app", character_id, Kept("old", token), **record)
        return token


def ask(sso: VirtualSso, process: Process, who: int = WHO, **keywords: Any) -> str:
    """One token, in virtual time."""
    token: str = sso.runtime.run(process.token(who, **keywords))
    return token


def renewed(sso: VirtualSso, process: Any, who: int = WHO) -> bool:
    """Whether what is got is the token that the SSO has given last."""
    return ask(sso, process, who) == sso.minted[-1]


__all__ = [
    "SEALER", "WHO", "BrokenTokens", "VirtualSso", "ask", "heard", "keep", "kept", "logins_at", "put", "renewed",
    "state",
]  # fmt: skip


def later(sso: VirtualSso, process: Process, waiting: Future[str]) -> tuple[str, str]:
    """The token that a process has three seconds later, and the one that another got that waited for it."""

    async def both() -> tuple[str, str]:
        await sso.runtime.sleep(3)
        return await process.token(WHO), await sso.runtime.join(waiting)

    return sso.runtime.run(both())
