"""Why ESI says 403, by its own words and by what the operation needs."""

from __future__ import annotations

import pytest

from esipy.core.forbidden import forbidden_of

SCOPE, ROLES = "esi-wallet.read_corporation_wallets.v1", ("Accountant", "Junior_Accountant")


@pytest.mark.parametrize(
    ("body", "scope", "roles", "reason", "told"),
    [
        (b'{"error": "token is not valid for scope"}', SCOPE, ROLES, "scope", SCOPE),
        (b'{"error": "Token is not valid for Scope(s)"}', SCOPE, (), "scope", SCOPE),
        (
            b'{"error": "Character does not have required role(s)"}',
            SCOPE,
            ROLES,
            "role",
            "Accountant, Junior_Accountant",
        ),
        (b'{"error": "Character does not have required role(s)"}', SCOPE, (), "role", "a role in game"),
        (b'{"error": "Forbidden"}', SCOPE, ROLES, "access", "Junior_Accountant"),
        (b'{"error": "Forbidden"}', SCOPE, (), "access", "no other scope helps"),
        (b'{"error": "no scope for this"}', None, (), "access", "no other scope helps"),
        (b"", SCOPE, (), "access", "no other scope helps"),
    ],
)
def test_a_403_is_told_apart_with_what_to_do(
    body: bytes, scope: str | None, roles: tuple[str, ...], reason: str, told: str
) -> None:
    """Scope, role in game, or no access."""
    found = forbidden_of(body, scope, roles)
    assert reason == found.reason
    assert told in found.advice
