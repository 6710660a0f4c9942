"""What the sandbox's SSO has given out: codes, grants (refresh tokens) and access tokens.

Rules: a code is used once and expires; a grant ends when it is revoked; a rotated refresh token is refused
afterwards, or, with overlap, once the client has proved that it has the new one: it used that, or the access token
that came with it, at ESI (RFC 9700 section 4.14.2); an access token is good until it expires, is revoked, or its grant
ends. All times are the sandbox's clock. Tests change all of it from other threads, so everything happens under one
lock. Nothing here shows a token in its repr.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from uuid import uuid4

from esipy.sandbox.characters import Roster
from esipy.sandbox.clock import Clock
from esipy.sandbox.exchange import Identity
from esipy.sandbox.keys import KeyRing

__all__ = ["ISSUERS", "Client", "Code", "Grant", "Tokens"]

ISSUERS = ("https://login.eveonline.com", "https://login.eveonline.com/", "login.eveonline.com")
"""The three spellings that real tokens have been seen with."""

_CODE_SECONDS = 300.0
_KEPT_SECONDS = 3600.0  # expired access tokens are remembered so long, to tell "expired" from "unknown"


@dataclass(frozen=True, slots=True)
class Client:
    """An application that may log characters in.

    Attributes:
        client_id: its public name.
        secret: None for an application that can keep none: it must use PKCE.
        redirect_uris: where the browser may be sent back to; compared exactly.
    """

    client_id: str
    secret: str | None = field(repr=False)
    redirect_uris: tuple[str, ...]


@dataclass(slots=True)
class Grant:
    """What a character allowed an application; it lives as long as its refresh token."""

    client_id: str
    character_id: int
    scopes: tuple[str, ...]
    pkce: bool
    refresh_token: str = field(repr=False)
    owner: str = field(repr=False)
    revoked: bool = False
    replaced: str | None = field(default=None, repr=False)
    """With overlap: the refresh token before, which is good until what replaced it is used."""


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code's binding, as it was asked for."""

    client_id: str
    redirect_uri: str
    character_id: int
    scopes: tuple[str, ...]
    challenge: str | None = field(repr=False)
    expires_at: float


@dataclass(slots=True)
class _Access:
    identity: Identity
    grant: Grant | None
    expires_at: float
    revoked: bool = False
    proves: str | None = field(default=None, repr=False)
    """The refresh token that came with it: whoever uses this access token has that one, too."""


class Tokens:
    """The memory of one SSO.

    Attributes:
        lifetime_seconds: how long new access tokens are good.
        rotate_refresh_tokens: each refresh gives a new refresh token, and the old one is refused.
        overlap: the old one stays good until the new tokens are first used.
        issuer: what tokens say in ``iss``.
    """

    def __init__(
        self, clock: Clock, roster: Roster, keys: KeyRing, *, lifetime_seconds: int, rotate: bool, issuer: str
    ) -> None:
        self.lifetime_seconds = lifetime_seconds
        self.rotate_refresh_tokens = rotate
        self.overlap = False
        self.issuer = issuer
        self._clock = clock
        self._roster = roster
        self._keys = keys
        self._lock = Lock()
        self._codes: dict[str, Code] = {}
        self._grants: dict[str, Grant] = {}
        self._access: dict[str, _Access] = {}
        self._prune_at = 1024

    def new_code(
        self, client_id: str, redirect_uri: str, character_id: int, scopes: tuple[str, ...], challenge: str | None
    ) -> str:
        """A code for what a character has just approved."""
        code = secrets.token_urlsafe(24)
        expires_at = self._clock.now() + _CODE_SECONDS
        with self._lock:
            self._codes[code] = Code(client_id, redirect_uri, character_id, scopes, challenge, expires_at)
        return code

    def take_code(self, code: str) -> Code | None:
        """What a code stands for; None when it is unknown, used or expired. It is used up by this."""
        with self._lock:
            found = self._codes.pop(code, None)
        return found if found is not None and found.expires_at > self._clock.now() else None

    def grant(self, client_id: str, character_id: int, scopes: tuple[str, ...], *, pkce: bool = False) -> Grant:
        """A new grant with its refresh token.

        Raises:
            KeyError: no such character.
        """
        owner = self._roster.get(character_id).owner
        grant = Grant(client_id, character_id, scopes, pkce, secrets.token_urlsafe(18), owner)
        with self._lock:
            self._grants[grant.refresh_token] = grant
        return grant

    def find_grant(self, refresh_token: str) -> Grant | None:
        """The grant of a refresh token; None when it is unknown, rotated away, revoked, or the character was sold."""
        with self._lock:
            grant = self._grants.get(refresh_token)
        if grant is None or grant.revoked or self._roster.get(grant.character_id).owner != grant.owner:
            return None
        return grant

    def answer(
        self, grant: Grant, scopes: tuple[str, ...] | None = None, *, shown: str | None = None
    ) -> dict[str, Any]:
        """What the token endpoint answers for a grant; a refresh rotates where that is switched on.

        Args:
            grant: a living one.
            scopes: a narrower choice; None takes all.
            shown: the refresh token that was shown for it; None: it is a new one.
        """
        if shown is not None and self.rotate_refresh_tokens:
            self._rotate(grant, shown)
        answer: dict[str, Any] = {
            "access_token": self.mint(
                grant.character_id,
                grant.scopes if scopes is None else scopes,
                client_id=grant.client_id,
                grant=grant,
            ),
            "expires_in": self.lifetime_seconds,
            "token_type": "Bearer",
        }
        if grant.scopes:  # the real SSO gives no refresh token when no scope was asked
            answer["refresh_token"] = grant.refresh_token
        return answer

    def mint(
        self,
        character_id: int,
        scopes: tuple[str, ...] = (),
        *,
        client_id: str,
        grant: Grant | None = None,
        algorithm: str = "RS256",
        kid: str | None = None,
        lifetime_seconds: float | None = None,
        claims: dict[str, Any] | None = None,
    ) -> str:
        """An access token. What is passed beyond the first three makes odd ones.

        Args:
            character_id, scopes, client_id: whom it speaks for, what it allows, to whom it is given.
            grant: what it dies with; None: nothing.
            algorithm, kid: see `KeyRing.sign`; only RS256 tokens are good on the ESI side.
            lifetime_seconds: None takes the SSO's; a negative one is expired already.
            claims: replace or add claims; a value of None takes the claim out.

        Raises:
            KeyError: no such character.
        """
        character = self._roster.get(character_id)
        now = self._clock.now()
        expires_at = now + (self.lifetime_seconds if lifetime_seconds is None else lifetime_seconds)
        payload: dict[str, Any] = {
            "scp": None if not scopes else scopes[0] if len(scopes) == 1 else list(scopes),
            "jti": str(uuid4()),
            "kid": self._keys.kid,
            "sub": f"CHARACTER:EVE:{character_id}",
            "azp": client_id,
            "tenant": "tranquility",
            "aud": [client_id, "EVE Online"],
            "name": character.name,
            "owner": character.owner,
            "exp": int(expires_at),
            "iat": int(now),
            "iss": self.issuer,
        } | (claims or {})
        payload = {name: value for name, value in payload.items() if value is not None}
        token = self._keys.sign(payload, algorithm=algorithm, kid=kid)
        if algorithm == "RS256":
            identity = Identity(character_id, character.name, character.owner, frozenset(scopes), client_id)
            with self._lock:
                proves = None if grant is None else grant.refresh_token
                self._access[token] = _Access(identity, grant, expires_at, proves=proves)
                self._prune(now)
        return token

    def _rotate(self, grant: Grant, shown: str) -> None:
        with self._lock:
            if grant.replaced is not None and shown == grant.refresh_token:
                self._settle(grant)  # the new one is used: the one before has had its time
            if self.overlap and shown == grant.replaced:
                self._grants.pop(grant.refresh_token, None)  # that answer was lost: this one takes its place
            elif self.overlap:
                grant.replaced = grant.refresh_token
            else:
                self._settle(grant)
                self._grants.pop(grant.refresh_token, None)
            grant.refresh_token = secrets.token_urlsafe(18)
            self._grants[grant.refresh_token] = grant

    def _settle(self, grant: Grant) -> None:
        """Refuse the refresh token that was replaced; the lock is held."""
        if grant.replaced is not None:
            self._grants.pop(grant.replaced, None)
            grant.replaced = None

    def grants(self) -> list[tuple[Grant, tuple[str, ...]]]:
        """The living grants, each with the refresh tokens that are good for it."""
        with self._lock:
            found: dict[int, tuple[Grant, list[str]]] = {}
            for token, grant in self._grants.items():
                found.setdefault(id(grant), (grant, []))[1].append(token)
        return [
            (grant, tuple(tokens))
            for grant, tokens in found.values()
            if not grant.revoked and self._roster.get(grant.character_id).owner == grant.owner
        ]

    def identify(self, token: str) -> tuple[Identity | None, str | None]:
        """Whom an access token speaks for, or why it speaks for nobody: unknown, expired or revoked."""
        with self._lock:
            access = self._access.get(token)
        if access is None:
            return None, "unknown"
        if access.revoked or (access.grant is not None and access.grant.revoked):
            return None, "revoked"
        if access.expires_at <= self._clock.now():
            return None, "expired"
        grant = access.grant
        if grant is not None and grant.replaced is not None and access.proves == grant.refresh_token:
            with self._lock:
                self._settle(grant)
        return access.identity, None

    def expire(self, character_id: int | None = None) -> int:
        """Let access tokens expire now: all, or a character's. Gives how many were good until now."""
        now = self._clock.now()
        expired = 0
        with self._lock:
            for access in self._access.values():
                if access.expires_at > now and character_id in (None, access.identity.character_id):
                    access.expires_at = now
                    expired += 1
        return expired

    def revoke(self, character_id: int) -> int:
        """End all grants of a character, with their access tokens. Gives how many grants lived until now."""
        with self._lock:
            ending = [
                grant for grant in self._grants.values() if grant.character_id == character_id and not grant.revoked
            ]
            for grant in ending:
                grant.revoked = True
        return len(ending)

    def revoke_token(self, client_id: str, token: str) -> None:
        """End a refresh token (with its grant) or an access token of this client; others are left alone."""
        with self._lock:
            grant = self._grants.get(token)
            if grant is not None and grant.client_id == client_id:
                grant.revoked = True
            access = self._access.get(token)
            if access is not None and access.identity.client_id == client_id:
                access.revoked = True

    def _prune(self, now: float) -> None:
        """Forget access tokens that expired long ago; the lock is held."""
        if len(self._access) >= self._prune_at:
            self._access = {
                token: access for token, access in self._access.items() if access.expires_at > now - _KEPT_SECONDS
            }
            self._prune_at = 2 * max(len(self._access), 512)
