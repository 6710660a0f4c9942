"""Stored logins as a process reads and saves them: what the store keeps, and what it has not taken yet.

Rules: what could not be saved is saved before anything else is read. What is saved replaces what is there by
compare-and-swap, unless that is another login: one whose refresh token is not the one that was spent. A new login
replaces whatever is there, unless that is a later one of another owner. A login that nobody keeps any more was logged
out, and is not brought back.
"""

from __future__ import annotations

from typing import Any

from esipy.core.claims import peek_character_id
from esipy.exceptions import LoginRequiredError, OwnerChangedError, TokenRevokedError, TokenStoreError
from esipy.runtime.base import Runtime
from esipy.sso.known import Known, News, Seen, Unsaved
from esipy.sso.leases import Lease
from esipy.sso.login import MARGIN_SECONDS
from esipy.sso.vault import Stored, Vault
from esipy.stores.tokens import TokenRecord

__all__ = ["LOOK_SECONDS", "Saving", "owner_changed", "shown", "who"]

LOOK_SECONDS = 30.0
"""So soon a process hears of a login, or a logout, of another process."""

EARLY_SECONDS = 90.0
"""A token is refreshed at some moment of its last seconds, so that many that were got at once are not refreshed so."""


class Saving:
    """The logins of one application in one store.

    Attributes:
        vault: the store.
        known: what the process remembers.
    """

    def __init__(self, vault: Vault, known: Known) -> None:
        self.vault = vault
        self.known = known

    async def load(self, runtime: Runtime, character_id: int) -> Stored | None:
        """What is kept of a character, once what could not be saved is; None when nothing is.

        Raises:
            TokenStoreError: it cannot be read, or still not be saved.
        """
        if character_id in self.known.unsaved:
            await self.settle(runtime, character_id)
        return await self.vault.load(runtime, character_id)

    async def needed(self, runtime: Runtime, character_id: int) -> Stored:
        """A login that can be refreshed, or still has a token.

        Raises:
            LoginRequiredError: nothing is kept of this character.
            TokenRevokedError, OwnerChangedError: it is over.
            TokenStoreError: as `load`.
        """
        stored = await self.load(runtime, character_id)
        if stored is None:
            self.known.lose(character_id)
            raise LoginRequiredError(
                f"no login of character {character_id} is kept for the application {self.vault.client_id}: log it in "
                "(esipy login, WebLogin), or client.add_character(...)"
            )
        record = stored.record
        if record.state == "revoked":
            self.known.lose(character_id)
            raise TokenRevokedError(
                "", 0, message=f"the login of {shown(record)} is over: it was revoked at the SSO; log in again"
            )
        if record.state == "owner changed":
            self.known.lose(character_id)
            raise owner_changed(record)
        return stored

    async def look(self, runtime: Runtime, character_id: int) -> Seen:
        """Its access token, as it is kept now. Raises as `needed`."""
        return self.see(runtime, await self.needed(runtime, character_id))

    def see(self, runtime: Runtime, stored: Stored) -> Seen:
        """Remember an access token that is kept.

        Raises:
            TokenStoreError: it is another character's: somebody has changed the store.
        """
        record, kept = stored
        if kept.access_token and peek_character_id(kept.access_token) not in (None, record.character_id):
            raise TokenStoreError(
                f"what is kept of {shown(record)} is a token of another character: somebody has changed the store. "
                "It is not used; log in again"
            )
        before = self.known.seen(record.character_id)
        if before is not None and before.access_token == kept.access_token:
            renew_at = before.renew_at
        elif kept.refresh_token is None:
            renew_at = float("inf")
        else:
            early = min(EARLY_SECONDS, (record.expires_at - record.refreshed_at) / 4)
            renew_at = record.expires_at - MARGIN_SECONDS - early * (1 + 5 * runtime.random()) / 6
        seen = Seen(
            kept.access_token,
            record.expires_at,
            frozenset(record.scopes) if record.refreshed_at else None,  # what was put in by hand does not tell
            renew_at,
            runtime.now() + LOOK_SECONDS,
            kept.refresh_token is not None,
            record.owner,
        )
        return self.known.see(record.character_id, seen)

    async def settle(self, runtime: Runtime, character_id: int, news: News | None = None) -> Stored | None:
        """Save what is not saved yet.

        Args:
            news: what is to be told of it is added to this; None: to that of the process.

        Returns:
            what is kept now: it, or another login, which wins; None: nothing was to be saved, or the character was
            logged out meanwhile.

        Raises:
            TokenStoreError: it cannot be saved; it is tried again at the next use.
        """
        unsaved = self.known.unsaved.get(character_id)
        if unsaved is None:
            return None
        try:
            kept = await self._settled(runtime, unsaved)
        except TokenStoreError as error:
            kind = type(error)
            record, message = unsaved.stored.record, str(error)
        else:
            # Others may have saved it, too: one of them tells.
            is_kept = kept is not None and kept.kept == unsaved.stored.kept
            if self.known.had(unsaved) and is_kept and unsaved.told is not None:
                (self.known.news if news is None else news).append(unsaved.told)
            lease = self.known.leases.pop(character_id, None)
            if lease is not None:
                await lease.give_back(runtime)
            return kept
        raise kind(
            f"the new tokens of {shown(record)} could not be saved ({message}). This process keeps them in memory, and "
            "saves them when the character is next used: do not end it before the store works again"
        )

    async def let_go(self, runtime: Runtime, character_id: int, lease: Lease) -> None:
        """Give back the right to change a character's tokens, or keep it until the new ones are saved."""
        # Others would spend the old token meanwhile: they are kept from it for a while.
        is_unsaved = character_id in self.known.unsaved
        if is_unsaved:
            self.known.leases[character_id] = lease
        await lease.give_back(runtime, slot_only=is_unsaved)

    async def _settled(self, runtime: Runtime, unsaved: Unsaved) -> Stored | None:
        stored, spent, _ = unsaved
        character_id = stored.record.character_id
        expected = stored.record.version or None
        while not await self.vault.save(runtime, stored, expected):
            there = await self.vault.record(runtime, character_id)
            if there is None and spent is not None:
                return None
            if there is not None and self._wins(there, unsaved):
                return Stored(there, self.vault.open(there))
            expected = None if there is None else there.version
        return Stored(stored.record._replace(version=(expected or 0) + 1), stored.kept)

    def _wins(self, there: TokenRecord, unsaved: Unsaved) -> bool:
        """Whether what is there is another login than the one that is to be saved over it."""
        stored, spent, _ = unsaved
        mine = stored.record
        if spent is None:  # a new login, which replaces also what cannot be opened any more
            sold = bool(there.owner and mine.owner) and there.owner != mine.owner
            return sold and there.refreshed_at > mine.refreshed_at
        refresh_token = self.vault.open(there).refresh_token
        return refresh_token is not None and refresh_token not in spent


def owner_changed(record: TokenRecord) -> OwnerChangedError:
    """The error for a character that was sold."""
    return OwnerChangedError(
        "",
        0,
        message=f"{shown(record)} belongs to another account than the one that logged in: its tokens are not used for "
        "the new owner, who has to log in",
    )


def who(record: TokenRecord) -> dict[str, Any]:
    """A character, as signals name it."""
    return {"client_id": record.client_id, "character_id": record.character_id, "name": record.name}


def shown(record: TokenRecord) -> str:
    """A character, as errors name it."""
    return f"{record.name} ({record.character_id})" if record.name else f"character {record.character_id}"
