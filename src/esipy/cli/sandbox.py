"""``esipy sandbox``: a local ESI and SSO in a process of its own, until Ctrl-C, SIGTERM, or the end of its parent."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Annotated

import typer

from esipy.cli.stdin import chunks

__all__ = ["sandbox"]


def sandbox(
    port: Annotated[int, typer.Option(help="where to listen on 127.0.0.1; 0 takes a free port", min=0, max=65535)] = 0,
    seed: Annotated[int, typer.Option(help="the same seed gives the same data")] = 1,
    characters: Annotated[int, typer.Option(help="how many characters can log in", min=1)] = 10,
    token_lifetime: Annotated[int, typer.Option(help="seconds an access token is good", min=1)] = 1199,
    rotate: Annotated[bool, typer.Option("--rotate", help="each refresh replaces the refresh token")] = False,
    limits: Annotated[bool, typer.Option(help="enforce rate limits and the error limit, or only tell them")] = True,
    release_late: Annotated[float, typer.Option(help="spends come back up to so many seconds late", min=0)] = 0.0,
    hidden_limits: Annotated[
        bool, typer.Option("--hidden-limits", help="limit some routes as the game server does, without headers")
    ] = False,
    foreign_share: Annotated[
        float, typer.Option(help="the share of each limit that other programs spend, now and then", min=0, max=1)
    ] = 0.0,
    foreign_bursts: Annotated[bool, typer.Option("--foreign-bursts", help="they spend it all at once")] = False,
    daily_downtime: Annotated[
        float, typer.Option(help="seconds for which ESI is down each day from 11:00 UTC", min=0, max=86399)
    ] = 0.0,
    reorder: Annotated[float, typer.Option(help="the share of answers that others overtake", min=0, max=1)] = 0.0,
    max_lifetime: Annotated[
        int | None, typer.Option(help="no answer is fresh for longer than so many seconds", min=1)
    ] = None,
    callback: Annotated[
        list[str] | None, typer.Option(help="another callback address of its applications; may be repeated")
    ] = None,
    mail_every: Annotated[float | None, typer.Option(help="seconds from one new mail to the next", min=0.1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the addresses as one line of JSON")] = False,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="end when stdin does: so when the program that started it is gone")
    ] = False,
) -> None:
    """Serve a local ESI and SSO: typed data for every operation, real logins, and faults on request.

    Stop it with Ctrl-C.
    """
    from esipy.sandbox import HIDDEN_LIMITS, serve
    from esipy.sandbox.app import DEMO_PKCE
    from esipy.testing import environment

    ended: SimpleQueue[object] = SimpleQueue()  # the one queue that a signal handler may put into at any moment

    def end(*_: object) -> None:
        ended.put(None)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if with_parent:
        Thread(target=_wait_for_parent, args=(ended,), daemon=True).start()
    with (
        TemporaryDirectory(prefix="esipy-sandbox-") as kept,
        serve(
            port=port,
            seed=seed,
            characters=characters,
            token_lifetime_seconds=token_lifetime,
            rotate_refresh_tokens=rotate,
            enforce_limits=limits,
            release_late_seconds=release_late,
            hidden_limits=HIDDEN_LIMITS if hidden_limits else None,
            foreign_share=foreign_share,
            foreign_manner="bursts" if foreign_bursts else "even",
            daily_downtime_seconds=daily_downtime,
            reorder_share=reorder,
            max_lifetime_seconds=max_lifetime,
            mail_every_seconds=mail_every,
        ) as server,
    ):
        for client in list(server.sandbox.clients.values()):
            server.register(client.client_id, [*client.redirect_uris, *(callback or ())], client.secret)
        facts = {
            "url": server.url,
            "control": f"{server.url}/_sandbox/",
            "client_id": server.client_id,
            "secret_key": server.secret_key,
            "redirect_uri": server.redirect_uri,
        }
        if as_json:
            typer.echo(json.dumps(facts))
        else:
            typer.echo(f"The sandbox serves ESI and the SSO at {server.url}\n")
            for name, value in environment(server).items():
                typer.echo(f"  export {name}={value}")
            # Its characters are not to be among the user's own.
            typer.echo(f"  export ESI_TOKENS=sqlite:///{kept}/tokens.sqlite3")
            for name in ("client_id", "secret_key", "redirect_uri", "control"):
                typer.echo(f"  {name:<12} {facts[name]}")
            typer.echo("\nIn another terminal, after the exports, a character logs in by:\n")
            typer.echo(f"  esipy login --client-id {DEMO_PKCE.client_id} --for get_characters_character_id_wallet")
            typer.echo("\nStop it with Ctrl-C.")
        sys.stdout.flush()
        while True:
            with suppress(Empty):
                ended.get(timeout=1.0)  # in slices, because on Windows a wait without end cannot be interrupted
                return


def _wait_for_parent(ended: SimpleQueue[object]) -> None:
    for _ in chunks():  # the system closes the other end of the pipe, however the parent ends
        pass
    ended.put(None)
