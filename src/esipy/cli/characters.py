"""``esipy characters``, ``esipy whoami`` and ``esipy logout``: the logins that are kept.

Rules: only `whoami` and `logout` reach the SSO; a character is named by its id or by its name, as it is kept.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esipy.cli.login import open_client
from esipy.exceptions import LoginRequiredError
from esipy.runtime.blocking import run

if TYPE_CHECKING:
    from esipy.client import EsiClient
    from esipy.login import Character

__all__ = ["characters", "logout", "whoami"]

ClientId = Annotated[str | None, typer.Option(help="the application's; also ESI_CLIENT_ID")]
Tokens = Annotated[str | None, typer.Option(help="where logins are kept; also ESI_TOKENS")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


def characters(client_id: ClientId = None, tokens: Tokens = None, as_json: Json = False) -> None:
    """List the characters whose logins are kept; nothing is sent."""
    with open_client(client_id, tokens) as client:
        kept = client.characters()
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
    with open_client(client_id, tokens) as client:
        found = _find(client, character)
        logins, runtime = client._logins, client._engine.runtime
        run(logins.signer(found.character_id).token(runtime))
        found = _find(client, str(found.character_id))
    if as_json:
        typer.echo(json.dumps(_facts(found), indent=2))
        return
    typer.echo(f"{found.name} ({found.character_id})")
    typer.echo(f"  state       {found.state}")
    typer.echo(f"  token until {_moment(found.expires_at)}")
    for scope in sorted(found.scopes):
        typer.echo(f"  {scope}")


def logout(
    character: Annotated[str, typer.Argument(help="an id or a name")],
    client_id: ClientId = None,
    tokens: Tokens = None,
) -> None:
    """Make the SSO forget a character's login, and forget it here. What the SSO does not do is not done here either."""
    with open_client(client_id, tokens) as client:
        found = _find(client, character)
        run(client._logins.forget(client._engine.runtime, found.character_id))
    typer.echo(f"Logged out: {found.name} ({found.character_id})")


def _find(client: EsiClient, named: str | None) -> Character:
    """The one login that is meant.

    Raises:
        LoginRequiredError: there is none such.
        ValueError: there are several.
    """
    kept = client.characters()
    found = [each for each in kept if named is None or named in (str(each.character_id), each.name)]
    found = found or [each for each in kept if named is not None and named.casefold() == each.name.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        meant = "no character is logged in" if named is None else f"{named!r} is not logged in"
        raise LoginRequiredError(f"{meant}: esipy login, or esipy characters for those who are")
    listed = ", ".join(f"{each.name} ({each.character_id})" for each in found[:10])
    raise ValueError(f"{len(found)} characters are meant: {listed}; name one by its id")


def _facts(character: Character) -> dict[str, Any]:
    return {
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

    table = Table(box=None, pad_edge=False)
    for column in ("character", "name", "state", "last refresh (UTC)", "scopes"):
        table.add_column(column, overflow="fold")
    for each in kept:
        refreshed = f"{datetime.fromtimestamp(each.refreshed_at, UTC):%Y-%m-%d %H:%M}" if each.refreshed_at else "-"
        scopes = "\n".join(sorted(each.scopes)) or "-"
        table.add_row(str(each.character_id), escape(each.name), each.state, refreshed, escape(scopes))
    Console(highlight=False).print(table)
