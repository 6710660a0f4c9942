"""Settings of a client: defaults, environment variables, and keywords, in this order of precedence (last wins).

=========================  ======================  =================================  ==========================
keyword                    environment variable    default                            meaning
=========================  ======================  =================================  ==========================
``base_url``               ``ESI_BASE_URL``        ``https://esi.evetech.net``        where ESI is
``sso_url``                ``ESI_SSO_URL``         ``https://login.eveonline.com``    where the SSO is
``compatibility_date``     ``ESI_COMPATIBILITY_DATE``  the catalogue's date           ``YYYY-MM-DD``
``tenant``                 ``ESI_TENANT``          ``tranquility``                    ``X-Tenant``
``language``               ``ESI_LANGUAGE``        ``en``                             ``Accept-Language``
``user_agent``             ``ESI_USER_AGENT``      none: warns                        who you are
``timeout``                ``ESI_TIMEOUT``         60                                 seconds for one exchange
``connect_timeout``        ``ESI_CONNECT_TIMEOUT`` 10                                 seconds to connect
``max_answer_bytes``       ``ESI_MAX_ANSWER_BYTES``  67108864 (64 MiB)                larger bodies are refused
``max_wait``               ``ESI_MAX_WAIT``        120                                seconds a call waits for a
                                                                                      limit or a ``Retry-After``
``cache_bytes``            ``ESI_CACHE_BYTES``     268435456 (256 MiB)                memory cache, evicts oldest
=========================  ======================  =================================  ==========================
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any, NoReturn
from urllib.parse import urlsplit

from esipy.exceptions import SettingError

__all__ = ["LANGUAGES", "LIBRARY", "Settings", "api_day"]

LIBRARY = "EsiPy/2.0"
"""What the User-Agent ends with."""

LANGUAGES = ("en", "de", "fr", "ja", "ru", "zh", "ko", "es")
"""The languages ESI answers in. Source: ESI's OpenAPI document, ``Accept-Language``."""

CATALOGUE_DATE = "2026-08-04"
"""The compatibility date for which `esipy.ops` was generated (a test compares the two)."""

MIN_READ_SECONDS = 10.0
"""ESI itself gives up after 10 s, so a shorter time limit only throws answers away (T36)."""


def api_day(now: float) -> date:
    """The API's day at this time (seconds since 1970): it begins at 11:00 UTC.

    Source: ESI documentation, versioning.
    """
    return (datetime.fromtimestamp(now, timezone.utc) - timedelta(hours=11)).date()


class Settings:
    """All settings of one client; frozen. Build it with `Settings.from_environment`."""

    __slots__ = (
        "base_url", "cache_bytes", "compatibility_date", "connect_timeout", "language", "max_answer_bytes",
        "max_wait", "sso_url", "tenant", "timeout", "user_agent",
    )  # fmt: skip

    base_url: str
    sso_url: str
    compatibility_date: str
    tenant: str
    language: str
    user_agent: str | None
    timeout: float
    connect_timeout: float
    max_answer_bytes: int
    max_wait: float
    cache_bytes: int

    def __init__(self, **values: Any) -> None:
        for name in values:
            if name not in _CHECKS:
                raise SettingError(f"unknown setting {name!r}; there are {', '.join(_CHECKS)}")
        for name, (check, default) in _CHECKS.items():
            value = values.get(name)
            checked = default if value is None else check(name, value)
            object.__setattr__(self, name, checked)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, /, **keywords: Any) -> Settings:
        """Defaults, then ``ESI_...`` variables, then keywords; a keyword that is None counts as not given.

        Raises:
            SettingError: a value cannot be meant; the text names the keyword or the variable.
        """
        variables = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for name, (check, _) in _CHECKS.items():
            variable = f"ESI_{name.upper()}"
            text = variables.get(variable)
            if text:
                values[name] = check(variable, text)
        values.update({name: value for name, value in keywords.items() if value is not None})
        return cls(**values)

    def replace(self, **changed: Any) -> Settings:
        """The same settings with some changed."""
        return Settings(**{**{name: getattr(self, name) for name in self.__slots__}, **changed})

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("settings are frozen: use settings.replace(...) and a client of its own")

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


def _refuse(name: str, value: object, wanted: str) -> NoReturn:
    raise SettingError(f"{name}={value!r}: has to be {wanted}")


def _url(name: str, value: Any) -> str:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        _refuse(name, value, "a URL with a host, such as https://esi.evetech.net")
    if parts.query or parts.fragment or parts.username:
        _refuse(name, "...", "a URL without user, query or fragment")
    return str(value).rstrip("/")


def _date(name: str, value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        _refuse(name, value, "a date as YYYY-MM-DD")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        _refuse(name, value, "a date as YYYY-MM-DD")
    today = api_day(datetime.now(timezone.utc).timestamp())
    # The catalogue's own date is never refused: a wrong local clock must not stop a program (T06).
    if day > today and text > CATALOGUE_DATE:
        _refuse(name, value, f"a date that has begun (the API's day starts at 11:00 UTC; it is {today} there)")
    return text


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\n" in value or "\r" in value:
        _refuse(name, value, "text of one line")
    return value.strip()


def _language(name: str, value: Any) -> str:
    if value not in LANGUAGES:
        _refuse(name, value, f"one of {' '.join(LANGUAGES)}")
    return str(value)


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        _refuse(name, value, "a number of seconds above 0")
    if not 0 < seconds < float("inf") or isinstance(value, bool):
        _refuse(name, value, "a number of seconds above 0")
    return seconds


def _seconds_or_none_at_all(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        _refuse(name, value, "a number of seconds, 0 or above")
    if not 0 <= seconds < float("inf") or isinstance(value, bool):
        _refuse(name, value, "a number of seconds, 0 or above")
    return seconds


def _bytes(name: str, value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        _refuse(name, value, "a whole number of bytes above 0")
    return value


_CHECKS: dict[str, tuple[Any, Any]] = {
    "base_url": (_url, "https://esi.evetech.net"),
    "sso_url": (_url, "https://login.eveonline.com"),
    "compatibility_date": (_date, CATALOGUE_DATE),
    "tenant": (_text, "tranquility"),
    "language": (_language, "en"),
    "user_agent": (_text, None),
    "timeout": (_seconds, 60.0),
    "connect_timeout": (_seconds, 10.0),
    "max_answer_bytes": (_bytes, 64 * 1024 * 1024),
    "max_wait": (_seconds_or_none_at_all, 120.0),
    "cache_bytes": (_bytes, 256 * 1024 * 1024),
}
