"""The claims of an access token: what they say, and whether they are meant for us.

Owns the reading and checking of a JWT's payload, purely: signatures are checked in `esipy.sso.keys`, and the
time comes from the caller. Nothing read without a checked signature is more than a hint.

Source: EVE SSO documentation, validating JWT tokens; RFC 7519 section 4.1.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

from esipy.core.moments import as_datetime
from esipy.exceptions import TokenInvalidError

__all__ = [
    "CHECKED",
    "EVE_AUDIENCE",
    "LEEWAY_SECONDS",
    "STRICT",
    "Checks",
    "Claims",
    "check_claims",
    "invalid_token",
    "lifetime_of",
    "peek",
    "peek_character_id",
    "peek_subject",
    "read_scopes",
    "spellings",
]

EVE_AUDIENCE = "EVE Online"
"""The audience that every token names beside the application's client id."""

LEEWAY_SECONDS = 30.0
"""How far our clock and the SSO's may be apart."""

_SUBJECT = "CHARACTER:EVE:"


CHECKED = ("aud", "exp", "iss")
"""The claims whose check a program may leave out; the subject is always checked."""


class Checks(NamedTuple):
    """How strictly claims are checked.

    Attributes:
        leeway_seconds: how long after its end a token is still taken.
        skipped: of `CHECKED`, those that are not checked.
        required: claims that have to be there, whatever they say.
    """

    leeway_seconds: float = LEEWAY_SECONDS
    skipped: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()


STRICT = Checks()
"""All that the library itself asks of a token."""


class Claims(NamedTuple):
    """What a token says.

    Attributes:
        character_id: the character who logged in.
        name: the character's name; empty when the token does not tell.
        owner: changes when the character is sold to another account; empty when the token does not tell.
        scopes: what the character allowed.
        exp: `expires_at` in seconds since 1970; 0 when the token does not tell.
        client_id: the application that the token was made for.
    """

    character_id: int
    name: str
    owner: str
    scopes: frozenset[str]
    exp: float
    client_id: str

    @property
    def expires_at(self) -> datetime | None:
        """Until when it is good (aware, UTC); None when the token does not tell and that was not checked."""
        return as_datetime(self.exp or None)


def invalid_token(reason: str) -> TokenInvalidError:
    """The error for an access token that is not valid.

    Args:
        reason: why, in words that show nothing of the token (T44).
    """
    return TokenInvalidError("", 0, message=f"the access token is not valid: {reason}")


def check_claims(
    payload: Mapping[str, Any], *, client_id: str, issuer: str, now: float, checks: Checks = STRICT
) -> Claims:
    """Read a payload, and refuse it unless issuer, both audiences and time are right.

    Args:
        payload: the claims, the signature already checked.
        client_id: the application that the token has to be made for.
        issuer: the SSO's name; each of its `spellings` will do.
        now: seconds since 1970 (UTC).
        checks: what may be left out, or has to be there beside.

    Raises:
        TokenInvalidError: the text names the claim.
    """
    for claim in sorted(checks.required):
        if payload.get(claim) is None:
            raise invalid_token(f"it does not tell what was required ({claim})")
    if "iss" not in checks.skipped and _text(payload.get("iss")) not in spellings(issuer):
        raise invalid_token("it was not issued by this SSO (iss)")
    audience = _texts(payload.get("aud"))
    if "aud" not in checks.skipped and not (client_id in audience and EVE_AUDIENCE in audience):
        raise invalid_token("it was made for another application (aud)")
    expires_at = _seconds(payload.get("exp"))
    if "exp" not in checks.skipped:
        if expires_at is None:
            raise invalid_token("it does not say until when it holds (exp)")
        if now >= expires_at + checks.leeway_seconds:
            raise invalid_token("it has expired (exp)")
    character_id = peek_subject(payload.get("sub"))
    if character_id is None:
        raise invalid_token("it names no character (sub)")
    return Claims(
        character_id=character_id,
        name=_text(payload.get("name")),
        owner=_text(payload.get("owner")),
        scopes=read_scopes(payload.get("scp")),
        exp=expires_at or 0.0,
        client_id=client_id,
    )


def lifetime_of(payload: Mapping[str, Any]) -> float:
    """For how many seconds a token was made; 0 when it does not tell."""
    made_at, expires_at = _seconds(payload.get("iat")), _seconds(payload.get("exp"))
    return 0.0 if made_at is None or expires_at is None else max(expires_at - made_at, 0.0)


def spellings(issuer: str) -> frozenset[str]:
    """The three ways in which one issuer is written: the bare host, its address, and that with a slash."""
    scheme = "http" if issuer.startswith("http://") else "https"
    bare = issuer.removeprefix("http://").removeprefix("https://").rstrip("/")
    return frozenset({bare, f"{scheme}://{bare}", f"{scheme}://{bare}/"})


def read_scopes(scp: object) -> frozenset[str]:
    """The scopes of a claim that is a list, one text (also of several scopes, space-separated), or missing."""
    return frozenset(scope for text in _texts(scp) for scope in text.split())


def peek_character_id(token: str) -> int | None:
    """Whose token this says it is, the signature unchecked; None when it is not a JWT of a character."""
    return peek(token)[0]


def peek(token: str) -> tuple[int | None, frozenset[str] | None]:
    """Whose token this says it is, and what it allows, the signature unchecked; None where it is not a JWT."""
    claims = _peek_claims(token)
    return (None, None) if claims is None else (peek_subject(claims.get("sub")), read_scopes(claims.get("scp")))


def peek_client_id(token: str) -> str | None:
    """To which application this token says that it was given, the signature unchecked; None when it does not say."""
    claims = _peek_claims(token) or {}
    return next((text for text in _texts(claims.get("azp")) + _texts(claims.get("aud")) if text != EVE_AUDIENCE), None)


def _peek_claims(token: str) -> dict[str, object] | None:
    import msgspec

    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = msgspec.json.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:  # binascii's and msgspec's errors, and text that is not ASCII
        return None
    return cast("dict[str, object]", payload) if isinstance(payload, dict) else None


def peek_subject(subject: object) -> int | None:
    """Which character a subject names; None when none."""
    number = subject.removeprefix(_SUBJECT) if isinstance(subject, str) and subject.startswith(_SUBJECT) else ""
    # The length keeps int() away from texts that it refuses to read.
    return int(number) if number.isascii() and number.isdigit() and len(number) < 20 else None


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in cast("list[object]", value) if isinstance(item, str)] if isinstance(value, list) else []


def _seconds(value: object) -> float | None:
    """A time since 1970; None for anything else, such as a number that no clock will reach."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value < 1e12 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
