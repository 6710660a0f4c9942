"""An application that logs in at the sandbox's SSO by hand, for its tests."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import KeySet

from esipy.sandbox import ControlClient, RunningSandbox
from esipy.sandbox.characters import FIRST_CHARACTER
from tests.sandbox.wire import Got, ask
from tests.urls import query_of

WHO = FIRST_CHARACTER
PKCE = {"client_id": "sandbox-demo-pkce"}
WALLET = "esi-wallet.read_character_wallet.v1"
MAIL = "esi-mail.read_mail.v1"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def auth_uri(server: RunningSandbox, **changed: Any) -> str:
    """The address a user is sent to; None takes a parameter out."""
    given = {
        "response_type": "code",
        "client_id": server.client_id,
        "redirect_uri": server.redirect_uri,
        "scope": f"{WALLET} {MAIL}",
        "state": "s/1&2",
        **changed,
    }
    query = urlencode({name: value for name, value in given.items() if value is not None})
    return f"{server.sso_url}/v2/oauth/authorize?{query}"


def pkce_uri(server: RunningSandbox, **changed: Any) -> str:
    """The same for the application without a secret."""
    proof = {**PKCE, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    return auth_uri(server, **{**proof, **changed})


def code(server: RunningSandbox, uri: str | None = None, character_id: int | None = None) -> str:
    """A fresh code."""
    return query_of(server.approve(uri or auth_uri(server), character_id))["code"]


def basic(server: RunningSandbox, secret: str | None = None) -> dict[str, str]:
    """The Authorization header of the application with a secret."""
    text = f"{server.client_id}:{server.secret_key if secret is None else secret}"
    return {"Authorization": "Basic " + b64encode(text.encode()).decode()}


def post(server: RunningSandbox, path: str, headers: dict[str, str] | None = None, **form: str) -> Got:
    """A form to one of the SSO's endpoints."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return ask(server.sso_url, f"/v2/oauth/{path}", "POST", urlencode(form), {**kind, **(headers or {})})


def refused(got: Got) -> tuple[int, str]:
    """An OAuth error: its status and name."""
    assert set(got.json()) == {"error", "error_description"}
    return got.status, got.json()["error"]


def exchange(server: RunningSandbox, **form: str) -> Any:
    """Log in with the code flow; gives the token answer."""
    got = post(server, "token", basic(server), grant_type="authorization_code", code=code(server), **form)
    assert got.status == 200
    return got.json()


def refresh(server: RunningSandbox, token: str, **form: str) -> Any:
    """Refresh with the secret; gives the raw answer."""
    return post(server, "token", basic(server), grant_type="refresh_token", refresh_token=token, **form)


def verified(server: RunningSandbox, token: str) -> Any:
    """The token as someone reads it who has only the published keys."""
    keys = KeySet.import_key_set(ask(server.url, "/oauth/jwks").json())
    return jwt.decode(token, keys, algorithms=["RS256"])


def wallet(server: RunningSandbox | ControlClient, token: str, character_id: int = WHO) -> int:
    """The status with which ESI answers for this character's wallet."""
    return ask(server.url, f"/characters/{character_id}/wallet", headers={"Authorization": f"Bearer {token}"}).status
