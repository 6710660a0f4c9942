"""Where the SSO's endpoints are.

An SSO tells it in its metadata document. That is fetched when it is first needed, kept as long as its
``Cache-Control`` says (a day when it says nothing), and replaced by the paths that the SSO is known to have
while it cannot be had: a login must not wait for it, and `authorize_url` works without a network.

Source: RFC 8414 sections 2 and 3; EVE SSO documentation.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from esipy.core.freshness import delta_seconds, directives, http_date
from esipy.core.wire import Headers
from esipy.exceptions import SettingError, SSOUnavailableError
from esipy.runtime.base import Runtime
from esipy.sso.flights import Flights
from esipy.sso.wire import Asker, require_private

__all__ = ["DAY_SECONDS", "METADATA_PATH", "PAUSE_SECONDS", "Endpoints", "Metadata", "clock_error", "lifetime_seconds"]

LOGGER = logging.getLogger("esipy.security")

PAUSE_SECONDS = 60.0
"""After a document could not be had, it is asked for again at most once in this time."""

DAY_SECONDS = 86400.0

METADATA_PATH = "/.well-known/oauth-authorization-server"
"""Source: RFC 8414 section 3."""

EVE_ISSUER = "https://login.eveonline.com"
"""Who issues EVE's tokens, whatever address the SSO is reached at, until its metadata says otherwise."""

_NAMES = {
    "issuer": "issuer",
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "revoke": "revocation_endpoint",
    "jwks": "jwks_uri",
}


class Endpoints(NamedTuple):
    """The addresses of one SSO, and the name under which it issues tokens."""

    issuer: str
    authorize: str
    token: str
    revoke: str
    jwks: str

    @classmethod
    def known(cls, sso_url: str) -> Endpoints:
        """The paths of EVE's SSO, under this base address."""
        return cls(
            issuer=EVE_ISSUER,
            authorize=f"{sso_url}/v2/oauth/authorize",
            token=f"{sso_url}/v2/oauth/token",
            revoke=f"{sso_url}/v2/oauth/revoke",
            jwks=f"{sso_url}/oauth/jwks",
        )

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Endpoints:
        """Read a metadata document.

        Raises:
            SettingError: an entry is missing, or a secret must not be sent to it; the text names it.
        """
        issuer = document.get("issuer")
        if not isinstance(issuer, str) or not issuer:
            raise SettingError("issuer: is missing in the SSO's metadata")
        return cls(issuer, *(require_private(name, document.get(name)) for name in list(_NAMES.values())[1:]))


class Metadata:
    """The endpoints of one SSO, fetched when first needed. Any threads and tasks may share it.

    Attributes:
        clock_error: seconds by which the SSO's clock is ahead of ours, as its answer told; None: it did not.

    Args:
        url: of the metadata document.
        fallback: what holds until it was read.
    """

    def __init__(self, url: str, fallback: Endpoints) -> None:
        self._url = url
        self._endpoints = fallback
        self.clock_error: float | None = None
        self._next_fetch = float("-inf")
        self._flights: Flights[None] = Flights(repeatable=True)

    async def endpoints(self, runtime: Runtime, asker: Asker) -> Endpoints:
        """The endpoints; what was known before when the document cannot be had or read."""
        if self._is_old(runtime.now()):
            fetch = self._flights.fly(runtime, self._url, asker.limit_seconds, lambda: self._fetch(runtime, asker))
            await runtime.finish(fetch)
        return self._endpoints

    def _is_old(self, now: float) -> bool:
        # Who shares it may have another clock, if the machine's was set: it is not kept for longer than it can be.
        return not now < self._next_fetch <= now + DAY_SECONDS

    async def _fetch(self, runtime: Runtime, asker: Asker) -> None:
        if not self._is_old(runtime.now()):
            return  # another's fetch has just ended
        pause = PAUSE_SECONDS
        try:
            document, headers = await asker.get_object(runtime, self._url)
            self._endpoints = Endpoints.read(document)
            self.clock_error = clock_error(headers, runtime.now())
            pause = lifetime_seconds(headers)
        except (SSOUnavailableError, SettingError) as error:
            LOGGER.warning("%s cannot be used, so the endpoints known before are: %s", self._url, error)
        self._next_fetch = runtime.now() + pause


def clock_error(headers: Headers, now: float) -> float | None:
    """By how many seconds the clock of who made an answer is ahead of ours; None when it does not tell.

    A cache on the way says how old an answer is. Source: RFC 9111 section 5.1.
    """
    date = http_date(headers.get("date"))
    return None if date is None else date + (delta_seconds(headers.get("age")) or 0.0) - now


def lifetime_seconds(headers: Headers) -> float:
    """How long to keep a document of the SSO: its ``max-age``, within a minute and a day; else a day."""
    text = directives(headers).get("max-age", "")
    return min(max(float(text), PAUSE_SECONDS), DAY_SECONDS) if text.isascii() and text.isdigit() else DAY_SECONDS
