"""A process that forks others, which use stored logins and may be killed: run by test_sso_logins_processes.py.

It reads orders as JSON, one a line, and answers each with a line of JSON. Its children are forked before they open
anything, so each is a process of its own that costs no start of an interpreter.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import threading
import traceback
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import joserfc.jwk
import joserfc.jws  # what follows is loaded here, so that no child has to
import redis

import esipy.sso.logins
import esipy.tokens
from esipy import EsiClient, ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.sandbox import ControlClient
from esipy.stores.redis_tokens import RedisTokens
from esipy.stores.sqlite_tokens import SqliteTokens
from esipy.transport import default_transport

LOADED = (joserfc.jwk, joserfc.jws, redis, esipy.sso.logins, esipy.tokens, ops.wallet)
KEY = b64encode(b"k" * 32).decode()


class Steps:
    """Counts what a child does, tells each step, and kills the child at one of them."""

    def __init__(self, tell: Callable[[str], None], last: int | None) -> None:
        self._tell = tell
        self._last = last
        self._count = 0
        self._lock = threading.Lock()

    def step(self, what: str) -> None:
        """Something is about to happen, or has happened."""
        with self._lock:
            self._tell(what)
            self._count += 1
            if self._count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


class SteppingStore:
    """A store that takes a step before and after each verb."""

    def __init__(self, store: Any, steps: Steps) -> None:
        self._store = store
        self._steps = steps
        self.records = store.records
        self.load = self._stepping("load")
        self.save = self._stepping("save")
        self.lease = self._stepping("lease")

    def _stepping(self, verb: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self._steps.step(f"before {verb}")
            result = getattr(self._store, verb)(*arguments)
            self._steps.step(f"after {verb}")
            return result

        return call


class SteppingTransport:
    """A transport that takes a step before each request is sent, and after its answer has come."""

    def __init__(self, steps: Steps) -> None:
        self._transport = default_transport()
        self._steps = steps

    def send(self, request: HttpRequest) -> HttpResponse:
        path = "/" + request.url.split("/", 3)[3]
        self._steps.step(f"before {path}")
        answer = self._transport.send(request)
        self._steps.step(f"after {path}")
        return answer

    def close(self) -> None:
        self._transport.close()


def client_of(order: dict[str, Any], steps: Steps) -> EsiClient:
    """A client of a child's own."""
    place: str = order["store"]
    store = RedisTokens(place) if place.startswith("redis") else SqliteTokens(place)
    server = ControlClient(order["url"])
    return EsiClient(
        base_url=server.url,
        sso_url=server.sso_url,
        client_id=server.client_id,
        secret_key=server.secret_key,
        tokens=SteppingStore(store, steps),
        token_key=KEY,
        transport=SteppingTransport(steps),
        cache=None,
        user_agent="Tests/1.0 (tests@example.com)",
        policy="off",
    )


def wallet(client: EsiClient, who: int) -> float:
    """A call that needs the token of a character."""
    return client.as_character(who).fetch(ops.wallet.get_characters_character_id_wallet(character_id=who))


def traffic(client: EsiClient, order: dict[str, Any]) -> None:
    """Calls of several characters, in several threads; before each of them ESI takes its token for over."""
    server = ControlClient(order["url"])
    characters: list[int] = order["who"]

    def work(mine: list[int]) -> None:
        while True:
            for who in mine:
                server.expire_tokens(who)
                wallet(client, who)

    for number in range(3):
        threading.Thread(target=work, args=(characters[number::3],), daemon=True).start()
    threading.Event().wait()


def child(order: dict[str, Any], out: int, go: int) -> None:
    """What a child does, from the moment at which all may begin; then it ends."""

    def tell(what: str) -> None:
        os.write(out, f"{what}\n".encode())

    try:
        client = client_of(order, Steps(tell, order.get("kill_at")))
        os.read(go, 1)
        if order["do"] == "traffic":
            traffic(client, order)
        tell(f"result {wallet(client, order['who'])}")
    except BaseException:
        tell(f"result {traceback.format_exc()!r}")
    os._exit(0)


def run(order: dict[str, Any]) -> list[list[str]]:
    """Have children do something; what each of them has told."""
    go, begin = os.pipe()
    children: list[tuple[int, int]] = []
    for _ in range(order.get("children", 1)):
        heard, out = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(begin)
            child(order, out, go)
        os.close(out)
        children.append((pid, heard))
    os.close(begin)
    told: list[list[str]] = []
    for pid, heard in children:
        with os.fdopen(heard) as lines:
            said: list[str] = []
            if order["do"] == "traffic":
                chance = random.Random(order["seed"])
                # By steps, so that a slow machine gets as far; and then anywhere between two of them.
                said = [lines.readline() for _ in range(chance.randint(1, order["steps"]))]
                select.select([], [], [], chance.uniform(0, 0.01))
                os.kill(pid, signal.SIGKILL)
            told.append([line.rstrip("\n") for line in [*said, *lines]])
        os.waitpid(pid, 0)
    os.close(go)
    return told


if __name__ == "__main__":
    default_transport().close()
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
