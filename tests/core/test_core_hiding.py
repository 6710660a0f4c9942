"""Secrets in texts that others wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest

from esipy.core.hiding import hide, hide_all

SECRET = "a/b+c d=&'\"é"
WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a literal": repr,
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON as text": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "in JSON with escaped slashes": lambda text: text.replace("/", "\\/"),
    "in a path": quote,
    "in a query": lambda text: quote(text, safe=""),
    "in a form": lambda text: urlencode({"token": text}),
    "by quote_plus": quote_plus,
    "in a query in lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_T44_a_secret_is_hidden_however_it_is_written(written: Callable[[str], str]) -> None:
    """What surrounds it stays."""
    text = f"before {written(SECRET)} after"
    hidden = hide_all(text, [SECRET])
    assert ("before", "after", 1) == (hidden.split()[0], hidden.split()[-1], hidden.count("[hidden]"))
    assert not any(form(SECRET) in hidden for form in WRITTEN.values())


def test_T44_of_two_secrets_one_may_begin_the_other() -> None:
    """Nothing of the longer one is left."""
    assert "<long> <short>" == hide("secret-2 secret", {"secret": "<short>", "secret-2": "<long>"})


def test_what_is_empty_hides_nothing() -> None:
    """A login without a secret has none to hide."""
    text = json.dumps({"error": "invalid_grant"})
    assert text == hide_all(text, ["", "x" * 20])


def test_T44_what_no_url_can_hold_is_hidden_too() -> None:
    """A text of a program may have surrogates: hiding it must not fail in the place of what is to be told."""
    assert "state: [hidden]" == hide_all("state: \ud800x", ["\ud800x"])
