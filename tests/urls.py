"""Addresses, as tests read them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit


def query_of(url: str) -> dict[str, str]:
    """The query of an address, by name."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
