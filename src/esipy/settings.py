"""Settings of a client: defaults, environment variables, and keywords, in this order of precedence (last wins).

========================  ==========================  =================================  ===========================
keyword                   environment variable        default                            meaning
========================  ==========================  =================================  ===========================
``base_url``              ``ESI_BASE_URL``            ``https://esi.evetech.net``        where ESI is
``sso_url``               ``ESI_SSO_URL``             ``https://login.eveonline.com``    where the SSO is
``compatibility_date``    ``ESI_COMPATIBILITY_DATE``  ``2026-08-04``: the catalogue's    ``YYYY-MM-DD``, not to come
``tenant``                ``ESI_TENANT``              ``tranquility``                    ``X-Tenant``
``language``              ``ESI_LANGUAGE``            ``en``                             ``en de fr ja ru zh ko es``
``user_agent``            ``ESI_USER_AGENT``          none: the client warns             program, version, contact
``timeout``               ``ESI_TIMEOUT``             60                                 seconds for one exchange;
                                                                                         ESI itself takes up to 10
``connect_timeout``       ``ESI_CONNECT_TIMEOUT``     10                                 seconds to connect
``max_answer_bytes``      ``ESI_MAX_ANSWER_BYTES``    67108864 (64 MiB)                  larger bodies are refused
``max_wait``              ``ESI_MAX_WAIT``            960: a window and a minute         seconds a call waits for a
                                                                                         limit or ``Retry-After``;
                                                                                         inf: as long as it takes
``policy``                ``ESI_POLICY``              ``burst``                          ``spread``, ``fail``, ``off``:
                                                                                         how limits are spent
``priority``              ``ESI_PRIORITY``            ``interactive``                    or ``batch``: who goes first
``headroom``              ``ESI_HEADROOM``            0.02                               share of each limit that is
                                                                                         left unspent
``interactive_share``     ``ESI_INTERACTIVE_SHARE``   0.1                                share that batch calls leave
                                                                                         to interactive ones
``downtime``              ``ESI_DOWNTIME``            ``try``                            what interactive calls do in
                                                                                         the daily downtime: ``try``,
                                                                                         ``fail``, ``wait``
``public_token``          ``ESI_PUBLIC_TOKEN``        False                              send the login's token with
                                                                                         public calls too
``check_scopes``          ``ESI_CHECK_SCOPES``        True                               refuse a call for which the
                                                                                         login lacks the scope, before
                                                                                         it is sent
``cache_bytes``           ``ESI_CACHE_BYTES``         268435456 (256 MiB)                of kept answers, in memory
                                                                                         or where ``cache=`` says
``stale_if_error``        ``ESI_STALE_IF_ERROR``      86400: a day                       seconds beyond freshness for
                                                                                         which a kept answer stands in
                                                                                         while ESI is down; 0: never,
                                                                                         inf: always
``freshness_floor``       ``ESI_FRESHNESS_FLOOR``     0                                  seconds for which an answer is
                                                                                         given again to which ESI gives
                                                                                         no lifetime
========================  ==========================  =================================  ===========================

What a client is given besides (``ledger=``, which ``ESI_LEDGER`` names too: `esipy.ledgers`) is no setting.

A keyword that is None and a variable that is empty count as not given. A keyword may be the text of a variable, too: it
may come from a file. A value that cannot be meant is refused with the keyword's or the variable's name.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

from esipy.exceptions import SettingError

__all__ = ["LANGUAGES", "Settings", "api_day"]

ESI_URL = "https://esi.evetech.net"
"""Where ESI is."""

POLICIES = ("burst", "spread", "fail", "off")
PRIORITIES = ("interactive", "batch")
DOWNTIME_CHOICES = ("try", "fail", "wait")

LANGUAGES = ("en", "de", "fr", "ja", "ru", "zh", "ko", "es")
"""The languages ESI answers in. Source: ESI's OpenAPI document, ``Accept-Language``."""

CATALOGUE_DATE = "2026-08-04"
"""The compatibility date for which `esipy.ops` was generated (a test compares the two)."""


def api_day(now: float) -> date:
    """The API's day at this time (seconds since 1970): it begins at 11:00 UTC.

    Source: ESI documentation, versioning.
    """
    return (datetime.fromtimestamp(now, UTC) - timedelta(hours=11)).date()


class Settings:
    """All settings of one client; frozen. Build it with `Settings.from_environment`.

    Raises:
        SettingError: a value cannot be meant, or there is no such setting.
    """

    __slots__ = (
        "base_url", "cache_bytes", "check_scopes", "compatibility_date", "connect_timeout", "downtime",
        "freshness_floor", "headroom", "interactive_share", "language", "max_answer_bytes", "max_wait", "policy",
        "priority", "public_token", "sso_url", "stale_if_error", "tenant", "timeout", "user_agent",
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
    policy: str
    priority: str
    headroom: float
    interactive_share: float
    downtime: str
    public_token: bool
    check_scopes: bool
    stale_if_error: float
    freshness_floor: float

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

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("settings are frozen: nothing of them can be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        return (partial(Settings, **{name: getattr(self, name) for name in self.__slots__}), ())

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


def _refuse(name: str, value: object, wanted: str) -> NoReturn:
    raise SettingError(f"{name}={value!r}: has to be {wanted}")


def _url(name: str, value: Any) -> str:
    wanted = f"a URL with a host, such as {_CHECKS[name.lower().removeprefix('esi_')][1]}"  # or the variable's name
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        _refuse(name, value, wanted)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port  # reading a port that is no number raises
    except ValueError:
        host, parts = None, None
    if "@" in value or "?" in value or "#" in value:
        _refuse(name, "...", "a URL without user, query or fragment")  # not shown: it may hold a password
    if parts is None or parts.scheme not in ("http", "https") or not host or "\\" in value:
        _refuse(name, value, wanted)
    if not value.isascii():
        _refuse(name, value, "a URL in ASCII: write its host in punycode (xn--...)")
    return value.rstrip("/")


_DEFAULT_PORTS = {"http": 80, "https": 443}


def _esi_url(name: str, value: Any) -> str:
    """In one spelling for one server, which counts once. Source: RFC 3986 sections 6.2.2.1 and 6.2.3."""
    parts = urlsplit(_url(name, value))
    if parts.hostname == urlsplit(ESI_URL).hostname and parts.path:  # a proxy may have a path
        _refuse(name, value, f"{ESI_URL} alone: its addresses have no version such as /latest or /v1 any more")
    netloc = parts.netloc.lower().removesuffix(f":{_DEFAULT_PORTS[parts.scheme]}")
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def _date(name: str, value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) else value
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        _refuse(name, value, "a date as YYYY-MM-DD")
    today = api_day(time.time())
    # The catalogue's own date is never refused: a wrong local clock must not stop a program (T06).
    if day > today and text > CATALOGUE_DATE:
        _refuse(name, value, f"a date that has begun (the API's day starts at 11:00 UTC; it is {today} there)")
    return str(text)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        _refuse(name, value, "text of one line")
    return value.strip()


def _language(name: str, value: Any) -> str:
    if value not in LANGUAGES:
        _refuse(name, value, f"one of {' '.join(LANGUAGES)}")
    return str(value)


def _one_of(choices: tuple[str, ...]) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in choices:
            _refuse(name, value, f"one of {' '.join(choices)}")
        return str(value)

    return check


def _share(name: str, value: Any) -> float:
    share = _number(value)
    if not 0 <= share <= _LARGEST_SHARE:
        _refuse(name, value, f"a share between 0 and {_LARGEST_SHARE}")
    return share


def _flag(name: str, value: Any) -> bool:
    found = _FLAGS.get(value.lower() if isinstance(value, str) else value) if value.__hash__ else None
    if found is None:
        _refuse(name, value, "true or false")
    return found


_FLAGS: dict[Any, bool] = {True: True, False: False, "1": True, "0": False, "true": True, "false": False}
_FLAGS.update({"yes": True, "no": False, "on": True, "off": False})
_LARGEST_SHARE = 0.5
_DAY = 86400.0
_MOST_BYTES = 2**40


def _seconds(name: str, value: Any) -> float:
    seconds = _number(value)
    if not 0 < seconds <= _DAY:
        _refuse(name, value, "a number of seconds above 0, a day at most")
    return seconds


def _lifetime(name: str, value: Any) -> float:
    seconds = _number(value)
    if not 0 <= seconds < math.inf:
        _refuse(name, value, "a number of seconds, 0 or above")
    return seconds


def _patience(name: str, value: Any) -> float:
    seconds = _number(value)
    if not seconds >= 0:
        _refuse(name, value, "a number of seconds, 0 or above; inf: for ever")
    return seconds


def _number(value: Any) -> float:
    """The number that is meant; NaN when none is."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _bytes(name: str, value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _MOST_BYTES:
        _refuse(name, value, "a whole number of bytes above 0, a tebibyte at most")
    return value


_CHECKS: dict[str, tuple[Any, Any]] = {
    "base_url": (_esi_url, ESI_URL),
    "sso_url": (_url, "https://login.eveonline.com"),
    "compatibility_date": (_date, CATALOGUE_DATE),
    "tenant": (_text, "tranquility"),
    "language": (_language, "en"),
    "user_agent": (_text, None),
    "timeout": (_seconds, 60.0),
    "connect_timeout": (_seconds, 10.0),
    "max_answer_bytes": (_bytes, 64 * 1024 * 1024),
    "max_wait": (_patience, 960.0),
    "policy": (_one_of(POLICIES), "burst"),
    "priority": (_one_of(PRIORITIES), "interactive"),
    "headroom": (_share, 0.02),
    "interactive_share": (_share, 0.1),
    "downtime": (_one_of(DOWNTIME_CHOICES), "try"),
    "public_token": (_flag, False),
    "check_scopes": (_flag, True),
    "cache_bytes": (_bytes, 256 * 1024 * 1024),
    "stale_if_error": (_patience, 86400.0),
    "freshness_floor": (_lifetime, 0.0),
}
