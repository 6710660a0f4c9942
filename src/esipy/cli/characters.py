"""``esipy characters``, ``esipy whoami`` and ``esipy logout``: the logins that are kept.

Rule: only `whoami` and `logout` (without ``--forget``) reach the SSO.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esipy.cli.kept import ClientId, Tokens, find, kept_logins, open_client

if TYPE_CHECKING:
    from datetime import datetime

    from esipy.login import Character

__all__ = ["characters", "logout", "whoami"]

Json = Annotated[bool, typer.Option("--json", help="print JSON")]


def characters(client_id: ClientId = None, tokens: Tokens = None, as_json: Json = False) -> None:
    """List the characters whose logins are kept; nothing is sent. What each allows: esipy whoami, or --json."""
    kept = kept_logins(client_id, tokens)
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


def _moment(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


def _table(kept: list[Character]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    several = len({each.client_id for each in kept}) > 1
    table = Table(box=None, pad_edge=False)
    for column in ("character", "name", "state", "last refresh (UTC)", "scopes", *(["application"] if several else [])):
        table.add_column(column, overflow="fold")
    for each in kept:
        refreshed = f"{each.refreshed_at:%Y-%m-%d %H:%M}" if each.refreshed_at else "-"
        cells = (str(each.character_id), escape(each.name), each.state, refreshed, str(len(each.scopes)))
        table.add_row(*cells, *([escape(each.client_id)] if several else []))
    # Where it goes into a pipe, a character is a line.
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
