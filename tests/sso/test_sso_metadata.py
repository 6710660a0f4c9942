"""Where the endpoints are: fetched when needed, kept as told, known without a network."""

from __future__ import annotations

import time
from typing import Any

import pytest

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.security import EsiSecurity
from esipy.sso.metadata import DAY_SECONDS, PAUSE_SECONDS, Endpoints, Metadata
from esipy.sso.wire import Asker
from esipy.transport.scripted import ScriptedTransport
from tests.sso.sso_kit import AGENT, METADATA, ScriptedSso, reply

DOCUMENT = {
    "issuer": "login.eveonline.com",
    "authorization_endpoint": "https://sso.example/a",
    "token_endpoint": "https://sso.example/t",
    "revocation_endpoint": "https://sso.example/r",
    "jwks_uri": "https://sso.example/k",
}
ASKER = Asker((), 60, 10)
KNOWN = Endpoints.known("https://login.eveonline.com")
TOLD = Endpoints.read(DOCUMENT)


class _Scene:
    """A metadata document that changes, and a clock."""

    def __init__(self, answer: HttpResponse) -> None:
        self.answer = answer
        self.asked = 0
        self.runtime = BlockingRuntime(ScriptedTransport(self._serve))
        self.time = time.time()
        self.runtime.now = lambda: self.time
        self.metadata = Metadata("https://login.eveonline.com" + METADATA, KNOWN)

    def _serve(self, request: HttpRequest) -> HttpResponse:
        self.asked += 1
        return self.answer

    def endpoints(self, seconds_later: float = 0) -> Endpoints:
        self.time += seconds_later
        return run(self.metadata.endpoints(self.runtime, ASKER))


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        (None, DAY_SECONDS),
        ("max-age=600", 600),
        ("public, max-age=0", PAUSE_SECONDS),
        ("max-age=99999999", DAY_SECONDS),
        ("max-age=soon", DAY_SECONDS),
    ],
)
def test_metadata_is_kept_as_long_as_it_says(control: str | None, seconds: float) -> None:
    """A day when it says nothing; never less than a minute, never more than a day."""
    scene = _Scene(reply(200, DOCUMENT, **({} if control is None else {"Cache_Control": control})))
    assert TOLD == scene.endpoints() == scene.endpoints(seconds - 1)
    assert 1 == scene.asked
    assert TOLD == scene.endpoints(1)
    assert 2 == scene.asked


@pytest.mark.parametrize(
    "answer",
    [
        reply(503),
        reply(200, b"<html>"),
        reply(200, []),
        reply(200, {**DOCUMENT, "issuer": None}),
        reply(200, {**DOCUMENT, "token_endpoint": "http://sso.example/t"}),
        reply(200, {name: DOCUMENT[name] for name in DOCUMENT if name != "jwks_uri"}),
    ],
    ids=str,
)
def test_what_cannot_be_read_changes_nothing(answer: HttpResponse) -> None:
    """The endpoints known before hold; it is asked for again after a minute, not at each request."""
    scene = _Scene(answer)
    assert KNOWN == scene.endpoints() == scene.endpoints(PAUSE_SECONDS - 1)
    assert 1 == scene.asked
    scene.answer = reply(200, DOCUMENT)
    assert TOLD == scene.endpoints(1)
    scene.answer = answer
    assert TOLD == scene.endpoints(DAY_SECONDS)


def test_given_endpoints_are_final() -> None:
    """Version 1's ``sso_endpoints``: the metadata is not asked for, and the names of version 1 show them."""
    sso = ScriptedSso()
    security = _security(sso, sso_endpoints=DOCUMENT)
    assert security.get_auth_uri("s").startswith("https://sso.example/a?")
    shown = (security.oauth_issuer, security.oauth_authorize, security.oauth_token, security.oauth_revoke)
    assert shown == ("login.eveonline.com", *TOLD[1:4])
    security.revoke()
    assert ["/r"] == sso.asked


def test_metadata_may_be_elsewhere() -> None:
    """Version 1's ``sso_endpoints_url``; the endpoints that it tells hold from then on."""
    asked: list[str] = []

    def serve(request: HttpRequest) -> HttpResponse:
        asked.append(request.url)
        return reply(200, DOCUMENT)

    security = _security(serve, sso_endpoints_url="https://other.example/metadata")
    assert security.get_auth_uri("s").startswith("https://login.eveonline.com/v2/oauth/authorize?")
    security.revoke()
    assert ["https://other.example/metadata", "https://sso.example/r"] == asked
    assert security.get_auth_uri("s").startswith("https://sso.example/a?")


def test_the_environment_says_where_the_sso_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """``ESI_SSO_URL`` moves all of it; a keyword wins."""
    monkeypatch.setenv("ESI_SSO_URL", "http://127.0.0.1:9")
    asked: list[str] = []

    def serve(request: HttpRequest) -> HttpResponse:
        asked.append(request.url)
        return reply(404)

    security = _security(serve)
    assert "http://127.0.0.1:9/v2/oauth/token" == security.oauth_token
    assert _security(serve, sso_url="https://x.example").oauth_token.startswith("https://x.example/")
    with pytest.raises(Exception, match="404"):
        security.revoke()
    assert ["http://127.0.0.1:9" + METADATA, "http://127.0.0.1:9/v2/oauth/revoke"] == asked


def _security(serve: Any, **keywords: Any) -> EsiSecurity:
    security = EsiSecurity(
        "x", "app", "s", headers={"User-Agent": AGENT}, transport=ScriptedTransport(serve), **keywords
    )
    security.update_token({"access_token": "opaque", "expires_in": 1199})
    return security
