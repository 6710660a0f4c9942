"""The four things that OAuth 2 asks of an SSO: authorize, exchange a code, refresh, revoke.

Both flows: with a secret (HTTP Basic), and with PKCE (``client_id`` in the form, no secret).

Source: RFC 6749 sections 4.1 and 6; RFC 7009 section 2.1; RFC 7636 section 4; EVE SSO documentation.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from esipy.core.freshness import http_date
from esipy.exceptions import SSOUnavailableError
from esipy.runtime.base import Runtime
from esipy.sso.wire import Asker, read_object
from esipy.utils import generate_code_challenge

__all__ = [
    "Application", "Grant", "authorize_url", "exchange", "exchange_form", "refresh", "refresh_form", "revoke",
    "scope_list",
]  # fmt: skip


class Application(NamedTuple):
    """Who asks. With a secret the verifier is not used, as in version 1."""

    client_id: str
    secret_key: str | None
    code_verifier: str | None

    @property
    def authorization(self) -> str | None:
        """The ``Authorization`` header; None with PKCE."""
        if self.secret_key is None:
            return None
        # Each half is escaped first (RFC 6749 section 2.3.1).
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret_key)}"
        return f"Basic {b64encode(pair.encode('ascii')).decode('ascii')}"

    @property
    def named(self) -> dict[str, str]:
        """What a form says about who asks, when no header does."""
        return {"client_id": self.client_id} if self.secret_key is None else {}

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may see."""
        basic = (self.authorization or "").removeprefix("Basic ")
        return tuple(text for text in (self.secret_key, self.code_verifier, basic) if text)

    def __repr__(self) -> str:
        return f"<Application {self.client_id}>"


class Grant(NamedTuple):
    """What the token endpoint gave.

    Attributes:
        access_token: not yet verified.
        refresh_token: None when it gave none: then the one before stays good.
        expires_in: seconds; None when it did not say.
        answer: the whole answer.
        answered_at: seconds since 1970 (UTC) by the SSO's own clock; None when it did not say.
    """

    access_token: str
    refresh_token: str | None
    expires_in: int | None
    answer: dict[str, Any]
    answered_at: float | None

    def __repr__(self) -> str:
        return "<Grant>"


def scope_list(scopes: Iterable[str]) -> tuple[str, ...]:
    """Scopes in the order given, each once; a text may hold several, separated by spaces."""
    texts = [scopes] if isinstance(scopes, str) else scopes
    return tuple(dict.fromkeys(scope for text in texts for scope in text.split()))


def authorize_url(endpoint: str, application: Application, redirect_uri: str, state: str, scopes: Iterable[str]) -> str:
    """The address to which a user's browser is sent."""
    query = {"response_type": "code", "redirect_uri": redirect_uri, "client_id": application.client_id}
    if text := " ".join(scopes):
        query["scope"] = text
    query["state"] = state
    if application.secret_key is None:
        query["code_challenge_method"] = "S256"
        query["code_challenge"] = generate_code_challenge(application.code_verifier or "")
    return f"{endpoint}?{urlencode(query)}"


def exchange_form(application: Application, code: str, redirect_uri: str | None = None) -> dict[str, str]:
    """The form that turns a code into tokens; ``redirect_uri`` is sent again where it is given."""
    form = {"grant_type": "authorization_code", "code": code, **application.named}
    if redirect_uri is not None:
        form["redirect_uri"] = redirect_uri
    if application.secret_key is None and application.code_verifier is not None:
        form["code_verifier"] = application.code_verifier
    return form


def refresh_form(application: Application, refresh_token: str, scopes: Iterable[str]) -> dict[str, str]:
    """The form that turns a refresh token into a new access token; without scopes: all that were allowed."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **application.named}
    if text := " ".join(scopes):
        form["scope"] = text
    return form


async def exchange(
    runtime: Runtime, asker: Asker, url: str, application: Application, code: str, redirect_uri: str | None = None
) -> Grant:
    """Turn the code of a callback into tokens; a code is good for one use.

    Raises:
        TokenRevokedError: the code was used before, is too old, or was given to another application.
        SSOUnavailableError: any other answer, or none.
    """
    return await _grant(runtime, asker, url, application, exchange_form(application, code, redirect_uri), code)


async def refresh(
    runtime: Runtime, asker: Asker, url: str, application: Application, refresh_token: str, scopes: Iterable[str]
) -> Grant:
    """Get a new access token.

    Raises:
        TokenRevokedError: the refresh token is dead.
        SSOUnavailableError: any other answer, or none; the refresh token is as good as before.
    """
    form = refresh_form(application, refresh_token, scopes)
    return await _grant(runtime, asker, url, application, form, refresh_token)


async def revoke(runtime: Runtime, asker: Asker, url: str, application: Application, token: str, hint: str) -> None:
    """Make the SSO forget a token.

    Args:
        hint: ``refresh_token`` or ``access_token``.

    Raises:
        TokenRevokedError: it had forgotten it before.
        SSOUnavailableError: any other answer, or none.
    """
    form = {"token_type_hint": hint, "token": token, **application.named}
    secrets = (*application.secrets, token)
    await asker.post(runtime, url, form, authorization=application.authorization, secrets=secrets)


async def _grant(
    runtime: Runtime, asker: Asker, url: str, application: Application, form: dict[str, str], secret: str
) -> Grant:
    answer = await asker.post(
        runtime, url, form, authorization=application.authorization, secrets=(*application.secrets, secret)
    )
    document = read_object(answer.body) or {}
    access_token = document.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise SSOUnavailableError(
            url, answer.status, message="the SSO's answer holds no access token; try later, the token is kept"
        )
    refresh_token = document.get("refresh_token")
    return Grant(
        access_token=access_token,
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
        expires_in=_seconds(document.get("expires_in")),
        answer=document,
        answered_at=http_date(answer.headers.get("date")),
    )


def _seconds(value: object) -> int | None:
    try:
        return int(float(value)) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None
