"""Clients of many characters: which logins a client has, and its view for one of them.

A view is the same client with another login: it shares connections, caches, limits and what was learned, and is made
in a moment. Closing it stops what it watches, and closes nothing else.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from esipy._agent import sent_user_agent
from esipy._named import MAKING, Users, read_name
from esipy.engine.exchange import Signer
from esipy.engine.pipeline import Engine
from esipy.exceptions import SettingError
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import run
from esipy.settings import Settings
from esipy.sso.wire import require_private

if TYPE_CHECKING:
    from esipy.sso.login import Login
    from esipy.sso.logins import Character, Logins
    from esipy.stores.tokens import TokenStore

__all__ = ["AsyncCharacters", "BlockingCharacters", "Characters", "GivenLogins"]


class GivenLogins(NamedTuple):
    """What a client was told of its logins, by keyword; None: see the environment."""

    client_id: str | None
    secret_key: str | None
    tokens: TokenStore | str | None
    token_key: str | None

    def __repr__(self) -> str:
        return "<what was given of logins>"

    @classmethod
    def of(cls, keywords: dict[str, Any]) -> GivenLogins:
        """Take them out of a client's keywords.

        Raises:
            SettingError: one cannot be meant.
        """
        given = cls(*(keywords.pop(name, None) for name in cls._fields))
        for name in ("client_id", "secret_key", "token_key"):
            text = getattr(given, name)
            if text is not None and (not isinstance(text, str) or not text or not text.isascii()):
                raise SettingError(f"{name}: has to be text in ASCII")  # not shown: it may be a secret
        if isinstance(given.tokens, str) and given.tokens not in ("", "memory"):  # opened later, but refused now
            read_name("tokens", given.tokens, "tokens.sqlite3", Path)
        return given


class Characters:
    """What both colours share, and what they ask of their client."""

    _engine: Engine
    _given_logins: GivenLogins
    _whole: Any = None
    """The client that this is a view of; None: it is a client of its own."""
    settings: Settings

    @property
    def _logins(self) -> Logins:
        """The stored logins of this client's application, made when they are first needed.

        Raises:
            SettingError: store, key or application cannot be meant, or are not said.
            TokenStoreError: no application was given, and the store cannot be asked for it.
        """
        whole = self._whole or self
        found: Logins | None = whole.__dict__.get("_made_logins")
        if found is None:
            users = _users_of(self._given_logins.tokens, self._engine.runtime)
            made = _logins_in(users.store, self._given_logins, self.settings, self._engine.runtime)
            found = cast("Logins", whole.__dict__.setdefault("_made_logins", made))
            whole.__dict__["_token_users"] = users
            users.enter(whole)
        return found

    def as_character(self, who: int | Signer, *, owner: str | None = None) -> Self:
        """This client, for the calls of one character: the same connections, caches and limits, another login.

        It needs no login at hand: the token store knows. Nothing is read or sent by this, and nothing has to be closed.
        Make as many as you like, whenever you like. (Without any ``client_id`` the first one reads the store, to learn
        it: a service with an event loop says it.)

        Args:
            who: the id of a character whose login is kept; or a login of its own (`esipy.EsiSecurity`), which is not.
            owner: the account that has to have logged that character in (`Claims.owner`, as a session of a web
                application keeps it): once it was sold and its new owner has logged in, calls raise `OwnerChangedError`
                instead of showing one user what is another's. None: whichever account did.

        Raises:
            SettingError: there is no such thing, or no ``client_id`` where one is needed.
            TokenStoreError: no ``client_id`` was given, and the store cannot be asked for it.
        """
        if hasattr(who, "principal") and not isinstance(who, type):
            signer = cast("Signer", who)
        else:
            signer = self._logins.signer(_id_of(who, "as_character({})", ", or an EsiSecurity"), owner)
        require_private("base_url", self.settings.base_url)  # a token never leaves in clear
        view, engine = object.__new__(type(self)), object.__new__(Engine)
        engine.__dict__.update(self._engine.__dict__, signer=signer, lacks=getattr(signer, "lacks", None))
        own = {"_engine": engine, "security": signer, "_by_hand": None, "_whole": self._whole or self}
        view.__dict__.update(self.__dict__, **own)
        for name in ("_watches", "_watched_by_views"):
            view.__dict__.pop(name, None)
        return view

    async def _leave_tokens(self) -> None:
        """The client is closed; the last one of the process closes the store that was opened for it."""
        users: Users[TokenStore] | None = self.__dict__.get("_token_users")
        if users is None:
            return
        await self._logins.leave(self._engine.runtime)
        if users.leave(self):
            close: Any = getattr(users.store, "close", None)
            if close is not None:
                await self._engine.runtime.join(self._engine.runtime.begin(close))


class BlockingCharacters(Characters):
    """What `EsiClient` does with the characters whose logins are kept."""

    def characters(self) -> list[Character]:
        """The characters whose logins are kept for this client's application, by id.

        Raises:
            TokenStoreError: the store cannot be read.
            SettingError: the client has no ``client_id``, and the store has logins of several applications, or none.
        """
        return run(self._logins.characters(self._engine.runtime))

    def add_character(self, login: Login | str, character_id: int | None = None) -> Character:
        """Keep a login that was made elsewhere, so that `as_character` can use it.

        Args:
            login: an `esipy.EsiSecurity` of the same application; or a bare refresh token, as old databases have it.
                Do not use either by itself afterwards: the SSO may replace the refresh token at its next use.
            character_id: whose refresh token it is. Then nothing is sent now: the first use refreshes, and finds out
                whether that is true. A login of this character that is kept already, and not over, stays. None: the
                token is refreshed at once, to learn it.

        Returns:
            the character; of a token that was taken as it was said to be the name and scopes are empty.

        Raises:
            TokenRevokedError: the refresh token is dead.
            TokenInvalidError: what the SSO gave for it cannot be right. A new refresh token that came with it is
                remembered until the process ends: add the same one again, and it is used.
            LoginRequiredError: the login has no token.
            SSOUnavailableError: the SSO did not answer.
            TokenStoreError: the store cannot be written to.
            SettingError: it is of another application; or the login or the id is none.
        """
        return run(self._logins.add(self._engine.runtime, *_added(login, character_id)))

    def remove_character(self, character_id: int, *, revoke: bool = True) -> None:
        """Log a character out: the SSO forgets the login, then the store does.

        Args:
            revoke: False: the store forgets it and the SSO is not told, for a login that does not open any more (its
                key is lost, or it is damaged). It lives on at the SSO until its player ends it at
                https://developers.eveonline.com/authorized-apps.

        Raises:
            LoginRequiredError: nothing is kept of this character.
            SSOUnavailableError: the SSO did not do it; the login stays, try later.
            TokenStoreError: the store cannot be used, or the login does not open (`TokenKeyError`: its key is not at
                hand); it stays.
        """
        run(self._logins.forget(self._engine.runtime, _id_of(character_id, "remove_character({})"), revoke=revoke))


class AsyncCharacters(Characters):
    """What `AsyncEsiClient` does with the characters whose logins are kept."""

    async def characters(self) -> list[Character]:
        """See `EsiClient.characters`."""
        return await self._logins.characters(self._engine.runtime)

    async def add_character(self, login: Login | str, character_id: int | None = None) -> Character:
        """See `EsiClient.add_character`."""
        return await self._logins.add(self._engine.runtime, *_added(login, character_id))

    async def remove_character(self, character_id: int, *, revoke: bool = True) -> None:
        """See `EsiClient.remove_character`."""
        await self._logins.forget(self._engine.runtime, _id_of(character_id, "remove_character({})"), revoke=revoke)


def _id_of(who: Any, said: str, else_what: str = "") -> int:
    """A character's id: an int, or what stands for one (numpy's).

    Raises:
        SettingError: it is none.
    """
    if not isinstance(who, bool):
        try:
            return operator.index(who)
        except TypeError:
            pass
    what = f"has to be a character's id, as client.characters() lists them{else_what}"
    raise SettingError(f"{said.format(type(who).__name__)}: {what}")


def _added(login: Any, character_id: Any) -> tuple[Login | str, int | None]:
    """What `add_character` is given, checked: what is written under another id, or is no token, is lost.

    Raises:
        SettingError: it cannot be meant.
    """
    if not login or not (isinstance(login, str) or hasattr(login, "principal")):
        kind = "an empty text" if isinstance(login, str) else type(login).__name__
        raise SettingError(f"add_character({kind}): has to be a refresh token, or an EsiSecurity that has one")
    return login, None if character_id is None else _id_of(character_id, "add_character(..., {})")


def _users_of(given: TokenStore | str | None, runtime: Runtime) -> Users[TokenStore]:
    """The store that is meant; of one name one for the process."""
    from esipy.tokens import VARIABLE, open_tokens  # most programs keep no login

    if given is not None and not isinstance(given, str):
        return Users(open_tokens(given), owned=False)
    name = given or os.environ.get(VARIABLE) or "sqlite:"
    store = open_tokens(given)
    key = ("token users", repr(store) if name.startswith("sqlite:") else name)
    with MAKING:
        found: Users[TokenStore] | None = runtime.shared.get(key)
        if found is None:
            found = runtime.shared[key] = Users(store, owned=name != "memory")
    return found


def _logins_in(store: TokenStore, given: GivenLogins, settings: Settings, runtime: Runtime) -> Logins:
    from esipy.sso.grants import Application
    from esipy.sso.logins import Logins
    from esipy.sso.source import source_at
    from esipy.sso.wire import Asker
    from esipy.tokens import sealer_for

    environment: Mapping[str, str] = os.environ
    client_id = given.client_id or environment.get("ESI_CLIENT_ID") or _only_application(store)
    secret_key = given.secret_key or environment.get("ESI_SECRET_KEY") or None
    headers = (("User-Agent", sent_user_agent(settings.user_agent)),)
    asker = Asker(headers, settings.timeout, settings.connect_timeout)
    sealer = sealer_for(store, given.token_key)
    application = Application(client_id, secret_key, None)
    return Logins(store, sealer, application, source_at(settings.sso_url, asker), runtime.shared)


def _only_application(store: TokenStore) -> str:
    """The application of the logins in a store.

    Raises:
        SettingError: there are several, or none.
    """
    found = dict.fromkeys(record.client_id for record in store.records())
    if len(found) == 1:
        return next(iter(found))
    what = f"logins of several applications: {', '.join(found)}" if found else "no login yet"
    raise SettingError(f"client_id: say which application (or set ESI_CLIENT_ID); the token store has {what}")
