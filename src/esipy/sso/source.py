"""One SSO, as a login sees it: where it is, and whether a token is really its.

What was fetched (endpoints, keys) is shared by all logins that use the same transport, so that the hundredth
character costs the SSO no more than its own token.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, NamedTuple

from esipy.core.claims import STRICT, Checks, Claims, check_claims
from esipy.runtime.base import Runtime
from esipy.sso.keys import Keys
from esipy.sso.metadata import METADATA_PATH, Endpoints, Metadata
from esipy.sso.wire import Asker, require_private

__all__ = ["Source", "source_at"]


class _Known:
    """What is known of SSOs over one transport, by address."""

    def __init__(self) -> None:
        self.metadata: dict[str, Metadata] = {}
        self.keys: dict[str, Keys] = {}


class Source(NamedTuple):
    """Where a login finds its SSO.

    Attributes:
        asker: how it is asked.
        endpoints: what is known without a network.
        metadata_url: where the SSO tells its endpoints; None when ``endpoints`` are given and final.
        given_keys: the program's own keys; None: those of the SSO.
    """

    asker: Asker
    endpoints: Endpoints
    metadata_url: str | None
    given_keys: Keys | None

    async def locate(self, runtime: Runtime) -> Endpoints:
        """The endpoints as the SSO tells them, or as they are known when it does not."""
        url = self.metadata_url
        if url is None:
            return self.endpoints
        metadata = _known_over(runtime).metadata.setdefault(url, Metadata(url, self.endpoints))
        return await metadata.endpoints(runtime, self.asker)

    def clock_error(self, runtime: Runtime) -> float | None:
        """Seconds by which the SSO's clock is ahead of ours, as its metadata came with; None: it is not known."""
        metadata = _known_over(runtime).metadata.get(self.metadata_url or "")
        return None if metadata is None else metadata.clock_error

    async def prepare(self, runtime: Runtime, endpoints: Endpoints) -> None:
        """Have the keys that `verify` needs, before anything is spent for a token.

        Raises:
            SSOUnavailableError: there are none, and none can be had now.
        """
        await self.keys(runtime, endpoints).ready(runtime, self.asker, endpoints.jwks)

    async def verify(
        self,
        runtime: Runtime,
        endpoints: Endpoints,
        token: str,
        client_id: str,
        now: float,
        *,
        kid: str | None = None,
        checks: Checks = STRICT,
    ) -> tuple[dict[str, Any], Claims]:
        """Check signature and claims of an access token.

        Args:
            now: seconds since 1970 (UTC) at which it has to be good.
            kid: the only key that may have signed it; None: whichever of the SSO's.
            checks: of its claims.

        Returns:
            its payload, and what that says.

        Raises:
            TokenInvalidError: it is not a token of this SSO for this application, or its time is over.
            SSOUnavailableError: the keys cannot be had now.
        """
        payload = await self.keys(runtime, endpoints).verify(runtime, self.asker, endpoints.jwks, token, kid)
        return payload, check_claims(payload, client_id=client_id, issuer=endpoints.issuer, now=now, checks=checks)

    def keys(self, runtime: Runtime, endpoints: Endpoints) -> Keys:
        """The keys that tokens are checked with, as far as they were fetched."""
        return self.given_keys or _known_over(runtime).keys.setdefault(endpoints.jwks, Keys())


def source_at(sso_url: str, asker: Asker) -> Source:
    """The SSO at an address.

    Raises:
        SettingError: no secret must be sent there.
    """
    require_private("sso_url", sso_url)
    return Source(asker, Endpoints.known(sso_url), sso_url + METADATA_PATH, None)


_known: weakref.WeakKeyDictionary[Any, _Known] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # a thread that only the parent has may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _known_over(runtime: Runtime) -> _Known:
    place = getattr(runtime, "transport", runtime)
    try:
        hash(weakref.ref(place))
    except TypeError:
        place = runtime  # a transport that nothing can be tied to: then each client learns for itself
    with _lock:
        known = _known.get(place)
        if known is None:
            known = _known[place] = _Known()
        return known
