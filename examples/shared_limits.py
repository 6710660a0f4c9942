"""Limits that processes share: four of them, one ledger in a file, and not one call too many.

Run it: ``python examples/shared_limits.py`` (needs the extra ``sandbox``; takes a few seconds). With a Redis or Valkey
server it works across machines: ``python examples/shared_limits.py redis://127.0.0.1:6379/0``.

A wallet has a group of 150 tokens in 15 minutes for each character: 75 calls, of which one stays unspent (`headroom`),
however many processes there are.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from esipy import EsiClient, EsiSecurity, ops
from esipy.exceptions import RateLimitedError
from esipy.testing import sandbox

ME = {"User-Agent": "example/1.0 (me@example.com)"}
SCOPE = "esi-wallet.read_character_wallet.v1"


_together: list[Barrier] = []


def meet(together: Barrier) -> None:
    """Each process is given what they wait for each other with."""
    _together.append(together)


def work(server: dict[str, str], tokens: dict[str, Any], character_id: int, ledger: str) -> int:
    """What each process does: call as long as the ledger has tokens; gives how often it could."""
    security = EsiSecurity(
        server["redirect_uri"], server["client_id"], server["secret_key"], sso_url=server["url"], headers=ME
    )
    security.update_token(tokens)
    call = ops.wallet.get_characters_character_id_wallet(character_id=character_id)
    sent = 0
    with EsiClient(
        security,
        base_url=server["url"],
        cache=None,
        ledger=ledger,
        policy="fail",
        headers=ME,
    ) as client:
        _together[0].wait()  # so that all of them are there before the first call
        while True:
            try:
                client.fetch(call)
            except RateLimitedError:
                return sent
            sent += 1


def main(ledger: str | None = None) -> None:
    """Start four processes and count."""
    with sandbox() as server, tempfile.TemporaryDirectory() as folder:
        ledger = ledger or f"sqlite:///{Path(folder) / 'limits.sqlite3'}"
        character_id = server.sandbox.roster.ids[0]
        tokens = server.login(character_id, [SCOPE])
        where = {
            "url": server.url,
            "client_id": server.client_id,
            "secret_key": server.secret_key or "",
            "redirect_uri": server.redirect_uri,
        }
        processes = multiprocessing.get_context("spawn")
        with processes.Pool(4, meet, (processes.Barrier(4),)) as pool:
            sent = pool.starmap(work, [(where, tokens, character_id, ledger)] * 4)
        print(f"calls of the four processes: {sent}, together {sum(sent)}")
        print(f"refused by ESI: {server.refusals() or 'none'}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
