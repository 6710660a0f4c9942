"""What a token's claims say, and which are refused: pure, the signature aside."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.claims import (
    LEEWAY_SECONDS,
    Checks,
    Claims,
    check_claims,
    peek,
    peek_character_id,
    read_scopes,
    spellings,
)
from esipy.exceptions import TokenInvalidError

NOW = 1_800_000_000.0
GOOD: dict[str, Any] = {
    "iss": "login.eveonline.com",
    "aud": ["app", "EVE Online"],
    "sub": "CHARACTER:EVE:2112000001",
    "name": "One",
    "owner": "hash=",
    "scp": ["b", "a"],
    "exp": NOW + 1200,
}
SCOPE = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1)


def _check(**changes: Any) -> Claims:
    payload = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return check_claims(payload, client_id="app", issuer="https://login.eveonline.com", now=NOW)


def _jwt(payload: Any) -> str:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return f"e30.{urlsafe_b64encode(raw).rstrip(b'=').decode()}.c2ln"


def test_good_claims_are_read() -> None:
    """Every claim, in its type."""
    assert Claims(2112000001, "One", "hash=", frozenset({"a", "b"}), NOW + 1200, "app") == _check()


def test_until_when_a_token_is_good() -> None:
    """As a moment; None when it does not tell, and that was not checked."""
    assert datetime.fromtimestamp(NOW + 1200, UTC) == _check().expires_at
    untold = {name: value for name, value in GOOD.items() if name != "exp"}
    unchecked = Checks(skipped=frozenset({"exp"}))
    assert (
        check_claims(untold, client_id="app", issuer="login.eveonline.com", now=NOW, checks=unchecked).expires_at
        is None
    )


def test_only_what_is_needed_has_to_be_there() -> None:
    """Name, owner and scopes may be missing, or of a type that nobody expects."""
    bare = Claims(2112000001, "", "", frozenset(), NOW + 1200, "app")
    assert bare == _check(name=None, owner=None, scp=None)
    assert bare == _check(name=5, owner=["x"], scp={"a": 1})


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", None),
        ("iss", "http://login.eveonline.com"),
        ("iss", "https://login.eveonline.com//"),
        ("iss", "https://login.eveonline.com.example"),
        ("iss", ["login.eveonline.com"]),
        ("aud", None),
        ("aud", []),
        ("aud", "app EVE Online"),
        ("aud", ["app"]),
        ("aud", ["EVE Online"]),
        ("aud", ["app", "eve online"]),
        ("aud", {"app": 1, "EVE Online": 1}),
        ("exp", None),
        ("exp", "1800001200"),
        ("exp", True),
        ("exp", float("nan")),
        ("exp", 10**400),
        ("exp", NOW - LEEWAY_SECONDS),
        ("sub", None),
        ("sub", "2112000001"),
        ("sub", "CHARACTER:EVE:"),
        ("sub", "CHARACTER:EVE:-5"),
        ("sub", "CHARACTER:EVE:12x"),
        ("sub", "CHARACTER:EVE:\u0662"),
        ("sub", "CHARACTER:EVE:" + "1" * 5000),
        ("sub", 2112000001),
    ],
)
def test_a_wrong_claim_is_refused_by_name(claim: str, value: Any) -> None:
    """The error names the claim."""
    with pytest.raises(TokenInvalidError, match=rf"\({claim}\)"):
        _check(**{claim: value})


@pytest.mark.parametrize(
    "issuer", ["login.eveonline.com", "https://login.eveonline.com", "https://login.eveonline.com/"]
)
def test_an_issuer_has_three_spellings(issuer: str) -> None:
    """Tokens and metadata may each use any of them."""
    assert spellings("https://login.eveonline.com") == spellings(issuer)
    assert 2112000001 == _check(iss=issuer).character_id


def test_an_issuer_on_this_machine_keeps_its_scheme() -> None:
    """A sandbox that is its own issuer is not believed over https, nor the other way round."""
    assert {"127.0.0.1:80", "http://127.0.0.1:80", "http://127.0.0.1:80/"} == spellings("http://127.0.0.1:80")


def test_clocks_may_be_apart() -> None:
    """A token that ended less than the leeway ago is good."""
    assert NOW - LEEWAY_SECONDS + 1 == _check(exp=NOW - LEEWAY_SECONDS + 1).exp


@given(st.lists(SCOPE))
def test_scopes_are_the_same_as_list_and_as_text(scopes: list[str]) -> None:
    """``scp`` is a list, one text, or one text of several; all mean the same set."""
    assert frozenset(scopes) == read_scopes(scopes)
    assert frozenset(scopes) == read_scopes(" ".join(scopes))


@given(st.integers(0, 10**18))
def test_a_character_is_read_from_a_token(character_id: int) -> None:
    """Whatever its size: ids are beyond 32 bits."""
    assert character_id == peek_character_id(_jwt({"sub": f"CHARACTER:EVE:{character_id}"}))


@given(st.lists(SCOPE))
def test_what_a_token_allows_is_read_from_it(scopes: list[str]) -> None:
    """No scopes are none; a text that is no token does not tell."""
    assert (1, frozenset(scopes)) == peek(_jwt({"sub": "CHARACTER:EVE:1", "scp": scopes}))
    assert (1, frozenset()) == peek(_jwt({"sub": "CHARACTER:EVE:1"}))
    assert (None, None) == peek("opaque")


@given(st.one_of(st.text(), st.builds(_jwt, st.one_of(st.binary(), st.lists(st.integers()), st.integers()))))
def test_a_token_that_is_none_names_no_character(token: str) -> None:
    """Any text may be put in by hand: it is not an error, only nobody's."""
    assert peek_character_id(token) is None


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "x"]),
        st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text()), st.booleans(), st.floats()),
    )
)
def test_any_payload_is_read_or_refused(changes: dict[str, Any]) -> None:
    """No payload makes another error than TokenInvalidError."""
    try:
        claims = _check(**changes)
    except TokenInvalidError:
        return
    assert claims.character_id >= 0
    assert claims.exp + LEEWAY_SECONDS > NOW
