"""The SSO's authorize endpoint: from the application's question to a code, by way of a page for people.

Rules: while the client or the redirect address is in doubt, nobody is redirected (RFC 6749 section 4.1.2.1);
every other mistake goes back to the application as ``error``; ``state`` is mandatory, as at the real SSO; a
client without a secret must use PKCE with S256 (RFC 7636).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from esipy.sandbox.characters import Roster
from esipy.sandbox.exchange import SandboxAnswer, SandboxRequest
from esipy.sandbox.pages import error_page, login_page
from esipy.sandbox.tokens import Client, Tokens

__all__ = ["Authorize"]

_LISTED = 50
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A login as it was asked for; ``error`` is what goes back to the application, None when all is well."""

    client: Client
    redirect_uri: str
    state: str = field(repr=False)
    scopes: tuple[str, ...]
    challenge: str | None
    error: tuple[str, str] | None


class Authorize:
    """Answers ``GET`` with the page and ``POST`` with the way back."""

    def __init__(
        self, clients: Mapping[str, Client], roster: Roster, tokens: Tokens, scopes: Callable[[], Collection[str]]
    ) -> None:
        self._clients = clients
        self._roster = roster
        self._tokens = tokens
        self._scopes = scopes

    def show(self, request: SandboxRequest) -> SandboxAnswer:
        """The login page, or what is wrong."""
        asked = self._asked(request)
        if isinstance(asked, str):
            return error_page(asked)
        if asked.error is not None:
            return _back(asked, error=asked.error[0], error_description=asked.error[1])
        listed = islice(self._roster, _LISTED)
        action = f"{request.path}?{urlencode(request.query)}"
        return login_page(asked.client.client_id, asked.scopes, listed, len(self._roster), action)

    def decide(self, request: SandboxRequest) -> SandboxAnswer:
        """The form came back: send the browser to the application, with a code or a refusal."""
        asked = self._asked(request)
        if isinstance(asked, str):
            return error_page(asked)
        if asked.error is not None:
            return _back(asked, error=asked.error[0], error_description=asked.error[1])
        form = dict(parse_qsl(request.body.decode("latin-1")))
        if form.get("decision") != "approve":
            return _back(asked, error="access_denied", error_description="the login was denied")
        chosen = form.get("other_id") or form.get("character_id", "")
        if not (chosen.isascii() and chosen.isdigit() and int(chosen) in self._roster):
            return error_page(f"The sandbox has no character {chosen!r}.")
        code = self._tokens.new_code(
            asked.client.client_id, asked.redirect_uri, int(chosen), asked.scopes, asked.challenge
        )
        return _back(asked, code=code)

    def _asked(self, request: SandboxRequest) -> _Asked | str:
        """What is asked for; a text when even the way back is not known."""
        given = dict(request.query)
        client = self._clients.get(given.get("client_id", ""))
        if client is None:
            return "No application has this client_id."
        redirect_uri = given.get("redirect_uri", "")
        if redirect_uri not in client.redirect_uris:
            return "The redirect_uri is not one of the application's (it is compared exactly)."
        scopes = tuple(given.get("scope", "").split())
        challenge = given.get("code_challenge")
        return _Asked(
            client, redirect_uri, given.get("state", ""), scopes, challenge, self._mistake(client, given, scopes)
        )

    def _mistake(self, client: Client, given: Mapping[str, str], scopes: tuple[str, ...]) -> tuple[str, str] | None:
        if given.get("response_type") != "code":
            return "unsupported_response_type", "response_type has to be code"
        if not given.get("state"):
            return "invalid_request", "state is missing"
        unknown = [scope for scope in scopes if scope not in self._scopes()]
        if unknown:
            return "invalid_scope", f"unknown scope: {' '.join(unknown)}"
        challenge = given.get("code_challenge")
        if challenge is None:
            return ("invalid_request", "without a secret, PKCE is mandatory") if client.secret is None else None
        if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
            return "invalid_request", "code_challenge has to be S256, in base64url without padding"
        return None


def _back(asked: _Asked, **answer: str) -> SandboxAnswer:
    """Send the browser back to the application, keeping what its address already has in the query."""
    if asked.state:
        answer["state"] = asked.state
    parts = urlsplit(asked.redirect_uri)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *answer.items()])
    return SandboxAnswer(302, [("Location", urlunsplit(parts._replace(query=query))), ("Cache-Control", "no-store")])
