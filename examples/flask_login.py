"""Users log in to a Flask application and see their wallets, against a sandbox of its own.

Run it: ``python examples/flask_login.py`` (needs Flask and the extra ``sandbox``), and open the address that it prints;
Ctrl-C ends it. ``docs/web-login.md`` says why it is as it is, and what to change for the real SSO.
"""

from __future__ import annotations

import logging
import secrets
import sys
from typing import Any

from flask import Flask, Response, abort, redirect, render_template_string, request, session
from werkzeug.serving import make_server

from esipy import APIException, EsiClient, ops
from esipy.login import WebLogin
from esipy.sandbox.tokens import Client
from esipy.testing import sandbox

ME = {"User-Agent": "example/1.0 (me@example.com)"}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Wallet</title><style>
body { font: 18px/1.6 system-ui, sans-serif; background: #eef1f4; color: #1b2530 } b { font-size: 2rem }
main { max-width: 30rem; margin: 4rem auto; padding: 1rem 2rem 2rem; border-radius: 14px; background: #fff }
a, button { font: inherit; color: #14528f } .sorry { color: #a3271d }</style><main><h1>Wallet</h1>
{% if sorry %}<p class="sorry">Sorry: {{ sorry }}.</p>{% endif %}
{% if session.name %}<p>{{ session.name }}</p>{% if isk %}<p><b>{{ isk }} ISK</b></p>{% endif %}<form method="post"
action="/logout"><input type="hidden" name="csrf" value="{{ session.csrf }}"><button>Log out</button></form>
{% else %}<p>Nobody is logged in here.</p><a href="/login">Log in with EVE Online</a>{% endif %}</main></html>"""


def make_app(client: EsiClient, redirect_uri: str) -> Flask:
    """The application: it knows a user by the character in the session, and by nothing else."""
    login = WebLogin(client, redirect_uri, ["esi-wallet.read_character_wallet.v1"])
    app, https = Flask(__name__), redirect_uri.startswith("https:")
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),  # signs the cookie; yours stays, and is kept where secrets are
        SESSION_COOKIE_NAME="__Host-session" if https else "session",  # no other host can set one of that name
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_SAMESITE="Lax",  # with "Strict" it would not come along when the SSO sends the browser back
    )

    @app.get("/")
    def home() -> Any:
        if "me" not in session:
            return render_template_string(PAGE)
        character_id, owner = session["me"]  # with the account: a character may be sold
        call = ops.wallet.get_characters_character_id_wallet(character_id=character_id)
        isk = client.as_character(character_id, owner=owner).fetch(call)
        return render_template_string(PAGE, isk=f"{isk:,.2f}")

    @app.errorhandler(APIException)  # denied, forged, too late; later revoked, sold, or EVE is down
    def sorry(error: APIException) -> Any:
        return render_template_string(PAGE, sorry=error), 400

    @app.get("/login")
    def log_in() -> Any:
        return redirect(login.start(session))

    @app.get("/callback")
    def callback() -> Any:
        claims = login.finish(session, request.args)
        session.clear()  # a new one: what somebody may have put into the old one is worth nothing
        session.update(me=(claims.character_id, claims.owner), name=claims.name, csrf=secrets.token_urlsafe(16))
        return redirect("/")  # so that the code does not stay in the address bar

    @app.post("/logout")
    def log_out() -> Any:
        if not secrets.compare_digest(request.form.get("csrf", "").encode(), session.get("csrf", "none").encode()):
            abort(400)
        session.clear()
        return redirect("/", 303)

    @app.after_request
    def keep_private(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    return app


def main(port: int = 8635) -> None:
    """Serve until Ctrl-C."""
    redirect_uri = f"http://127.0.0.1:{port}/callback"
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a log of requests would hold codes
    with sandbox(clients=[Client("my-app", "its-secret", (redirect_uri,))], set_environment=True) as eve:
        client = EsiClient(client_id=eve.client_id, secret_key=eve.secret_key, tokens="memory", headers=ME)
        server = make_server("127.0.0.1", port, make_app(client, redirect_uri), threaded=True)
        print(f"open http://127.0.0.1:{port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
