"""What the tests of the login stand on: logins at a real sandbox in each colour, and a scripted SSO."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jwt
from joserfc.jwk import RSAKey

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.events import Signal
from esipy.runtime.aio import AioRuntime
from esipy.sandbox import RunningSandbox
from esipy.security import AsyncEsiSecurity, EsiSecurity
from esipy.transport import default_async_transport

AGENT = "Tests/1.0 (tests@example.com)"
TOKEN, JWKS, REVOKE = "/v2/oauth/token", "/oauth/jwks", "/v2/oauth/revoke"
METADATA = "/.well-known/oauth-authorization-server"
WALLET = "esi-wallet.read_character_wallet.v1"

KEY = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"})
KEY.ensure_kid()
OTHER_KEY = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"})
OTHER_KEY.ensure_kid()


class Colour:
    """One of the two security classes, with a way to call its methods: ``colour(security.refresh())``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind: type[EsiSecurity] | type[AsyncEsiSecurity] = EsiSecurity if name == "blocking" else AsyncEsiSecurity
        self.runner = asyncio.Runner()
        self._made: list[Any] = []

    def security(self, sandbox: RunningSandbox, **keywords: Any) -> Any:
        """A login at this sandbox; with its secret unless ``code_verifier`` is given."""
        given = {
            "redirect_uri": sandbox.redirect_uri,
            "client_id": sandbox.client_id if "code_verifier" not in keywords else "sandbox-demo-pkce",
            "secret_key": sandbox.secret_key if "code_verifier" not in keywords else None,
            "headers": {"User-Agent": AGENT},
            "sso_url": sandbox.sso_url,
        } | keywords
        security = self.kind(**given)
        self._made.append(security)
        return security

    def __call__(self, result: Any) -> Any:
        return self.runner.run(result) if asyncio.iscoroutine(result) else result

    def close(self) -> None:
        for security in self._made:
            if isinstance(security, AsyncEsiSecurity):
                self.runner.run(security.close())
        self.runner.close()


class ScriptedSso:
    """An SSO in a function, for answers that no SSO should give. It is a transport's script.

    Attributes:
        grant: gives the answer of the token endpoint for a form; replace it.
        forms: what the token endpoint was sent.
        asked: the paths of all requests.
        keys: what the key endpoint serves.
    """

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.requests: list[HttpRequest] = []
        self.asked: list[str] = []
        self.keys: Any = {"keys": [KEY.as_dict(private=False)]}
        self.grant: Callable[[dict[str, str]], HttpResponse] = lambda form: reply(200, tokens())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = "/" + request.url.split("/", 3)[3]
        self.requests.append(request)
        self.asked.append(path)
        if path == METADATA:
            return reply(404, {})
        if path == JWKS:
            return self.keys if isinstance(self.keys, HttpResponse) else reply(200, self.keys)
        form = dict(parse_qsl((request.body or b"").decode(), keep_blank_values=True))
        self.forms.append(form)
        return self.grant(form)


def reply(status: int, body: Any = b"", **headers: str) -> HttpResponse:
    """An answer with this JSON; bytes are sent as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, Headers((name.replace("_", "-"), value) for name, value in headers.items()), raw)


def signed(key: RSAKey = KEY, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """An access token for the client ``app``; claims given as None are left out."""
    payload = {
        "iss": "https://login.eveonline.com",
        "aud": ["app", "EVE Online"],
        "sub": "CHARACTER:EVE:90000001",
        "name": "One",
        "owner": "hash",
        "exp": int(time.time()) + 1200,
    } | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid} | (header or {}), payload, key)


def tokens(access_token: str | None = None, **more: Any) -> dict[str, Any]:
    """What a token endpoint answers."""
    return {"access_token": access_token or signed(), "expires_in": 1199, "token_type": "Bearer"} | more


def expired_login(sandbox: RunningSandbox, character: int = 0, **keywords: Any) -> EsiSecurity:
    """A login whose access token is over."""
    security = EsiSecurity(
        sandbox.redirect_uri,
        sandbox.client_id,
        sandbox.secret_key,
        headers={"User-Agent": AGENT},
        sso_url=sandbox.sso_url,
        **keywords,
    )
    security.update_token(sandbox.login(sandbox.sandbox.roster.ids[character]))
    security.token_expiry = 0
    return security


@contextmanager
def recorded() -> Iterator[tuple[Signal[...], list[dict[str, Any]]]]:
    """A signal of one's own, and what it told."""
    told: list[dict[str, Any]] = []
    signal: Signal[...] = Signal("TEST")
    signal.add_receiver(lambda **kwargs: told.append(kwargs))
    yield signal, told


async def over_sockets(ask: Any) -> Any:
    """Give a function an asyncio runtime over real connections."""
    transport = default_async_transport()
    try:
        return await ask(AioRuntime(transport))
    finally:
        await transport.aclose()
