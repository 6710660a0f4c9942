"""Secrets are seen (T44) and sent (T45) nowhere but where they belong."""

from __future__ import annotations

import logging
import pickle
import traceback
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest

from esipy.events import AFTER_TOKEN_REFRESH, Signal
from esipy.exceptions import APIException, SettingError, SSOUnavailableError, TokenRevokedError
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox
from esipy.security import EsiSecurity
from esipy.sso.wire import is_private
from esipy.transport.scripted import ScriptedTransport
from tests.sso.sso_kit import AGENT, JWKS, METADATA, REVOKE, TOKEN, WALLET, Colour, ScriptedSso, reply, signed, tokens
from tests.urls import query_of

SECRET = "s3cret/with+odd=chars"
VERIFIER = "verifier-" + "v" * 43
CODE = "code/with+odd=chars"
REFRESH = "refresh/with+odd=chars"


def _everything(error: BaseException) -> str:
    """All that an error shows: text, repr, attributes deep down, traceback with causes, pickle."""
    seen: list[str] = []
    at: BaseException | None = error
    while at is not None:
        seen += [str(at), repr(at), repr(at.args), repr(vars(at)), repr(dict(getattr(at, "response_header", {})))]
        at = at.__cause__ or at.__context__
    seen.append("".join(traceback.format_exception(error)))
    if isinstance(error, APIException):
        seen.append(repr(pickle.dumps(error)))
    return "\n".join(seen)


def _hidden_in(text: str, *secrets: str) -> list[str]:
    """The secrets that a text shows, in any disguise."""
    shown: list[str] = []
    for secret in secrets:
        forms = {secret, quote(secret, safe=""), secret.replace("/", "\\/"), b64encode(secret.encode()).decode()}
        shown += [form for form in forms if form and form in text]
    return shown


def _login(sso: ScriptedSso, **keywords: Any) -> EsiSecurity:
    given = {"headers": {"User-Agent": AGENT}, "transport": ScriptedTransport(sso)} | keywords
    security = EsiSecurity("http://localhost/callback", "app", **given)
    security.update_token({"access_token": signed(), "expires_in": 0, "refresh_token": REFRESH})
    return security


@pytest.mark.parametrize("flow", [{"secret_key": SECRET}, {"code_verifier": VERIFIER}], ids=["secret", "pkce"])
@pytest.mark.parametrize("status", [200, 302, 400, 403, 500])
def test_T44_an_sso_that_repeats_secrets_finds_no_echo(
    flow: dict[str, str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It writes all that it was sent into body and headers: errors and logs show none of it."""
    caplog.set_level(logging.DEBUG)
    sso = ScriptedSso()

    def parrot(form: dict[str, str]) -> Any:
        request = sso.requests[-1]
        authorization = dict(request.headers).get("Authorization", "")
        text = " ".join([*form.values(), *map(quote, form.values()), authorization, *flow.values()])
        body = {"error": "invalid_grant", "error_description": text.replace("/", "\\/") + text}
        return reply(status, body, X_Echo=text, Location=f"https://elsewhere/?{text}", Set_Cookie=text)

    sso.grant = parrot
    security = _login(sso, **flow)
    access_token = security.access_token or ""
    basic = b64encode(f"app:{quote(SECRET, safe='')}".encode()).decode()
    attempts = [
        security.refresh,
        lambda: security.auth(CODE),
        lambda: run(security.token(BlockingRuntime(security._transport))),
    ]
    if status not in (200, 400):  # to revoking, both mean that the token is dead
        attempts.append(security.revoke)
    for attempt in attempts:
        security.refresh_token = REFRESH
        with pytest.raises((TokenRevokedError, SSOUnavailableError)) as caught:
            attempt()
        error = caught.value
        assert [] == _hidden_in(_everything(error), SECRET, VERIFIER, CODE, REFRESH, access_token, basic)
        assert set(error.request_param) <= {"grant_type", "client_id", "token_type_hint", "scope"}
        assert (status, sso.requests[-1].url) == (error.status_code, error.url)
    assert [] == _hidden_in(caplog.text, SECRET, VERIFIER, CODE, REFRESH, access_token, basic)


def test_T44_a_refused_token_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """A token that is not valid may still be somebody's."""
    caplog.set_level(logging.DEBUG)
    sso = ScriptedSso()
    for token in (signed(aud=["other"]), signed()[:-8] + "AAAAAAAA", "opaque-token-of-somebody"):
        sso.grant = lambda form, token=token: reply(200, tokens(token, refresh_token="R-new"))  # type: ignore[misc]
        security = _login(sso, secret_key=SECRET)
        with pytest.raises(APIException) as caught:
            security.refresh()
        assert [] == _hidden_in(_everything(caught.value) + caplog.text, token, "R-new", REFRESH, SECRET)


def test_T44_no_repr_shows_a_token(sandbox: RunningSandbox, colour: Colour) -> None:
    """Of the object, of what is inside it, and of the requests it makes."""
    security = colour.security(sandbox, code_verifier=VERIFIER)
    security.update_token(sandbox.login(client_id="sandbox-demo-pkce"))
    secrets = [VERIFIER, security.access_token, security.refresh_token]
    character = sandbox.sandbox.roster.ids[0]
    assert f"<{type(security).__name__} of application sandbox-demo-pkce, character {character}>" == repr(security)
    inside = [security._application, security._held(), security._source, security.settings]
    assert [] == _hidden_in(" ".join(map(repr, inside)), *secrets)
    assert [] == _hidden_in(repr(colour.security(sandbox, secret_key=SECRET)._application), SECRET)


def test_T44_the_principal_is_no_token_and_never_another_characters() -> None:
    """While the character is unknown, its place is taken by an id that goes with the refresh token."""
    security = _login(ScriptedSso(), secret_key=SECRET)
    assert "app:90000001" == security.principal
    names: list[str] = []
    for refresh_token in ("R1", "R2", None):
        security.access_token, security.refresh_token = "opaque", refresh_token
        assert security.character_id is None
        assert security.principal == security.principal
        names.append(security.principal)
    assert 3 == len(set(names))
    assert [] == _hidden_in(" ".join(names), "opaque", "R1", "R2")


def test_T03_a_token_that_tells_no_character_is_never_counted_as_who_is_logged_in_now() -> None:
    """A call of A that is under way when B logs in does not get B's name, nor a third one's; one of B does."""
    security = _login(ScriptedSso(), secret_key=SECRET)
    security.update_token({"access_token": "opaque-A", "refresh_token": "A", "expires_in": 1199})
    assert security.principal == security.principal_of("opaque-A")
    security.update_token({"access_token": "opaque-B", "refresh_token": "B", "expires_in": 1199})
    assert security.principal == security.principal_of("opaque-B")
    names = {security.principal, security.principal_of("opaque-A"), security.principal_of("opaque-C")}
    assert 3 == len(names)
    assert [] == _hidden_in(" ".join(names), "opaque")
    assert "app:90000001" == security.principal_of(signed())


def test_T44_what_happens_in_a_whole_life_is_logged_without_secrets(
    sandbox: RunningSandbox, colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    """Login, refresh, an outage, a failing receiver and the end, with everything logged."""
    caplog.set_level(logging.DEBUG)
    signal: Signal[...] = Signal("TEST")
    security = colour.security(sandbox, signal_token_updated=signal)
    code = query_of(sandbox.approve(security.get_auth_uri("s", [WALLET])))["code"]
    seen = [code, sandbox.secret_key or ""]
    colour(security.auth(code))
    sandbox.fail(TOKEN, kind="reset")
    with pytest.raises(SSOUnavailableError):
        colour(security.refresh())
    sandbox.fail(METADATA, kind="html")
    seen += [security.access_token, security.refresh_token]
    colour(security.refresh())
    seen += [security.access_token, security.refresh_token]
    colour(security.revoke())
    assert [] == _hidden_in(caplog.text, *seen)


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://login.eveonline.com/x", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:8000/", True),
        ("http://login.eveonline.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1@example.com", False),
        ("http://127.evil.example", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("https://user:password@login.eveonline.com", False),
        ("login.eveonline.com", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_T45_secrets_go_over_https_or_stay_on_this_machine(url: str, private: bool) -> None:
    """An address that only looks like this machine's is not."""
    assert private == is_private(url)


def test_T45_an_address_that_is_not_private_is_refused_by_name() -> None:
    """Before anything is sent, and each by its own name."""
    ends = {
        "issuer": "https://sso",
        "authorization_endpoint": "https://sso/a",
        "token_endpoint": "https://sso/t",
        "revocation_endpoint": "https://sso/r",
        "jwks_uri": "https://sso/k",
    }
    for name in list(ends)[1:]:
        with pytest.raises(SettingError, match=name):
            _login(ScriptedSso(), secret_key=SECRET, sso_endpoints={**ends, name: "http://sso/x"})
        with pytest.raises(SettingError, match=name):
            _login(ScriptedSso(), secret_key=SECRET, sso_endpoints={key: ends[key] for key in ends if key != name})
    for name in ("sso_url", "sso_endpoints_url"):
        with pytest.raises(SettingError, match=name):
            _login(ScriptedSso(), secret_key=SECRET, **{name: "http://login.eveonline.com"})


def test_T45_metadata_cannot_lead_secrets_astray(caplog: pytest.LogCaptureFixture) -> None:
    """Metadata that names an address in the open is not used: the secret goes where it was known to go."""
    sso = ScriptedSso()
    transport = ScriptedTransport(
        lambda request: (
            reply(200, {"issuer": "x", "token_endpoint": "http://evil.example/t"})
            if request.url.endswith(METADATA)
            else sso(request)
        )
    )
    _login(sso, secret_key=SECRET, transport=transport).refresh()
    assert "https://login.eveonline.com" + TOKEN == sso.requests[-1].url
    assert "cannot be used" in caplog.text


def test_T45_the_secret_goes_to_the_token_and_revoke_endpoints_only() -> None:
    """Metadata and keys are public: asking for them shows nobody who asks."""
    sso = ScriptedSso()
    security = _login(sso, secret_key=SECRET)
    security.refresh()
    security.verify()
    security.revoke()
    signed_paths = [
        path for path, request in zip(sso.asked, sso.requests, strict=True) if "Authorization" in dict(request.headers)
    ]
    assert [TOKEN, REVOKE] == signed_paths
    assert {METADATA, JWKS, TOKEN, REVOKE} == set(sso.asked)
    assert [] == _hidden_in(" ".join(request.url for request in sso.requests), SECRET, REFRESH)


def test_T45_a_redirect_is_not_followed_with_a_secret(sandbox: RunningSandbox, colour: Colour) -> None:
    """Wherever the token endpoint points, nothing more is sent."""
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    sandbox.fail(TOKEN, kind="redirect", location=f"{sandbox.url}/elsewhere")
    with pytest.raises(SSOUnavailableError):
        colour(security.refresh())
    assert [] == sandbox.received("/elsewhere")


def test_the_global_signal_is_the_default() -> None:
    """And None means it too."""
    assert AFTER_TOKEN_REFRESH is _login(ScriptedSso(), secret_key="s").signal_token_updated
    assert AFTER_TOKEN_REFRESH is _login(ScriptedSso(), secret_key="s", signal_token_updated=None).signal_token_updated
