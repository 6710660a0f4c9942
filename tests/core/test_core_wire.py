"""Requests and headers as values, and arguments as text."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.wire import Headers, HttpRequest, HttpResponse, as_text, fill_path, join_query

PAIRS = [("ETag", '"a"'), ("X-Pages", "2"), ("Warning", "one"), ("warning", "two")]


def test_headers_are_a_mapping_in_any_case() -> None:
    """``[]`` gives the last value, ``get_all`` every one in order; names are lower case when listed."""
    headers = Headers(PAIRS)
    assert ('"a"', "two", ["one", "two"], ["2"], []) == (
        headers["etag"], headers["WARNING"], headers.get_all("Warning"), headers.get_all("x-pages"),
        headers.get_all("age"),
    )  # fmt: skip
    assert (["etag", "x-pages", "warning"], 3) == (list(headers), len(headers))
    assert "x-PAGES" in headers
    assert "age" not in headers
    assert 5 not in headers
    assert headers.get("age") is None
    with pytest.raises(KeyError):
        headers["age"]
    assert [(name.lower(), value) for name, value in PAIRS] == headers.pairs()


def test_what_is_got_is_a_copy() -> None:
    """Changing a list that was got changes no header."""
    headers = Headers(PAIRS)
    headers.get_all("warning").append("three")
    assert ["one", "two"] == headers.get_all("warning")


def test_newer_headers_replace_all_of_a_name() -> None:
    """And those that they were made of stay as they were."""
    headers = Headers(PAIRS)
    updated = headers.updated(Headers([("WARNING", "new"), ("Age", "1")]))
    assert (["new"], "1", '"a"') == (updated.get_all("warning"), updated["age"], updated["etag"])
    assert (["one", "two"], False) == (headers.get_all("warning"), "age" in headers)


def test_a_block_of_header_lines() -> None:
    """Values may hold colons; what has no colon, or goes on from the line before, is passed over."""
    block = (
        b"A: b:c\r\nEmpty:\r\nno colon\r\nB :  padded \t\r\n X-Smuggled: 1\r\n\tX-Too: 1\r\nA: \xe9\r\n: none\r\n\r\n"
    )
    assert [("a", "b:c"), ("a", "é"), ("empty", ""), ("b", "padded")] == Headers.parse(block).pairs()


def test_T44_a_request_shows_no_header_and_no_body() -> None:
    """They may hold a token."""
    request = HttpRequest("POST", "https://h/a", [("Authorization", "Bearer secret")], b"secret")
    assert "<HttpRequest POST https://h/a>" == repr(request)
    assert "<HttpResponse 200, 6 bytes>" == repr(HttpResponse(200, Headers(), b"secret"))


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (1, "1"), (0, "0"), (2**40, "1099511627776"), ("a b", "a b")]
)
def test_values_as_text(value: object, text: str) -> None:
    """Booleans are ESI's, and one and zero are no booleans."""
    assert text == as_text(value)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers())
def test_T50_a_path_value_is_one_segment(text: str, number: int) -> None:
    """Whatever it holds: no slash, no query, no climbing; and it can be read again."""
    path = fill_path("/a/{text}/b/{number}", {"text": text, "number": number})
    assert urlsplit(f"https://h{path}").path == path
    segments = path.split("/")
    assert (["", "a", "b", str(number)], text) == (segments[:2] + segments[3:], unquote(segments[2]))
    assert segments[2] not in (".", "..")


def test_a_path_needs_each_of_its_values() -> None:
    """A template without its value is an error, and one without names is itself."""
    assert "/status" == fill_path("/status", {})
    with pytest.raises(KeyError, match="region_id"):
        fill_path("/markets/{region_id}/orders", {})


@given(st.lists(st.tuples(st.text("abc&=+ %é", min_size=1), st.text("abc&=+ %é#", min_size=1))))
def test_a_query_reads_as_its_pairs(pairs: list[tuple[str, str]]) -> None:
    """In order, names repeating, everything escaped."""
    query = join_query(pairs)
    assert pairs == parse_qsl(query, strict_parsing=bool(query))
    assert query.isascii()
    assert " " not in query
