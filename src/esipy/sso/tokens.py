"""The tokens of one login: read together, replaced together, and whose they are.

A program may set the attributes by hand at any time; what the library does, it does under one lock that is held
for no more than that.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from esipy._forks import fork_lock
from esipy.core.claims import peek

__all__ = ["Held", "Tokens"]


class Held(NamedTuple):
    """The tokens of a login at one moment."""

    access_token: str | None
    refresh_token: str | None
    token_expiry: float | None

    def __repr__(self) -> str:
        return "<tokens>"


_swap = fork_lock()
"""Guards the tokens of every login while they are read or replaced together; held for no more than that."""


class Tokens:
    """The state of a login.

    Attributes:
        client_id: the application's.
        access_token, refresh_token: None when there is none.
        token_expiry: seconds since 1970 (UTC); None when unknown, which counts as over.
    """

    client_id: str
    access_token: str | None
    refresh_token: str | None
    token_expiry: float | None

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.access_token = self.refresh_token = self.token_expiry = None
        self._aside: tuple[str, str] | None = None
        """A refresh token, and the one that replaced it in an answer that was refused."""
        self._peeked: tuple[str | None, int | None, frozenset[str] | None] = (None, None, None)
        self._nameless: tuple[str | None, str] = (None, secrets.token_hex(8))

    @property
    def character_id(self) -> int | None:
        """Whose access token it is; None when there is none, or it does not tell."""
        token = self.access_token
        return self._character_of(token) if token else None

    @property
    def principal(self) -> str:
        """Whom ESI counts calls against: the application and the character.

        While the character is not known, an id that changes with the refresh token stands for it, so that
        what one character may see is never kept under the name of another.
        """
        character_id = self.character_id
        if character_id is not None:
            return f"{self.client_id}:{character_id}"
        with _swap:
            return self._nameless_principal()

    def principal_of(self, access_token: str) -> str:
        """Whom ESI counts a call with this token against, whoever is logged in by now.

        A token that tells no character and is not held any more is nobody's: each asking gives another id.
        """
        character_id = self._character_of(access_token)
        if character_id is not None:
            return f"{self.client_id}:{character_id}"
        with _swap:
            if access_token == self.access_token:
                return self._nameless_principal()
        return f"{self.client_id}:{secrets.token_hex(8)}"

    def lacks(self, scope: str) -> bool:
        """Whether the access token says that it does not allow this; one that says nothing may."""
        token = self.access_token
        allowed = self._peek(token)[2] if token else None
        return allowed is not None and scope not in allowed

    def _character_of(self, token: str) -> int | None:
        return self._peek(token)[1]

    def _peek(self, token: str) -> tuple[str | None, int | None, frozenset[str] | None]:
        peeked = self._peeked
        if peeked[0] != token:
            peeked = self._peeked = (token, *peek(token))
        return peeked

    def _nameless_principal(self) -> str:
        """Has to be called under the lock."""
        token = self.refresh_token or self.access_token
        if self._nameless[0] != token:
            self._nameless = (token, secrets.token_hex(8))
        return f"{self.client_id}:{self._nameless[1]}"

    def _put(self, tokens: Mapping[str, Any], now: float) -> None:
        """Take tokens as the token endpoint gives them; without ``refresh_token`` the one there is stays.

        Raises:
            KeyError, TypeError: there is no ``access_token``, or ``expires_in`` is no number; nothing is changed.
        """
        access_token = tokens["access_token"]
        token_expiry = _expiry(tokens.get("expires_in"), now)
        with _swap:
            self.access_token = access_token
            self.token_expiry = token_expiry
            if "refresh_token" in tokens:
                self.refresh_token = tokens["refresh_token"]

    def _held(self) -> Held:
        with _swap:
            return Held(self.access_token, self.refresh_token, self.token_expiry)

    def _replace(self, new: Held) -> None:
        """Put new tokens in place of whatever is there."""
        with _swap:
            self.access_token, self.refresh_token, self.token_expiry = new
            self._aside = None

    def _take(self, held: Held, new: Held) -> bool:
        """Put new tokens in the place of those they were got for, and of no others; whether it changed any."""
        with _swap:
            if self.refresh_token != held.refresh_token:
                return False
            if self.access_token == held.access_token:
                self.access_token, self.refresh_token, self.token_expiry = new
            elif new.refresh_token != held.refresh_token:
                self.refresh_token = new.refresh_token  # put in by hand was the access token alone: this one is spent
            else:
                return False
            self._aside = None
            return True

    def _drop(self, refresh_token: str) -> None:
        """Forget a refresh token that is dead."""
        with _swap:
            if self.refresh_token == refresh_token:
                self.refresh_token = None


def _expiry(expires_in: Any, now: float) -> float | None:
    """When a token ends, in seconds since 1970 (UTC): what can be added to a time, as in version 1, or text.

    Raises:
        TypeError: it is no number; it is not shown, as it may be a token that was put into the wrong place.
    """
    if expires_in is None:
        return None
    try:
        expiry: float = int(now) + (_number(expires_in) if isinstance(expires_in, str) else expires_in)
    except (TypeError, ValueError):
        kind = "a text that is none" if isinstance(expires_in, str) else type(expires_in).__name__
        raise TypeError(f"expires_in: has to be a number of seconds, not {kind}") from None
    return expiry


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return int(number) if number.is_integer() else number
