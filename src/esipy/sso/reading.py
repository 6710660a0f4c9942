"""What the token endpoint gave, verified and ready to be saved; and what has to be there before it is asked.

All times are by the SSO's clock: ours may be wrong.
"""

from __future__ import annotations

from typing import NamedTuple

from esipy.core.claims import Claims
from esipy.runtime.base import Runtime
from esipy.sso.grants import Grant
from esipy.sso.known import Known
from esipy.sso.metadata import Endpoints
from esipy.sso.source import Source
from esipy.sso.vault import Kept, Stored
from esipy.stores.tokens import TokenRecord

__all__ = ["Read", "read_grant", "ready"]


class Read(NamedTuple):
    """What the token endpoint gave, verified."""

    grant: Grant
    claims: Claims
    now: float

    def stored(self, client_id: str, before: TokenRecord | None, refresh_token: str | None) -> Stored:
        """As it is to be saved, over the record before."""
        claims, grant = self.claims, self.grant
        lifetime = grant.expires_in
        record = TokenRecord(
            client_id=client_id,
            character_id=claims.character_id,
            name=claims.name or (before.name if before else ""),
            owner=claims.owner or (before.owner if before else ""),
            scopes=tuple(sorted(claims.scopes)),
            state="ok",
            expires_at=claims.exp if lifetime is None else self.now + lifetime,
            refreshed_at=self.now,
            sealed=b"",
            version=before.version if before else 0,
        )
        return Stored(record, Kept(grant.access_token, refresh_token))

    def __repr__(self) -> str:
        return "<a verified grant>"


async def ready(runtime: Runtime, source: Source, known: Known) -> Endpoints:
    """The endpoints, once all is there that verifying an answer needs, and the SSO's clock is known, if it tells.

    Raises:
        SSOUnavailableError: its keys cannot be had now.
    """
    endpoints = await source.locate(runtime)
    await source.prepare(runtime, endpoints)
    if not known.has_clock:
        # With a wrong clock a token of the store may have looked as if it were over.
        known.hear(source.clock_error(runtime, endpoints))
    return endpoints


async def read_grant(
    runtime: Runtime, source: Source, endpoints: Endpoints, client_id: str, grant: Grant, known: Known
) -> Read:
    """Verify what the token endpoint gave, by the SSO's own clock: ours may be wrong.

    Raises:
        TokenInvalidError: it cannot be right.
        SSOUnavailableError: a key is needed that cannot be had now.
    """
    known.hear(None if grant.answered_at is None else grant.answered_at - runtime.now())
    now = runtime.now() + known.clock_error
    _, claims = await source.verify(runtime, endpoints, grant.access_token, client_id, now)
    return Read(grant, claims, now)
