"""A callback: read from whatever a framework has of it, and never believed."""

from __future__ import annotations

import html
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.exceptions import LoginFailedError
from esipy.sso.callbacks import Callback, read_callback

WHOLE = Callback("s-1", "c/2+3", None, None)


class WithGetlist(dict[str, list[str]]):
    """Flask's, Django's and Starlette's kind: a name gives its last value, ``getlist`` all."""

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name)[-1]

    def getlist(self, name: str) -> list[str]:
        """All values."""
        return super().__getitem__(name)


class WithGetall(WithGetlist):
    """aiohttp's kind."""

    getlist = None  # type: ignore[assignment]

    def getall(self, name: str) -> list[str]:
        """All values."""
        return super(WithGetlist, self).__getitem__(name)


@pytest.mark.parametrize(
    "query",
    [
        "state=s-1&code=c%2F2%2B3",
        "?state=s-1&code=c%2F2%2B3",
        b"state=s-1&code=c%2F2%2B3",
        "https://example.com/callback?state=s-1&code=c%2F2%2B3",
        "https://example.com/callback?state=s-1&code=c%2F2%2B3#code=other",
        "myapp://callback/?state=s-1&code=c%2F2%2B3",
        "/callback?state=s-1&code=c%2F2%2B3",
        " http://127.0.0.1:8635/callback?state=s-1&code=c%2F2%2B3\n",
        {"state": "s-1", "code": "c/2+3"},
        {"state": ["s-1"], "code": ["c/2+3"]},
        {"state": [b"s-1"], "code": (b"c/2+3",)},
        WithGetlist({"state": ["s-1"], "code": ["c/2+3"]}),
        WithGetall({"state": ["s-1"], "code": ["c/2+3"]}),
    ],
    ids=str,
)
def test_a_callback_is_read_from_whatever_a_framework_has(query: Any) -> None:
    """Mappings of every kind, the query as text or bytes, whole addresses; other parameters do not matter."""
    assert WHOLE == read_callback(query)
    if isinstance(query, str):
        assert WHOLE == read_callback(f"{query.rstrip()}&session_state=x".replace("#code=other&", "&"))


@pytest.mark.parametrize(
    "query",
    [
        "state=s&state=s&code=c",
        "state=s&code=c&code=d",
        {"state": "s", "code": ["c", "d"]},
        WithGetlist({"state": ["s", "t"], "code": ["c"]}),
        WithGetall({"error": ["a", "b"]}),
    ],
    ids=str,
)
def test_a_parameter_that_comes_twice_is_refused(query: Any) -> None:
    """Which of the two was meant cannot be known; RFC 6749 section 3.1."""
    with pytest.raises(LoginFailedError, match=r"says .* twice; begin the login anew") as failed:
        read_callback(query)
    assert "callback" == failed.value.reason


@pytest.mark.parametrize("query", ["&".join("a=b" for _ in range(51)), "http://[::1/callback?state=s&code=secret"])
def test_what_cannot_be_read_is_refused(query: str) -> None:
    """An address that is none, a flood of parameters: one error, which does not repeat it."""
    with pytest.raises(LoginFailedError, match="cannot be read; begin the login anew") as failed:
        read_callback(query)
    assert ("callback", None) == (failed.value.reason, failed.value.__cause__)
    assert failed.value.__suppress_context__


@pytest.mark.parametrize("query", [None, 7, ["state", "s"], object()], ids=lambda query: type(query).__name__)
def test_what_is_no_query_is_a_mistake_of_the_program(query: Any) -> None:
    """It is told what a query is."""
    with pytest.raises(TypeError, match=f"has to be the query of the callback.*not {type(query).__name__}"):
        read_callback(query)


@pytest.mark.parametrize("code", ["", "é", "a\nb", "\ud800", 7, None, {"a": 1}])
def test_what_can_be_no_code_is_none(code: Any) -> None:
    """Only what RFC 6749 lets a code be is ever sent to the SSO."""
    assert read_callback({"state": "s", "code": code}) == Callback("s", None, None, None)


def test_what_the_sso_says_can_be_shown_anywhere() -> None:
    """Neither HTML nor a terminal nor a log finds a meaning in it, and it is short."""
    said = '<script>alert("1")</script>\r\nSet-Cookie: a\x1b[31m &amp; \'; ' + "long " * 100
    reason = read_callback({"error": "<b>", "error_description": said}).reason
    assert reason.startswith("?b?: ?script?alert(?1?)?/script???Set-Cookie: a?[31m ?amp; ?; long long")
    assert len(reason) < 410
    assert html.escape(reason) == reason


def test_what_the_sso_repeats_is_not_shown() -> None:
    """A description may hold the state or the code: neither reaches an error's text, nor a repr."""
    callback = read_callback({"state": "S3", "code": "C4", "error": "x", "error_description": "no C4 for S3"})
    assert "x: no [hidden] for [hidden]" == callback.reason
    assert "<Callback>" == repr(callback)


@given(st.one_of(st.text(), st.binary(), st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.integers()))))
def test_nothing_that_comes_breaks_the_reading(query: str | bytes | Mapping[str, Any]) -> None:
    """Anything is read, or refused by the one error; what can be shown is printable ASCII."""
    reason = ""
    with suppress(LoginFailedError):
        reason = read_callback(query).reason
    assert reason.isascii()
    assert "" == reason or reason.isprintable()
