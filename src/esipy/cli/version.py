"""``esipy --version``."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["version"]


def _show(wanted: bool) -> None:
    if wanted:
        from esipy import __version__

        typer.echo(f"EsiPy {__version__}")
        raise typer.Exit


def version(
    wanted: Annotated[
        bool, typer.Option("--version", callback=_show, is_eager=True, help="print the version of EsiPy")
    ] = False,
) -> None:
    """EVE Online's ESI from the command line."""
