"""The logins that are kept, for every command that lists, uses or ends them: its options, its client, the one meant.

A character is named by its id or by its name, as it is kept.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from esipy.client import EsiClient
    from esipy.login import Character

__all__ = ["ClientId", "Tokens", "find", "kept_logins", "open_client"]

ClientId = Annotated[str | None, typer.Option(help="the application's; also ESI_CLIENT_ID")]
Tokens = Annotated[str | None, typer.Option(help="where logins are kept; also ESI_TOKENS")]


def open_client(client_id: str | None, tokens: str | None, secret: str | None = None) -> EsiClient:
    """A client for the commands that deal with logins: of an application, over a store."""
    from esipy.client import EsiClient
    from esipy.settings import Settings

    settings = Settings.from_environment()
    return EsiClient(
        client_id=client_id,
        secret_key=secret,
        tokens=tokens,
        user_agent=settings.user_agent or "esipy-login",
        cache=None,
    )


def find(named: str | None, client_id: str | None, tokens: str | None) -> Character:
    """The one login that is meant.

    Args:
        named: the character's id or name; None: there has to be one login only.
        client_id, tokens: as for `kept_logins`.

    Raises:
        LoginRequiredError: no such login is kept.
        ValueError: several are; the text lists them.
    """
    from esipy.exceptions import LoginRequiredError

    kept = kept_logins(client_id, tokens)
    found = [each for each in kept if named is None or named in (str(each.character_id), each.name)]
    found = found or [each for each in kept if named is not None and named.casefold() == each.name.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        if named is None:
            raise LoginRequiredError("no character is logged in: esipy login logs one in")
        raise LoginRequiredError(f"{named!r} is not logged in: esipy characters lists who is, esipy login logs one in")
    listed = ", ".join(f"{each.name} ({each.character_id}, application {each.client_id})" for each in found[:10])
    raise ValueError(f"{len(found)} logins are meant: {listed}; name one by its id, and --client-id")


def kept_logins(client_id: str | None, tokens: str | None) -> list[Character]:
    """All logins that are kept, of one application or of all.

    Args:
        client_id: the application; None: what ``ESI_CLIENT_ID`` names, else all of them.
        tokens: the store, as for `esipy.tokens.open_tokens`.
    """
    kept: list[Character] = []
    for application in [client_id] if client_id else _applications(tokens):
        with open_client(application, tokens) as client:
            kept += client.characters()
    return kept


def _applications(tokens: str | None) -> list[str]:
    from esipy.tokens import open_tokens

    if told := os.environ.get("ESI_CLIENT_ID"):
        return [told]
    store = open_tokens(tokens)
    try:
        return list(dict.fromkeys(record.client_id for record in store.records()))
    finally:
        close: Any = getattr(store, "close", None)
        if close is not None:
            close()
