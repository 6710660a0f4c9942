"""The interface of version 1's EsiSecurity: arguments, attributes, errors, and what `update_token` takes."""

from __future__ import annotations

import copy
import pickle
import threading
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from esipy import AsyncEsiSecurity, EsiSecurity
from esipy.events import AFTER_TOKEN_REFRESH, Signal
from esipy.exceptions import APIException, LoginRequiredError, SettingError
from tests.security_kit import AGENT
from tests.urls import query_of

KINDS = pytest.mark.parametrize("kind", [EsiSecurity, AsyncEsiSecurity])
Kind = Callable[..., Any]


def _make(kind: Kind = EsiSecurity, **keywords: Any) -> Any:
    return kind("http://localhost/callback", "app", "secret", headers=AGENT, **keywords)


@KINDS
def test_the_first_four_arguments_are_positional(kind: Kind) -> None:
    """As in version 1, they are attributes too."""
    security = kind("http://localhost/callback", "app", "secret", "verifier", headers=AGENT)
    shown = (security.redirect_uri, security.client_id, security.secret_key, security.code_verifier)
    assert shown == ("http://localhost/callback", "app", "secret", "verifier")
    assert (None, None, None, None) == (
        security.access_token,
        security.refresh_token,
        security.token_expiry,
        security.token_identifier,
    )
    assert security.character_id is None
    assert security.security_name == "evesso"


@KINDS
@pytest.mark.parametrize(
    "wrong", [{"secret_key": None}, {"sso_endpoints_url": None}, {"sso_endpoints_url": ""}], ids=str
)
def test_what_version_1_refused_is_an_attribute_error(kind: Kind, wrong: dict[str, Any]) -> None:
    """Neither secret nor verifier; an empty address of the metadata."""
    given: dict[str, Any] = {"redirect_uri": "x", "client_id": "app", "secret_key": "s", "headers": AGENT} | wrong
    with pytest.raises(AttributeError):
        kind(**given)


@pytest.mark.parametrize("state", [None, ""])
def test_a_login_needs_a_state(state: Any) -> None:
    """Without it anyone could log a user in as somebody else."""
    with pytest.raises(AttributeError, match="state"):
        _make().get_auth_uri(state)


@KINDS
@pytest.mark.parametrize(
    ("keyword", "told"),
    [("app", r"ignores app=$"), ("esi_datasource", r"ignores esi_datasource="), ("tmeout", r"mean timeout=\?")],
)
def test_keywords_that_do_nothing_warn(kind: Kind, keyword: str, told: str) -> None:
    """Version 1 took any; the warning is at the line that made the object, and a misspelt one is not lost."""
    with pytest.warns(UserWarning, match=told) as caught:
        security = _make(kind, **{keyword: 5})
    assert __file__ == caught[0].filename
    assert 10.0 != security.settings.timeout != 5


def test_a_setting_that_cannot_be_meant_is_refused_by_name() -> None:
    """A known keyword with a wrong value is no old one."""
    with pytest.raises(SettingError, match="timeout"):
        _make(timeout="soon")


@KINDS
def test_a_missing_user_agent_warns_with_a_good_one(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """At the line that made the object, as a warning and in the log."""
    with pytest.warns(UserWarning, match=r"MyApp/1\.0 \(me@example\.com; \+https://") as caught:
        kind("x", "app", "s")
    assert __file__ == caught[0].filename
    assert "esipy.security" == caplog.records[0].name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind("x", "app", "s", user_agent="Tests/1.0")


def test_update_token_takes_what_the_token_endpoint_gives() -> None:
    """Expiry counts from now; a missing refresh token leaves the old one; the identifier is kept."""
    security = _make(token_identifier=1)
    security.update_token({"access_token": "a", "expires_in": 1199, "refresh_token": "r"})
    assert ("a", "r", 1) == (security.access_token, security.refresh_token, security.token_identifier)
    assert security.token_expiry == pytest.approx(time.time() + 1199, abs=3)
    assert isinstance(security.token_expiry, int)
    security.update_token({"access_token": "b", "expires_in": 600.5}, token_identifier=2)
    assert ("b", "r", 2) == (security.access_token, security.refresh_token, security.token_identifier)
    assert security.token_expiry == pytest.approx(time.time() + 600.5, abs=3)


@pytest.mark.parametrize("expires_in", [-1, 0, -0.5, None])
def test_update_token_with_a_time_that_is_over(expires_in: float | None) -> None:
    """It means: refresh at the next use."""
    security = _make()
    security.update_token({"access_token": "", "expires_in": expires_in, "refresh_token": "r"})
    assert security.is_token_expired()
    security.update_token({"access_token": "", "refresh_token": "r"})
    assert security.is_token_expired()


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [("1199", 1199), ("1199.0", 1199), (" 600.5\n", 600.5), ("-1", -1), (True, 1), (Decimal("1199"), 1199)],
)
def test_update_token_takes_a_number_in_any_form(expires_in: Any, seconds: float) -> None:
    """Also as the text that some stores keep; what version 1 could add to a time is added."""
    security, before = _make(), int(time.time())
    security.update_token({"access_token": "a", "expires_in": expires_in})
    assert before <= security.token_expiry - seconds <= int(time.time())


@pytest.mark.parametrize(
    ("expires_in", "kind"),
    [
        *[(text, "a text that is none") for text in ("", "soon", "nan", "inf", "1e999", "1199 s")],
        (b"1199", "bytes"), ([1199], "list"), (timedelta(seconds=1199), "timedelta"),
    ],
)  # fmt: skip
def test_update_token_refuses_a_time_that_is_no_number(expires_in: Any, kind: str) -> None:
    """A TypeError as in version 1, with words; the tokens there are stay."""
    security = _make(token_identifier=1)
    security.update_token({"access_token": "a", "expires_in": 1199, "refresh_token": "r"})
    kept = security.token_expiry
    with pytest.raises(TypeError) as refused:
        security.update_token({"access_token": "b", "expires_in": expires_in, "refresh_token": "R"}, token_identifier=2)
    assert f"expires_in: has to be a number of seconds, not {kind}" == str(refused.value)
    assert ("a", "r", kept, 1) == (
        security.access_token, security.refresh_token, security.token_expiry, security.token_identifier,
    )  # fmt: skip


@KINDS
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"headers": "Authorization: Bearer x"}, "headers=str: has to be a dict"),
        ({"headers": {**AGENT, "X A": "b"}}, "headers: 'X A' is no name of a header"),
        ({"headers": {**AGENT, "X-A:": "b"}}, "headers: 'X-A:' is no name of a header"),
        ({"headers": {**AGENT, "X-A\n": "b"}}, "headers: 'X-A\\n' is no name of a header"),
        ({"headers": {**AGENT, "": "b"}}, "headers: '' is no name of a header"),
        ({"headers": {"User-Agent": None}}, "headers: 'User-Agent' has to be a text of one line"),
        ({"headers": {**AGENT, "X-A": "a\r\nB: c"}}, "headers: 'X-A' has to be a text of one line"),
        ({"headers": {**AGENT, "authorization": "Basic x"}}, "headers: Authorization is not yours to set"),
        ({"secret_key": 5}, "secret_key: has to be text, not int"),
        ({"client_id": b"app"}, "client_id: has to be text, not bytes"),
        ({"code_verifier": b"verifier"}, "code_verifier: has to be text, not bytes"),
        ({"signal_token_updated": print}, "signal_token_updated: has to be a Signal; add a function with add_receiver"),
    ],
)
def test_what_a_login_cannot_use_is_refused_when_it_is_made(kind: Kind, wrong: dict[str, Any], said: str) -> None:
    """Not at the first refresh, when a refresh token has been spent; what may be a secret is not shown."""
    given = {"redirect_uri": "http://localhost/", "client_id": "app", "secret_key": "s", "headers": AGENT}
    with pytest.raises(SettingError) as refused:
        kind(**{**given, **wrong})
    assert str(refused.value).startswith(said)


def test_update_token_takes_a_refresh_token_alone() -> None:
    """It is all that a program has to keep: the next use refreshes, and no access token of before is used."""
    security = _make()
    security.update_token({"access_token": "a", "expires_in": 1199, "refresh_token": "r"})
    security.update_token({"refresh_token": "R"})
    assert ("", "R", True) == (security.access_token, security.refresh_token, security.is_token_expired())


@KINDS
@pytest.mark.parametrize("client_id", [None, ""])
def test_a_login_without_an_application_is_refused(kind: Kind, client_id: Any) -> None:
    """A variable that is not set is told where it is used, not by a page of the SSO's."""
    with pytest.raises(SettingError, match=f"client_id={client_id!r}: has to be the application's"):
        kind("http://localhost/callback", client_id, "secret", headers=AGENT)


@KINDS
def test_a_login_without_a_callback_address_only_refreshes(kind: Kind) -> None:
    """It is made; users cannot be sent to the SSO with it."""
    security: Any = kind(None, "app", "secret", headers=AGENT)
    with pytest.raises(SettingError, match="redirect_uri=None: has to be the address that is registered"):
        security.get_auth_uri("state")


def test_update_token_without_an_access_token_changes_nothing() -> None:
    """An SSO's error that was passed on by mistake must not wipe a login."""
    security = _make()
    security.update_token({"access_token": "a", "expires_in": 1199, "refresh_token": "r"}, token_identifier=1)
    kept = security.token_expiry
    with pytest.raises(KeyError):
        security.update_token({"error": "invalid_grant"}, token_identifier=2)
    assert ("a", "r", kept, 1) == (
        security.access_token,
        security.refresh_token,
        security.token_expiry,
        security.token_identifier,
    )


def test_is_token_expired_with_an_offset() -> None:
    """Above 0: sooner; below 0: later; unknown: always."""
    security = _make()
    assert security.is_token_expired()
    assert security.is_token_expired(-99999)
    security.update_token({"access_token": "a", "expires_in": 100})
    answers = [security.is_token_expired(offset) for offset in (0, 90, 110)]
    assert answers == [False, False, True]
    security.update_token({"access_token": "a", "expires_in": -100})
    answers = [security.is_token_expired(offset) for offset in (0, -90, -110)]
    assert answers == [True, True, False]


def test_the_parameters_of_version_1_are_there() -> None:
    """For programs that send them themselves."""
    security = _make()
    params = security.get_access_token_params("c")
    assert {"Authorization": "Basic YXBwOnNlY3JldA=="} == params["headers"]
    assert {"grant_type": "authorization_code", "code": "c"} == params["data"]
    assert "https://login.eveonline.com/v2/oauth/token" == params["url"]
    with pytest.raises(AttributeError):
        security.get_refresh_token_params()
    security.refresh_token = "r"
    data = security.get_refresh_token_params(["a", "b"])["data"]
    assert {"grant_type": "refresh_token", "refresh_token": "r", "scope": "a b"} == data
    with pytest.raises(AttributeError, match="list"):
        security.get_refresh_token_params("a b")
    with pytest.raises(AttributeError, match="list"):
        security.refresh("a b")


def test_methods_that_need_a_token_say_so() -> None:
    """Both as version 1's AttributeError, and as the APIException that programs catch."""
    security = _make()
    for method in (security.refresh, security.verify, security.revoke):
        with pytest.raises(LoginRequiredError) as caught:
            method()
        assert isinstance(caught.value, AttributeError)
        assert isinstance(caught.value, APIException)


def test_the_verifier_may_be_set_for_each_login() -> None:
    """Desktop programs make a new one each time."""
    security = EsiSecurity("x", "app", code_verifier="first", headers=AGENT)
    first = query_of(security.get_auth_uri("s"))["code_challenge"]
    security.code_verifier = "second"
    assert first != query_of(security.get_auth_uri("s"))["code_challenge"]


@KINDS
def test_a_pickle_is_the_same_login(kind: Kind) -> None:
    """Tokens, settings and identity; the signal is that of the process it comes to; connections are made anew."""
    security = _make(kind, token_identifier=7, jwks_key={"keys": []})
    security.update_token({"access_token": "a", "expires_in": 1199, "refresh_token": "r"})
    for copied in (pickle.loads(pickle.dumps(security)), copy.deepcopy(security), copy.copy(security)):
        shown = (copied.access_token, copied.refresh_token, copied.token_expiry, copied.token_identifier)
        assert shown == ("a", "r", security.token_expiry, 7)
        assert AFTER_TOKEN_REFRESH is copied.signal_token_updated
        assert security.get_auth_uri("s") == copied.get_auth_uri("s")


def test_a_signal_of_ones_own_does_not_fit_into_a_pickle() -> None:
    """It would be another signal there, and new tokens would be lost: an error is better."""
    with pytest.raises(TypeError):
        pickle.dumps(_make(signal_token_updated=Signal("MINE")))


def test_principals_from_many_threads_agree() -> None:
    """A login whose character is not known has one name, whoever asks first."""
    security = _make()
    security.refresh_token = "r"
    names: list[str] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait(10)
        names.append(security.principal)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert 8 == len(names)
    assert {security.principal} == set(names)
