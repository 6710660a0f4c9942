"""``esipy login``: a character logs in, by this machine's browser or by an address that is pasted.

Rules: the application's secret is never an argument, which all users of a machine can see; whatever the SSO refuses is
one line here and a page in the browser; the login is kept, durably, before either says that it is.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from difflib import get_close_matches
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from esipy.cli.kept import Tokens, open_client
from esipy.cli.saying import say
from esipy.cli.stdin import chunks

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from esipy.exceptions import LoginFailedError
    from esipy.sso.arrivals import Arrival
    from esipy.sso.loopback import Loopback

__all__ = ["login"]

HOSTS = ("127.0.0.1", "localhost")
"""The names of this machine that a callback's address may have."""


def login(
    client_id: Annotated[
        str | None, typer.Option(help="the application's; also ESI_CLIENT_ID, and its secret ESI_SECRET_KEY")
    ] = None,
    scopes: Annotated[
        list[str] | None, typer.Option("--scopes", help="what to ask for, separated by spaces or commas")
    ] = None,
    operations: Annotated[
        list[str] | None,
        typer.Option("--for", metavar="OPERATION", help="ask for what this operation needs; may be repeated"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="where to listen on 127.0.0.1, instead of 8635; 0 takes a free port", min=0, max=65535),
    ] = None,
    callback: Annotated[
        str | None, typer.Option(help="the registered callback address, instead of http://127.0.0.1:8635/callback")
    ] = None,
    browser: Annotated[
        bool, typer.Option(help="open the browser; without it the address can be opened anywhere")
    ] = True,
    timeout: Annotated[float, typer.Option(help="seconds to wait for the login", min=0.1, max=600)] = 300.0,
    tokens: Tokens = None,
    ask_secret: Annotated[
        bool, typer.Option("--ask-secret", help="ask for the application's secret; without any: PKCE")
    ] = False,
) -> None:
    """Log a character in and keep the login.

    The callback address (http://127.0.0.1:8635/callback, unless --port or --callback says otherwise) has to be
    registered for the application, letter by letter.

    esipy login --client-id ... --for get_characters_character_id_wallet

    esipy login --client-id ... --scopes esi-wallet.read_character_wallet.v1 --no-browser
    """
    from esipy.login import WebLogin
    from esipy.sso.arrivals import await_login
    from esipy.sso.loopback import DEFAULT_PORT

    # Who keeps logins where nothing seals them is told so.
    logging.getLogger("esipy.tokens").setLevel(logging.WARNING)
    if port is not None and callback is not None:
        raise ValueError("--port is a part of --callback: give one of them")
    if (tokens or os.environ.get("ESI_TOKENS")) == "memory":
        raise ValueError("tokens=memory: the login would end with this command; name a store that stays")
    address = callback or f"http://127.0.0.1:{DEFAULT_PORT if port is None else port}/callback"
    asked = _scopes(scopes or [], operations or [])
    lines = _lines()
    secret = _secret(lines) if ask_secret else None
    arrivals: SimpleQueue[Arrival] = SimpleQueue()
    session: dict[str, Any] = {}
    with open_client(client_id, tokens, secret) as client, _listening(arrivals, address) as listener:
        client.characters()  # a store that cannot be opened is told before the user has gone to the SSO
        web = WebLogin(client, address if listener is None else listener.redirect_uri, asked)
        url = web.start(session)
        if not asked:
            typer.echo("No scope is asked for: this login shows who it is, and is over after 20 minutes.")
        typer.echo(f"The callback address, as it has to be registered: {web.redirect_uri}")
        typer.echo(f"Log in within {timeout:g} s (Ctrl-C ends it) at:\n\n  {url}\n")
        sys.stdout.flush()
        # In a thread: a browser may run in this terminal until it is left, and nobody may ever paste anything.
        going = (arrivals, lines, url if browser and listener is not None else None, listener is None)
        Thread(target=_browse_or_read, args=going, name="esipy-browser", daemon=True).start()
        claims = await_login(
            arrivals, lambda query: web.finish(session, query), lambda: bool(session), timeout, _tell_refused
        )
        typer.echo(f"Logged in: {claims.name} ({claims.character_id})")
        for scope in sorted(claims.scopes):
            typer.echo(f"  {scope}")
        sys.stdout.flush()


def _scopes(scopes: list[str], operations: list[str]) -> list[str]:
    """All that is asked for, each once.

    Raises:
        UnknownOperationError: the text names near ones.
    """
    from esipy.scopes import SCOPES, needed_for

    needed = needed_for(*operations)
    for name, roles in needed.roles.items():
        say(f"{name}: the character needs one of these roles in game, too: {', '.join(roles)}")
    asked = [scope for text in scopes for scope in text.replace(",", " ").split()]
    for scope in asked:
        if scope not in SCOPES and scope != "publicData":  # the one that no operation needs, and many ask for
            near = get_close_matches(scope, SCOPES, 1)
            # The SSO may have newer ones, so it decides.
            say(f"warning: no operation needs the scope {scope!r}{f'; is {near[0]} meant?' if near else ''}")
    return list(dict.fromkeys([*asked, *needed.scopes]))


def _listening(arrivals: SimpleQueue[Arrival], address: str) -> AbstractContextManager[Loopback | None]:
    """The listener at the callback's address; none when that is not on this machine.

    Raises:
        OSError: the port is taken.
    """
    from esipy.sso.loopback import Loopback

    parts = urlsplit(address)
    if parts.scheme != "http" or parts.hostname not in HOSTS or parts.query:
        return nullcontext()
    port = 80 if parts.port is None else parts.port
    try:
        return Loopback(arrivals, host=parts.hostname, port=port, path=parts.path or "/")
    except OSError as error:
        raise OSError(
            f"cannot listen at 127.0.0.1:{port} ({error.strerror}): end the program that does, or take another --port "
            "(and register its callback address, too)"
        ) from None


def _secret(lines: Iterator[str]) -> str:
    """The application's secret, from the terminal without showing it, or from a pipe."""
    from getpass import getpass

    secret = getpass("The application's secret: ") if sys.stdin.isatty() else next(lines, "")
    if not secret:
        raise ValueError("--ask-secret: no secret was given")
    return secret


def _browse_or_read(arrivals: SimpleQueue[Arrival], lines: Iterator[str], url: str | None, alone: bool) -> None:
    """Open the browser; where there is none, take the callback's address from stdin.

    Args:
        lines: of stdin.
        url: None: no browser is wanted.
        alone: nothing listens for the callback.
    """
    from esipy.sso.arrivals import Arrival

    if url is not None and _browse(url):
        return
    typer.echo("Open that address in a browser; if it then cannot show its last page, paste that page's address here:")
    for line in lines:
        arrivals.put(Arrival(line, _show_nothing))
    if alone:
        arrivals.put(Arrival(None, _show_nothing))


def _browse(url: str) -> bool:
    """Open the user's browser; gives whether there is one."""
    import webbrowser

    on_screen = sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    # Without a screen there are only browsers for terminals, which no login page works in; unless one is named.
    if not on_screen and not os.environ.get("BROWSER"):
        return False
    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError, ValueError):  # also for a variable BROWSER that is no command
        return False


def _lines() -> Iterator[str]:
    """What is pasted, line by line."""
    begun = b""
    for read in chunks():
        *whole, begun = (begun + read).split(b"\n")
        for line in whole:
            if text := line.decode("utf-8", "replace").strip():
                yield text


def _show_nothing(page: object) -> None:
    """Who pastes sees in the terminal what came of it."""


def _tell_refused(error: LoginFailedError) -> None:
    what = "the callback of another login" if error.reason == "state" else str(error)
    say(f"refused: {what}; this login still waits for its own")
