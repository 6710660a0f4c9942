"""``esipy tokens``: the keys that seal kept logins.

Rules: a key is printed where one is asked for, and nowhere else; nothing here needs a network but the store's own.
"""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["tokens"]

tokens = typer.Typer(help="The keys that seal kept logins.", no_args_is_help=True)


@tokens.command()
def key() -> None:
    """Print a new key, for ESI_TOKEN_KEY or the file of ESI_TOKEN_KEY_FILE."""
    from esipy.tokens import new_key

    typer.echo(new_key())


@tokens.command("rekey")
def rekey_(
    store: Annotated[str | None, typer.Option("--tokens", help="where logins are kept; also ESI_TOKENS")] = None,
    new: Annotated[bool, typer.Option("--new", help="first make a new key in this user's keyring")] = False,
) -> None:
    """Seal all kept logins with the first of the keys that are given; those that are not sealed yet, too.

    Programs may go on meanwhile, if they know the new key and the old one. When it ends half-way, run it again.

    ESI_TOKEN_KEY=new,old esipy tokens rekey
    """
    from esipy.exceptions import TokenStoreError
    from esipy.tokens import open_tokens, rekey, sealer_for

    opened = open_tokens(store)
    sealer = sealer_for(opened, renew=new)
    done = rekey(opened, sealer)
    typer.echo(f"{done.sealed} logins sealed with the key {sealer.key_id}, {done.already} were before")
    if done.error is not None:
        raise TokenStoreError(f"{done.unopened} logins are as they were; the first: {done.error}")
