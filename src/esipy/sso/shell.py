"""What both colours of a login share: reading the arguments, and all that reaches no network."""

from __future__ import annotations

import logging
import secrets
import time
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar, Unpack
from urllib.parse import urlsplit

from esipy._agent import sent_user_agent, warn_without_user_agent
from esipy._headers import given_headers
from esipy._keywords import LoginKeywords
from esipy.events import AFTER_TOKEN_REFRESH, Signal
from esipy.exceptions import InvalidCallError, SettingError
from esipy.settings import Settings
from esipy.sso import grants
from esipy.sso.grants import Application, scope_list
from esipy.sso.keys import GivenKeys
from esipy.sso.login import Login
from esipy.sso.metadata import Endpoints
from esipy.sso.source import Source
from esipy.sso.wire import Asker, require_private
from esipy.transport.base import require_transport
from esipy.version1.keywords import ignore_unknown

__all__ = ["LoginShell", "asked_scopes"]

LOGGER = logging.getLogger("esipy.security")

TransportT = TypeVar("TransportT")

DEFAULT_METADATA_URL = "https://login.eveonline.com/.well-known/oauth-authorization-server"
"""Version 1's default; it stands for the metadata of whatever ``sso_url`` is set."""


_RANDOM: Any = object()
"""In the place of a state that was not given."""


class LoginShell(Login, Generic[TransportT]):
    """What `esipy.security.EsiSecurity` and its asyncio twin share; see there for the arguments."""

    _closer: str
    """The verb that closes a transport of its colour."""

    def __init__(
        self,
        redirect_uri: str,
        client_id: str,
        secret_key: str | None = None,
        code_verifier: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        token_identifier: Any = None,
        signal_token_updated: Signal[...] | None = None,
        sso_endpoints: Mapping[str, Any] | None = None,
        sso_endpoints_url: str = DEFAULT_METADATA_URL,
        jwks_key: Mapping[str, Any] | None = None,
        security_name: str = "evesso",
        transport: TransportT | None = None,
        **settings: Unpack[LoginKeywords],
    ) -> None:
        if secret_key is None and code_verifier is None:
            raise AttributeError("Either secret_key or code_verifier must be filled")
        if not client_id:  # a variable that is not set: the SSO would say no more than "invalid"
            raise SettingError(
                f"client_id={client_id!r}: has to be the application's, as EVE's developer site shows it"
            )
        _check(client_id=client_id, secret_key=secret_key, code_verifier=code_verifier)
        if signal_token_updated is not None and not isinstance(signal_token_updated, Signal):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SettingError("signal_token_updated: has to be a Signal; add a function with add_receiver")
        if transport is not None:
            require_transport(transport, self._closer)
        given = ignore_unknown(type(self).__name__, settings, Settings.__slots__, stacklevel=2)
        own_headers = given_headers(headers)
        for name in list(own_headers):
            if name.lower() == "user-agent" and given.get("user_agent") is None:
                given["user_agent"] = own_headers.pop(name)
        self.settings = Settings.from_environment(**given)
        warn_without_user_agent(self.settings.user_agent, LOGGER, stacklevel=2)
        self.security_name = security_name
        asker = Asker(
            (*own_headers.items(), ("User-Agent", sent_user_agent(self.settings.user_agent))),
            self.settings.timeout,
            self.settings.connect_timeout,
        )
        super().__init__(
            redirect_uri,
            Application(client_id, secret_key, code_verifier),
            _source(asker, self.settings, sso_endpoints, sso_endpoints_url, jwks_key),
            AFTER_TOKEN_REFRESH if signal_token_updated is None else signal_token_updated,
            token_identifier,
        )
        self._transport = transport
        self.state: str | None = None

    # -- version 1's names for the endpoints and keys ----------------------------------------------------------

    @property
    def oauth_issuer(self) -> str:
        """The SSO's name, as far as known without asking it."""
        return self._endpoints.issuer

    @property
    def oauth_authorize(self) -> str:
        """Where users are sent, as far as known without asking the SSO."""
        return self._endpoints.authorize

    @property
    def oauth_token(self) -> str:
        """Where tokens come from, as far as known without asking the SSO."""
        return self._endpoints.token

    @property
    def oauth_revoke(self) -> str:
        """Where tokens are revoked, as far as known without asking the SSO."""
        return self._endpoints.revoke

    @property
    def jwks_key(self) -> dict[str, Any] | None:
        """The one key that the program gave as ``jwks_key``; None when it gave a set, or none."""
        keys = self._keys
        return next(iter(keys.shown()), None) if keys is not None and keys.is_one else None

    @property
    def jwks_key_set(self) -> dict[str, dict[str, Any]] | None:
        """The SSO's keys by their names, as far as known without asking it; None when the program gave one key."""
        keys = self._keys
        if keys is not None and keys.is_one:
            return None
        return {str(key.get("kid")): key for key in (() if keys is None else keys.shown())}

    # -- without a network -------------------------------------------------------------------------------------

    def get_auth_uri(self, state: str = _RANDOM, scopes: Iterable[str] | None = None, implicit: bool = False) -> str:
        """The address to send the user's browser to.

        Args:
            state: text that comes back to ``redirect_uri`` with the code: make it random, keep it in the user's
                session and compare it, or anyone can log your user in as somebody else. Without one (version 0)
                a random one is made, kept as ``.state``, and a warning says so.
            scopes: what the user is asked to allow, as a list or as one text; None asks only who the character is,
                and gives no refresh token.
            implicit: version 1's; has to be False.

        Raises:
            AttributeError: the state is None or empty.
            InvalidCallError: the implicit flow was asked for.
            SettingError: the login has no ``redirect_uri``.
        """
        if implicit:
            raise InvalidCallError(
                "implicit=True: the SSO gives no tokens to browsers any more; leave it out, and log in with "
                "code_verifier=esipy.utils.generate_code_verifier() in the place of a secret"
            )
        if isinstance(state, (list, tuple, set, frozenset)):  # version 0 had the scopes first
            state, scopes = (scopes if isinstance(scopes, str) else _RANDOM), state
        if state is _RANDOM:
            state = self.state = secrets.token_urlsafe(16)
            message = (
                "get_auth_uri() without state: a random one was made, see .state; compare it with the one that comes "
                "back with the code, or anyone can log your user in as somebody else"
            )
            warnings.warn(message, UserWarning, stacklevel=2)
        if not state:
            raise AttributeError('"state" must be non empty, non None string')
        if self.redirect_uri is None:  # pyright: ignore[reportUnnecessaryComparison] (a variable that is not set)
            raise SettingError("redirect_uri=None: has to be the address that is registered")
        return grants.authorize_url(
            self._endpoints.authorize, self._application, self.redirect_uri, state, scope_list(scopes or ())
        )

    def get_access_token_params(self, code: str) -> dict[str, Any]:
        """What `auth` sends, as arguments of ``requests.post``. It holds secrets: send it, do not show it."""
        return self._params(grants.exchange_form(self._application, code))

    def get_refresh_token_params(self, scope_list: Iterable[str] | None = None) -> dict[str, Any]:
        """What `refresh` sends, as arguments of ``requests.post``. It holds secrets: send it, do not show it.

        Raises:
            LoginRequiredError: there is no refresh token. (Also an AttributeError, as in version 1.)
            AttributeError: ``scope_list`` is no list.
        """
        refresh_token = self._needed_refresh_token()
        return self._params(grants.refresh_form(self._application, refresh_token, asked_scopes(scope_list)))

    def _params(self, form: dict[str, str]) -> dict[str, Any]:
        authorization = self._application.authorization
        headers = {} if authorization is None else {"Authorization": authorization}
        return {"headers": headers, "data": form, "url": self._endpoints.token}

    def update_token(self, response_json: Mapping[str, Any], **kwargs: Any) -> None:
        """Put in tokens that you have kept: they are taken as they are, and not verified.

        Args:
            response_json: ``access_token`` (may be empty), ``expires_in`` (seconds from now, also as text; -1: refresh
                at the next use; missing: unknown, which counts as over), ``refresh_token`` (missing: the old one stays;
                alone: refresh at the next use).
            token_identifier: by keyword: replaces the one there is.

        Raises:
            KeyError: there is neither ``access_token`` nor ``refresh_token``; nothing is changed.
            TypeError: ``expires_in`` is no number; nothing is changed.
        """
        alone = "access_token" not in response_json and response_json.get("refresh_token")
        self._put({**response_json, "access_token": ""} if alone else response_json, time.time())
        self.token_identifier = kwargs.pop("token_identifier", self.token_identifier)

    def is_token_expired(self, offset: float = 0) -> bool:
        """Whether the access token's time is over; True when it is not known.

        Args:
            offset: seconds; above 0 asks whether it will be over that much later.
        """
        expiry = self.token_expiry
        return expiry is None or time.time() >= expiry - offset

    def __repr__(self) -> str:
        character = "unknown" if self.character_id is None else self.character_id
        return f"<{type(self).__name__} of application {self.client_id}, character {character}>"

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["_transport"] = state["_runtime"] = None  # connections are made anew
        if self.signal_token_updated is AFTER_TOKEN_REFRESH:
            del state["signal_token_updated"]  # it is the process's own, and has that one's receivers
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"signal_token_updated": AFTER_TOKEN_REFRESH, **state})


def _check(**texts: object) -> None:
    """Refuse what is no text; it is not shown, as it may be a secret.

    Raises:
        SettingError: names the argument.
    """
    for name, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise SettingError(f"{name}: has to be text, not {type(text).__name__}")


def _source(
    asker: Asker,
    settings: Settings,
    sso_endpoints: Mapping[str, Any] | None,
    sso_endpoints_url: str,
    jwks_key: Mapping[str, Any] | None,
) -> Source:
    keys = None if jwks_key is None else GivenKeys(jwks_key)
    if not sso_endpoints_url:
        raise AttributeError("sso_endpoints_url cannot be None or empty")
    if sso_endpoints_url == DEFAULT_METADATA_URL:
        sso_endpoints_url = settings.sso_url + urlsplit(DEFAULT_METADATA_URL).path
    if isinstance(sso_endpoints, Mapping):
        return Source(asker, Endpoints.read(sso_endpoints), None, keys)
    require_private("sso_url", settings.sso_url)
    return Source(
        asker, Endpoints.known(settings.sso_url), require_private("sso_endpoints_url", sso_endpoints_url), keys
    )


def asked_scopes(scopes: Iterable[str] | None) -> tuple[str, ...]:
    """The scopes that a refresh asks for.

    Raises:
        AttributeError: it is no list, as in version 1: one text may be one scope or several.
    """
    if scopes and (isinstance(scopes, str) or not hasattr(scopes, "__iter__")):
        raise AttributeError("scope_list must be a list of scope.")
    return scope_list(scopes or ())
