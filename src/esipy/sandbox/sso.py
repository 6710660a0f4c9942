"""The sandbox's SSO: metadata, keys, token and revoke; authorize has a file of its own.

Rules: RFC 6749 (codes, refreshing, errors), RFC 7636 (PKCE, S256 only), RFC 7009 (revoking), RFC 8414 (metadata).
A client with a secret shows it by Basic auth; one without, and any that logged in with PKCE, names itself in the
form. Nothing answered or logged repeats a token, code or secret that was sent.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl, unquote

from esipy.sandbox.answers import json_answer
from esipy.sandbox.authorize import Authorize
from esipy.sandbox.characters import Roster
from esipy.sandbox.exchange import SandboxAnswer, SandboxRequest
from esipy.sandbox.keys import KeyRing
from esipy.sandbox.tokens import Client, Grant, Tokens

__all__ = ["METADATA_PATH", "Sso"]

METADATA_PATH = "/.well-known/oauth-authorization-server"
_AUTHORIZE = "/v2/oauth/authorize"
_TOKEN = "/v2/oauth/token"  # noqa: S105 - a path
_REVOKE = "/v2/oauth/revoke"
_KEYS = "/oauth/jwks"
PATHS = (METADATA_PATH, _AUTHORIZE, _TOKEN, _REVOKE, _KEYS)
"""All that it serves."""

_BASIC = "client_secret_basic"


class _Refused(Exception):
    """An OAuth error (RFC 6749 section 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


class Sso:
    """The SSO half of the sandbox.

    Args:
        clients: who may ask, by client id.
        roster, keys, tokens: shared with the rest of the sandbox.
        scopes: gives all scopes there are.
        url: gives the address the sandbox is served at.
    """

    def __init__(
        self,
        clients: Mapping[str, Client],
        roster: Roster,
        keys: KeyRing,
        tokens: Tokens,
        scopes: Callable[[], Collection[str]],
        url: Callable[[], str],
    ) -> None:
        self._clients = clients
        self._keys = keys
        self._tokens = tokens
        self._url = url
        authorize = Authorize(clients, roster, tokens, scopes)
        self._routes: dict[str, dict[str, Callable[[SandboxRequest], SandboxAnswer]]] = {
            METADATA_PATH: {"GET": self._metadata},
            _KEYS: {"GET": self._jwks},
            _AUTHORIZE: {"GET": authorize.show, "POST": authorize.decide},
            _TOKEN: {"POST": self._token},
            _REVOKE: {"POST": self._revoke},
        }

    def serves(self, path: str) -> bool:
        """Whether this path belongs to the SSO."""
        return path in self._routes

    async def handle(self, request: SandboxRequest) -> SandboxAnswer:
        """Answer one request to a path that `serves` says is ours."""
        methods = self._routes[request.path]
        route = methods.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            return SandboxAnswer(405, [("Allow", ", ".join(sorted(methods)))])
        try:
            return route(request)
        except _Refused as refused:
            headers = [("WWW-Authenticate", "Basic")] if refused.status == 401 else []
            return json_answer(refused.body, refused.status, headers)

    def _metadata(self, request: SandboxRequest) -> SandboxAnswer:
        del request
        url = self._url()
        return json_answer(
            {
                "issuer": self._tokens.issuer,
                "authorization_endpoint": url + _AUTHORIZE,
                "token_endpoint": url + _TOKEN,
                "revocation_endpoint": url + _REVOKE,
                "jwks_uri": url + _KEYS,
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": [_BASIC, "none"],
                "revocation_endpoint_auth_methods_supported": [_BASIC, "none"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def _jwks(self, request: SandboxRequest) -> SandboxAnswer:
        del request
        return json_answer(self._keys.served())

    def _token(self, request: SandboxRequest) -> SandboxAnswer:
        form = _form(request)
        match form.get("grant_type"):
            case "authorization_code":
                answer = self._exchange(request, form)
            case "refresh_token":
                answer = self._refresh(request, form)
            case None:
                raise _Refused("invalid_request", "grant_type is missing")
            case _:
                raise _Refused("unsupported_grant_type", "grant_type is authorization_code or refresh_token")
        return json_answer(answer, headers=[("Cache-Control", "no-store"), ("Pragma", "no-cache")])

    def _exchange(self, request: SandboxRequest, form: Mapping[str, str]) -> dict[str, Any]:
        client, proven = self._client(request, form)
        code = self._tokens.take_code(_field(form, "code"))
        if code is None or code.client_id != client.client_id:
            raise _Refused("invalid_grant", "the code is unknown, used or expired")
        # The real SSO does not ask for redirect_uri again; one that is sent has to be the same.
        if form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            raise _Refused("invalid_grant", "the redirect_uri is not the one of the login")
        if code.challenge is not None:
            digest = sha256(_field(form, "code_verifier").encode()).digest()
            if not compare_digest(urlsafe_b64encode(digest).rstrip(b"=").decode(), code.challenge):
                raise _Refused("invalid_grant", "the code_verifier does not fit the code_challenge")
        elif not proven:
            raise _Refused("invalid_client", "the client's secret is missing", 401)
        grant = self._tokens.grant(client.client_id, code.character_id, code.scopes, pkce=code.challenge is not None)
        return self._tokens.answer(grant)

    def _refresh(self, request: SandboxRequest, form: Mapping[str, str]) -> dict[str, Any]:
        client, proven = self._client(request, form)
        shown = _field(form, "refresh_token")
        grant = self._tokens.find_grant(shown)
        if grant is None or grant.client_id != client.client_id:
            raise _Refused("invalid_grant", "the refresh token is unknown, replaced or revoked")
        if not (proven or grant.pkce):
            raise _Refused("invalid_client", "the client's secret is missing", 401)
        return self._tokens.answer(grant, _narrower(grant, form.get("scope")), shown=shown)

    def _revoke(self, request: SandboxRequest) -> SandboxAnswer:
        form = _form(request)
        client, _ = self._client(request, form)
        self._tokens.revoke_token(client.client_id, _field(form, "token"))
        return SandboxAnswer(200)  # also for what was never there (RFC 7009 section 2.2)

    def _client(self, request: SandboxRequest, form: Mapping[str, str]) -> tuple[Client, bool]:
        """Who asks, and whether it has shown its secret."""
        header = request.headers.get("authorization")
        if header is None:
            client = self._clients.get(_field(form, "client_id"))
            if client is None:
                raise _Refused("invalid_client", "no application has this client_id", 401)
            return client, False
        client_id, secret = _basic(header)
        client = self._clients.get(client_id)
        if client is None or client.secret is None or not compare_digest(secret.encode(), client.secret.encode()):
            raise _Refused("invalid_client", "the client id or its secret is wrong", 401)
        return client, True


def _form(request: SandboxRequest) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise _Refused("invalid_request", "the body has to be application/x-www-form-urlencoded")
    pairs = parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Refused("invalid_request", "a parameter is there twice")
    return dict(pairs)


def _field(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        raise _Refused("invalid_request", f"{name} is missing")
    return value


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        text = b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise _Refused("invalid_client", "the Authorization header is not Basic auth", 401)
    return unquote(client_id), unquote(secret)


def _narrower(grant: Grant, scope: str | None) -> tuple[str, ...] | None:
    if not scope:
        return None
    scopes = tuple(scope.split(" "))
    if not set(scopes) <= set(grant.scopes):
        raise _Refused("invalid_scope", "a scope was not granted; scopes are separated by spaces")
    return scopes
