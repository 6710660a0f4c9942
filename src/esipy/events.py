"""Signals: what the library tells programs while it works.

A signal is sent with keyword arguments to each of its receivers::

    from esipy.events import AFTER_TOKEN_REFRESH

    @AFTER_TOKEN_REFRESH.connect
    def save(access_token, refresh_token, expires_in, **kwargs):
        ...

Rules: receivers are called in the order in which they were added, in the thread (or task) where the thing
happened. Receivers observe; what they return is ignored. The library sends robustly: a receiver that raises is
logged to ``esipy.events`` and costs neither the token nor the answer. Who is added or removed while a signal is
being sent is heeded from the next sending on. Signals may be used by any threads and tasks at once.

Every signal:

| signal | argument | type | what it is |
|---|---|---|---|
| AFTER_TOKEN_REFRESH | | | sent when a request has refreshed the token (not by ``security.refresh()``) |
| | access_token | str | the new access token |
| | refresh_token | str or None | the refresh token to store now; None when the login had no scopes |
| | expires_in | int | seconds for which the access token is good |
| | token_type | str | ``Bearer`` |
| | token_identifier | Any | what the program gave to the security object to know it by; None when nothing |
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

Exchanges with the SSO (keys, tokens) and those that read another document are told by no signal. Logins that hold the
same refresh token share one refresh; each of them whose tokens it replaced for a request tells its own signal, once.

A receiver without ``**kwargs`` gets only the arguments that it names, and later versions may add arguments to
every signal. To a type checker a receiver always has ``**kwargs``.
"""

from __future__ import annotations

from typing import Any

from esipy._delivery import LOGGER as LOGGER
from esipy._signal import Signal

__all__ = ["AFTER_TOKEN_REFRESH", "ANSWER_DRIFTED", "API_CALL_STATS", "Signal"]

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


AFTER_TOKEN_REFRESH = Signal("AFTER_TOKEN_REFRESH", _after_token_refresh)
API_CALL_STATS = Signal("API_CALL_STATS", _api_call_stats)
ANSWER_DRIFTED = Signal("ANSWER_DRIFTED", _answer_drifted)
