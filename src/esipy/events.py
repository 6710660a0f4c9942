"""Signals: what the library tells programs while it works.

A signal is sent with keyword arguments to each of its receivers::

    from esipy.events import AFTER_TOKEN_REFRESH

    @AFTER_TOKEN_REFRESH.connect
    def save(access_token, refresh_token, expires_in, **kwargs):
        ...

Rules: receivers are called in the order in which they were added, in the thread (or task) where the thing
happened. Receivers observe; what they return is ignored. The library sends robustly: a receiver that raises is
logged to ``esipy.events`` and costs neither the token nor the answer. A receiver that is added or removed while a
signal is being sent is heeded from the next sending on. Signals may be used by any threads and tasks at once.

Every signal:

| signal | argument | type | what it is |
|---|---|---|---|
| AFTER_TOKEN_REFRESH | | | sent when a request has refreshed the token (not by ``security.refresh()``) |
| | access_token | str | the new access token |
| | refresh_token | str or None | the refresh token to store now; None when the login had no scopes |
| | expires_in | int | seconds for which the access token is good |
| | token_type | str | ``Bearer`` |
| | token_identifier | Any | what the program knows the login by, or None; of a stored login the character's id |
| | previous_refresh_token | str or None | the refresh token that was used; differs when the SSO rotated it |
| | **extra | Any | whatever else the token endpoint answered |
| API_CALL_STATS | | | sent after each HTTP exchange with ESI (not the SSO): a 304, each retry, a connection error too |
| | url | str | what was asked for, without any token |
| | status_code | int | the HTTP status; 500 when no answer came |
| | elapsed_time | float | seconds from sending to the whole answer |
| | message | str or None | None for status 200; else the body as text, or what broke the connection |
| | operation_id | str | ESI's id, as ``GetStatus``; of another document: its id there, ``@``, a mark of the document |
| | method | str | the HTTP method, upper case |
| | principal | str | whom ESI counts the exchange against |
| | attempt | int | 1 for the first exchange of a call, 2 for its first retry |
| ANSWER_DRIFTED | | | sent once for each answer that did not fit its declared type; the call succeeded |
| | operation_id | str | as above |
| | url | str | what was asked for, without any token |
| | places | tuple[str, ...] | where and what, as ``$[].new_field: unknown field`` |
| RATE_LIMIT_WAIT | | | sent once for each call that waits for a rate limit, as soon as it is known for how long |
| | bucket | str | which one, as ``char-wallet app:91`` or ``market-order ip``; ``errors``; ``route get_status`` |
| | wait_seconds | float | how long, as far as is known; 0: a second has passed, it waits for answers under way |
| | waiting | int | how many calls of this process wait for this bucket, this one among them |
| | operation_id | str | as above |
| | priority | str | ``interactive`` or ``batch`` |
| RATE_LIMITED | | | sent when a 429 came all the same, or a 520 that means one |
| | bucket | str | as above; ``route ...`` where no header named one |
| | headers | Mapping[str, str] | those of the answer that tell of limits, names in lower case; no others |
| | operation_id | str | as above |
| | url | str | what was asked for, without any token |
| | retry_at | datetime | when the next call of this bucket may leave (aware, UTC) |
| ERROR_LIMIT_LOW | | | sent when few errors are left: below 50, and again below 20, once each in a window |
| | remain | int | how many errors ESI still takes before it answers nothing |
| | reset_seconds | float | in how many seconds the count begins anew |
| ERROR_LIMITED | | | sent when a 420 came: all calls wait |
| | url | str | what was asked for, without any token |
| | operation_id | str | as above |
| | retry_at | datetime | when calls may leave again (aware, UTC) |
| RETRY_SCHEDULED | | | sent when an exchange failed and is tried again, before the pause |
| | operation_id | str | as above |
| | url | str | what was asked for, without any token |
| | attempt | int | the one that failed; 1 is the first |
| | status_code | int | the HTTP status; 0 when no answer came |
| | wait_seconds | float | the pause that follows; 0 where the limit that refused is waited for |
| | message | str | the status and what the body says of it, or what broke the connection |
| DOWNTIME_STARTED | | | sent when the daily downtime has begun: batch calls wait |
| | at | datetime | when it was noticed (aware, UTC) |
| DOWNTIME_ENDED | | | sent when ESI answers again after the daily downtime |
| | at | datetime | when it was noticed (aware, UTC) |
| | down_seconds | float | how long it took since DOWNTIME_STARTED |
| STALE_SERVED | | | sent when ESI did not answer, and a kept answer was given in its place |
| | operation_id | str | as above |
| | url | str | what was asked for, without any token |
| | age_seconds | float | how old it is: seconds since ESI made it, or last confirmed that it holds |
| | status_code | int | 502, 503 or 504 as ESI answered, or in the downtime; 0 when no answer came |
| | message | str | what went wrong |
| LIMIT_CHANGED | | | sent when the headers contradict the rate limit that was known; the headers win |
| | operation_id | str | as above |
| | group | str | the rate-limit group that ESI names now |
| | max_tokens | int | how many tokens its buckets hold now |
| | window_seconds | int | the window in which they come back now |
| | previous_group | str or None | what was known before; None when the operation had no group |
| | previous_max_tokens | int or None | likewise |
| | previous_window_seconds | int or None | likewise |
| STORE_DEGRADED | | | sent when a shared ledger does not answer (local, tighter limits hold), and when it does again |
| | store | str | which one, without any password |
| | error | str or None | what failed; None when it answers again |
| | degraded | bool | True: it does not answer; False: it does again |
| WATCH_FAILED | | | sent when a watched call could not be looked at; it will be again |
| | operation_id | str | as above |
| | url | str | what was asked for, without any token |
| | status_code | int | the HTTP status; 0 when no answer came, or the login or a store failed |
| | message | str | what went wrong |
| | failures | int | how often in a row; 1 is the first |
| | lasting | bool | True: it does not pass by itself: the login is dead, or ESI refuses the call |
| | retry_at | datetime | when it will be looked at next (aware, UTC) |
| LOGIN_COMPLETED | | | sent when a character's login was stored (``esipy login``, ``WebLogin``, ``add_character``) |
| | client_id | str | the application |
| | character_id | int | who logged in |
| | name | str | the character's; empty when it is not known yet |
| | scopes | tuple[str, ...] | what was allowed, sorted; empty when it is not known yet |
| TOKEN_REVOKED | | | sent once when the SSO says that a stored login is over: the character has to log in again |
| | client_id | str | the application |
| | character_id | int | whose login it was |
| | name | str | the character's |
| OWNER_CHANGED | | | sent once when a stored character was sold: its tokens are not used for the new owner |
| | client_id | str | the application |
| | character_id | int | which |
| | name | str | the character's |
| SSO_UNREACHABLE | | | sent when the SSO was asked to refresh a stored login and did not; the token is kept |
| | client_id | str | the application |
| | character_id | int | for whom it was asked |
| | name | str | the character's |
| | message | str | what went wrong |
| | status_code | int | the HTTP status; 0 when no answer came |
| | retry_at | datetime | until when this process does not ask again (aware, UTC) |

Exchanges with the SSO (keys, tokens) and those that read another document are told by no signal. Logins that hold the
same refresh token share one refresh; each of them whose tokens it replaced for a request tells its own signal, once.

A receiver without ``**kwargs`` gets only the arguments that it names, and later versions may add arguments to
every signal. To a type checker a receiver always has ``**kwargs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from esipy._delivery import LOGGER as LOGGER
from esipy._signal import Signal

__all__ = [
    "AFTER_TOKEN_REFRESH",
    "ANSWER_DRIFTED",
    "API_CALL_STATS",
    "DOWNTIME_ENDED",
    "DOWNTIME_STARTED",
    "ERROR_LIMITED",
    "ERROR_LIMIT_LOW",
    "LIMIT_CHANGED",
    "LOGIN_COMPLETED",
    "OWNER_CHANGED",
    "RATE_LIMITED",
    "RATE_LIMIT_WAIT",
    "RETRY_SCHEDULED",
    "SSO_UNREACHABLE",
    "STALE_SERVED",
    "STORE_DEGRADED",
    "TOKEN_REVOKED",
    "WATCH_FAILED",
    "Signal",
]

# A spec is the one declaration of a signal's arguments; the table above says what they are. ``**extra`` lets
# arguments be added without breaking anyone's typed receiver.


def _after_token_refresh(
    *,
    access_token: str,
    refresh_token: str | None,
    expires_in: int,
    token_type: str,
    token_identifier: Any,
    previous_refresh_token: str | None,
    **extra: Any,
) -> None:
    """Sent when a request has refreshed the token (not by ``security.refresh()``)."""


def _api_call_stats(
    *,
    url: str,
    status_code: int,
    elapsed_time: float,
    message: str | None,
    operation_id: str,
    method: str,
    principal: str,
    attempt: int,
    **extra: Any,
) -> None:
    """Sent after each HTTP exchange with ESI (not the SSO): a 304, each retry, a connection error too."""


def _answer_drifted(*, operation_id: str, url: str, places: tuple[str, ...], **extra: Any) -> None:
    """Sent once for each answer that did not fit its declared type; the call succeeded."""


def _rate_limit_wait(
    *,
    bucket: str,
    wait_seconds: float,
    waiting: int,
    operation_id: str,
    priority: str,
    **extra: Any,
) -> None:
    """Sent once for each call that waits for a rate limit, as soon as it is known for how long."""


def _rate_limited(
    *,
    bucket: str,
    headers: Mapping[str, str],
    operation_id: str,
    url: str,
    retry_at: datetime,
    **extra: Any,
) -> None:
    """Sent when a 429 came all the same, or a 520 that means one."""


def _error_limit_low(
    *,
    remain: int,
    reset_seconds: float,
    **extra: Any,
) -> None:
    """Sent when few errors are left: below 50, and again below 20, once each in a window."""


def _error_limited(
    *,
    url: str,
    operation_id: str,
    retry_at: datetime,
    **extra: Any,
) -> None:
    """Sent when a 420 came: all calls wait."""


def _retry_scheduled(
    *,
    operation_id: str,
    url: str,
    attempt: int,
    status_code: int,
    wait_seconds: float,
    message: str,
    **extra: Any,
) -> None:
    """Sent when an exchange failed and is tried again, before the pause."""


def _downtime_started(
    *,
    at: datetime,
    **extra: Any,
) -> None:
    """Sent when the daily downtime has begun: batch calls wait."""


def _downtime_ended(
    *,
    at: datetime,
    down_seconds: float,
    **extra: Any,
) -> None:
    """Sent when ESI answers again after the daily downtime."""


def _stale_served(
    *,
    operation_id: str,
    url: str,
    age_seconds: float,
    status_code: int,
    message: str,
    **extra: Any,
) -> None:
    """Sent when ESI did not answer, and a kept answer was given in its place."""


def _limit_changed(
    *,
    operation_id: str,
    group: str,
    max_tokens: int,
    window_seconds: int,
    previous_group: str | None,
    previous_max_tokens: int | None,
    previous_window_seconds: int | None,
    **extra: Any,
) -> None:
    """Sent when the headers contradict the rate limit that was known; the headers win."""


def _store_degraded(
    *,
    store: str,
    error: str | None,
    degraded: bool,
    **extra: Any,
) -> None:
    """Sent when a shared ledger does not answer (local, tighter limits hold), and when it does again."""


def _watch_failed(
    *,
    operation_id: str,
    url: str,
    status_code: int,
    message: str,
    failures: int,
    lasting: bool,
    retry_at: datetime,
    **extra: Any,
) -> None:
    """Sent when a watched call could not be looked at; it will be again."""


def _login_completed(
    *,
    client_id: str,
    character_id: int,
    name: str,
    scopes: tuple[str, ...],
    **extra: Any,
) -> None:
    """Sent when a character's login was stored (``esipy login``, ``WebLogin``, ``add_character``)."""


def _token_revoked(
    *,
    client_id: str,
    character_id: int,
    name: str,
    **extra: Any,
) -> None:
    """Sent once when the SSO says that a stored login is over: the character has to log in again."""


def _owner_changed(
    *,
    client_id: str,
    character_id: int,
    name: str,
    **extra: Any,
) -> None:
    """Sent once when a stored character was sold: its tokens are not used for the new owner."""


def _sso_unreachable(
    *,
    client_id: str,
    character_id: int,
    name: str,
    message: str,
    status_code: int,
    retry_at: datetime,
    **extra: Any,
) -> None:
    """Sent when the SSO was asked to refresh a stored login and did not; the token is kept."""


AFTER_TOKEN_REFRESH = Signal("AFTER_TOKEN_REFRESH", _after_token_refresh)
API_CALL_STATS = Signal("API_CALL_STATS", _api_call_stats)
ANSWER_DRIFTED = Signal("ANSWER_DRIFTED", _answer_drifted)
RATE_LIMIT_WAIT = Signal("RATE_LIMIT_WAIT", _rate_limit_wait)
RATE_LIMITED = Signal("RATE_LIMITED", _rate_limited)
ERROR_LIMIT_LOW = Signal("ERROR_LIMIT_LOW", _error_limit_low)
ERROR_LIMITED = Signal("ERROR_LIMITED", _error_limited)
RETRY_SCHEDULED = Signal("RETRY_SCHEDULED", _retry_scheduled)
DOWNTIME_STARTED = Signal("DOWNTIME_STARTED", _downtime_started)
DOWNTIME_ENDED = Signal("DOWNTIME_ENDED", _downtime_ended)
STALE_SERVED = Signal("STALE_SERVED", _stale_served)
LIMIT_CHANGED = Signal("LIMIT_CHANGED", _limit_changed)
STORE_DEGRADED = Signal("STORE_DEGRADED", _store_degraded)
WATCH_FAILED = Signal("WATCH_FAILED", _watch_failed)
LOGIN_COMPLETED = Signal("LOGIN_COMPLETED", _login_completed)
TOKEN_REVOKED = Signal("TOKEN_REVOKED", _token_revoked)
OWNER_CHANGED = Signal("OWNER_CHANGED", _owner_changed)
SSO_UNREACHABLE = Signal("SSO_UNREACHABLE", _sso_unreachable)
