"""A callback: what the SSO lets a user's browser bring back to ``redirect_uri``.

Owns the reading of it. Anyone can send a browser there with anything: nothing in it is believed before its ``state``
was found in the user's session (`esipy.sso.begun`), and what it says is shown only in characters that mean nothing to
HTML, to a terminal or to a log.

Source: RFC 6749 sections 4.1.2 and 3.1 (no parameter twice), appendix A (which characters may come); RFC 9700 section
2.1; EVE SSO documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, urlsplit

from esipy.core.hiding import hide_all
from esipy.exceptions import LoginFailedError

__all__ = ["Callback", "Query", "read_callback"]

Query = Mapping[str, Any] | str | bytes
"""What a framework has of a callback: its query as a mapping or as text, or the whole address."""

_MOST_FIELDS = 50
"""A callback has two or three."""

_NAMES = ("state", "code", "error", "error_description")

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|/")

_CODE = re.compile(r"[ -~]+")
"""Appendix A.11: visible characters of ASCII, and the blank."""

_UNSHOWN = re.compile(r"[^ !#-%(-;=?-\[\]-~]")
"""What RFC 6749 does not allow in ``error_description``, and the four of HTML that it does."""

_SHOWN = 200


class Callback(NamedTuple):
    """What a callback says; None for what it does not.

    Attributes:
        state: which login it belongs to.
        code: what is exchanged for tokens.
        error: why there is no code, as RFC 6749 section 4.1.2.1 names it.
        error_description: the same in words.
    """

    state: str | None
    code: str | None
    error: str | None
    error_description: str | None

    def __repr__(self) -> str:
        return "<Callback>"

    @property
    def reason(self) -> str:
        """``error`` and ``error_description``, fit to be shown anywhere."""
        # An SSO may repeat what it was asked: neither is shown to anyone.
        secrets = (self.state or "", self.code or "")
        said = [hide_all(text, secrets) for text in (self.error, self.error_description) if text]
        return ": ".join(_UNSHOWN.sub("?", text)[:_SHOWN] for text in said)


def read_callback(query: Query) -> Callback:
    """Read a callback; a code of characters that no code has is left out.

    Args:
        query: a framework's mapping of the query (of several values for one name it has ``getlist`` or ``getall``, or
            a list); the query as text; or the whole address.

    Raises:
        LoginFailedError: a parameter comes twice, or it cannot be read at all (``callback``).
        TypeError: it is nothing of that.
    """
    values = _values(query)
    found: dict[str, str | None] = {}
    for name in _NAMES:
        given = [text for text in values(name) if text]
        if len(given) > 1:
            raise LoginFailedError(f"the callback says {name} twice; begin the login anew", "callback")
        found[name] = given[0] if given else None
    code = found["code"]
    if code is not None and not _CODE.fullmatch(code):
        found["code"] = None
    return Callback(**found)


def _values(query: Query) -> Callable[[str], list[str]]:
    """A function that gives all values of a name."""
    if isinstance(query, (str, bytes)):
        text = query if isinstance(query, str) else query.decode("latin-1")
        pairs = _pairs(text.strip())
        return lambda name: [value for key, value in pairs if key == name]
    if not isinstance(query, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
        raise TypeError(
            "query: has to be the query of the callback, as a mapping or as text, or its whole address; "
            f"not {type(query).__name__}"
        )
    several: Callable[[str], object] = (
        getattr(query, "getlist", None) or getattr(query, "getall", None) or query.__getitem__
    )
    return lambda name: _texts(several(name)) if name in query else []


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        query = urlsplit(text).query if _ADDRESS.match(text) else text.removeprefix("?")
        return parse_qsl(query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        # From None: what it says may hold the code.
        raise LoginFailedError("the callback cannot be read; begin the login anew", "callback") from None


def _texts(value: object) -> list[str]:
    values = cast("Iterable[object]", value) if isinstance(value, (list, tuple)) else [value]
    return [
        item if isinstance(item, str) else item.decode("latin-1") for item in values if isinstance(item, (str, bytes))
    ]
