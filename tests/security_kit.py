"""A login as version 1's programs make it."""

from __future__ import annotations

from typing import Any

from esipy import EsiSecurity
from esipy.transport.scripted import ScriptedTransport
from tests.sso.sso_kit import ScriptedSso, signed

AGENT = {"User-Agent": "Tests/1.0 (tests@example.com)"}


def logged_in(sso: ScriptedSso | None = None, access_token: str = "", **keywords: Any) -> EsiSecurity:
    """With these tokens, and an SSO that answers so."""
    security = EsiSecurity(
        "", "app", "secret", headers=AGENT, transport=ScriptedTransport(sso or ScriptedSso()), **keywords
    )
    security.update_token({"access_token": access_token or signed(), "expires_in": 1199, "refresh_token": "r"})
    return security
