"""One refresh of a stored login, from the lease to the saved token. `esipy.sso.logins` says who needs one, and when.

Rules, in their order:

1. A caller that needs a token that is not at hand looks at the record in the store: another may have refreshed it.
2. One of a process (`esipy.sso.flights`), then one of all processes and machines has the right to refresh it: a lease
   of the store. Those who do not get it look at the record, in growing, jittered pauses, until that has a good token or
   the lease can be had. Five are at work at once in a process, and five over all (T37).
3. The lease is a write: a store that is read-only or full fails before the refresh token is spent.
4. With the lease the record is read again (T39), and the SSO's keys are there before the token is spent.
5. The answer is verified, and has to be of the same character. One that is wrong is refused: the old tokens stay, and
   a rotated refresh token in it is kept aside, durably, and used once the SSO refuses the old one (T42). It is not
   asked for this character for a while.
6. The owner has to be the same: else the record says "owner changed", OWNER_CHANGED is told, and the new access token
   is never used (T47). The refresh token is kept only so that a logout can revoke it.
7. The new tokens are saved by compare-and-swap before anybody gets or hears of them (T38). Whoever finds the record
   changed reads it again: a refresh token that is neither the one that was spent nor ours is a new login, and wins;
   else the tokens are saved over it. What nobody keeps any more was logged out, and is not brought back.
8. From the SSO's answer until they are saved the new tokens are remembered by the process, too: when saving fails, or
   the caller is interrupted, they are saved at the next use, and told of then. The lease is given back then, unless it
   has ended by itself.
9. Only 400 ``invalid_grant`` ends a login (T40), and only after the store was read again (T39), and what was kept aside
   was tried: the record says "revoked", and TOKEN_REVOKED is told once.
10. Every other failure keeps the tokens: the record says "unreachable" (one write, when that changes), SSO_UNREACHABLE
    is told, and the SSO is not asked for a while (`esipy.sso.outages`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from esipy.core.claims import invalid_token
from esipy.events import AFTER_TOKEN_REFRESH, OWNER_CHANGED, SSO_UNREACHABLE, TOKEN_REVOKED
from esipy.exceptions import (
    LoginRequiredError,
    SSOError,
    SSOUnavailableError,
    TokenInvalidError,
    TokenRevokedError,
    TokenStoreError,
)
from esipy.runtime.base import Runtime
from esipy.sso import grants
from esipy.sso.grants import Application, Grant
from esipy.sso.known import Known, News, Seen, Told, Unsaved
from esipy.sso.leases import Lease, Pauses, lease_name, lease_seconds
from esipy.sso.login import MARGIN_SECONDS
from esipy.sso.metadata import Endpoints
from esipy.sso.outages import Outages
from esipy.sso.reading import read_grant, ready
from esipy.sso.saving import Saving, owner_changed, shown, who
from esipy.sso.source import Source
from esipy.sso.vault import NOTHING, Kept, Stored

__all__ = ["Refreshing"]

_BUSY = "others refresh tokens, that of character {} or enough others, and are not done; try later, the token is kept"


class Refreshing:
    """Refreshes of one application's stored logins.

    Args:
        saving: reads and saves.
        outages: of the process.
    """

    def __init__(self, saving: Saving, application: Application, source: Source, outages: Outages) -> None:
        self._saving = saving
        self._application = application
        self._client_id = application.client_id
        self._source = source
        self._known = saving.known
        self._outages = outages

    def check(self, runtime: Runtime, character_id: int) -> None:
        """Refuse to ask an SSO that is down.

        Raises:
            SSOUnavailableError: with ``retry_at``.
        """
        self._outages.check(runtime, self._source.endpoints.token, self._client_id, character_id)

    async def refresh(
        self, runtime: Runtime, character_id: int, not_this: str | None, news: News, *, early: bool
    ) -> Seen | None:
        """Have a token that is not this one; has to be done within a flight.

        Args:
            news: what is to be told is added to it.
            early: the token is still good: wait for nobody.

        Returns:
            it; None: somebody else is at it, and it was not to be waited for.

        Raises:
            SSOError: as `esipy.sso.logins.Logins.token`.
        """
        client_id = self._client_id
        lease = Lease(self._saving.vault, lease_name(client_id, character_id), lease_seconds(self._source))
        pauses = Pauses(runtime, 2 * lease_seconds(self._source))
        try:
            while True:
                seen = await self._saving.look(runtime, character_id)
                if self.is_usable(runtime, seen, not_this):
                    return seen
                if not seen.renewable:
                    raise LoginRequiredError(
                        f"the access token of character {character_id} is not good any more, and there is no refresh "
                        "token to get one with (no scope was asked for): log in again"
                    )
                self.check(runtime, character_id)
                if await lease.hold(runtime) and await lease.take_slot(runtime):
                    refreshed = await self._with_lease(runtime, character_id, not_this, news, lease)
                    if refreshed is not None:
                        return refreshed
                elif early:
                    return None
                if not await pauses.rest():
                    raise SSOUnavailableError("", 0, message=_BUSY.format(character_id))
        finally:
            await self._saving.let_go(runtime, character_id, lease)

    def is_usable(self, runtime: Runtime, seen: Seen, not_this: str | None) -> bool:
        """Whether there is a token that is good for a while, and another than this one."""
        now = runtime.now() + self._known.clock_error
        return seen.access_token not in (None, not_this) and now < seen.expires_at - MARGIN_SECONDS

    async def _with_lease(
        self, runtime: Runtime, character_id: int, not_this: str | None, news: News, lease: Lease
    ) -> Seen | None:
        url, client_id = self._source.endpoints.token, self._client_id
        while True:
            stored = await self._saving.needed(runtime, character_id)
            began = runtime.now()
            try:
                endpoints = await ready(runtime, self._source, self._known)
                seen = self._saving.see(runtime, stored)
                if self.is_usable(runtime, seen, not_this):
                    return seen
                if not seen.renewable or not await lease.hold(runtime):
                    return None  # another login was put there meanwhile; or another has, or had, the right
                spending = await self._spend(runtime, endpoints, stored.kept, lease)
                if spending is None:
                    return None
                seen = await self._take(runtime, endpoints, stored, *spending, news)
            except TokenRevokedError as error:
                if await self._revoked(runtime, stored, news):
                    error.message = f"the login of {shown(stored.record)} is over: {error}"
                    raise
            except TokenInvalidError as error:
                self._outages.failed(runtime, url, client_id, character_id, error, began)
                raise
            except SSOUnavailableError as error:
                self._outages.failed(runtime, url, client_id, character_id, error, began)
                await self._unreachable(runtime, stored, error, news)
                raise
            else:
                self._outages.works(url, client_id, character_id)
                return seen

    async def _spend(
        self, runtime: Runtime, endpoints: Endpoints, kept: Kept, lease: Lease
    ) -> tuple[Grant, frozenset[str]] | None:
        """Send the refresh token; when it is refused, the one that was kept aside for it.

        Returns:
            what came, and what was sent; None: another has, or had, the right to send what was kept aside.
        """
        asker, refresh_token, aside = self._source.asker, kept.refresh_token or "", kept.aside
        try:
            grant = await grants.refresh(runtime, asker, endpoints.token, self._application, refresh_token, ())
            return grant, frozenset({refresh_token})
        except TokenRevokedError:
            if aside is None or aside[0] != refresh_token:
                raise
        if not await lease.hold(runtime):
            return None
        grant = await grants.refresh(runtime, asker, endpoints.token, self._application, aside[1], ())
        # Without a new one in the answer, the one that was sent stays good.
        return grant._replace(refresh_token=grant.refresh_token or aside[1]), frozenset({refresh_token, aside[1]})

    async def _take(
        self, runtime: Runtime, endpoints: Endpoints, stored: Stored, grant: Grant, spent: frozenset[str], news: News
    ) -> Seen:
        """Verify the answer, and save what is in it."""
        (record, kept), have, character_id = stored, self._known.have, stored.record.character_id
        rotated = grant.refresh_token or kept.refresh_token
        if grant.refresh_token is not None and grant.refresh_token != kept.refresh_token:
            aside = (kept.refresh_token or "", grant.refresh_token)
            have(Unsaved(Stored(record, Kept(kept.access_token, kept.refresh_token, aside)), spent))
        try:
            read = await read_grant(runtime, self._source, endpoints, self._client_id, grant, self._known)
            if read.claims.character_id != character_id:
                raise invalid_token("it is of another character")
        except SSOError:
            await self._saving.settle(runtime, character_id)
            raise
        claims = read.claims
        if record.owner and claims.owner and record.owner != claims.owner:
            mine = stored.with_state("owner changed", Kept(None, rotated))
            told: Told = (OWNER_CHANGED, who(record))
        else:
            mine = read.stored(self._client_id, record, rotated)
            told = (AFTER_TOKEN_REFRESH, _refreshed(runtime, mine, grant, kept.refresh_token, self._known))
        have(Unsaved(mine, spent, told))
        saved = await self._saving.settle(runtime, character_id, news)
        if saved is None:
            raise LoginRequiredError(f"character {character_id} was logged out meanwhile; log in again")
        if saved.record.state == "owner changed":
            self._known.lose(character_id)
            raise owner_changed(record)
        return self._saving.see(runtime, saved)

    async def _revoked(self, runtime: Runtime, stored: Stored, news: News) -> bool:
        """Whether the login is over: the store still has the token that was refused (T39)."""
        there = await self._saving.load(runtime, stored.record.character_id)
        if there is None or there.kept.refresh_token != stored.kept.refresh_token:
            return False
        over = there.with_state("revoked", NOTHING)
        if not await self._saving.vault.save(runtime, over, there.record.version):
            return False
        self._known.lose(over.record.character_id)
        news.append((TOKEN_REVOKED, who(over.record)))
        return True

    async def _unreachable(self, runtime: Runtime, stored: Stored, error: SSOUnavailableError, news: News) -> None:
        """Say so in the record, once; what else is there stays."""
        record = stored.record
        told = {"message": str(error), "status_code": error.status_code, "retry_at": error.retry_at}
        news.append((SSO_UNREACHABLE, {**who(record), **told}))
        with suppress(TokenStoreError):
            there = await self._saving.load(runtime, record.character_id)
            if (
                there is not None
                and there.record.state == "ok"
                and there.kept.refresh_token == stored.kept.refresh_token
            ):
                down = Stored(there.record._replace(state="unreachable"), there.kept)
                await self._saving.vault.save(runtime, down, there.record.version)


def _refreshed(
    runtime: Runtime, new: Stored, grant: Grant, previous_refresh_token: str | None, known: Known
) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        **grant.answer,
        "access_token": new.kept.access_token,
        "refresh_token": new.kept.refresh_token,
        "expires_in": int(new.record.expires_at - runtime.now() - known.clock_error),
        "token_identifier": new.record.character_id,
        "previous_refresh_token": previous_refresh_token,
    }
