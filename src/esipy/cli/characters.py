"""``esipy characters``, ``esipy whoami`` and ``esipy logout``: the logins that are kept.

Rules: only `whoami` and `logout` (without ``--forget``) reach the SSO; a character is named by its id or by its
name, as it is kept.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esipy.cli.login import open_client

if TYPE_CHECKING:
    from esipy.login import Character

__all__ = ["characters", "find", "logout", "whoami"]

ClientId = Annotated[str | None, typer.Option(help="the application's; also ESI_CLIENT_ID")]
Tokens = Annotated[str | None, typer.Option(help="where logins are kept; also ESI_TOKENS")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


def characters(client_id: ClientId = None, tokens: Tokens = None, as_json: Json = False) -> None:
    """List the characters whose logins are kept; nothing is sent. What each allows: esipy whoami, or --json."""
    kept = _kept(client_id, tokens)
    if as_json:
        typer.echo(json.dumps([_facts(character) for character in kept], indent=2))
    elif not kept:
        typer.echo("No character is logged in: esipy login")
    else:
        _table(kept)


def whoami(
    character: Annotated[str | None, typer.Argument(help="an id or a name; not needed when there is one login")] = None,
    client_id: ClientId = None,
    tokens: Tokens = None,
    as_json: Json = False,
) -> None:
    """Show that a login works: who it is, and what it allows. Its token is renewed when its time is over."""
    from esipy.runtime.blocking import run

    found = find(character, client_id, tokens)
    with open_client(found.client_id, tokens) as client:
        run(client._logins.token(client._engine.runtime, found.character_id))  # pyright: ignore[reportPrivateUsage]
        (found,) = (each for each in client.characters() if each.character_id == found.character_id)
    if as_json:
        typer.echo(json.dumps(_facts(found), indent=2))
        return
    typer.echo(f"{found.name} ({found.character_id}), application {found.client_id}")
    typer.echo(f"its token is good until {_moment(found.expires_at)}, and allows")
    for scope in found.scopes or ["nothing but to know who it is"]:
        typer.echo(f"  {scope}")


def logout(
    character: Annotated[str, typer.Argument(help="an id or a name")],
    client_id: ClientId = None,
    tokens: Tokens = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="remove it here alone, also when its key is lost; the SSO is not told")
    ] = False,
) -> None:
    """Make the SSO forget a character's login, and forget it here. While the SSO cannot, it stays."""
    from esipy.sso.entering import AUTHORIZED_APPS_URL

    found = find(character, client_id, tokens)
    with open_client(found.client_id, tokens) as client:
        client.remove_character(found.character_id, revoke=not forget)
    if forget:
        typer.echo(f"Removed here: {found.name} ({found.character_id})")
        typer.echo(f"The SSO was not told: its player can end the login at {AUTHORIZED_APPS_URL}")
    else:
        typer.echo(f"Logged out: {found.name} ({found.character_id})")


def find(named: str | None, client_id: str | None, tokens: str | None) -> Character:
    """The one login that is meant.

    Raises:
        LoginRequiredError: there is none such.
        ValueError: there are several.
    """
    from esipy.exceptions import LoginRequiredError

    kept = _kept(client_id, tokens)
    found = [each for each in kept if named is None or named in (str(each.character_id), each.name)]
    found = found or [each for each in kept if named is not None and named.casefold() == each.name.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        meant = "no character is logged in" if named is None else f"{named!r} is not logged in"
        raise LoginRequiredError(f"{meant}: esipy login, or esipy characters for those who are")
    listed = ", ".join(f"{each.name} ({each.character_id}, application {each.client_id})" for each in found[:10])
    raise ValueError(f"{len(found)} logins are meant: {listed}; name one by its id, and --client-id")


def _kept(client_id: str | None, tokens: str | None) -> list[Character]:
    """All logins that are kept, of one application or of all."""
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


def _facts(character: Character) -> dict[str, Any]:
    return {
        "client_id": character.client_id,
        "character_id": character.character_id,
        "name": character.name,
        "state": character.state,
        "scopes": sorted(character.scopes),
        "refreshed_at": _moment(character.refreshed_at),
        "expires_at": _moment(character.expires_at),
    }


def _moment(seconds: float) -> str | None:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}" if seconds else None


def _table(kept: list[Character]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    several = len({each.client_id for each in kept}) > 1
    table = Table(box=None, pad_edge=False)
    for column in ("character", "name", "state", "last refresh (UTC)", "scopes", *(["application"] if several else [])):
        table.add_column(column, overflow="fold")
    for each in kept:
        refreshed = f"{datetime.fromtimestamp(each.refreshed_at, UTC):%Y-%m-%d %H:%M}" if each.refreshed_at else "-"
        cells = (str(each.character_id), escape(each.name), each.state, refreshed, str(len(each.scopes)))
        table.add_row(*cells, *([escape(each.client_id)] if several else []))
    # Where it goes into a pipe, a character is a line.
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
