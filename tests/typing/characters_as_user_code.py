"""Many characters, as user code sees them: a view is the same client, and what it gives has the types of the call."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from esipy import AsyncEsiClient, AsyncEsiSecurity, EsiClient, EsiSecurity, ops
from esipy.events import LOGIN_COMPLETED, OWNER_CHANGED, SSO_UNREACHABLE, TOKEN_REVOKED
from esipy.login import Character


def blocking(client: EsiClient, security: EsiSecurity) -> None:
    """By id, or a login of its own."""
    me = client.as_character(2112000001)
    assert_type(me, EsiClient)
    assert_type(me.fetch(ops.wallet.get_characters_character_id_wallet(character_id=2112000001)), float)
    assert_type(client.as_character(security), EsiClient)
    assert_type(client.characters(), list[Character])
    assert_type(client.add_character(security), Character)
    assert_type(client.add_character("refresh token", 2112000001).scopes, tuple[str, ...])
    client.remove_character(2112000001)
    client.as_character("2112000001")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def with_asyncio(client: AsyncEsiClient, security: AsyncEsiSecurity) -> None:
    """A view is made at once, also here; the other verbs are awaited."""
    me = client.as_character(2112000001)
    assert_type(me, AsyncEsiClient)
    assert_type(client.as_character(security), AsyncEsiClient)
    assert_type(await client.characters(), list[Character])
    assert_type(await client.add_character(security), Character)
    await client.remove_character(2112000001)


def moments(character: Character) -> None:
    """Aware datetimes, as those of a response; None where there is none yet."""
    assert_type(character.refreshed_at, datetime | None)
    assert_type(character.expires_at, datetime | None)


def states(character: Character) -> str:
    """All states there are."""
    match character.state:
        case "ok" | "unreachable":
            return "can be used"
        case "expired" | "revoked" | "owner changed":
            return "has to log in again"


def hear() -> None:
    """Signals of logins."""

    @TOKEN_REVOKED.connect
    def over(*, character_id: int, name: str, **kwargs: object) -> None: ...

    @SSO_UNREACHABLE.connect
    def down(*, retry_at: datetime, **kwargs: object) -> None: ...

    @LOGIN_COMPLETED.connect
    def welcome(*, scopes: tuple[str, ...], **kwargs: object) -> None: ...

    @OWNER_CHANGED.connect
    def sold(*, client_id: str, **kwargs: object) -> None: ...
