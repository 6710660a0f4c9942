"""When the SSO is not asked: after it failed, for a pause that grows with each failure.

Owns the pauses of a process, by what failed (T40: none of it says that a token is dead):

============================  =================================================
answer                        who pauses
============================  =================================================
401                           this application: its id or secret is wrong
400, 402, 404 and so on       this character
a token that cannot be right  this character
403, 429, all others, none    everybody who would ask this SSO
============================  =================================================

``Retry-After`` is heeded. A caller that asked before a pause began and fails within it makes it no longer: that is one
outage, seen by several. The first good answer ends it.
"""

from __future__ import annotations

from collections.abc import Hashable

from esipy._forks import fork_lock
from esipy.core.moments import not_before
from esipy.core.retries import doubled, retry_after
from esipy.core.wire import Headers
from esipy.exceptions import SSOUnavailableError, TokenInvalidError
from esipy.runtime.base import Runtime

__all__ = ["Outages"]

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 120.0

MOST_KNOWN = 10_000
"""Entries; beyond, the oldest is forgotten."""

_OF_ALL = frozenset({403, 429})


class _Outage:
    __slots__ = ("failures", "message", "status", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.until = float("-inf")
        self.status = 0
        self.message = ""


class Outages:
    """The pauses of one process. Any threads and tasks may share it."""

    def __init__(self) -> None:
        self._lock = fork_lock()
        self._known: dict[Hashable, _Outage] = {}

    def check(self, runtime: Runtime, url: str, client_id: str, character_id: int) -> None:
        """Refuse to ask while it is no use.

        Raises:
            SSOUnavailableError: with ``retry_at``.
        """
        if not self._known:
            return
        now = runtime.now()
        with self._lock:
            found = [self._known.get(key) for key in _keys(url, client_id, character_id)]
            stopped = max((outage for outage in found if outage), key=lambda outage: outage.until, default=None)
        if stopped is None or now >= stopped.until:
            return
        error = SSOUnavailableError(url, stopped.status, message=f"not asked again yet: {stopped.message}")
        error.retry_at = not_before(stopped.until)
        raise error

    def failed(
        self,
        runtime: Runtime,
        url: str,
        client_id: str,
        character_id: int,
        error: SSOUnavailableError | TokenInvalidError,
        began: float,
    ) -> None:
        """The SSO was asked and failed; the error, if it can tell, is told when to come back.

        Args:
            began: when it was asked.
        """
        now = runtime.now()
        status = error.status_code
        of_all = isinstance(error, SSOUnavailableError) and (status in _OF_ALL or not 400 <= status < 500)
        key = _keys(url, client_id, character_id)[0 if of_all else 1 if status == 401 else 2]
        headers = error.response_header
        asked = (retry_after(headers, now) or 0.0) if isinstance(headers, Headers) else 0.0
        with self._lock:
            outage = self._known.pop(key, None) or _Outage()
            self._known[key] = outage
            if outage.failures == 0 or began >= outage.until:
                outage.failures += 1
                pause = doubled(FIRST_PAUSE_SECONDS, outage.failures, LONGEST_PAUSE_SECONDS)
                outage.until = now + pause * (0.5 + runtime.random() / 2)
            outage.until = max(outage.until, now + asked)
            outage.status, outage.message = status, str(error)
            if len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]
            if isinstance(error, SSOUnavailableError):
                error.retry_at = not_before(outage.until)

    def works(self, url: str, client_id: str, character_id: int) -> None:
        """The SSO has answered well."""
        if self._known:
            with self._lock:
                for key in _keys(url, client_id, character_id):
                    self._known.pop(key, None)


def _keys(url: str, client_id: str, character_id: int) -> tuple[Hashable, ...]:
    return url, (url, client_id), (url, client_id, character_id)
