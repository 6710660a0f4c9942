"""What answers say of limits: headers read, statuses priced. Pure tables; what follows from it is the ledger's.

======================================  ==========================================================
what happened                           it costs
======================================  ==========================================================
2xx                                     2 tokens
3xx                                     1
4xx                                     5; 429 and 420, which ESI did not do, nothing
5xx                                     0
no answer, but the request was sent     5: the most that it can be
nothing was sent                        0
======================================  ==========================================================

Operations without a group count against the error limit instead: each answer outside 2xx and 3xx is one error.

Source: ESI's rate-limiting documentation; esi-issues 876 for ``ConStopSpamming``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from esipy.core.freshness import delta_seconds
from esipy.core.wire import Headers

__all__ = [
    "ERROR_LIMIT",
    "ERROR_WINDOW_SECONDS",
    "RateTold",
    "cost_of",
    "error_cost_of",
    "errors_told",
    "is_refusal",
    "limit_headers",
    "rate_told",
]

ERROR_LIMIT = 100
ERROR_WINDOW_SECONDS = 60.0
"""So many answers outside 2xx and 3xx in a fixed minute. Source: ESI documentation, best practices, error limit."""

LONGEST_WINDOW_SECONDS = 86400
"""No window that headers tell is longer: one that was believed would stop its bucket until the program ends."""

_COSTS = {2: 2, 3: 1, 4: 5}
_FREE = frozenset({420, 429})
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LIMIT = re.compile(r"([0-9]{1,9})/([0-9]{1,6})([smhd])")
_SPAM = b"ConStopSpamming"


RateTold = tuple[str, int, int, int]
"""What an answer tells of its bucket: its group's name, its tokens, their window in seconds, and what is used of them.

A plain tuple, since each answer makes one.
"""


def cost_of(status: int) -> int:
    """Tokens that an answer costs."""
    return 0 if status in _FREE else _COSTS.get(status // 100, 0)


def error_cost_of(status: int) -> int:
    """What an answer counts against the error limit."""
    return 0 if 200 <= status < 400 or status in _FREE else 1


def rate_told(headers: Headers) -> RateTold | None:
    """``X-Ratelimit-...``; None when absent or unreadable (some limiters send none)."""
    told = headers.lowered.get
    group, size, remaining = told("x-ratelimit-group"), told("x-ratelimit-limit"), told("x-ratelimit-remaining")
    if group is None or size is None or remaining is None or not remaining.isdecimal():
        return None
    max_tokens, window_seconds = _read_limit(size)
    if not max_tokens:
        return None
    used = max_tokens - int(remaining[:9])
    all_used = told("x-ratelimit-used")  # where more is used than there is, only this says how much
    if all_used is not None and all_used.isdecimal():
        used = max(used, int(all_used[:9]))
    return group, max_tokens, window_seconds, used


@lru_cache(maxsize=256)
def _read_limit(text: str) -> tuple[int, int]:
    """``150/15m`` as tokens and seconds; no tokens when it cannot be meant."""
    found = _LIMIT.fullmatch(text.strip())
    max_tokens, window_seconds = (int(found[1]), int(found[2]) * _UNITS[found[3]]) if found else (0, 0)
    return (max_tokens, window_seconds) if 0 < window_seconds <= LONGEST_WINDOW_SECONDS else (0, 0)


def errors_told(headers: Headers) -> tuple[int, float] | None:
    """``X-ESI-Error-Limit-...``: errors that remain, seconds until the window ends; None when absent or unreadable."""
    remain = delta_seconds(headers.get("x-esi-error-limit-remain"))
    reset = delta_seconds(headers.get("x-esi-error-limit-reset"))
    return None if remain is None or reset is None else (int(remain), min(reset, ERROR_WINDOW_SECONDS))


def is_refusal(status: int, body: bytes) -> bool:
    """Whether ESI did not do it because it was asked too often: a 429, or a 520 that means it (T27)."""
    return status == 429 or (status == 520 and _SPAM in body)


def limit_headers(headers: Headers) -> dict[str, str]:
    """Those of an answer's headers that speak of limits."""
    return {
        name: value
        for name, value in headers.items()
        if name.startswith(("x-ratelimit-", "x-esi-error-limit-")) or name == "retry-after"
    }
