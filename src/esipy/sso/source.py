"""One SSO, as a login sees it: where it is, and whether a token is really its.

What was fetched (endpoints, keys) is shared by all clients and logins of the process, of either colour, so that the
ten-thousandth costs the SSO no more than its own token. A login with a transport that was made for other certificates,
or with one of its own, learns for itself: nobody else is to believe what that brings.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from esipy._attached import attached
from esipy.core.claims import STRICT, Checks, Claims, check_claims
from esipy.runtime.base import Runtime
from esipy.sso.keys import GivenKeys, Keys
from esipy.sso.metadata import METADATA_PATH, Endpoints, Metadata
from esipy.sso.wire import Asker, require_private

__all__ = ["Source", "source_at"]


class _Known:
    """What is known of SSOs over transports of one trust: endpoints by where they are told, and keys, by address."""

    def __init__(self) -> None:
        self.metadata: dict[tuple[str, Endpoints], Metadata] = {}
        self.keys: dict[str, Keys] = {}


class Source(NamedTuple):
    """Where a login finds its SSO.

    Attributes:
        asker: how it is asked.
        endpoints: what is known without a network.
        metadata_url: where the SSO tells its endpoints; None when ``endpoints`` are given and final.
        given_keys: the program's own keys, asked before those of the SSO; None: it has none.
    """

    asker: Asker
    endpoints: Endpoints
    metadata_url: str | None
    given_keys: GivenKeys | None

    async def locate(self, runtime: Runtime) -> Endpoints:
        """The endpoints as the SSO tells them, or as they are known when it does not."""
        url = self.metadata_url
        if url is None:
            return self.endpoints
        known, key = _known_over(runtime).metadata, (url, self.endpoints)
        metadata = known.get(key) or known.setdefault(key, Metadata(*key))
        return await metadata.endpoints(runtime, self.asker)

    def clock_error(self, runtime: Runtime, endpoints: Endpoints) -> float | None:
        """Seconds by which the SSO's clock is ahead of ours, as metadata and keys came with; None: it is not known."""
        known = _known_over(runtime)
        metadata, keys = known.metadata.get((self.metadata_url or "", self.endpoints)), known.keys.get(endpoints.jwks)
        told = [found.clock_error for found in (metadata, keys) if found is not None and found.clock_error is not None]
        return told[0] if told else None

    async def prepare(self, runtime: Runtime, endpoints: Endpoints) -> None:
        """Have the keys that `verify` needs, before anything is spent for a token.

        Raises:
            SSOUnavailableError: there are none, and none can be had now.
        """
        if self.given_keys is None:
            await self._fetched_keys(runtime, endpoints).ready(runtime, self.asker, endpoints.jwks)

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
        payload = None if self.given_keys is None else self.given_keys.payload(token, kid)
        if payload is None:
            keys = self._fetched_keys(runtime, endpoints)
            payload = await keys.verify(runtime, self.asker, endpoints.jwks, token, kid)
        return payload, check_claims(payload, client_id=client_id, issuer=endpoints.issuer, now=now, checks=checks)

    def keys(self, runtime: Runtime, endpoints: Endpoints) -> GivenKeys | Keys:
        """The keys that tokens are checked with first: the program's own, or the SSO's as far as they were fetched."""
        return self.given_keys or self._fetched_keys(runtime, endpoints)

    def _fetched_keys(self, runtime: Runtime, endpoints: Endpoints) -> Keys:
        known, url = _known_over(runtime).keys, endpoints.jwks
        return known.get(url) or known.setdefault(url, Keys())


def source_at(sso_url: str, asker: Asker) -> Source:
    """The SSO at an address.

    Raises:
        SettingError: no secret must be sent there.
    """
    require_private("sso_url", sso_url)
    return Source(asker, Endpoints.known(sso_url), sso_url + METADATA_PATH, None)


def _known_over(runtime: Runtime) -> _Known:
    transport = getattr(runtime, "transport", None)
    trust = getattr(transport, "trust", None)
    if trust is None:
        return attached(runtime if transport is None else transport, runtime.shared, "sso", _Known)
    found: _Known | None = runtime.shared.get(("sso", trust))
    made: _Known = runtime.shared.setdefault(("sso", trust), _Known()) if found is None else found
    return made
