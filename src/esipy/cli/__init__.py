"""The ``esipy`` command: one file a noun.

Rules kept here: whatever is wrong is said in one line on stderr, without a traceback, and the exit status is 1;
what the library logs and warns of on the way is one line each, too, and only if it matters to who typed the command.
"""

from __future__ import annotations

import logging
import warnings

from esipy.cli.saying import say

__all__ = ["main"]


def main() -> None:
    """Run the command."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        # Retries that go well in the end are nobody's business here.
        logging.basicConfig(level=logging.ERROR, format="esipy: %(message)s")
        try:
            _run()
        except Exception as error:
            say(_told(error))
            raise SystemExit(1) from None


def _run() -> None:
    import typer

    from esipy.cli.call import call
    from esipy.cli.characters import characters, logout, whoami
    from esipy.cli.demo import demo
    from esipy.cli.login import login
    from esipy.cli.sandbox import sandbox
    from esipy.cli.scopes import scopes
    from esipy.cli.tokens import tokens
    from esipy.cli.version import version

    app = typer.Typer(
        name="esipy",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(version)
    app.command()(call)
    app.command()(demo)
    app.command()(login)
    app.command()(logout)
    app.command()(whoami)
    app.command()(characters)
    app.command()(sandbox)
    app.command()(scopes)
    app.add_typer(tokens, name="tokens")
    app()


def _told(error: Exception) -> str:
    """The text of an error that was written for people; of any other its class too."""
    from esipy.exceptions import APIException

    if str(error) and isinstance(error, (APIException, ValueError, KeyError, ImportError, OSError, RuntimeError)):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    say(f"warning: {message}")
