"""One sandbox: its clock, characters, SSO, ESI, faults and journal, and the way a request takes through them.

Rules: a request is entered in the journal, meets its fault if one is planned, is given the identity its bearer
token proves, and goes to the SSO or the ESI half. ``/_sandbox/...`` goes to the control interface and leaves no
trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Unpack
from urllib.parse import parse_qsl

from esipy.sandbox.acts import act_for, replacement, wants_answer
from esipy.sandbox.characters import Roster
from esipy.sandbox.clock import Clock
from esipy.sandbox.connection import Act, Incoming
from esipy.sandbox.control import Control
from esipy.sandbox.esi_downtime import Downtime
from esipy.sandbox.esi_limits import LimitOptions, Limits
from esipy.sandbox.exchange import Half, Identity, SandboxAnswer, SandboxRequest
from esipy.sandbox.faults import Faults, Happening
from esipy.sandbox.journal import Entry, Journal
from esipy.sandbox.keys import KeyRing
from esipy.sandbox.reordering import Reordering
from esipy.sandbox.sso import Sso
from esipy.sandbox.tokens import ISSUERS, Client, Tokens

if TYPE_CHECKING:
    from esipy.sandbox.esi import EsiApi

__all__ = ["DEMO", "DEMO_PKCE", "REDIRECT_URI", "Sandbox"]

REDIRECT_URI = "http://127.0.0.1:8635/callback"
DEMO = Client("sandbox-demo", "sandbox-demo-secret", (REDIRECT_URI,))
DEMO_PKCE = Client("sandbox-demo-pkce", None, (REDIRECT_URI,))


class Sandbox:
    """The state of one sandbox, without a socket.

    Args:
        seed: the same seed gives the same characters and data.
        characters: how many there are, at least 1; they cost nothing until they are asked for.
        clients: the applications that may log characters in.
        token_lifetime_seconds: how long access tokens are good.
        rotate_refresh_tokens: each refresh gives a new refresh token and the old one is refused.
        issuer: one of the three spellings in `tokens.ISSUERS`.
        first_kid: the id of the first key that signs tokens, as ``JWT-Signature-Key``, which the real SSO's has and
            version 1 looks for; None takes the key's thumbprint.
        enforce_roles, enforce_limits: see `esi.EsiApi`.
        daily_downtime_seconds: how long the game is down each day from 11:00 UTC; 0: never.
        reorder_share: see `reordering.Reordering`.
        max_lifetime_seconds: no answer of ESI is fresh for longer, so that programs have something to see soon; None:
            lifetimes are ESI's.
        mail_every_seconds: how often a mail arrives at each character whose mail was asked for; None: never by itself.
        limits: how limits are counted: ``release_late_seconds``, ``hidden_limits``, ``hidden_status``,
            ``foreign_share``, ``foreign_manner``; see `esi_limits.LimitOptions`.
        esi: another ESI half, for tests of the server itself.

    Raises:
        ValueError: an argument cannot be meant.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        characters: int = 10,
        clients: Sequence[Client] = (DEMO, DEMO_PKCE),
        token_lifetime_seconds: int = 1199,
        rotate_refresh_tokens: bool = False,
        issuer: str = ISSUERS[0],
        first_kid: str | None = None,
        enforce_roles: bool = True,
        enforce_limits: bool = True,
        daily_downtime_seconds: float = 0.0,
        reorder_share: float = 0.0,
        max_lifetime_seconds: int | None = None,
        mail_every_seconds: float | None = None,
        esi: Half | None = None,
        **limits: Unpack[LimitOptions],
    ) -> None:
        if issuer not in ISSUERS:
            raise ValueError(f"the issuer is one of {', '.join(ISSUERS)}, not {issuer!r}")
        if token_lifetime_seconds < 1:
            raise ValueError(f"tokens live at least a second, not {token_lifetime_seconds}")
        if not clients:
            raise ValueError("a sandbox needs at least one application: clients=[Client(...)], or leave it as it is")
        self.seed = seed
        self.url = ""
        self.clock = Clock()
        self.roster = Roster(seed, characters)
        self.clients = {client.client_id: client for client in clients}
        self.keys = KeyRing(self.clock, first_kid)
        self.tokens = Tokens(
            self.clock,
            self.roster,
            self.keys,
            lifetime_seconds=token_lifetime_seconds,
            rotate=rotate_refresh_tokens,
            issuer=issuer,
        )
        self.journal = Journal()
        self.faults = Faults()
        self.sso = Sso(self.clients, self.roster, self.keys, self.tokens, lambda: self.scopes, lambda: self.url)
        self.reordering = Reordering(seed, reorder_share)
        # Here, not with the ESI half, so that what cannot be meant is told at once, and counting needs no catalogue.
        self.limits = Limits(seed, enforce=enforce_limits, **limits)
        self.downtime = Downtime(daily_downtime_seconds)
        self._enforce_roles = enforce_roles
        self._max_lifetime_seconds = max_lifetime_seconds
        self._mail_every_seconds = mail_every_seconds
        if max_lifetime_seconds is not None and max_lifetime_seconds < 1:
            raise ValueError(f"answers live at least a second, not {max_lifetime_seconds}")
        if mail_every_seconds is not None and not mail_every_seconds > 0:
            raise ValueError(f"there is some time from mail to mail, not {mail_every_seconds} s")
        self._half = esi
        self._control = Control(self)

    @cached_property
    def scopes(self) -> frozenset[str]:
        """All scopes there are: those that operations ask for, and the one that none does."""
        from esipy import ops

        asked = {operation.scope for operation in ops.operations() if operation.scope is not None}
        return frozenset(asked | {"publicData"})

    @cached_property
    def esi(self) -> EsiApi:
        """The ESI half. It is built when first asked for, because it reads the whole catalogue."""
        from esipy.sandbox.esi import EsiApi

        return EsiApi(
            self.seed,
            self.clock,
            self.roster,
            enforce_roles=self._enforce_roles,
            limits=self.limits,
            downtime=self.downtime,
            max_lifetime_seconds=self._max_lifetime_seconds,
            mail_every_seconds=self._mail_every_seconds,
        )

    def refuse_unknown(self, path: str, *, pattern: bool = False) -> None:
        """Refuse a path to which nobody has a reason to go: it is nobody's, and no redirect has led there.

        Args:
            pattern: it may have ``*`` for any text.

        Raises:
            ValueError: the text names near ones.
        """
        if self._half is None and not self.sso.serves(path) and path not in (self.faults.led_to | {"*"}):
            from esipy.sandbox.paths import refuse_unknown  # it reads the whole catalogue

            refuse_unknown(path, pattern=pattern)

    def refuse_vain(self, path: str | None) -> None:
        """Refuse to look in the journal for what cannot come; what did come is found, wherever it was sent to.

        Raises:
            ValueError: see `refuse_unknown`.
        """
        if path is not None and not self.journal.received(path):
            self.refuse_unknown(path)

    async def answer(self, incoming: Incoming) -> SandboxAnswer | Act:
        """Answer one request, or say what is done to its connection instead."""
        path, _, text = incoming.target.partition("?")
        query = parse_qsl(text, keep_blank_values=True) if text else []
        headers, body = incoming.headers, incoming.body
        if path.startswith("/_sandbox/"):
            return await self._control.handle(SandboxRequest(incoming.method, path, query, headers, body))
        form = parse_qsl(body.decode("latin-1")) if body and "urlencoded" in headers.get("content-type", "") else []
        identity, error = self._identify(headers)
        happening = self.faults.take(incoming.method, path, query)
        entry = self.journal.enter(
            incoming.method,
            path,
            query,
            headers,
            form,
            body_bytes=len(body),
            character_id=None if identity is None else identity.character_id,
            token_error=error,
            fault=None if happening is None else happening.fault.kind,
        )
        request = SandboxRequest(incoming.method, path, query, headers, body, identity, error)
        if happening is None:
            return await self._handle(request, entry)
        return await self._fail(request, entry, happening)

    async def _handle(self, request: SandboxRequest, entry: Entry) -> SandboxAnswer:
        status = 500  # what the connection answers when a half fails
        try:
            half = self._half_for(request.path)
            answer = await half.handle(request)
            status = answer.status
            return answer if half is self.sso else await self.reordering.pass_on(request, answer)
        finally:
            self.journal.complete(entry, status)

    async def _fail(self, request: SandboxRequest, entry: Entry, happening: Happening) -> SandboxAnswer | Act:
        fault = happening.fault
        real = await self._half_for(request.path).handle(request) if wants_answer(fault) else None
        instead = replacement(fault)
        if instead is not None:
            self.journal.complete(entry, instead.status)
            return instead
        return act_for(
            happening,
            self.faults,
            real,
            lambda: self._half_for(request.path).handle(request),
            lambda status: self.journal.complete(entry, status),
        )

    def _half_for(self, path: str) -> Half:
        if self.sso.serves(path):
            return self.sso
        return self._half or self.esi

    def _identify(self, headers: dict[str, str]) -> tuple[Identity | None, str | None]:
        header = headers.get("authorization")
        if header is None:
            return None, None
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "basic":
            return None, None
        if scheme.lower() != "bearer" or token.count(".") != 2:
            return None, "malformed"
        return self.tokens.identify(token)
