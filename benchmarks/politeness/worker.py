"""One of the processes of `processes`: ``python -m benchmarks.politeness.worker``, told what to do by lines of JSON.

The first is a `Work`. Then ``"one"`` has it make each call once, and ``"go"`` as often as the limits allow; it tells
the number of good answers by operation.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

from esipy import ops
from esipy.client import EsiClient
from esipy.operation import Call
from esipy.security import EsiSecurity

__all__ = ["THREADS", "Work"]

THREADS = 2
"""For each call."""

USER_AGENT = {"User-Agent": "EsiPyBenchmarks/1.0 (benchmarks@example.com)"}


class Work(TypedDict):
    """What a worker is to do.

    url: of the sandbox; ledger: as `EsiClient` takes it.
    client_id, secret_key, redirect_uri: the application.
    timeout: seconds for an exchange.
    calls: operation, its arguments, and the tokens of whom it is asked for (None: nobody).
    """

    url: str
    ledger: str
    client_id: str
    secret_key: str | None
    redirect_uri: str
    timeout: float
    calls: list[tuple[str, dict[str, Any], dict[str, Any] | None]]


def _connect(work: Work, tokens: dict[str, Any] | None) -> EsiClient:
    security = None
    if tokens is not None:
        security = EsiSecurity(
            work["redirect_uri"], work["client_id"], work["secret_key"], headers=USER_AGENT, sso_url=work["url"]
        )
        security.update_token(tokens)
    return EsiClient(
        security,
        headers=USER_AGENT,
        base_url=work["url"],
        ledger=work["ledger"],
        policy="fail",
        cache=None,
        retry_requests=False,
        timeout=work["timeout"],
        connect_timeout=work["timeout"],
    )


def _use_up(client: EsiClient, call: Call[Any], most: int | None) -> int:
    """Call until nothing is left, or so often; gives the number of good answers."""
    good = 0
    while good != most:
        status = client.request(call).status
        if status == 429:  # the ledger's own; the sandbox tells whether it refused any
            return good
        if status != 200:
            raise RuntimeError(f"{call!r}: {status}")
        good += 1
    return good


def main() -> None:
    work: Work = json.loads(sys.stdin.readline())
    pairs = [(_connect(work, tokens), ops.operation(name)(**arguments)) for name, arguments, tokens in work["calls"]]
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        most = None if json.loads(line) == "go" else 1
        every = pairs * (THREADS if most is None else 1)
        found: Counter[str] = Counter()
        with ThreadPoolExecutor(len(every)) as threads:
            flights = [(call, threads.submit(_use_up, client, call, most)) for client, call in every]
            for call, flight in flights:
                found[call.operation.name] += flight.result()
        print(json.dumps(found), flush=True)
    for client, _ in pairs:
        client.close()


if __name__ == "__main__":
    main()
