"""The SSO's public keys, and the check of a token's signature with them.

Rules kept here (T41): the algorithm is ours to name (RS256), never the token's. Keys are fetched when first needed and
when their lifetime is over. They are fetched again when a token comes that none of them has signed, at most once a
minute: a key may also have been replaced under its old name. Keys that are not served any more stay until the last
tokens that they can have signed are over: an hour, or longer where tokens were seen that live longer. While the keys
cannot be had, a token of an unknown key is not called wrong.

What is known is shared by threads, tasks and clients, whose clocks may differ when the machine's was set: no moment is
believed that lies further ahead than it can.

Source: RFC 7515 section 5.2; RFC 7517 section 5; RFC 8725 section 3.1; EVE SSO documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from esipy.core.claims import LEEWAY_SECONDS, invalid_token, lifetime_of
from esipy.exceptions import SSOUnavailableError
from esipy.runtime.base import Runtime
from esipy.sso.flights import Flights
from esipy.sso.metadata import DAY_SECONDS, PAUSE_SECONDS, clock_error, lifetime_seconds
from esipy.sso.wire import Asker, read_object

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

__all__ = ["GivenKeys", "Keys"]

ALGORITHM = "RS256"

TOKEN_SECONDS = 3600.0
"""So long a token lives at the least, as far as keys are kept for it; EVE's live for 20 minutes."""

MOST_OLD = 20
"""Keys that are not served any more; beyond, the oldest is forgotten."""


class GivenKeys:
    """Keys that a program has itself: a JWK set, or one JWK (version 1's ``jwks_key``)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.is_one = "keys" not in document
        """Whether it is one JWK, and no set."""
        self._keys = _import({"keys": [document]} if self.is_one else document)

    def __reduce__(self) -> tuple[Any, ...]:
        return (GivenKeys, (self._document,))

    def shown(self) -> list[dict[str, Any]]:
        """Public JWKs."""
        return [_shown(key) for key in self._keys]

    def payload(self, token: str, kid: str | None) -> dict[str, Any] | None:
        """What a token says; None when none of these keys has signed it. Raises as `Keys.verify`."""
        return _payload(token, kid, self._keys)


class _Known(NamedTuple):
    """A key, and when it was first found to be served no more; infinite while it is."""

    key: RSAKey
    gone_at: float


class Keys:
    """The keys of one SSO, fetched when they are needed. Any threads and tasks may share them.

    Attributes:
        clock_error: seconds by which the SSO's clock is ahead of ours, as its answer told; None: it did not.
    """

    is_one = False

    def __init__(self) -> None:
        self._known: tuple[_Known, ...] = ()
        self._token_seconds = TOKEN_SECONDS
        self._stale_at = self._not_before = float("-inf")
        self._fetches = 0
        self._failed = False
        self.clock_error: float | None = None
        self._flights: Flights[None] = Flights(repeatable=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Keys, ())

    def shown(self) -> list[dict[str, Any]]:
        """Those that are served, as far as known: public JWKs."""
        return [_shown(known.key) for known in self._known if known.gone_at == float("inf")]

    async def ready(self, runtime: Runtime, asker: Asker, url: str) -> None:
        """Have keys that are not older than their lifetime, or at least some.

        Raises:
            SSOUnavailableError: there are none, and none can be had now.
        """
        if self._are_fresh(runtime.now()):
            return
        try:
            await self._refetch(runtime, asker, url, for_unknown=False)
        except SSOUnavailableError:
            if not self._known:
                raise

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
        fetches = self._fetches
        await self.ready(runtime, asker, url)
        payload = _payload(token, kid, self._alive(runtime.now()))
        if payload is None and fetches == self._fetches:  # else they came after the token, and are all there are
            await self._refetch(runtime, asker, url, for_unknown=True)
            payload = _payload(token, kid, self._alive(runtime.now()))  # also when another's fetch brought the key
        if payload is None:
            wanted = "any key of the SSO" if kid is None else f"the SSO's key {kid}"
            raise invalid_token(f"its signature is not of {wanted}")
        self._token_seconds = max(self._token_seconds, min(lifetime_of(payload), DAY_SECONDS))
        return payload

    def _are_fresh(self, now: float) -> bool:
        return now < self._stale_at <= now + DAY_SECONDS

    def _alive(self, now: float) -> list[RSAKey]:
        """The keys that may have signed a token that is still good."""
        kept_seconds = self._token_seconds + LEEWAY_SECONDS
        return [known.key for known in self._known if now < known.gone_at + kept_seconds]

    async def _refetch(self, runtime: Runtime, asker: Asker, url: str, *, for_unknown: bool) -> None:
        """Fetch the keys, or wait for who does: because they are old, or because a token's is not among them."""

        async def work() -> None:
            await self._fetch(runtime, asker, url, for_unknown=for_unknown)

        await runtime.finish(self._flights.fly(runtime, (url, for_unknown), asker.limit_seconds, work))

    async def _fetch(self, runtime: Runtime, asker: Asker, url: str, *, for_unknown: bool) -> None:
        now = runtime.now()
        if not for_unknown and self._are_fresh(now):
            return  # another's fetch has just ended
        # Without keys there is nothing to spare: each caller may try.
        if (for_unknown or self._failed) and now < self._not_before <= now + PAUSE_SECONDS:
            if self._failed:
                raise SSOUnavailableError(url, 0, message=f"{url} could not be had, and is not asked again yet")
            return
        try:
            document, headers = await asker.get_object(runtime, url)
            keys = _import(document)
            if not keys:
                raise SSOUnavailableError(url, 200, message=f"{url} names no key that can be used; try later")
        except SSOUnavailableError:
            if self._known:
                self._failed, self._not_before = True, runtime.now() + PAUSE_SECONDS
            raise
        now = runtime.now()
        self.clock_error = clock_error(headers, now)
        self._known = (*(_Known(key, float("inf")) for key in keys), *self._gone(keys, now))
        self._failed, self._stale_at = False, now + lifetime_seconds(headers)
        self._fetches += 1
        if for_unknown:
            self._not_before = now + PAUSE_SECONDS

    def _gone(self, served: Iterable[RSAKey], now: float) -> list[_Known]:
        """The keys there are that are not served any more, and may still be needed: the latest first."""
        names = {_name(key) for key in served}
        alive = {_name(key) for key in self._alive(now)}
        old = [
            known._replace(gone_at=min(known.gone_at, now))
            for known in self._known
            if _name(known.key) in alive - names
        ]
        return sorted(old, key=lambda known: -known.gone_at)[:MOST_OLD]


def _payload(token: str, kid: str | None, keys: Iterable[RSAKey]) -> dict[str, Any] | None:
    """What a token says; None when none of these keys has signed it.

    Raises:
        TokenInvalidError: it is no JWT, or of another algorithm.
    """
    from joserfc import jws
    from joserfc.errors import JoseError

    registry = jws.JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)
    try:
        signed = jws.extract_compact(token.encode(), registry=registry)
        headers = signed.headers()
        if headers.get("alg") != ALGORITHM:
            raise invalid_token("its algorithm is not the SSO's")
        names = (headers.get("kid"), kid)
        for key in keys:
            may_fit = key.kid is None or all(name is None or name == key.kid for name in names)
            if may_fit and jws.validate_compact(signed, key, registry=registry):
                payload = read_object(signed.payload)
                if payload is None:
                    raise invalid_token("its payload is not an object")
                return payload
    except (JoseError, ValueError):
        # from None: whatever the cause quotes of the token is not shown (T44).
        raise invalid_token("it is not a signed JWT") from None
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


def _name(key: RSAKey) -> tuple[str | None, str]:
    """What tells one key from another: an old name may be given to a new key."""
    return key.kid, key.thumbprint()


def _shown(key: RSAKey) -> dict[str, Any]:
    return dict(key.as_dict(private=False))
