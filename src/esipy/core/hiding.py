"""Secrets in texts that others wrote: something else is put in their place before anybody sees the text (T44)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

__all__ = ["hide", "hide_all"]


def hide(text: str, secrets: Mapping[str, str]) -> str:
    """The text with other words in the place of secrets, however they are written there.

    Args:
        secrets: by secret, what is put in its place; an empty one is passed over.
    """
    written = {form: word for secret, word in secrets.items() if secret for form in _forms(secret)}
    for form in sorted(written, key=len, reverse=True):  # the longest first: one may begin another
        text = text.replace(form, written[form])
    return text


def hide_all(text: str, secrets: Iterable[str]) -> str:
    """The text with ``[hidden]`` in the place of each secret."""
    return hide(text, dict.fromkeys(secrets, "[hidden]"))


def _forms(secret: str) -> set[str]:
    """As it is, in a Python literal, in JSON, in a URL's path or query, and in a form."""
    in_urls = {
        # With surrogates, which a program's own texts may hold: to hide something must not fail.
        quote(secret, errors="surrogatepass"),
        quote(secret, safe="", errors="surrogatepass"),
        quote_plus(secret, errors="surrogatepass"),
    }
    return {
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace("/", "\\/"),
        *in_urls,
        *(_ESCAPED.sub(lambda found: found[0].lower(), form) for form in in_urls),  # as some servers write them
    }


_ESCAPED = re.compile("%[0-9A-F]{2}")
