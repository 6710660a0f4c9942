"""Logins as programs write them: what a type checker must accept, and what it must refuse.

Checked by mypy --strict and by basedpyright, never run. A line that must be refused says so with an ignore, and
both checkers complain about an ignore that is not needed.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from typing import Any, assert_type

from esipy import AsyncEsiClient, AsyncEsiSecurity, EsiClient, EsiSecurity
from esipy.core.claims import Claims
from esipy.events import Signal
from esipy.transport import default_async_transport, default_transport
from esipy.utils import generate_code_challenge, generate_code_verifier

verifier = generate_code_verifier()
assert_type(verifier, str)
assert_type(generate_code_challenge(verifier), str)

security = EsiSecurity(
    redirect_uri="http://localhost/callback",
    client_id="id",
    secret_key="secret",
    headers={"User-Agent": "MyApp/1.0 (me@example.com)"},
    token_identifier=7,
    signal_token_updated=Signal("MINE"),
    timeout=20,
)
desktop = EsiSecurity("http://localhost/callback", "id", code_verifier=verifier, transport=default_transport())

assert_type(security.get_auth_uri("state", scopes=["esi-wallet.read_character_wallet.v1"]), str)
assert_type(security.auth("code"), dict[str, Any])
assert_type(security.refresh(), dict[str, Any])
assert_type(security.refresh(["scope"]), dict[str, Any])
assert_type(security.verify(), dict[str, Any])
assert_type(security.verify("key", {"verify_exp": False}), dict[str, Any])
assert_type(security.is_token_expired(offset=60), bool)
assert_type(security.access_token, str | None)
assert_type(security.refresh_token, str | None)
assert_type(security.token_expiry, float | None)
assert_type(security.character_id, int | None)
assert_type(security.principal, str)
security.update_token({"access_token": "", "expires_in": -1, "refresh_token": "kept"}, token_identifier="me")
security.refresh_token = "kept"
security.revoke()

client = EsiClient(security=security)
aclient = AsyncEsiClient(security=desktop)  # one login may serve both


async def with_asyncio() -> None:
    async with AsyncEsiSecurity("x", "id", "secret", transport=default_async_transport()) as login:
        assert_type(login, AsyncEsiSecurity)
        assert_type(await login.auth("code"), dict[str, Any])
        assert_type(await login.refresh(), dict[str, Any])
        assert_type(await login.verify(), dict[str, Any])
        await login.revoke()
        AsyncEsiClient(security=login)


def of(claims: Claims) -> None:
    assert_type(claims.character_id, int)
    assert_type(claims.scopes, frozenset[str])


EsiSecurity("x", "id", "secret", transport=default_async_transport())  # type: ignore[arg-type]
AsyncEsiSecurity("x", "id", "secret", transport=default_transport())  # type: ignore[arg-type]
security.is_token_expired("soon")  # type: ignore[arg-type]
