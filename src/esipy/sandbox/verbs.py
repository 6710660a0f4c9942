"""What tests may do to a sandbox: one list of verbs, for those in the process and those over HTTP alike.

Rules: plain arguments and JSON-able results, so that each verb means the same from both sides; every public
method is a verb of the control interface. They may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from esipy.sandbox.faults import Fault, Kind
from esipy.sandbox.tokens import Client
from esipy.sandbox.verbs_limits import LimitVerbs
from esipy.sandbox.verbs_lists import ListVerbs

if TYPE_CHECKING:
    from esipy.sandbox.app import Sandbox

__all__ = ["Verbs"]


class Verbs(LimitVerbs, ListVerbs):
    """The verbs, bound to a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def advance(self, seconds: float) -> float:
        """Move the sandbox's clock forward; gives its new time (unix seconds).

        Raises:
            ValueError: ``seconds`` is negative.
        """
        return self._sandbox.clock.advance(seconds)

    def expire_tokens(self, character_id: int | None = None) -> int:
        """Let ESI refuse the access tokens given so far (of this character, or all) as expired.

        The tokens themselves still say that they are good: what a client believes and what ESI says differ now.
        Gives how many were good until now.
        """
        return self._sandbox.tokens.expire(character_id)

    def rotate_keys(self, grace_seconds: float = 3600.0) -> str:
        """Sign with a new key; the old one is served for ``grace_seconds`` more. Gives the new key's id."""
        return self._sandbox.keys.rotate(grace_seconds)

    def revoke(self, character_id: int) -> int:
        """End all logins of a character: refreshing answers 400 ``invalid_grant``. Gives how many there were."""
        return self._sandbox.tokens.revoke(character_id)

    def sell(self, character_id: int) -> str:
        """Give the character to another owner: later tokens bear the new owner hash, which this gives; old refresh
        tokens are refused.

        Raises:
            KeyError: no such character.
        """
        return self._sandbox.roster.sell(character_id).owner

    def set_tokens(
        self,
        *,
        lifetime_seconds: int | None = None,
        rotate_refresh_tokens: bool | None = None,
        overlap: bool | None = None,
    ) -> None:
        """Change how tokens are given out from now on; None leaves a setting as it is.

        Args:
            lifetime_seconds: of access tokens.
            rotate_refresh_tokens: each refresh gives a new refresh token, and the old one is refused.
            overlap: it is refused only once the new refresh token, or the new access token, is first used.
        """
        tokens = self._sandbox.tokens
        if lifetime_seconds is not None:
            tokens.lifetime_seconds = lifetime_seconds
        if rotate_refresh_tokens is not None:
            tokens.rotate_refresh_tokens = rotate_refresh_tokens
        if overlap is not None:
            tokens.overlap = overlap

    def grants(self, character_id: int | None = None) -> list[dict[str, Any]]:
        """The living logins, of a character or of all: ``client_id``, ``character_id``, ``scopes``, and how many
        ``refresh_tokens`` are good for each. No token is shown: ask `is_good`.
        """
        return [
            {
                "client_id": grant.client_id,
                "character_id": grant.character_id,
                "scopes": list(grant.scopes),
                "refresh_tokens": len(tokens),
            }
            for grant, tokens in self._sandbox.tokens.grants()
            if character_id in (None, grant.character_id)
        ]

    def is_good(self, refresh_token: str) -> bool:
        """Whether the SSO would take this refresh token now; asking does not use it."""
        return self._sandbox.tokens.find_grant(refresh_token) is not None

    def login(
        self, character_id: int | None = None, scopes: Sequence[str] | None = None, client_id: str | None = None
    ) -> dict[str, Any]:
        """A character's login at once, without a browser: what the token endpoint answers.

        Args:
            character_id: None takes the first one.
            scopes: None takes all there are.
            client_id: None takes the first application.

        Raises:
            KeyError: no such character or application.
        """
        sandbox = self._sandbox
        client = sandbox.clients[client_id or next(iter(sandbox.clients))]
        asked = tuple(sorted(sandbox.scopes)) if scopes is None else tuple(scopes)
        character = sandbox.roster.ids[0] if character_id is None else character_id
        return sandbox.tokens.answer(
            sandbox.tokens.grant(client.client_id, character, asked, pkce=client.secret is None)
        )

    def register(self, client_id: str, redirect_uris: Sequence[str], secret_key: str | None = None) -> None:
        """Add an application, or replace the one of this id.

        Args:
            redirect_uris: where browsers may be sent back to; compared exactly.
            secret_key: None: it has none, and has to use PKCE.

        Raises:
            ValueError: no address, or one text in the place of a list.
        """
        if isinstance(redirect_uris, str) or not redirect_uris:
            raise ValueError("redirect_uris: has to be a list of addresses")
        self._sandbox.clients[client_id] = Client(client_id, secret_key, tuple(redirect_uris))

    def mint(
        self,
        character_id: int | None = None,
        scopes: Sequence[str] = (),
        *,
        client_id: str | None = None,
        algorithm: str = "RS256",
        kid: str | None = None,
        lifetime_seconds: float | None = None,
        claims: dict[str, Any] | None = None,
    ) -> str:
        """A single access token, odd if you like.

        Args:
            character_id, scopes, client_id: as `login`, but no scope when none is given.
            algorithm: ``none`` (unsigned) and ``HS256`` (signed with the public key) make forged ones.
            kid: another key id in the header.
            lifetime_seconds: negative: expired already.
            claims: claims to replace (``{"aud": ["other"]}``), to add, or with None to leave out.

        Raises:
            KeyError: no such character.
            ValueError: no such algorithm.
        """
        sandbox = self._sandbox
        return sandbox.tokens.mint(
            sandbox.roster.ids[0] if character_id is None else character_id,
            tuple(scopes),
            client_id=client_id or next(iter(sandbox.clients)),
            algorithm=algorithm,
            kid=kid,
            lifetime_seconds=lifetime_seconds,
            claims=claims,
        )

    def fail(
        self,
        path: str = "*",
        times: int | None = 1,
        *,
        kind: Kind = "status",
        method: str | None = None,
        query: Mapping[str, str] | None = None,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        seconds: float = 1.0,
        size: int | None = None,
        location: str = "",
        after: bool = False,
    ) -> None:
        """Let the next answers of a path fail. `faults.Fault` tells the arguments, docs/sandbox.md the kinds.

        Args:
            path: ``*`` stands for any text; old version prefixes do not matter.
            times: how many; None: until `heal`.
            kind: how; ``status`` is an error answer with a JSON body.
            method, query: fail only such requests.
            status: 0 takes the kind's own.
            headers, body, seconds, size, location, after: as `faults.Fault` says.

        Raises:
            ValueError: it cannot be meant, or the sandbox has no such path.
        """
        fault = Fault(
            kind,
            path,
            times,
            method=method,
            query=dict(query or {}),
            status=status,
            headers=list((headers or {}).items()),
            body=body.encode() if isinstance(body, str) else body,
            seconds=seconds,
            size=size,
            location=location,
            after=after,
        )
        self._sandbox.refuse_unknown(path, pattern=True)
        self._sandbox.faults.plan(fault)

    def heal(self) -> None:
        """Plan no failures any more."""
        self._sandbox.faults.clear()

    def release(self) -> int:
        """Give all requests that hang now their answers. Gives how many there were."""
        return self._sandbox.faults.release()

    def forget(self) -> None:
        """Empty the list of what was received."""
        self._sandbox.journal.clear()

    def set_roles(self, character_id: int, roles: Sequence[str]) -> None:
        """Give a character these corporation roles, and no others."""
        self._sandbox.esi.set_roles(character_id, roles)

    def send_mail(self, to: int, subject: str, body: str = "", sender: int | None = None) -> int:
        """Let a mail arrive; gives its id.

        Args:
            to: a character of the sandbox.
            subject, body: what it says.
            sender: None takes a character whom nobody plays.

        Raises:
            KeyError: no such character.
        """
        recipient = self._sandbox.roster.get(to).character_id
        from_whom = {} if sender is None else {"sender": sender}
        return self._sandbox.esi.send_mail(recipient, subject, body, **from_whom)
