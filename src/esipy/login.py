"""Logging in users of a web application: `WebLogin`, and `AsyncWebLogin` for asyncio. They know no framework::

    login = WebLogin(client, "https://example.com/callback", ["esi-wallet.read_character_wallet.v1"])

    def log_in(request):                       # the user pressed "log in"
        return redirect(login.start(request.session))

    def callback(request):                     # the SSO has sent the user's browser back
        try:
            claims = login.finish(request.session, request.query)
        except SSOError as error:
            return page(str(error))
        request.session.clear()                # a new session: what was planted in the old one is worth nothing
        request.session["me"] = [claims.character_id, claims.owner]
        return redirect("/")

The tokens go to the client's token store: from then on ``client.as_character(character_id, owner=owner)`` uses them,
for that account alone. In the session stays nothing but who the user is. docs/web-login.md tells what is kept where,
and what it resists.
"""

from __future__ import annotations

from collections.abc import Iterable
from secrets import token_urlsafe
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from esipy.client import AsyncEsiClient, EsiClient
from esipy.core.claims import Claims as Claims
from esipy.exceptions import LoginFailedError, SettingError, TokenRevokedError
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import run
from esipy.shell import Shell
from esipy.sso import begun
from esipy.sso.begun import Begun, Session
from esipy.sso.callbacks import Query, read_callback
from esipy.sso.grants import authorize_url, scope_list
from esipy.sso.logins import Character as Character
from esipy.sso.logins import Logins
from esipy.utils import generate_code_verifier

__all__ = ["AsyncWebLogin", "Character", "Claims", "WebLogin"]

ClientT = TypeVar("ClientT", bound=Shell)


class _WebLogin(Generic[ClientT]):
    """What both colours share."""

    _colour: type[Shell]

    def __init__(self, client: ClientT, redirect_uri: str, scopes: Iterable[str] = ()) -> None:
        if not isinstance(client, self._colour):
            raise SettingError(
                f"client={type(client).__name__}: {type(self).__name__} takes an {self._colour.__name__}"
            )
        parts = urlsplit(redirect_uri)
        if not parts.scheme or not (parts.netloc or parts.path) or parts.fragment:
            raise SettingError(
                f"redirect_uri={redirect_uri!r}: has to be the whole address that is registered for the application, "
                "such as https://example.com/callback"
            )
        self.client: ClientT = client
        self.redirect_uri = redirect_uri
        self.scopes = scope_list(scopes)

    def start(self, session: Session, scopes: Iterable[str] | None = None) -> str:
        """Begin a login: gives the address to which the user's browser is sent. Nothing is sent by us.

        Args:
            session: of the user's browser: any mapping that is kept until its next request. One entry of it is ours.
            scopes: what the user is asked to allow; None: the `scopes` of this object.

        Raises:
            TypeError: ``session`` cannot keep anything.
            SettingError: the client has no ``client_id``.
        """
        begun.require_session(session)
        logins = self._logins
        verifier = generate_code_verifier() if logins.application.secret_key is None else None
        login = Begun(token_urlsafe(32), self._runtime.now(), verifier)
        begun.keep(session, login)
        return authorize_url(
            logins.source.endpoints.authorize,
            logins.application._replace(code_verifier=verifier),
            self.redirect_uri,
            login.state,
            self.scopes if scopes is None else scope_list(scopes),
        )

    async def _finish(self, session: Session, query: Query) -> Claims:
        begun.require_session(session)
        callback = read_callback(query)
        login = begun.take(session, callback.state, self._runtime.now())
        if callback.error == "access_denied":
            raise LoginFailedError("the login was denied: nothing was allowed; begin anew to log in", "denied")
        if callback.error is not None:
            raise LoginFailedError(f"the SSO refused the login ({callback.reason}); begin it anew", "refused")
        if callback.code is None:
            raise LoginFailedError("the callback holds no code; begin the login anew", "callback")
        try:
            return await self._logins.complete(
                self._runtime, callback.code, redirect_uri=self.redirect_uri, code_verifier=login.code_verifier
            )
        except TokenRevokedError as error:
            raise LoginFailedError(
                "the SSO does not take the code of this login: it was used, or is too old; begin the login anew",
                "refused",
            ) from error

    @property
    def _logins(self) -> Logins:
        return self.client._logins  # pyright: ignore[reportPrivateUsage] - a client's own part, in a room of its own

    @property
    def _runtime(self) -> Runtime:
        return self.client._engine.runtime  # pyright: ignore[reportPrivateUsage]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} to {self.redirect_uri}>"


class WebLogin(_WebLogin[EsiClient]):
    """Logs users of a web application in, blocking. One object serves all users, and any threads.

    Args:
        client: has the application (``client_id``, ``secret_key``) and the token store.
        redirect_uri: where the SSO sends browsers back to, exactly as it is registered for the application.
        scopes: what users are asked to allow, as a list or as one text; none: only who they are.

    Raises:
        SettingError: ``redirect_uri`` is no whole address, or the client is an `AsyncEsiClient`.
    """

    _colour = EsiClient

    def finish(self, session: Session, query: Query) -> Claims:
        """End a login: the SSO has sent the user's browser back. The tokens are in the client's store after this.

        Make the session new when it succeeds (``session.clear()``, Django's ``flush()``): what somebody else put into
        it before is then worth nothing (session fixation).

        Args:
            session: of the browser that came; the login has to have been begun in it.
            query: of the request, as the framework has it; or the query as text, or the whole address.

        Returns:
            who logged in, and what they allowed: verified.

        Raises:
            LoginFailedError: nothing came of it; its text can be shown to the user, ``reason`` is for programs.
            SSOUnavailableError: the SSO cannot be reached, or does not take the application: try later.
            TokenInvalidError: the SSO's token is not valid.
            TokenStoreError: the tokens cannot be kept.
            TypeError: ``session`` cannot keep anything, or ``query`` is no query.
        """
        return run(self._finish(session, query))


class AsyncWebLogin(_WebLogin[AsyncEsiClient]):
    """`WebLogin` over an `AsyncEsiClient`: the same arguments and methods; `finish` is awaited."""

    _colour = AsyncEsiClient

    async def finish(self, session: Session, query: Query) -> Claims:
        """See `WebLogin.finish`."""
        return await self._finish(session, query)
