"""How logins come to a store, and go. Rules:

- A store that cannot be written to says so before a code, or a refresh token, is spent.
- A new login is durable before anybody hears of it, and replaces whatever was kept of the character. A refresh that is
  under way for the old one finds it there, and gives way (`esipy.sso.saving`).
- A login that was made elsewhere is taken without a word to the SSO where it can be: with a good access token, or when
  it is said of which character a refresh token is. The first use then finds out whether that is true.
- A logout makes the SSO forget the login, and only then removes it here. One that does not open (its key is lost, or it
  is damaged) cannot be told to the SSO: it is removed only by who says that the SSO need not be told.
- Nobody is told while a lease, or a place for refreshing, is held: a receiver may need one for its own calls.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from esipy.core.claims import Claims
from esipy.events import LOGIN_COMPLETED, OWNER_CHANGED
from esipy.exceptions import (
    LoginRequiredError,
    SettingError,
    SSOUnavailableError,
    TokenInvalidError,
    TokenRevokedError,
    TokenStoreError,
)
from esipy.runtime.base import Runtime
from esipy.sso import grants
from esipy.sso.flights import Flights
from esipy.sso.grants import Application, Grant
from esipy.sso.known import News, Told, Unsaved, tell
from esipy.sso.leases import Lease, Pauses, lease_name, lease_seconds
from esipy.sso.login import Login, refreshes_of
from esipy.sso.metadata import Endpoints
from esipy.sso.reading import read_grant, ready
from esipy.sso.saving import Saving, shown, who
from esipy.sso.source import Source
from esipy.sso.vault import Kept, Stored
from esipy.stores.tokens import TokenRecord

__all__ = ["AUTHORIZED_APPS_URL", "Entering"]

AUTHORIZED_APPS_URL = "https://developers.eveonline.com/authorized-apps"
"""Where players see which applications they have logged in to, and end that."""


class Entering:
    """New logins and logouts of one application's characters. Each coroutine has to be given to ``runtime.finish``."""

    def __init__(self, saving: Saving, application: Application, source: Source) -> None:
        self._saving = saving
        self._vault = saving.vault
        self._known = saving.known
        self._application = application
        self._client_id = application.client_id
        self._source = source

    async def complete(
        self, runtime: Runtime, code: str, redirect_uri: str | None, code_verifier: str | None
    ) -> Claims:
        """See `esipy.sso.logins.Logins.complete`."""
        endpoints = await ready(runtime, self._source, self._known)
        application = self._application._replace(code_verifier=code_verifier)
        news: News = []
        async with self._written(runtime):
            asker = self._source.asker
            grant = await grants.exchange(runtime, asker, endpoints.token, application, code, redirect_uri)
            read = await read_grant(runtime, self._source, endpoints, self._client_id, grant, self._known)
            await self._put(runtime, read.stored(self._client_id, None, grant.refresh_token), news)
        await tell(runtime, news)
        return read.claims

    async def add(self, runtime: Runtime, login: Login | str, character_id: int | None) -> Stored:
        """See `esipy.EsiClient.add_character`."""
        if isinstance(login, str):
            if character_id is None:
                return await self._redeemed(runtime, login)
            return await self._taken_as_said(runtime, login, character_id)
        if login.client_id != self._client_id:
            raise SettingError(
                f"this login is of the application {login.client_id}, and this client is of {self._client_id}: give it "
                "that client_id"
            )
        held, endpoints = login._held(), await ready(runtime, self._source, self._known)  # pyright: ignore[reportPrivateUsage]
        wrong = "there is no access token"
        if held.access_token:
            now = runtime.now() + self._known.clock_error
            try:
                _, claims = await self._source.verify(runtime, endpoints, held.access_token, self._client_id, now)
            except TokenInvalidError as error:  # its time may be over
                wrong = str(error)
            else:
                record = TokenRecord(
                    self._client_id, claims.character_id, claims.name, claims.owner, tuple(sorted(claims.scopes)),
                    "ok", claims.exp, now, b"",
                )  # fmt: skip
                aside = login._aside  # pyright: ignore[reportPrivateUsage]
                stored = Stored(record, Kept(held.access_token, held.refresh_token, aside))
                news: News = []
                await self._put(runtime, stored, news)
                await tell(runtime, news)
                return stored
        if not held.refresh_token:
            raise LoginRequiredError(
                f"this login has no token that is good ({wrong}), and no refresh token: log in first, then add it"
            )
        aside = login._aside  # pyright: ignore[reportPrivateUsage]
        if aside is not None and aside[0] == held.refresh_token:
            self._known.aside.setdefault(*aside)
        return await self._redeemed(runtime, held.refresh_token)

    async def _taken_as_said(self, runtime: Runtime, refresh_token: str, character_id: int) -> Stored:
        """Keep a refresh token, unless a login of this character is kept that is not over: it may have come of it."""
        record = TokenRecord(self._client_id, character_id, "", "", (), "ok", 0.0, 0.0, b"")
        aside = self._known.aside.get(refresh_token)
        stored = Stored(record, Kept(None, refresh_token, None if aside is None else (refresh_token, aside)))
        while True:
            there = await self._saving.load(runtime, character_id)
            if there is not None and there.kept.refresh_token and there.record.state in ("ok", "unreachable"):
                return there
            expected = None if there is None else there.record.version
            if await self._vault.save(runtime, stored, expected):
                self._known.aside.pop(refresh_token, None)
                self._known.lose(character_id)
                await tell(runtime, [_completed(record)])
                return stored

    async def _redeemed(self, runtime: Runtime, refresh_token: str) -> Stored:
        """Refresh, to learn of which character it is."""
        endpoints = await ready(runtime, self._source, self._known)
        news: News = []

        async def work() -> Stored:
            async with self._written(runtime) as lease:
                pauses = Pauses(runtime, 2 * lease_seconds(self._source))
                while not await lease.take_slot(runtime) and await pauses.rest():
                    pass
                grant, sent = await self._spend(runtime, endpoints, refresh_token, lease)
                rotated = grant.refresh_token or sent
                if rotated != refresh_token:
                    self._known.aside[refresh_token] = rotated
                read = await read_grant(runtime, self._source, endpoints, self._client_id, grant, self._known)
                stored = read.stored(self._client_id, None, rotated)
                self._known.aside.pop(refresh_token, None)  # from here on it is remembered as what is to be saved
                await self._put(runtime, stored, news)
                return stored

        flights: Flights[Stored] = refreshes_of(runtime)
        key = ("add", self._client_id, refresh_token)
        stored, _ = await flights.fly(runtime, key, 4 * lease_seconds(self._source), work)
        await tell(runtime, news)
        return stored

    async def _spend(
        self, runtime: Runtime, endpoints: Endpoints, refresh_token: str, lease: Lease
    ) -> tuple[Grant, str]:
        """Send a refresh token; when it is refused, the one that came for it before. Gives also which was taken."""
        asker, application = self._source.asker, self._application
        try:
            return await grants.refresh(runtime, asker, endpoints.token, application, refresh_token, ()), refresh_token
        except TokenRevokedError:
            aside = self._known.aside.get(refresh_token)
            if aside is None:
                raise
        await lease.hold(runtime)
        try:
            return await grants.refresh(runtime, asker, endpoints.token, application, aside, ()), aside
        except TokenRevokedError:
            self._known.aside.pop(refresh_token, None)
            raise

    async def _put(self, runtime: Runtime, stored: Stored, news: News) -> None:
        """Keep a login in the place of whatever is kept of this character; what is to be told is added to ``news``."""
        record = stored.record
        character_id = record.character_id
        self._known.have(Unsaved(stored, None, _completed(record)))
        was: TokenRecord | None = None
        with suppress(TokenStoreError):  # saving it fails, too, and says why
            was = await self._vault.record(runtime, character_id)
        replacing = stored._replace(record=record._replace(version=0 if was is None else was.version))
        self._known.have(Unsaved(replacing, None, _completed(record)))
        await self._saving.settle(runtime, character_id, news)
        self._known.lose(character_id)
        if was and was.owner and record.owner and was.owner != record.owner and was.state != "owner changed":
            news.insert(0, (OWNER_CHANGED, who(record)))

    async def forget(self, runtime: Runtime, character_id: int, revoke: bool) -> None:
        """See `esipy.sso.logins.Logins.forget`."""
        seconds = lease_seconds(self._source)
        # The one that keeps others from what is not saved yet is ours: it is not waited for.
        kept = self._known.leases.pop(character_id, None)
        lease = kept or Lease(self._vault, lease_name(self._client_id, character_id), seconds)
        pauses = Pauses(runtime, 2 * seconds)
        try:
            while not await lease.hold(runtime):  # a refresh is under way: its token is the one to be revoked
                if not await pauses.rest():
                    raise SSOUnavailableError(
                        "",
                        0,
                        message=f"others refresh the token of character {character_id} and are not done; try later",
                    )
            if revoke:
                await self._log_out(runtime, character_id)
            else:
                await self._remove(runtime, character_id)
        finally:
            self._known.lose(character_id)
            await self._saving.let_go(runtime, character_id, lease)

    async def _log_out(self, runtime: Runtime, character_id: int) -> None:
        try:
            stored = await self._saving.load(runtime, character_id)
        except TokenStoreError:
            record = await self._vault.record(runtime, character_id)
            if record is not None:
                self._has_to_open(record)
            raise
        if stored is None:
            raise LoginRequiredError(f"no login of character {character_id} is kept: there is nothing to revoke")
        revoked = await self._revoke(runtime, stored.kept)
        while stored is not None and not await self._vault.remove(runtime, character_id, stored.record.version):
            stored = await self._vault.load(runtime, character_id)
            if stored is not None and stored.kept.refresh_token not in (None, *revoked):
                return  # the character has logged in anew meanwhile
        self._known.unsaved.pop(character_id, None)

    async def _remove(self, runtime: Runtime, character_id: int) -> None:
        """Remove what is kept, whether it opens or not. The SSO is not told."""
        record = await self._vault.record(runtime, character_id)
        if record is None and character_id not in self._known.unsaved:
            raise LoginRequiredError(f"no login of character {character_id} is kept: there is nothing to remove")
        if record is not None and not await self._vault.remove(runtime, character_id, record.version):
            raise TokenStoreError(f"the login of {shown(record)} was changed meanwhile: nothing was removed")
        self._known.unsaved.pop(character_id, None)

    def _has_to_open(self, record: TokenRecord) -> None:
        try:
            self._vault.open(record)
        except TokenStoreError as error:
            kind, why = type(error), str(error)
        else:
            return
        raise kind(
            f"{why}. As it does not open the SSO cannot be told to end it, so it stays. To remove it here alone: "
            f"client.remove_character({record.character_id}, revoke=False), esipy logout --forget; its player can end "
            f"it at {AUTHORIZED_APPS_URL}"
        )

    async def _revoke(self, runtime: Runtime, kept: Kept) -> list[str]:
        """Make the SSO forget tokens; gives the refresh tokens among them."""
        aside = () if kept.aside is None else (kept.aside[1],)
        refresh_tokens = [token for token in (kept.refresh_token, *aside) if token]
        hint = "refresh_token" if refresh_tokens else "access_token"
        tokens = refresh_tokens or [token for token in (kept.access_token,) if token]
        endpoints = await self._source.locate(runtime)
        for token in tokens:
            with suppress(TokenRevokedError):  # it had forgotten it already
                await grants.revoke(runtime, self._source.asker, endpoints.revoke, self._application, token, hint)
        return refresh_tokens

    @asynccontextmanager
    async def _written(self, runtime: Runtime) -> AsyncGenerator[Lease]:
        """For a while in which something is spent: a lease is a write, so a store that takes none says so before."""
        lease = Lease(self._vault, f"login {self._client_id} {secrets.token_hex(8)}", lease_seconds(self._source))
        await lease.hold(runtime)
        try:
            yield lease
        finally:
            await lease.give_back(runtime)


def _completed(record: TokenRecord) -> Told:
    return LOGIN_COMPLETED, {**who(record), "scopes": record.scopes}
