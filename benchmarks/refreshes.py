"""Ten thousand tokens that are over, needed at the same moment: how many the SSO sees at once, and who is held up.

A sandbox in a process of its own rotates refresh tokens; the logins lie in SQLite. Twenty threads call for all
characters, while one more goes on calling for one whose token is good. Run it with ``python -m benchmarks.refreshes``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from esipy import EsiClient, ops
from esipy.sandbox import ControlClient
from esipy.tokens import SqliteTokens

__all__ = ["CHARACTERS", "measure"]

CHARACTERS = 10_000
THREADS = 20
SCOPE = "esi-wallet.read_character_wallet.v1"

SERVER = """
import json, sys
from esipy.sandbox import serve
from esipy.sandbox.journal import Journal

count, scope = int(sys.argv[1]), sys.argv[2]
with serve(characters=count, rotate_refresh_tokens=True, enforce_limits=False) as server:
    server.sandbox.journal = Journal(1_000_000)
    logins = {who: server.login(who, [scope])["refresh_token"] for who in server.sandbox.roster.ids}
    server.fail("/v2/oauth/token", None, kind="delay", seconds=0.02)  # so that some are under way at the same time
    print(json.dumps([server.url, logins]), flush=True)
    for line in sys.stdin:
        token = "/v2/oauth/token"
        print(json.dumps([len(server.received(token)), server.most_at_once(token), len(server.grants())]), flush=True)
"""


@contextmanager
def _server(characters: int) -> Iterator[Any]:
    """A sandbox: its URL, the refresh tokens by character, and what asks it what it has seen."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(characters), SCOPE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    pipes = process.stdin, process.stdout

    def seen() -> list[int]:
        pipes[0].write("\n")
        pipes[0].flush()
        told: list[int] = json.loads(pipes[1].readline())
        return told

    try:
        url, logins = json.loads(process.stdout.readline())
        yield url, {int(who): token for who, token in logins.items()}, seen
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def _wallet(client: EsiClient, who: int) -> float:
    began = time.perf_counter()
    client.as_character(who).fetch(ops.wallet.get_characters_character_id_wallet(character_id=who))
    return time.perf_counter() - began


def measure(characters: int = CHARACTERS) -> dict[str, float]:
    """Everything, by name: ``seconds`` of all refreshes together; ``alone``, ``meanwhile``: of a call, the median."""
    with tempfile.TemporaryDirectory() as folder, _server(characters) as (url, logins, seen):
        about = ControlClient(url)
        with EsiClient(
            base_url=url,
            sso_url=url,
            client_id=about.client_id,
            secret_key=about.secret_key,
            tokens=SqliteTokens(Path(folder) / "tokens.sqlite3"),
            token_key=b64encode(bytes(32)).decode(),
            cache=None,
            policy="off",
            user_agent="EsiPy benchmarks (benchmarks@example.com)",
        ) as client:
            for who, token in logins.items():
                client.add_character(token, who)
            good, *others = logins
            _wallet(client, good)
            alone = sorted(_wallet(client, good) for _ in range(200))
            meanwhile: list[float] = []
            over = threading.Event()

            def call() -> None:
                while not over.is_set():
                    meanwhile.append(_wallet(client, good))

            caller = threading.Thread(target=call)
            began = time.perf_counter()
            caller.start()
            with ThreadPoolExecutor(THREADS) as pool:
                for _ in pool.map(lambda who: _wallet(client, who), others):
                    pass
            seconds = time.perf_counter() - began
            over.set()
            caller.join()
            refreshes, at_once, living = seen()
            meanwhile.sort()
            return {
                "refreshes": refreshes - 1,
                "at once": at_once,
                "lost": characters - living + sum(one.state != "ok" for one in client.characters()),
                "seconds": seconds,
                "calls": len(meanwhile),
                "alone": alone[len(alone) // 2],
                "meanwhile": meanwhile[len(meanwhile) // 2],
                "slowest": meanwhile[-1],
            }


def main() -> None:
    for name, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else CHARACTERS).items():
        print(f"{name:<12} {value:.4g}")


if __name__ == "__main__":
    main()
