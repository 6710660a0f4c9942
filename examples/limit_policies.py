"""How a bucket is spent: the policies ``burst``, ``spread`` and ``fail``, side by side, against a sandbox of its own.

Run it: ``python examples/limit_policies.py`` (needs the extra ``sandbox``; takes a few seconds).

Wallets have a group of 150 tokens in 15 minutes for each character, and a good answer costs 2: 75 calls, of which the
ledger leaves one untouched (2 % headroom).
"""

from __future__ import annotations

from datetime import UTC, datetime

from esipy import EsiClient, EsiSecurity, ops
from esipy.events import RATE_LIMIT_WAIT
from esipy.exceptions import RateLimitedError
from esipy.sandbox import RunningSandbox
from esipy.testing import sandbox

CALLS = 80
ME = {"User-Agent": "example/1.0 (me@example.com)"}
SCOPE = "esi-wallet.read_character_wallet.v1"


def client_of(server: RunningSandbox, character_id: int) -> EsiClient:
    """A client with the login of a character of the sandbox."""
    security = EsiSecurity(server.redirect_uri, server.client_id, server.secret_key, sso_url=server.sso_url, headers=ME)
    security.update_token(server.login(character_id, [SCOPE]))
    return EsiClient(security, base_url=server.url, cache=None, headers=ME)


def spend(client: EsiClient, character_id: int, policy: str) -> tuple[int, float]:
    """Call as often as ``policy`` lets us within a second's patience; gives how often, and how long the next waits."""
    call = ops.wallet.get_characters_character_id_wallet(character_id=character_id)
    for number in range(CALLS):
        try:
            client.fetch(call, policy=policy, max_wait=1)
        except RateLimitedError as error:
            print(f"          {next(row for row in client.limits() if str(character_id) in row.principal)!r}")
            now = datetime.now(UTC)
            return number, ((error.retry_at or now) - now).total_seconds()
    return CALLS, 0.0


def main() -> None:
    """One character for each policy: buckets are counted by character."""

    @RATE_LIMIT_WAIT.connect
    def tell(bucket: str, wait_seconds: float, **_: object) -> None:
        print(f"          waiting {wait_seconds:.2f} s for {bucket}")

    with sandbox() as server:
        for character_id, policy in zip(server.sandbox.roster.ids, ("burst", "spread", "fail"), strict=False):
            with client_of(server, character_id) as client:
                call = ops.wallet.get_characters_character_id_wallet(character_id=character_id)
                plan = client.plan([call] * CALLS, policy=policy)
                print(f"{policy:8}  {CALLS} calls are planned to take {plan.seconds:.0f} s")
                sent, wait_seconds = spend(client, character_id, policy)
                print(f"          {sent} calls left at once; the next one would leave in {wait_seconds:.0f} s")
        print(f"refused by ESI: {server.refusals() or 'none'}")


if __name__ == "__main__":
    main()
