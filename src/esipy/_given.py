"""What clients are given, read and checked: headers, a login, a cache, calls; and what is said where no answer came."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from esipy._headers import given_headers
from esipy.core.answer import Answer
from esipy.core.moments import as_seconds
from esipy.core.objects import DataObject
from esipy.core.wire import Headers
from esipy.events import Signal
from esipy.exceptions import APIException, SettingError
from esipy.operation import Call
from esipy.response import Response

__all__ = [
    "LOGGER", "call_of", "check", "own_headers", "signed_by_hand", "tell_warning", "unanswered",
]  # fmt: skip

LOGGER = logging.getLogger("esipy.client")
T = TypeVar("T")

_SETTINGS_BY_HEADER = {
    "user-agent": "user_agent",
    "accept-language": "language",
    "x-compatibility-date": "compatibility_date",
    "x-tenant": "tenant",
}
"""Headers that are settings: they belong to what an answer is kept under (T01)."""


def unanswered(call: Call[T], error: APIException, status: int) -> Response[T]:
    """What stands in place of an answer that did not come: a status, the error's text as version 1 had it, and itself.

    500 when the network failed (version 1's choice), 429 or 420 when a limit asks for more patience than
    ``max_wait``, 401 when no token could be had, 403 when the login lacks the scope.
    """
    data = DataObject(error=str(error))
    answer = Answer(status, Headers(), msgspec.json.encode(data), "nowhere")
    answer.retry_at = as_seconds(getattr(error, "retry_at", None))
    return Response(call, answer, data, error.url, error=error)


def own_headers(headers: Mapping[Any, Any] | None, settings: dict[str, Any]) -> dict[str, str]:
    """The user's headers, but for those that are settings: these are put among the settings, where none is given.

    Raises:
        SettingError: they are no headers, or one that this library has to write itself.
    """
    own: dict[str, str] = {}
    for name, value in given_headers(headers).items():
        setting = _SETTINGS_BY_HEADER.get(name.lower())
        if setting is None:
            own[name] = value
        elif settings.get(setting) is None:
            settings[setting] = value
    return own


def check(security: Any, signal: Any) -> None:
    """Refuse what would fail at the first request only.

    Raises:
        SettingError: names the argument.
    """
    if isinstance(security, type):  # it is callable
        raise SettingError(f"security={security.__name__}: has to be one that was made: {security.__name__}(...)")
    if security is not None and not hasattr(security, "principal") and not callable(security):
        raise SettingError(f"security={type(security).__name__}: has to be an EsiSecurity, or a callable that signs")
    if signal is not None and not isinstance(signal, Signal):
        raise SettingError(f"signal_api_call_stats={signal!r}: has to be a Signal; add a function with add_receiver")


def call_of(given: Call[T]) -> Call[T]:
    """The call, also when it comes as version 1's pair ``(request, response)``.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(given, Call):  # pyright: ignore[reportUnnecessaryIsInstance] (not everyone runs a checker)
        return given
    from esipy.version1.pairs import call_of

    return call_of(given)


def signed_by_hand(call: Call[T], security: Any) -> Call[T]:
    """The call as a security of version 1's kind leaves it: a callable that writes into ``request._p["header"]``."""
    from esipy.version1.requests import request_of

    request = request_of(call)
    security(request)
    return request


def tell_warning(response: Response[Any], warning: str) -> None:
    """ESI's ``Warning`` header, as a log line and as a Python warning, in version 1's words."""
    LOGGER.warning("[%s] %s", response.url, warning)
    with contextlib.suppress(UserWarning):  # ``-W error`` must not cost the answer of what has been done
        warnings.warn(f"[{response.url}] {warning}", UserWarning, stacklevel=2)
