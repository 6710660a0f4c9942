"""The settings as keywords, for editors and type checkers: `esipy.settings` says what each means, and checks it."""

from __future__ import annotations

import datetime
from typing import Literal, TypedDict

__all__ = ["LoginKeywords", "SettingKeywords"]


class SettingKeywords(TypedDict, total=False):
    """Those that both clients take beside the arguments that they name; None counts as not given."""

    base_url: str | None
    sso_url: str | None
    compatibility_date: str | datetime.date | None
    tenant: str | None
    language: Literal["en", "de", "fr", "ja", "ru", "zh", "ko", "es"] | str | None
    user_agent: str | None
    connect_timeout: float | None
    max_answer_bytes: int | None
    max_wait: float | None
    policy: Literal["burst", "spread", "fail", "off"] | None
    priority: Literal["interactive", "batch"] | None
    headroom: float | None
    interactive_share: float | None
    downtime: Literal["try", "fail", "wait"] | None
    public_token: bool | None
    check_scopes: bool | None
    cache_bytes: int | None
    stale_if_error: float | None
    freshness_floor: float | None


class LoginKeywords(SettingKeywords, total=False):
    """Those of a login, which names no ``timeout``."""

    timeout: float | None
