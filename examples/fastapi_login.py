"""Users log in to a FastAPI application and see their wallets, against a sandbox of its own.

Run it: ``python examples/fastapi_login.py`` (needs fastapi, uvicorn, itsdangerous and the extra ``sandbox``), and open
the address that it prints; Ctrl-C ends it. ``docs/web-login.md`` says why, and what to change for the real SSO.
"""

import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from html import escape
from socket import create_server
from urllib.parse import parse_qs

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.middleware.sessions import SessionMiddleware

from esipy import APIException, AsyncEsiClient, ops
from esipy.login import AsyncWebLogin
from esipy.sandbox.tokens import Client
from esipy.testing import sandbox

ME = {"User-Agent": "example/1.0 (me@example.com)"}


def page(request: Request, text: str = "", status: int = 200) -> HTMLResponse:
    """What everybody sees: who is logged in, and a way out; or a way in."""
    me, form = request.session, '<a href="/login">Log in with EVE Online</a>'
    if "name" in me:
        hidden = f'<input type="hidden" name="csrf" value="{escape(me["csrf"])}">'
        form = f'<form method="post" action="/logout">{hidden}{escape(me["name"])} <button>Log out</button></form>'
    html = f"<!doctype html><title>Wallet</title><h1>Wallet</h1><p>{escape(text)}</p>{form}"
    return HTMLResponse(html, status, {"Cache-Control": "no-store", "X-Frame-Options": "DENY"})


def make_app(client: AsyncEsiClient, redirect_uri: str) -> FastAPI:
    """The application: it knows a user by the character in the session, and by nothing else."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    login = AsyncWebLogin(client, redirect_uri, ["esi-wallet.read_character_wallet.v1"])
    app, https = FastAPI(lifespan=lifespan), redirect_uri.startswith("https:")
    # "__Host-": no other host can set it. "lax": with "strict" it would stay away when the SSO sends the browser back.
    name, key = "__Host-session" if https else "session", secrets.token_urlsafe(32)  # yours is kept where secrets are
    app.add_middleware(SessionMiddleware, secret_key=key, session_cookie=name, https_only=https, same_site="lax")

    @app.get("/")
    async def home(request: Request) -> Response:
        if "me" not in request.session:
            return page(request)
        character_id, owner = request.session["me"]  # with the account: a character may be sold
        call = ops.wallet.get_characters_character_id_wallet(character_id=character_id)
        return page(request, f"{await client.as_character(character_id, owner=owner).fetch(call):,.2f} ISK")

    # Denied, forged, too late; later revoked, sold, or EVE is down.
    app.add_exception_handler(APIException, lambda request, error: page(request, f"Sorry: {error}.", 400))

    @app.get("/login")
    async def log_in(request: Request) -> Response:
        return RedirectResponse(login.start(request.session))

    @app.get("/callback")
    async def callback(request: Request) -> Response:
        me, claims = request.session, await login.finish(request.session, request.query_params)
        me.clear()  # a new one: what somebody may have put into the old one is worth nothing
        me.update(me=(claims.character_id, claims.owner), name=claims.name, csrf=secrets.token_urlsafe(16))
        return RedirectResponse("/")  # so that the code does not stay in the address bar

    @app.post("/logout")
    async def log_out(request: Request) -> Response:
        csrf = parse_qs((await request.body()).decode("latin-1")).get("csrf", [""])[0].encode()
        if not secrets.compare_digest(csrf, request.session.get("csrf", "none").encode()):
            raise HTTPException(400)
        request.session.clear()
        return RedirectResponse("/", 303)

    return app


def main(port: int = 8635) -> None:
    """Serve until Ctrl-C."""
    redirect_uri = f"http://127.0.0.1:{port}/callback"
    with sandbox(clients=[Client("my-app", "its-secret", (redirect_uri,))], set_environment=True) as eve:
        client = AsyncEsiClient(client_id=eve.client_id, secret_key=eve.secret_key, tokens="memory", headers=ME)
        server = uvicorn.Server(uvicorn.Config(make_app(client, redirect_uri), access_log=False))  # it would hold codes
        with create_server(("127.0.0.1", port)) as listener:
            print(f"open http://127.0.0.1:{port}/", flush=True)
            server.run([listener])


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*map(int, sys.argv[1:2]))
