"""One character's login: how its tokens are got and renewed. `esipy.security` puts two shells around it.

Rules kept here:

- Who needs a new token at the same time shares one refresh (T37), also several logins that hold the same refresh
  token; at most `REFRESHES_AT_ONCE` run in a process. A refresh that has begun is ended, whoever is cancelled.
- Each login whose tokens were replaced for a request tells its own signal, once, whichever of them refreshed: each
  may be stored at a place of its own.
- The keys are fetched before a refresh token or a code is spent, so that the answer can be verified. It is
  verified before it replaces anything (T42). When it is refused, a rotated refresh token in it is kept aside and
  used once the SSO refuses the old one: a rotated token is not lost.
- Only ``invalid_grant`` drops a refresh token, and only the one that was sent (T40).
- What a program puts in by hand is its own word: it is not verified, and a refresh that was under way for
  another token does not overwrite it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from esipy.core.claims import Checks, Claims, invalid_token, peek_character_id
from esipy.events import Signal
from esipy.exceptions import LoginFailedError, LoginRequiredError, SSOError, TokenRevokedError
from esipy.runtime.base import Runtime
from esipy.sso import grants
from esipy.sso.flights import Flights, Slots
from esipy.sso.grants import Application, Grant
from esipy.sso.keys import GivenKeys, Keys
from esipy.sso.metadata import Endpoints
from esipy.sso.source import Source
from esipy.sso.tokens import Held, Tokens
from esipy.sso.verified import Verified

__all__ = ["MARGIN_SECONDS", "REFRESHES_AT_ONCE", "Login", "refreshes_of"]

REFRESHES_AT_ONCE = 5
"""More than about five draw errors and resets. Source: EVE SSO issues, number 58."""

MARGIN_SECONDS = 5.0
"""A token that is about to expire would do so on its way: a call renews it this much earlier."""

_LOG_IN = "log in: send the user to get_auth_uri(state, scopes), then call auth(code); or use update_token(tokens)"


class _Landed(NamedTuple):
    """What a refresh brought: for everybody who waited for it."""

    by: Login
    new: Held
    answer: dict[str, Any]
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return "<refreshed tokens>"


def refreshes_of(runtime: Runtime) -> Flights[Any]:
    """The refreshes of the process, of logins of either kind (`esipy.sso.logins`)."""
    if "refreshes" not in runtime.shared:
        runtime.shared.setdefault("refreshes", Flights(Slots(REFRESHES_AT_ONCE)))
    found: Flights[Any] = runtime.shared["refreshes"]
    return found


class Login(Tokens):
    """The state of a login, and coroutines that each take the `Runtime` that they are to use.

    Attributes:
        redirect_uri, secret_key, code_verifier: as registered with the SSO.
        token_identifier: what the program knows this login by; told with each refresh.
        signal_token_updated: who is told of each refresh.
    """

    def __init__(
        self,
        redirect_uri: str,
        application: Application,
        source: Source,
        signal: Signal[...],
        token_identifier: Any,
    ) -> None:
        super().__init__(application.client_id)
        self.redirect_uri = redirect_uri
        self.secret_key = application.secret_key
        self.code_verifier = application.code_verifier
        self.token_identifier = token_identifier
        self.signal_token_updated = signal
        self._source = source
        self._endpoints = source.endpoints
        self._keys: GivenKeys | Keys | None = source.given_keys
        self._clock_error: float | None = None
        """Seconds by which the SSO's clock is ahead of ours, as its last answer told; None: there was none."""

    @property
    def _application(self) -> Application:
        return Application(self.client_id, self.secret_key, self.code_verifier)

    # -- what a request needs ---------------------------------------------------------------------------------

    async def token(self, runtime: Runtime, *, not_this: str | None = None) -> str:
        """An access token that can be used now, refreshed when needed.

        Args:
            not_this: a token that ESI has just refused, although its time is not over.

        Raises:
            LoginRequiredError: there is no token, or it is over and there is none to refresh it with.
            TokenRevokedError: the SSO said that the refresh token is dead.
            TokenInvalidError: the SSO gave a token that cannot be right; the old one stays.
            SSOUnavailableError: no new token could be had; everything stays as it was.
        """
        while True:
            held = self._held()
            if held.access_token and held.access_token != not_this and _is_good(held, runtime.now()):
                return held.access_token
            if not held.refresh_token:
                missing = "the access token is not good any more" if held.access_token else "there is no access token"
                raise LoginRequiredError(f"{missing}, and there is no refresh token to get one with; {_LOG_IN}")
            landed = await runtime.finish(self._refresh_and_tell(runtime, held, held.refresh_token))
            # Another login may have been put in meanwhile: then it is that one's token that is wanted.
            if landed is not None and landed.new.access_token and self.access_token == landed.new.access_token:
                return landed.new.access_token

    async def _refresh_and_tell(self, runtime: Runtime, held: Held, refresh_token: str) -> _Landed | None:
        token_identifier = self.token_identifier
        landed, led, moved = await self._refresh_once(runtime, held, refresh_token, ())
        if landed is not None and (led or moved):
            payload = {
                "token_type": "Bearer",
                **landed.answer,
                "access_token": landed.new.access_token,
                "refresh_token": landed.new.refresh_token,
                "expires_in": int((landed.new.token_expiry or 0) - int(runtime.now())),
                "token_identifier": token_identifier,
                "previous_refresh_token": refresh_token,
            }
            await runtime.tell(self.signal_token_updated, payload)
        return landed

    # -- the grants -------------------------------------------------------------------------------------------

    async def _refreshing(self, runtime: Runtime, scopes: tuple[str, ...]) -> dict[str, Any]:
        """Refresh now, whatever the time, or share the refresh that is under way; the SSO's answer."""
        while True:
            refresh_token = self._needed_refresh_token()
            landed, led, _ = await runtime.finish(self._refresh_once(runtime, self._held(), refresh_token, scopes))
            # Who asks for scopes has to get these, not those of the refresh that was under way.
            if landed is not None and (led or landed.scopes == scopes):
                return landed.answer

    async def _exchanging(self, runtime: Runtime, code: str) -> dict[str, Any]:
        """Turn a callback's code into tokens, of whichever character; the SSO's answer."""
        if not code:
            raise LoginFailedError(
                "there is no code: the user said no, or the SSO did (error and error_description of the callback say "
                "which); begin the login anew",
                "callback",
            )
        if "://" in code:
            raise LoginFailedError("this is an address: the code is what it has as code= in its query", "callback")
        return await runtime.finish(self._exchange(runtime, code))

    async def _exchange(self, runtime: Runtime, code: str) -> dict[str, Any]:
        endpoints = await self._ready(runtime)
        grant = await grants.exchange(runtime, self._source.asker, endpoints.token, self._application, code)
        claims = await self._validated(runtime, endpoints, grant)
        # Whoever was logged in before may be another character: nothing of it stays.
        self._replace(Held(grant.access_token, grant.refresh_token, self._expiry(runtime, grant, claims)))
        return grant.answer

    async def _revoking(self, runtime: Runtime) -> None:
        """Make the SSO forget the login, then forget it here; when the SSO cannot, the tokens stay."""
        held = self._held()
        token = held.refresh_token or held.access_token
        if not token:
            raise LoginRequiredError("No access/refresh token are defined: there is nothing to revoke")
        hint = "refresh_token" if held.refresh_token else "access_token"
        endpoints = await self._located(runtime)
        try:
            await grants.revoke(runtime, self._source.asker, endpoints.revoke, self._application, token, hint)
        except TokenRevokedError:
            pass  # it had forgotten it already
        self._take(held, Held(None, None, None))

    async def _verifying(self, runtime: Runtime, kid: str | None, checks: Checks) -> Verified:
        """Check the access token there is; its payload."""
        token = self.access_token
        if not token:
            raise LoginRequiredError(f"No access token are available at this time; {_LOG_IN}")
        endpoints = await self._ready(runtime)
        now = self._sso_now(runtime, endpoints)
        payload, _ = await self._source.verify(runtime, endpoints, token, self.client_id, now, kid=kid, checks=checks)
        return Verified(payload)

    def _needed_refresh_token(self) -> str:
        """The refresh token.

        Raises:
            LoginRequiredError: there is none.
        """
        if not self.refresh_token:
            raise LoginRequiredError(f"No refresh token is defined; {_LOG_IN}")
        return self.refresh_token

    # -- refreshing -------------------------------------------------------------------------------------------

    async def _refresh_once(
        self, runtime: Runtime, held: Held, refresh_token: str, scopes: tuple[str, ...]
    ) -> tuple[_Landed | None, bool, bool]:
        """Refresh, or wait for who does; has to be given to ``runtime.finish``.

        Returns:
            what it brought (None: somebody has replaced the tokens already, look again); whether it was this
            caller that refreshed; whether this caller brought us the tokens that another login had refreshed.
        """
        key = (self.client_id, refresh_token)
        try:
            flights: Flights[_Landed | None] = refreshes_of(runtime)
            landed, led = await flights.fly(
                runtime,
                key,
                # The keys may have to be fetched before.
                2 * self._source.asker.limit_seconds,
                lambda: self._refresh(runtime, held, refresh_token, scopes),
            )
        except TokenRevokedError:
            self._drop(refresh_token)
            raise
        moved = landed is not None and not led and self._take(held, landed.new) and landed.by is not self
        return landed, led, moved

    async def _refresh(
        self, runtime: Runtime, held: Held, refresh_token: str, scopes: tuple[str, ...]
    ) -> _Landed | None:
        if self._held() != held:
            return None  # a refresh ended between reading the tokens and this flight: its token is spent
        endpoints = await self._ready(runtime)
        grant = await self._spend(runtime, endpoints, refresh_token, scopes)
        rotated = grant.refresh_token or refresh_token
        try:
            claims = await self._validated(runtime, endpoints, grant)
            before = peek_character_id(held.access_token or "")
            if before is not None and before != claims.character_id:
                raise invalid_token("it is of another character")
        except SSOError:
            if rotated != refresh_token:
                self._aside = (refresh_token, rotated)
            raise
        new = Held(grant.access_token, rotated, self._expiry(runtime, grant, claims))
        self._take(held, new)  # before the flight ends, so that who comes next sees it
        return _Landed(self, new, grant.answer, scopes)

    async def _spend(
        self, runtime: Runtime, endpoints: Endpoints, refresh_token: str, scopes: tuple[str, ...]
    ) -> Grant:
        """Send the refresh token; when it is refused, the one that was kept aside for it."""
        asker, aside = self._source.asker, self._aside
        try:
            return await grants.refresh(runtime, asker, endpoints.token, self._application, refresh_token, scopes)
        except TokenRevokedError:
            if aside is None or aside[0] != refresh_token:
                raise
        grant = await grants.refresh(runtime, asker, endpoints.token, self._application, aside[1], scopes)
        # Without a new one in the answer, the one that was sent stays good.
        return grant._replace(refresh_token=grant.refresh_token or aside[1])

    # -- the SSO ----------------------------------------------------------------------------------------------

    async def _located(self, runtime: Runtime) -> Endpoints:
        self._endpoints = endpoints = await self._source.locate(runtime)
        self._keys = self._source.keys(runtime, endpoints)
        return endpoints

    async def _ready(self, runtime: Runtime) -> Endpoints:
        """The endpoints, once all is there that verifying an answer needs."""
        endpoints = await self._located(runtime)
        await self._source.prepare(runtime, endpoints)
        return endpoints

    async def _validated(self, runtime: Runtime, endpoints: Endpoints, grant: Grant) -> Claims:
        # By the SSO's own clock: ours may be wrong, and the token is as new as the answer.
        if grant.answered_at is not None:
            self._clock_error = grant.answered_at - runtime.now()
        now = self._sso_now(runtime, endpoints)
        _, claims = await self._source.verify(runtime, endpoints, grant.access_token, self.client_id, now)
        return claims

    def _sso_now(self, runtime: Runtime, endpoints: Endpoints) -> float:
        """What time it is by the SSO's clock, as the token endpoint told it, or what else the SSO answered."""
        if self._clock_error is None:
            self._clock_error = self._source.clock_error(runtime, endpoints)
        return runtime.now() + (self._clock_error or 0.0)

    def _expiry(self, runtime: Runtime, grant: Grant, claims: Claims) -> int:
        """When a new token is over, by our clock: as the answer says, else as the token itself says."""
        now = runtime.now()
        lifetime = grant.expires_in
        return int(now) + (int(claims.exp - now - (self._clock_error or 0.0)) if lifetime is None else lifetime)


def _is_good(held: Held, now: float) -> bool:
    if held.token_expiry is None:
        # A program gave a token and not its time: without a refresh token it is all there is.
        return not held.refresh_token
    return now < held.token_expiry - MARGIN_SECONDS
