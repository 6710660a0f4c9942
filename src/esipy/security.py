"""`EsiSecurity` and `AsyncEsiSecurity`: one character's login, as an object.

Both have the same arguments, attributes and methods; the asyncio one's that reach the SSO are awaited. Give one
to a client and every call that needs a token carries it, refreshed when its time is over::

    security = EsiSecurity(
        redirect_uri="http://localhost:8000/callback", client_id="...", secret_key="...",
        headers={"User-Agent": "MyApp/1.0 (me@example.com; +https://github.com/me/myapp)"},
    )
    print(security.get_auth_uri(state, scopes=["esi-wallet.read_character_wallet.v1"]))
    security.auth(code)                      # the code that came to redirect_uri
    client = EsiClient(security=security)

Nothing is sent before it is needed: making an object reaches no network. A pickle of one holds its tokens and
its secret: it is for your own processes. A signal of your own does not fit into a pickle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from esipy.events import AFTER_TOKEN_REFRESH as AFTER_TOKEN_REFRESH  # version 1 had these names here too
from esipy.exceptions import APIException as APIException
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sso.shell import LOGGER, LoginShell, asked_scopes
from esipy.sso.verified import read_options
from esipy.transport import default_async_transport, default_transport
from esipy.transport.base import AsyncTransport, Transport
from esipy.utils import generate_code_challenge as generate_code_challenge

if TYPE_CHECKING:
    from esipy.runtime.aio import AioRuntime

__all__ = ["AsyncEsiSecurity", "EsiSecurity"]


class EsiSecurity(LoginShell[Transport]):
    """One character's login, blocking. Any threads may share it.

    Args:
        redirect_uri: where the SSO sends the user's browser back to, as registered for the application.
        client_id: the application's.
        secret_key: the application's secret; None for PKCE.
        code_verifier: for PKCE, from `esipy.utils.generate_code_verifier`; not used when there is a secret.
        headers: sent with each request to the SSO; ``User-Agent`` says who you are.
        token_identifier: anything that you know this login by; the signal brings it back.
        signal_token_updated: a signal in place of the library's `AFTER_TOKEN_REFRESH`.
        sso_endpoints: the SSO's metadata as a dict; it is not asked for then.
        sso_endpoints_url: where the metadata is, when not under the SSO's address.
        jwks_key: the SSO's public keys, as a JWK set or one JWK; they are not asked for while they fit.
        security_name: kept for version 1's sake.
        transport: what sends; it stays yours to close. The default is one that all logins of the process share.
        settings: see `esipy.settings`, each also by an environment variable; ``sso_url`` is where the SSO is.
            Other keywords (version 1's ``app=``, ``esi_datasource=``) are ignored, with a warning.

    Attributes:
        state: the last one that `get_auth_uri` had to make itself; None when there was none.

    Raises:
        AttributeError: neither a secret nor a verifier, or an empty ``sso_endpoints_url``.
        SettingError: a setting that cannot be meant, or an address that is not https (nor this machine).
    """

    _closer = "close"
    _runtime: BlockingRuntime | None = None
    _shared: BlockingRuntime | None = None

    def auth(self, code: str) -> dict[str, Any]:
        """Turn the code that came to ``redirect_uri`` into tokens, verify and keep them.

        Returns:
            the SSO's answer: ``access_token``, ``expires_in``, ``token_type``, and if scopes were asked
            ``refresh_token``.

        Raises:
            LoginFailedError: the code is None or empty: the callback came with an error instead.
            TokenRevokedError: the code was used before, is too old or not yours.
            TokenInvalidError: the token cannot be right; what was there before stays.
            SSOUnavailableError: the SSO did not answer, or refused for another reason.
        """
        return run(self._exchanging(self._over(), code))

    def refresh(self, scope_list: Iterable[str] | None = None) -> dict[str, Any]:
        """Get a new access token now. Sends no signal: the answer is yours to store.

        While another thread or task refreshes the same token, its answer is given.

        Args:
            scope_list: fewer scopes than were allowed; None: all of them.

        Returns:
            the SSO's answer.

        Raises:
            AttributeError: ``scope_list`` is no list.
            LoginRequiredError: there is no refresh token. (Also an AttributeError, as in version 1.)
            TokenRevokedError: the refresh token is dead, and dropped.
            TokenInvalidError: the new token cannot be right; the old one stays.
            SSOUnavailableError: anything else; everything stays as it was, try later.
        """
        return run(self._refreshing(self._over(), asked_scopes(scope_list)))

    def verify(self, kid: str | None = None, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Check signature, issuer, audiences and time of the access token.

        Args:
            kid: the name of the only key that may have signed it; None: whichever of the SSO's the token names.
            options: python-jose's: ``verify_aud``, ``verify_exp`` and ``verify_iss`` may be False, ``leeway`` is in
                seconds, ``require_...`` asks for a claim. The signature and the subject are always checked: who
                asks to skip them is warned.

        Returns:
            its claims: ``sub`` (``CHARACTER:EVE:<id>``), ``name``, ``owner``, ``scp``, ``exp``... It also answers
            the old names ``CharacterID``, ``CharacterName``, ``CharacterOwnerHash``, ``Scopes`` and ``ExpiresOn``.

        Raises:
            LoginRequiredError: there is no access token. (Also an AttributeError, as in version 1.)
            TokenInvalidError: it is not valid; the text says why.
            SSOUnavailableError: the SSO's keys cannot be had now.
        """
        return run(self._verifying(self._over(), kid, read_options(options, stacklevel=2)))

    def revoke(self) -> None:
        """Make the SSO forget this login, and forget it here.

        Raises:
            LoginRequiredError: there is no token. (Also an AttributeError, as in version 1.)
            SSOUnavailableError: the SSO did not do it; the tokens stay, try later.
        """
        run(self._revoking(self._over()))

    def __call__(self, request: Any) -> Any:
        """Put the token into a request object of version 1's kind, when it asks for this login by its name.

        Args:
            request: has ``_security`` (an iterable of dicts by `security_name`; empty: public) and ``_p["header"]``.

        Returns:
            the same request.

        Raises:
            SSOError: it needs a token, and none could be had.
        """
        for needed in request._security or ():
            if self.security_name in needed:
                request._p["header"]["Authorization"] = f"Bearer {run(self.token(self._over()))}"
            else:
                LOGGER.warning("Missing Securities: [%s]", ", ".join(needed))
        return request

    def _over(self) -> BlockingRuntime:
        if self._transport is not None and self._runtime is None:
            self._runtime = BlockingRuntime(self._transport)
        if self._runtime is not None:
            return self._runtime
        if EsiSecurity._shared is None:
            EsiSecurity._shared = BlockingRuntime(default_transport())
        return EsiSecurity._shared


class AsyncEsiSecurity(LoginShell[AsyncTransport]):
    """One character's login with asyncio: `EsiSecurity`'s arguments and methods; those that reach the SSO are awaited.

    Without ``transport`` it makes one of its own when it first needs it: `close` it, or use ``async with``.
    """

    _closer = "aclose"
    _runtime: AioRuntime | None = None
    _owned: AsyncTransport | None = None

    async def auth(self, code: str) -> dict[str, Any]:
        """See `EsiSecurity.auth`."""
        return await self._exchanging(self._over(), code)

    async def refresh(self, scope_list: Iterable[str] | None = None) -> dict[str, Any]:
        """See `EsiSecurity.refresh`."""
        return await self._refreshing(self._over(), asked_scopes(scope_list))

    async def verify(self, kid: str | None = None, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """See `EsiSecurity.verify`."""
        return await self._verifying(self._over(), kid, read_options(options, stacklevel=2))

    async def revoke(self) -> None:
        """See `EsiSecurity.revoke`."""
        await self._revoking(self._over())

    async def close(self) -> None:
        """Give what is under way five seconds to end, then close its own connections. Closing twice is no error."""
        if self._runtime is not None:
            await self._runtime.drain()
        if self._owned is not None:
            owned, self._owned, self._runtime = self._owned, None, None
            await owned.aclose()

    async def __aenter__(self) -> AsyncEsiSecurity:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_owned": None}

    def _over(self) -> AioRuntime:
        from esipy.runtime.aio import AioRuntime  # asyncio costs a blocking program 40 ms at its start

        if self._runtime is None:
            transport = self._transport
            if transport is None:
                transport = self._owned = default_async_transport()
            self._runtime = AioRuntime(transport)
        return self._runtime
