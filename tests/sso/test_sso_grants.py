"""What is sent for each grant: pure forms and addresses (T46, PKCE)."""

from __future__ import annotations

from base64 import b64decode
from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sso import grants
from esipy.sso.grants import Application, authorize_url, refresh_form, scope_list
from esipy.sso.wire import Asker
from esipy.transport.scripted import ScriptedTransport
from esipy.utils import generate_code_challenge, generate_code_verifier
from tests.sso.sso_kit import ScriptedSso, signed
from tests.urls import query_of

SECRET = Application("app", "secret", None)
PKCE = Application("app", None, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
SCOPE = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1)


def test_the_challenge_is_that_of_the_rfc() -> None:
    """The vector of RFC 7636, appendix B."""
    assert "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" == generate_code_challenge(PKCE.code_verifier or "")


@pytest.mark.parametrize(("n_bytes", "length"), [(31, 42), (32, 43), (64, 86), (96, 128)])
def test_a_verifier_has_the_length_of_its_bytes(n_bytes: int, length: int) -> None:
    """43 to 128 unreserved characters, new each time."""
    verifier = generate_code_verifier(n_bytes)
    assert length == len(verifier)
    assert verifier.replace("-", "").replace("_", "").isalnum()
    assert verifier != generate_code_verifier(n_bytes)


@pytest.mark.parametrize("n_bytes", [0, 30, 97, 1000])
def test_a_verifier_that_the_rfc_does_not_allow_is_refused(n_bytes: int) -> None:
    """As in version 1."""
    with pytest.raises(ValueError, match="n_bytes must be"):
        generate_code_verifier(n_bytes)


@given(state=TEXT, redirect_uri=TEXT, scopes=st.lists(SCOPE))
def test_the_address_says_what_it_was_given(state: str, redirect_uri: str, scopes: list[str]) -> None:
    """Whatever is in it: what the SSO reads is what was meant."""
    url = authorize_url("https://sso/authorize", SECRET, redirect_uri, state, scopes)
    query = query_of(url)
    expected = {"response_type": "code", "redirect_uri": redirect_uri, "client_id": "app", "state": state}
    assert expected | ({"scope": " ".join(scopes)} if scopes else {}) == query


def test_the_address_is_written_as_in_version_1() -> None:
    """The same order and escapes, for programs that compare it."""
    assert (
        "https://sso/authorize?response_type=code&redirect_uri=http%3A%2F%2Flocalhost%2Fcb&client_id=app"
        "&scope=esi-a.b.v1+esi-c.d.v1&state=s"
    ) == authorize_url("https://sso/authorize", SECRET, "http://localhost/cb", "s", ["esi-a.b.v1", "esi-c.d.v1"])


def test_only_pkce_sends_a_challenge() -> None:
    """And never the verifier itself."""
    query = query_of(authorize_url("https://sso/a", PKCE, "x", "s", []))
    assert "S256" == query["code_challenge_method"]
    assert "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" == query["code_challenge"]
    assert "code_challenge" not in authorize_url("https://sso/a", SECRET, "x", "s", [])


@given(refresh_token=TEXT, scopes=st.lists(SCOPE), client=TEXT, secret=TEXT)
def test_T46_what_the_sso_reads_is_what_was_meant(
    refresh_token: str, scopes: list[str], client: str, secret: str
) -> None:
    """A refresh's form is encoded once; scopes are separated by spaces; Basic auth survives any secret."""
    sso = ScriptedSso()
    runtime = BlockingRuntime(ScriptedTransport(sso))
    application = Application(client, secret, None)
    run(grants.refresh(runtime, Asker((), 60, 10), "https://sso/token", application, refresh_token, scopes))
    expected = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    assert [expected | ({"scope": " ".join(scopes)} if scopes else {})] == sso.forms
    headers = dict(sso.requests[0].headers)
    basic = b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
    assert [client, secret] == [unquote_plus(part) for part in basic.split(":")]
    assert "application/x-www-form-urlencoded" == headers["Content-Type"]


def test_pkce_names_the_client_in_the_form_and_sends_no_header() -> None:
    """The verifier goes with the code only: a refresh has no use for it."""
    assert PKCE.authorization is None
    assert {"grant_type": "refresh_token", "refresh_token": "R", "client_id": "app"} == refresh_form(PKCE, "R", ())
    assert PKCE.code_verifier == grants.exchange_form(PKCE, "c")["code_verifier"]
    assert "code_verifier" not in grants.exchange_form(SECRET, "c")


@given(st.lists(SCOPE))
def test_scopes_may_be_a_list_or_a_text(scopes: list[str]) -> None:
    """Each once, in the order given."""
    assert tuple(dict.fromkeys(scopes)) == scope_list(scopes) == scope_list(" ".join(scopes))


def test_what_holds_tokens_does_not_show_them() -> None:
    """The values that pass between the functions have a repr without secrets."""
    grant = grants.Grant(signed(), "R1", 1199, {"access_token": "x"}, None)
    assert "<Grant>" == repr(grant)
    assert "<Application app>" == repr(SECRET) == repr(PKCE)
