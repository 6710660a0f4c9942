"""What it costs to verify an access token: its signature and all its claims, the SSO's keys at hand.

`measure` gives seconds by the token: the median of several runs, each with its least and greatest. Run it with
``python -m benchmarks.jwt``.
"""

from __future__ import annotations

import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from benchmarks.measuring import Spread, runs_of
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.scopes import SCOPES
from esipy.sso.keys import GivenKeys
from esipy.sso.source import source_at
from esipy.sso.wire import Asker
from esipy.transport.scripted import ScriptedTransport

__all__ = ["measure"]

VERIFIED = 1000

CLIENT_ID = "0123456789abcdef0123456789abcdef"
WALLET = "esi-wallet.read_character_wallet.v1"


def _nobody(request: HttpRequest) -> HttpResponse:
    raise AssertionError(f"{request.url} was asked for, although the keys are known")


def measure(verified: int = VERIFIED) -> dict[str, Spread]:
    """Everything, by name."""
    key = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"})
    key.ensure_kid()
    now = int(time.time())
    payload: dict[str, Any] = {
        "jti": "11111111-2222-3333-4444-555555555555",
        "kid": key.kid,
        "sub": "CHARACTER:EVE:2112000001",
        "azp": CLIENT_ID,
        "tenant": "tranquility",
        "aud": [CLIENT_ID, "EVE Online"],
        "name": "Some Pilot",
        "owner": "aGFzaCBvZiBhbiBvd25lcg=",
        "exp": now + 86400,
        "iat": now,
        "iss": "https://login.eveonline.com",
    }
    header = {"alg": "RS256", "typ": "JWT", "kid": key.kid}
    source = source_at("https://login.eveonline.com", Asker((), 60.0, 10.0))
    source = source._replace(given_keys=GivenKeys({"keys": [key.as_dict(private=False)]}))
    runtime = BlockingRuntime(ScriptedTransport(_nobody))
    found: dict[str, Spread] = {}
    for name, scopes in (("one scope", [WALLET]), ("all scopes", list(SCOPES))):
        token = jwt.encode(header, {**payload, "scp": scopes}, key)

        def seconds_each(token: str = token, count: int = len(scopes)) -> float:
            began = time.perf_counter()
            for _ in range(verified):
                _, claims = run(source.verify(runtime, source.endpoints, token, CLIENT_ID, now))
            seconds = (time.perf_counter() - began) / verified
            assert count == len(claims.scopes)
            return seconds

        found[name] = runs_of(seconds_each)
    return found


def main() -> None:
    for name, (middle, least, greatest) in measure().items():
        print(f"{name:<14} {middle * 1e6:.1f} us ({least * 1e6:.1f} - {greatest * 1e6:.1f})")


if __name__ == "__main__":
    main()
