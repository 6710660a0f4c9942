"""The SSO's public keys, and the check of a token's signature with them.

Rules kept here (T41): the algorithm is ours to name (RS256), never the token's; keys are fetched when first
needed and again when a token names one that is not known, at most once a minute; the keys before the last
change stay, because tokens signed with them live on. A key may also be replaced under its old name, so a
signature that does not fit counts as an unknown key.

Source: RFC 7515 section 5.2; RFC 7517 section 5; RFC 8725 section 3.1; EVE SSO documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from esipy.exceptions import SSOUnavailableError, TokenInvalidError
from esipy.runtime.base import Runtime
from esipy.sso.flights import Flights
from esipy.sso.metadata import PAUSE_SECONDS, lifetime_seconds
from esipy.sso.wire import Asker, read_object

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

__all__ = ["Keys"]

ALGORITHM = "RS256"


class Keys:
    """The keys of one SSO. Any threads and tasks may share them.

    Args:
        given: keys to begin with, as a JWK set or as one JWK (version 1's ``jwks_key``); None: none.
    """

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._given = given
        self._now: list[RSAKey] = []
        self._before: list[RSAKey] = []
        self._not_before = float("-inf")
        self._stale_at = float("-inf")
        self._flights: Flights[None] = Flights(repeatable=True)
        if given is not None:
            self._now = _import(given if "keys" in given else {"keys": [given]})
            self._stale_at = float("inf")

    def __reduce__(self) -> tuple[Any, ...]:
        return (Keys, (self._given,))

    async def ready(self, runtime: Runtime, asker: Asker, url: str) -> None:
        """Have keys that are not older than their lifetime, or at least some.

        Raises:
            SSOUnavailableError: there are none, and none can be had now.
        """
        if runtime.now() < self._stale_at:
            return
        try:
            await self._refetch(runtime, asker, url)
        except SSOUnavailableError:
            if not self._now:
                raise

    def shown(self) -> list[dict[str, Any]]:
        """The keys as they are known now: public JWKs."""
        return [dict(key.as_dict(private=False)) for key in self._now]

    @property
    def is_one(self) -> bool:
        """Whether the program gave one JWK, and no set."""
        return self._given is not None and "keys" not in self._given

    async def verify(
        self, runtime: Runtime, asker: Asker, url: str, token: str, kid: str | None = None
    ) -> dict[str, Any]:
        """Check a token's signature and give its payload, of which nothing else is checked.

        Args:
            kid: the only key that may have signed it; None: whichever of the SSO's.

        Raises:
            TokenInvalidError: no key of the SSO has made this signature, or it is no JWT.
            SSOUnavailableError: it needs a key that is not known, and the keys cannot be had now.
        """
        await self.ready(runtime, asker, url)
        payload = self._payload(token, kid)
        if payload is None:
            await self._refetch(runtime, asker, url)
            payload = self._payload(token, kid)  # also when it was another's fetch that brought the key
        if payload is None:
            wanted = "any key of the SSO" if kid is None else f"the SSO's key {kid}"
            raise _invalid(f"its signature is not of {wanted}")
        return payload

    async def _refetch(self, runtime: Runtime, asker: Asker, url: str) -> None:
        """Fetch the keys, unless that was tried within the last minute."""
        fetch = self._flights.fly(runtime, url, asker.limit_seconds, lambda: self._fetch(runtime, asker, url))
        await runtime.finish(fetch)

    async def _fetch(self, runtime: Runtime, asker: Asker, url: str) -> None:
        if runtime.now() < self._not_before:
            return
        # Without keys there is nothing to spare: each caller may try. The pause is for odd tokens.
        try:
            document, headers = await asker.get_object(runtime, url)
        except SSOUnavailableError:
            if self._now:
                self._not_before = runtime.now() + PAUSE_SECONDS
            raise
        keys = _import(document)
        if not keys:
            raise SSOUnavailableError(url, 200, message=f"{url} names no key that can be used; try later")
        if {key.thumbprint() for key in keys} != {key.thumbprint() for key in self._now}:
            self._now, self._before = keys, self._now
        self._not_before = runtime.now() + PAUSE_SECONDS
        self._stale_at = runtime.now() + lifetime_seconds(headers)

    def _payload(self, token: str, kid: str | None) -> dict[str, Any] | None:
        """The payload; None when no known key has signed it."""
        from joserfc import jws
        from joserfc.errors import JoseError

        registry = jws.JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)
        try:
            signed = jws.extract_compact(token.encode(), registry=registry)
            headers = signed.headers()
            if headers.get("alg") != ALGORITHM:
                raise _invalid("its algorithm is not the SSO's")
            names = (headers.get("kid"), kid)
            for key in (*self._now, *self._before):
                may_fit = key.kid is None or all(name is None or name == key.kid for name in names)
                if may_fit and jws.validate_compact(signed, key, registry=registry):
                    payload = read_object(signed.payload)
                    if payload is None:
                        raise _invalid("its payload is not an object")
                    return payload
        except (JoseError, ValueError):
            # from None: whatever the cause quotes of the token is not shown (T44).
            raise _invalid("it is not a signed JWT") from None
        return None


def _import(document: Mapping[str, Any]) -> list[RSAKey]:
    """The keys of a set that can check our algorithm; the others are passed over."""
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey

    keys: list[RSAKey] = []
    entries = document.get("keys")
    for entry in cast("list[object]", entries) if isinstance(entries, list) else ():
        facts = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        made_for = (facts.get("kty"), facts.get("use", "sig"), facts.get("alg", ALGORITHM))
        if made_for != ("RSA", "sig", ALGORITHM):
            continue
        try:
            keys.append(RSAKey.import_key(facts))
        except (JoseError, ValueError, TypeError):
            continue
    return keys


def _invalid(reason: str) -> TokenInvalidError:
    return TokenInvalidError("", 0, message=f"the access token is not valid: {reason}")
