"""Headers as clients and logins are given them, checked: what is wrong is told where it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from esipy.exceptions import SettingError

__all__ = ["given_headers"]

_NAME = re.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What a name may be: another would be read as another header, or the request as none. RFC 9110 section 5.6.2."""


def given_headers(headers: Mapping[Any, Any] | None) -> dict[str, str]:
    """The headers that a program wants sent.

    Raises:
        SettingError: they are no headers, or one that this library has to write itself.
    """
    if headers is not None and not isinstance(headers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        kind = type(headers).__name__  # not shown as it is: it may hold a token
        raise SettingError(f"headers={kind}: has to be a dict, such as {{'User-Agent': 'MyApp/1.0 (me@example.com)'}}")
    given: dict[str, str] = {}
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise SettingError(f"headers: {name!r} is no name of a header: letters, digits and - are")
        if not isinstance(value, str) or not value.isprintable():
            raise SettingError(f"headers: {name!r} has to be a text of one line")
        if name.lower() == "authorization":
            raise SettingError("headers: Authorization is not yours to set: a login signs (security=)")
        given[name] = value
    return given
