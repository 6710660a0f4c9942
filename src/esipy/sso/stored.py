"""A stored character: as users see it, and as the engine does."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from esipy.runtime.base import Runtime

if TYPE_CHECKING:
    from esipy.sso.logins import Logins

__all__ = ["Character", "StoredLogin"]


class Character(NamedTuple):
    """A character whose login is kept.

    Attributes:
        character_id: its id.
        name: empty when it is not known yet.
        scopes: what the character allowed, sorted.
        refreshed_at: when its tokens were got, aware (UTC); None: not yet, it was added as it was said to be.
        expires_at: until when its access token is good, aware (UTC); None: there is none.
        state: ``ok``; ``expired``: its access token is over, and there is nothing to refresh it with; ``revoked``: the
            SSO said so; ``owner changed``: it was sold; ``unreachable``: the SSO did not answer at the last try. After
            ``expired``, ``revoked`` and ``owner changed`` the character has to log in again.
        client_id: the application.
    """

    character_id: int
    name: str
    scopes: tuple[str, ...]
    refreshed_at: datetime | None
    expires_at: datetime | None
    state: Literal["ok", "expired", "revoked", "owner changed", "unreachable"]
    client_id: str


class StoredLogin:
    """One stored character, as the engine sees a login (`esipy.engine.exchange.Signer`). It holds no token.

    Attributes:
        owner: the account that has to have logged in; None: whichever did.
    """

    __slots__ = ("_logins", "character_id", "owner", "principal")

    def __init__(self, logins: Logins, character_id: int, owner: str | None) -> None:
        self._logins = logins
        self.character_id = character_id
        self.owner = owner
        self.principal = f"{logins.client_id}:{character_id}"

    @property
    def client_id(self) -> str:
        """The application."""
        return self._logins.client_id

    def principal_of(self, access_token: str) -> str:  # noqa: ARG002 (whichever token it is, it is this character's)
        """The `principal`."""
        return self.principal

    async def token(self, runtime: Runtime, *, not_this: str | None = None) -> str:
        """See `Logins.token`."""
        return await self._logins.token(runtime, self.character_id, not_this=not_this, owner=self.owner)

    async def prepare(self, runtime: Runtime) -> None:
        """See `Logins.prepare`."""
        await self._logins.prepare(runtime, self.character_id, owner=self.owner)

    def lacks(self, scope: str) -> bool:
        """Whether the login does not allow this, as far as is known without asking anybody (see `prepare`)."""
        return self._logins.lacks(self.character_id, scope)

    def __repr__(self) -> str:
        return f"<stored login of character {self.character_id} to application {self.client_id}>"
