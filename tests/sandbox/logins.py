"""An application that logs in at the sandbox's SSO by hand, for its tests."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from esipy.sandbox import RunningSandbox
from tests.sandbox.wire import Got, ask
from tests.urls import query_of

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
    proof = {"client_id": "sandbox-demo-pkce", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
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
