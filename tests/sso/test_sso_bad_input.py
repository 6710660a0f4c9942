"""What users and programs get wrong about logins: each is one clear error, and nothing is lost.

A table, in both colours: by an object of one's own (`EsiSecurity`), by stored logins (`as_character`, `add_character`)
and by web logins. ``esipy login`` has the same rows in tests/cli/test_cli_login_wrong.py; what is wrong with a store is
in test_sso_bad_stores.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from esipy.exceptions import (
    LoginFailedError,
    LoginRequiredError,
    SettingError,
    SSOUnavailableError,
    TokenInvalidError,
    TokenRevokedError,
)
from tests.sso.bad_input_kit import OTHER, Desk, fails
from tests.sso.sso_kit import TOKEN, WALLET


def _auth_twice(desk: Desk) -> None:
    security, code = desk.security(), desk.code()
    desk.run(security.auth(code))
    desk.run(security.auth(code))


def _finish_twice(desk: Desk) -> None:
    web, session = desk.web(), dict[str, Any]()
    callback = desk.server.approve(web.start(session), desk.who)
    copy = dict(session)
    desk.run(web.finish(session, callback))
    desk.run(web.finish(copy, callback))


def _finish_denied(desk: Desk) -> None:
    web, session = desk.web(), dict[str, Any]()
    desk.run(web.finish(session, desk.server.deny(web.start(session))))


def _finish_at_another_address(desk: Desk) -> None:
    session: dict[str, Any] = {}
    callback = desk.server.approve(desk.web().start(session), desk.who)
    desk.run(desk.web("http://127.0.0.1:1/callback").finish(session, callback))


def _finish_late(desk: Desk) -> None:
    web, session = desk.web(), dict[str, Any]()
    callback = desk.server.approve(web.start(session), desk.who)
    ((state, began_at, verifier),) = session["esipy_logins"]
    desk.run(web.finish({"esipy_logins": [[state, began_at - 601, verifier]]}, callback))


def _finish_elsewhere(desk: Desk) -> None:
    web = desk.web()
    callback = desk.server.approve(web.start({}), desk.who)
    desk.run(web.finish({}, callback))


def _finish_old_code(desk: Desk) -> None:
    def wait(callback: str) -> str:
        desk.server.advance(301)
        return callback

    desk.finish(desk.web(), wait)


def _auth_old_code(desk: Desk) -> None:
    code = desk.code()
    desk.server.advance(301)
    desk.run(desk.security().auth(code))


def _foreign_answer(desk: Desk, deed: Callable[[Desk], Any]) -> None:
    """The SSO's answer holds a token that it made for another application."""
    token = desk.server.mint(desk.who, [WALLET], client_id=OTHER)
    answer = {"access_token": token, "expires_in": 1199, "token_type": "Bearer"}
    desk.secrets.add(token)
    desk.server.fail(TOKEN, status=200, body=json.dumps(answer))
    deed(desk)


def _foreign_access(desk: Desk) -> Any:
    """A login with an access token of another application, put in by hand, and no refresh token."""
    security = desk.security()
    token = desk.server.mint(desk.who, [WALLET], client_id=OTHER)
    desk.secrets.add(token)
    security.update_token({"access_token": token, "expires_in": 1199, "refresh_token": None})
    return security


def _foreign_refresh(desk: Desk) -> str:
    """A good refresh token of another application."""
    token: str = desk.server.login(desk.who, scopes=[WALLET], client_id=OTHER)["refresh_token"]
    desk.secrets.add(token)
    return token


def _refresh_foreign(desk: Desk) -> Any:
    security = desk.security()
    security.refresh_token = _foreign_refresh(desk)
    return desk.run(security.refresh())


REFUSED = r"the SSO refused the application \(401 invalid_client\): check client_id and secret_key"
NO_CODE = r"the SSO refused the grant \(invalid_grant\): it was used, revoked or is not yours; log in again"
NO_WEB_CODE = "the SSO does not take the code of this login: it was used, or is too old; begin the login anew"
OF_ANOTHER = r"it was made for another application \(aud\)"

Row = tuple[Callable[[Desk], Any], type[Exception], str]

AT_THE_SSO: dict[str, Row] = {
    # a wrong client id
    "client id, login page": (
        lambda desk: desk.server.approve(desk.security(client_id="nobody").get_auth_uri("state"), desk.who),
        ValueError, "error page .*No application has this client_id",
    ),
    "client id, auth": (
        lambda desk: desk.run(desk.security(client_id="nobody").auth(desk.code())), SSOUnavailableError, REFUSED,
    ),
    "client id, PKCE, auth": (
        lambda desk: desk.run(desk.security(client_id="nobody", secret_key=None, code_verifier="v" * 43).auth("c0de")),
        SSOUnavailableError, REFUSED,
    ),
    "client id, refresh": (
        lambda desk: desk.run(desk.security(client_id="nobody").refresh()), SSOUnavailableError, REFUSED,
    ),
    "client id, stored": (
        lambda desk: desk.wallet(desk.client(client_id="nobody")),
        LoginRequiredError, "no login of character [0-9]+ is kept for the application nobody",
    ),
    "client id, add": (
        lambda desk: desk.run(desk.client(client_id="nobody").add_character(desk.refresh_token)),
        SSOUnavailableError, REFUSED,
    ),
    "client id, web": (
        lambda desk: desk.finish(desk.web(client_id="nobody")), ValueError, "error page .*No application has this",
    ),
    # a wrong secret
    "secret, auth": (
        lambda desk: desk.run(desk.security(secret_key="wrong-secret").auth(desk.code())), SSOUnavailableError, REFUSED,
    ),
    "secret, refresh": (
        lambda desk: desk.run(desk.security(secret_key="wrong-secret").refresh()), SSOUnavailableError, REFUSED,
    ),
    "secret, stored": (
        lambda desk: desk.wallet(desk.client(secret_key="wrong-secret")), SSOUnavailableError, REFUSED,
    ),
    "secret, add": (
        lambda desk: desk.run(desk.client(secret_key="wrong-secret").add_character(desk.refresh_token)),
        SSOUnavailableError, REFUSED,
    ),
    "secret, remove": (
        lambda desk: desk.run(desk.client(secret_key="wrong-secret").remove_character(desk.who)),
        SSOUnavailableError, REFUSED,
    ),
    "secret, web": (
        lambda desk: desk.finish(desk.web(secret_key="wrong-secret")), SSOUnavailableError, REFUSED,
    ),
    # a callback that does not match the one that is registered
    "callback, login page": (
        lambda desk: desk.server.approve(desk.security(redirect_uri="http://127.0.0.1/x").get_auth_uri("state")),
        ValueError, "error page .*redirect_uri is not one of the application's",
    ),
    "callback, web": (
        lambda desk: desk.finish(desk.web("http://127.0.0.1:1/callback")),
        ValueError, "error page .*redirect_uri is not one of the application's",
    ),
    "callback that changed meanwhile, web": (_finish_at_another_address, LoginFailedError, NO_WEB_CODE),
    # a consent that was denied
    "denied, auth": (
        lambda desk: desk.run(desk.security().auth(None)), LoginFailedError, "there is no code: the user said no, or",
    ),
    "a whole address, auth": (
        lambda desk: desk.run(desk.security().auth("http://127.0.0.1:8635/callback?code=abcdefghijklmnop&state=x")),
        LoginFailedError, "this is an address: the code is what it has as code=",
    ),
    "denied, web": (_finish_denied, LoginFailedError, "the login was denied: nothing was allowed"),
    # a code that was used, or is too old
    "used code, auth": (_auth_twice, TokenRevokedError, NO_CODE),
    "used code, web": (_finish_twice, LoginFailedError, NO_WEB_CODE),
    "old code, auth": (_auth_old_code, TokenRevokedError, NO_CODE),
    "old code, web": (_finish_old_code, LoginFailedError, NO_WEB_CODE),
    "code of another application, auth": (
        lambda desk: desk.run(desk.security().auth(desk.code(client_id=OTHER))), TokenRevokedError, NO_CODE,
    ),
    # a state that is over, or of another session
    "old state, web": (_finish_late, LoginFailedError, "this login took longer than 10 minutes, and is over"),
    "state of another session, web": (_finish_elsewhere, LoginFailedError, "belongs to no login that was begun here"),
    # a token of another application
    "foreign answer, auth": (
        lambda desk: _foreign_answer(desk, lambda desk: desk.run(desk.security().auth(desk.code()))),
        TokenInvalidError, OF_ANOTHER,
    ),
    "foreign answer, refresh": (
        lambda desk: _foreign_answer(desk, lambda desk: desk.run(desk.security().refresh())),
        TokenInvalidError, OF_ANOTHER,
    ),
    "foreign answer, stored": (
        lambda desk: _foreign_answer(desk, lambda desk: desk.wallet(desk.client())), TokenInvalidError, OF_ANOTHER,
    ),
    "foreign answer, web": (
        lambda desk: _foreign_answer(desk, lambda desk: desk.finish(desk.web())), TokenInvalidError, OF_ANOTHER,
    ),
    "foreign access token, verify": (
        lambda desk: desk.run(_foreign_access(desk).verify()), TokenInvalidError, OF_ANOTHER,
    ),
    "foreign access token, add": (
        lambda desk: desk.run(desk.client().add_character(_foreign_access(desk))), LoginRequiredError, OF_ANOTHER,
    ),
    "foreign refresh token, refresh": (_refresh_foreign, TokenRevokedError, NO_CODE),
    "foreign refresh token, add": (
        lambda desk: desk.run(desk.client().add_character(_foreign_refresh(desk))), TokenRevokedError, NO_CODE,
    ),
    "login of another application, add": (
        lambda desk: desk.run(desk.client().add_character(desk.security(client_id=OTHER, secret_key="another-secret"))),
        SettingError, "this login is of the application another-application, and this client is of",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_THE_SSO)
def test_what_is_wrong_with_the_sso_is_one_error(desk: Desk, name: str) -> None:
    """It says what to do; the store is as it was, but for what was logged in rightly; the login that is kept works."""
    deed, kind, said = AT_THE_SSO[name]
    before = desk.kept()
    fails(desk, deed, kind, said)
    if deed is not _finish_twice:
        assert before == desk.kept()
    desk.check_nothing_is_lost()


OWN_LOGIN: dict[str, tuple[Callable[[Any], Any], dict[str, str], type[Exception]]] = {
    "wrong client id": (lambda security: security.refresh(), {"client_id": "nobody"}, SSOUnavailableError),
    "wrong secret": (lambda security: security.refresh(), {"secret_key": "wrong-secret"}, SSOUnavailableError),
    "wrong secret, auth": (lambda security: security.auth("c0de"), {"secret_key": "wrong-secret"}, SSOUnavailableError),
    "wrong secret, revoke": (lambda security: security.revoke(), {"secret_key": "wrong-secret"}, SSOUnavailableError),
    "unknown code": (lambda security: security.auth("c0de"), {}, TokenRevokedError),
    "no code": (lambda security: security.auth(""), {}, LoginFailedError),
}


@pytest.mark.parametrize("name", OWN_LOGIN)
def test_an_object_keeps_its_tokens_through_it(desk: Desk, name: str) -> None:
    """Mended (`secret_key`, `client_id` are attributes), the same object refreshes."""
    deed, wrong, kind = OWN_LOGIN[name]
    security = desk.security()
    held = security._held()
    for attribute, value in wrong.items():
        setattr(security, attribute, value)
    with pytest.raises(kind):
        desk.run(deed(security))
    assert held == security._held()
    security.client_id, security.secret_key = desk.server.client_id, desk.server.secret_key
    assert desk.run(security.refresh())["access_token"] == security.access_token


def test_a_refused_refresh_token_leaves_the_access_token(desk: Desk) -> None:
    """Only what the SSO said to be dead is dropped (T40): a token that is good is used to its end."""
    security = desk.security()
    good = security.access_token
    security.refresh_token = _foreign_refresh(desk)
    with pytest.raises(TokenRevokedError):
        desk.run(security.refresh())
    assert (good, None) == (security.access_token, security.refresh_token)
    assert desk.wallet_of(security) >= 0
