"""``esipy scopes OPERATION...``: what a login has to ask for, so that calls of these operations are allowed."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["scopes"]


def scopes(
    operations: Annotated[
        list[str] | None,
        typer.Argument(help="operation ids, old or new; none: every scope there is", metavar="OPERATION"),
    ] = None,
) -> None:
    """Print the least scopes for a set of operations, one a line, and on stderr the roles in game that they ask for.

    esipy scopes get_characters_character_id_wallet get_characters_character_id_assets
    """
    from esipy.scopes import SCOPES, needed_for

    needed = needed_for(*operations or ())
    for scope in needed.scopes if operations else SCOPES:
        typer.echo(scope)
    for name, roles in needed.roles.items():
        typer.echo(f"{name}: the character needs one of these roles in game: {', '.join(roles)}", err=True)
