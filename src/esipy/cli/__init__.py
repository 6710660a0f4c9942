"""The ``esipy`` command: one file a noun."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; what is wrong is said in one line, without a traceback."""
    import typer

    from esipy.cli.call import call
    from esipy.cli.demo import demo
    from esipy.cli.sandbox import sandbox
    from esipy.exceptions import APIException

    app = typer.Typer(
        name="esipy",
        help="EVE Online's ESI from the command line.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.command()(call)
    app.command()(demo)
    app.command()(sandbox)
    try:
        app()
    except (APIException, ValueError, KeyError, ImportError) as error:
        sys.stderr.write(f"esipy: {error}\n")
        raise SystemExit(1) from None
