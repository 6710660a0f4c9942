"""Whether, and after how long, an exchange is tried again: small functions, no clock of their own.

==============================================  ==================  ================================
what happened                                   GET and HEAD        POST, PUT, DELETE
==============================================  ==================  ================================
502, 503, 504, 520; under ``True`` any 5xx      again               never
broken, cut or late answer                      again               never: it may have been done
no connection: nothing was sent                 again               again
an answer larger than ``max_answer_bytes``      never               never: it is as large the next time
429, 420                                        again               again: ESI did not do it
anything else                                   never               never
==============================================  ==================  ================================

(T32) The pause doubles, with full jitter: a random part of 0.5 s, 1 s, 2 s ...; under ``True`` it is version 1's.
``Retry-After`` is a floor.
429 and 420 have no pause here: `esipy.engine.limiting` holds the next attempt back.
"""

from __future__ import annotations

from typing import NamedTuple

from esipy.core.freshness import LONGEST_SECONDS as LONGEST_ASKED_SECONDS
from esipy.core.freshness import delta_seconds, http_date
from esipy.core.wire import Headers
from esipy.exceptions import AnswerTooLargeError, NetworkError

__all__ = ["RetryPolicy", "pause_before_retry", "policy_for", "retry_after"]

BASE_SECONDS = 0.5
LONGEST_SECONDS = 30.0
TRANSIENT = frozenset({502, 503, 504, 520})
LIMITED = frozenset({420, 429})
HARMLESS = frozenset({"GET", "HEAD"})


class RetryPolicy(NamedTuple):
    """How often a call is sent again, and after which statuses.

    Attributes:
        most: retries after the first attempt.
        every_5xx: any status of 500-599 counts as passing.
        fixed_pauses: the pauses are version 1's: 0.01, 0.16, 0.81, 2.56 s.
    """

    most: int
    every_5xx: bool
    fixed_pauses: bool = False


def policy_for(retry_requests: bool | None) -> RetryPolicy:
    """The policy of version 1's word: None three retries, False none, True five tries and any 5xx."""
    if retry_requests is None:
        return RetryPolicy(3, every_5xx=False)
    if retry_requests:
        return RetryPolicy(4, every_5xx=True, fixed_pauses=True)
    return RetryPolicy(0, every_5xx=False)


def retry_after(headers: Headers, now: float) -> float | None:
    """Seconds that ``Retry-After`` asks for, given as a number or a date; None when absent or unreadable.

    A date is measured against the server's own ``Date`` where it has one (T06). Source: RFC 9110 section 10.2.3.
    """
    text = headers.get("retry-after")
    if text is None:
        return None
    moment = http_date(text)
    if moment is None:
        return delta_seconds(text)
    date = http_date(headers.get("date"))
    return min(max(moment - (now if date is None else date), 0.0), LONGEST_ASKED_SECONDS)


def pause_before_retry(
    policy: RetryPolicy,
    method: str,
    outcome: int | NetworkError,
    attempt: int,
    random: float,
) -> float | None:
    """Seconds to wait before the next attempt; None: there is none.

    Args:
        outcome: the status, or the error in place of an answer.
        attempt: of the exchange that just ended; 1 is the first.
        random: in [0, 1).
    """
    if attempt > policy.most:
        return None
    harmless = method in HARMLESS
    if isinstance(outcome, AnswerTooLargeError):
        again = False  # it is as large the next time
    elif isinstance(outcome, NetworkError):
        again = harmless or not outcome.sent
    elif outcome in LIMITED:
        return 0.0
    else:
        again = harmless and (outcome in TRANSIENT or (policy.every_5xx and 500 <= outcome <= 599))
    if not again:
        return None
    if policy.fixed_pauses:
        return min(attempt**4 / 100, LONGEST_SECONDS)
    return random * min(BASE_SECONDS * 2.0 ** (attempt - 1), LONGEST_SECONDS)
