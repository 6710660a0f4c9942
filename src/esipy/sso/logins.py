"""Many characters' logins to one application: who needs a token, when it is refreshed, how logins come and go.

Rules (those of one refresh are in `esipy.sso.refreshing`, of new logins and logouts in `esipy.sso.entering`):

- An access token that the process remembers is used without asking anybody, until shortly before its end or until ESI
  refuses it. Now and then (`esipy.sso.saving.LOOK_SECONDS`) it is looked at in the store, so that a login or logout of
  another process is heard of; a store that cannot be read then costs no call whose token is good.
- A token is refreshed a little before its end, at a moment by chance, so that many that were got at once are not
  refreshed at once: with asyncio by a task in the background, else by one caller, while the others go on with the one
  that is still good. When that fails the one that is good is used.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from esipy._attached import attached
from esipy.core.claims import Claims
from esipy.core.moments import as_datetime
from esipy.exceptions import OwnerChangedError, SSOError, TokenStoreError
from esipy.runtime.base import Runtime
from esipy.sso.entering import Entering
from esipy.sso.flights import Flights
from esipy.sso.grants import Application
from esipy.sso.known import Known, News, Seen, tell
from esipy.sso.leases import lease_seconds
from esipy.sso.login import Login, refreshes_of
from esipy.sso.outages import Outages
from esipy.sso.refreshing import Refreshing
from esipy.sso.saving import Saving
from esipy.sso.source import Source
from esipy.sso.stored import Character as Character
from esipy.sso.stored import StoredLogin
from esipy.sso.vault import Kept, Vault
from esipy.stores.tokens import TokenRecord, TokenStore

if TYPE_CHECKING:
    from esipy.sso.sealing import Sealer

__all__ = ["Logins"]

LOGGER = logging.getLogger("esipy.tokens")

POSTPONED_SECONDS = 15.0
"""After a refresh before the time has failed, the next one is tried so much later."""


class Logins:
    """All logins to one application that a store keeps. Any threads and tasks may share it.

    Args:
        store: where they are kept.
        sealer: what seals the tokens there (`esipy.sso.sealing`).
        application: whose they are.
        source: the SSO.
        shared: `Runtime.shared` of those who will use it.

    Attributes:
        client_id: of the application.
        application, source: as given.
    """

    def __init__(
        self, store: TokenStore, sealer: Sealer, application: Application, source: Source, shared: dict[Any, Any]
    ) -> None:
        self.client_id = application.client_id
        self.application = application
        self.source = source
        self._known: Known = attached(store, shared, ("logins", self.client_id), Known)
        self._vault = Vault(store, sealer, self.client_id)
        self._saving = Saving(self._vault, self._known)
        outages: Outages = shared.setdefault("sso outages", Outages())
        self._refreshing = Refreshing(self._saving, application, source, outages)
        self._entering = Entering(self._saving, application, source)

    def signer(self, character_id: int, owner: str | None = None) -> StoredLogin:
        """A character's login, for the engine. Nothing is read.

        Args:
            owner: the account that has to have logged in (`Claims.owner`); None: whichever did.
        """
        return StoredLogin(self, character_id, owner)

    # -- what a request needs ---------------------------------------------------------------------------------

    async def token(
        self, runtime: Runtime, character_id: int, *, not_this: str | None = None, owner: str | None = None
    ) -> str:
        """An access token that can be used now, refreshed when needed.

        Args:
            not_this: a token that ESI has just refused, although its time is not over; it is given again when a
                refresh brings the very same.
            owner: the account that has to have logged in; None: whichever did.

        Raises:
            LoginRequiredError: nothing is kept of the character, or nothing to refresh its token with.
            TokenRevokedError: the SSO said that the login is over.
            OwnerChangedError: the character was sold, or another account has logged in than ``owner``.
            TokenInvalidError: the SSO gave a token that cannot be right; the old one stays.
            SSOUnavailableError: no new token could be had; ``retry_at`` says when to come back.
            TokenStoreError: the store cannot be used; the text says why.
        """
        while True:
            seen = await self._seen(runtime, character_id)
            if not self._refreshing.is_usable(runtime, seen, not_this):
                refreshed, led = await runtime.finish(self._renewed(runtime, character_id, not_this, early=False))
                token = None if refreshed is None else refreshed.access_token
                # Should our own refresh have brought the same one again, another would not help.
                if refreshed is not None and token is not None and (led or token != not_this):
                    _check_owner(character_id, refreshed, owner)
                    return token
            elif runtime.now() + self._known.clock_error < seen.renew_at or not await self._early(
                runtime, character_id, seen
            ):
                assert seen.access_token is not None
                _check_owner(character_id, seen, owner)
                return seen.access_token

    async def prepare(self, runtime: Runtime, character_id: int, *, owner: str | None = None) -> None:
        """Know what a login allows, as far as that can be had without asking the SSO; and that it is the owner's.

        Raises:
            LoginRequiredError, TokenRevokedError, OwnerChangedError: the login is over, or another account's:
                nothing may be used for it, not even what is cached.
            TokenStoreError: for an owner alone: whether it is theirs cannot be known now.
        """
        try:
            seen = await self._seen(runtime, character_id)
        except TokenStoreError:
            if owner is not None:
                raise
        else:
            _check_owner(character_id, seen, owner)

    def lacks(self, character_id: int, scope: str) -> bool:
        """Whether a login does not allow this, as far as the process knows."""
        seen = self._known.seen(character_id)
        return seen is not None and seen.scopes is not None and scope not in seen.scopes

    async def _seen(self, runtime: Runtime, character_id: int) -> Seen:
        known = self._known
        seen = known.seen(character_id)
        if seen is not None and runtime.now() < seen.look_at and character_id not in known.unsaved:
            return seen
        try:
            return await self._saving.look(runtime, character_id)
        except TokenStoreError:
            if seen is None or not self._refreshing.is_usable(runtime, seen, None):
                raise
            return seen
        finally:
            await self._tell_late(runtime)

    async def _tell_late(self, runtime: Runtime) -> None:
        """Tell of what could be saved now, and could not when it was got."""
        news = self._known.news
        while news:
            with suppress(IndexError):  # another was quicker
                signal, payload = news.popleft()
                await runtime.tell(signal, payload)

    async def _early(self, runtime: Runtime, character_id: int, seen: Seen) -> bool:
        """Refresh a token that is still good, unless somebody does already; whether to look again."""
        known = self._known
        if not known.begin_renewal(character_id):
            return False
        later = runtime.now() + known.clock_error + POSTPONED_SECONDS * (0.5 + runtime.random())
        if not known.postpone(character_id, seen.access_token, later):
            known.end_renewal(character_id)
            return True

        async def renew() -> None:
            try:
                with suppress(SSOError, RuntimeError):  # the token that is good does; RuntimeError: see `Flights.fly`
                    await self._renewed(runtime, character_id, seen.access_token, early=True)
            finally:
                known.end_renewal(character_id)

        if runtime.background(renew):
            return False
        await runtime.finish(renew())
        return True

    async def _renewed(
        self, runtime: Runtime, character_id: int, not_this: str | None, *, early: bool
    ) -> tuple[Seen | None, bool]:
        """Refresh, or wait for who does; has to be given to ``runtime.finish``.

        Returns:
            what it brought (None: look again), and whether it was this caller that refreshed.
        """
        self._refreshing.check(runtime, character_id)
        news: News = []
        flights: Flights[Seen | None] = refreshes_of(runtime)
        key = (id(self._vault.store), self.client_id, character_id)
        # Others of this and of other processes may be waited for, and each exchange may take its time.
        limit_seconds = 4 * lease_seconds(self.source)
        try:
            refreshed, led = await flights.fly(
                runtime,
                key,
                limit_seconds,
                lambda: self._refreshing.refresh(runtime, character_id, not_this, news, early=early),
            )
        finally:
            await tell(runtime, news)
            await self._tell_late(runtime)
        return refreshed, led

    # -- logins that come and go ------------------------------------------------------------------------------

    async def complete(
        self, runtime: Runtime, code: str, *, redirect_uri: str | None = None, code_verifier: str | None = None
    ) -> Claims:
        """Turn a callback's code into a login that is kept: exchange, verify, save, tell.

        Args:
            code: it is good for one use.
            redirect_uri: as it was when the login began; None: it is not sent.
            code_verifier: of a login that began with PKCE.

        Raises:
            TokenRevokedError: the code was used before, is too old or not yours.
            TokenInvalidError: the token cannot be right; nothing is kept.
            SSOUnavailableError: the SSO did not answer, or refused for another reason.
            TokenStoreError: the store cannot be written to: if that is known before, the code is not spent; else the
                tokens are kept in memory, and saved when the character is next used.
        """
        return await runtime.finish(self._entering.complete(runtime, code, redirect_uri, code_verifier))

    async def add(self, runtime: Runtime, login: Login | str, character_id: int | None = None) -> Character:
        """Keep a login that was made elsewhere; see `esipy.EsiClient.add_character`."""
        stored = await runtime.finish(self._entering.add(runtime, login, character_id))
        return self._character(stored.record, runtime.now() + self._known.clock_error, stored.kept)

    async def forget(self, runtime: Runtime, character_id: int, *, revoke: bool = True) -> None:
        """Log a character out: make the SSO forget the login, then remove it here.

        Args:
            revoke: False: remove it here alone, also when it does not open.

        Raises:
            LoginRequiredError: nothing is kept of this character.
            SSOUnavailableError: the SSO did not do it; the login stays, try later.
            TokenStoreError: the store cannot be used.
        """
        await runtime.finish(self._entering.forget(runtime, character_id, revoke))

    # -- what is kept -----------------------------------------------------------------------------------------

    async def characters(self, runtime: Runtime) -> list[Character]:
        """All characters whose logins are kept, by id.

        Raises:
            TokenStoreError: the store cannot be read.
        """
        now = runtime.now() + self._known.clock_error

        def read() -> list[Character]:
            return [self._character(record, now) for record in self._vault.store.records(self.client_id)]

        return await self._vault.do(runtime, read)

    def _character(self, record: TokenRecord, now: float, kept: Kept | None = None) -> Character:
        state: Any = record.state
        if state in ("ok", "unreachable") and record.expires_at <= now:
            with suppress(TokenStoreError):  # who lists characters need not be able to use them all
                state = state if (kept or self._vault.open(record)).refresh_token else "expired"
        return Character(
            record.character_id,
            record.name,
            record.scopes,
            as_datetime(record.refreshed_at or None),
            as_datetime(record.expires_at or None),
            state,
            record.client_id,
        )

    async def leave(self, runtime: Runtime) -> None:
        """A client that used it is closed: what could not be saved is tried once more."""
        for character_id in tuple(self._known.unsaved):
            try:
                await runtime.finish(self._saving.settle(runtime, character_id))
                await self._tell_late(runtime)
            except TokenStoreError as error:
                LOGGER.error("%s", error)

    def __repr__(self) -> str:
        return f"<logins of application {self.client_id}>"


def _check_owner(character_id: int, seen: Seen, owner: str | None) -> None:
    """Refuse to use one account's login for another (T47).

    Raises:
        OwnerChangedError: unless it is the owner's, or anybody's will do.
    """
    if owner is not None and seen.owner != owner:
        raise OwnerChangedError(
            "",
            0,
            message=f"character {character_id} belongs to another account than the one that logged in; log in again",
        )
