"""Users log in to a Django application and see their wallets, against a sandbox of its own.

Run it: ``python examples/django_login.py`` (needs Django and the extra ``sandbox``), and open the address that it
prints; Ctrl-C ends it. ``docs/web-login.md`` says why it is as it is, and what to change for the real SSO.
"""

import secrets
import sys
from contextlib import suppress

from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import path
from django.views.decorators.http import require_POST

from esipy import APIException, EsiClient, ops
from esipy.login import WebLogin
from esipy.sandbox.tokens import Client
from esipy.testing import sandbox

ME = {"User-Agent": "example/1.0 (me@example.com)"}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Wallet</title><h1>Wallet</h1><p>{{ text }}</p>
{% if name %}<form method="post" action="/logout">{% csrf_token %}{{ name }} <button>Log out</button></form>
{% else %}<a href="/login">Log in with EVE Online</a>{% endif %}</html>"""


def page(request: HttpRequest, text: object = "", status: int = 200) -> HttpResponse:
    html = engines["django"].from_string(PAGE).render({"text": text, "name": request.session.get("name")}, request)
    return HttpResponse(html, status=status, headers={"Cache-Control": "no-store"})


def home(request: HttpRequest) -> HttpResponse:
    if "me" not in request.session:
        return page(request)
    who, owner = request.session["me"]  # with the account: a character may be sold
    me = settings.LOGIN.client.as_character(who, owner=owner)
    try:
        return page(request, f"{me.fetch(ops.wallet.get_characters_character_id_wallet(character_id=who)):,.2f} ISK")
    except APIException as error:  # revoked, sold, or EVE is down
        return page(request, f"Sorry: {error}.", 503)


def callback(request: HttpRequest) -> HttpResponse:
    try:
        claims = settings.LOGIN.finish(request.session, request.GET)
    except APIException as error:  # denied, forged, too late
        return page(request, f"Sorry: {error}.", 400)
    request.session.flush()  # a new one: what somebody may have put into the old one is worth nothing
    request.session.update({"me": (claims.character_id, claims.owner), "name": claims.name})
    return redirect("/")  # so that the code does not stay in the address bar


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:  # Django has looked at the form's token already
    request.session.flush()
    return redirect("/")


urlpatterns = [path("", home), path("callback", callback), path("logout", log_out)]
urlpatterns += [path("login", lambda request: redirect(settings.LOGIN.start(request.session)))]


def make_app(client: EsiClient, redirect_uri: str) -> object:
    """The application: it knows a user by the character in the session, and by nothing else."""
    https = redirect_uri.startswith("https:")
    parts = ("security.SecurityMiddleware", "csrf.CsrfViewMiddleware", "clickjacking.XFrameOptionsMiddleware")
    settings.configure(
        LOGIN=WebLogin(client, redirect_uri, ["esi-wallet.read_character_wallet.v1"]),
        SECRET_KEY=secrets.token_urlsafe(48),  # yours stays, and is kept where secrets are
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=sys.modules[__name__],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", *(f"django.middleware.{p}" for p in parts)],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        SESSION_ENGINE="django.contrib.sessions.backends.cache",  # at the server; the cookie holds a random name
        SESSION_COOKIE_NAME="__Host-sessionid" if https else "sessionid",  # no other host can set one of that name
        SESSION_COOKIE_SECURE=https,  # and "Lax": with "Strict" it would stay away when the SSO sends the browser back
        CSRF_USE_SESSIONS=True,  # so that its token is new when the session is
        LOGGING_CONFIG=None,  # a log of requests would hold codes
    )
    return get_wsgi_application()


def main(port: int = 8635) -> None:
    """Serve until Ctrl-C."""
    redirect_uri = f"http://127.0.0.1:{port}/callback"
    with sandbox(clients=[Client("my-app", "its-secret", (redirect_uri,))], set_environment=True) as eve:
        client = EsiClient(client_id=eve.client_id, secret_key=eve.secret_key, tokens="memory", headers=ME)
        with ThreadedWSGIServer(("127.0.0.1", port), WSGIRequestHandler) as server, suppress(KeyboardInterrupt):
            server.set_app(make_app(client, redirect_uri))
            print(f"open http://127.0.0.1:{port}/", flush=True)
            server.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
