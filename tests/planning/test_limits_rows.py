"""Rows of limits, on virtual time: what is under way, who waits; what a row says of the next call comes true."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from esipy.exceptions import LimitedError
from esipy.limits import Limit, limits_of
from esipy.stores.base import LedgerStore
from esipy.stores.degrading import DegradingLedger
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.sqlite_ledger import SqliteLedger
from tests.engine.limits_kit import HERO, OTHER, Town, notifications, wallet


async def rows(town: Town) -> dict[str, Limit]:
    """The hero's client's rows, by bucket."""
    return {row.bucket: row for row in await limits_of(town.bench(HERO).engine)}


def test_calls_under_way_are_reserved() -> None:
    """At the cost to expect of each, until their answers are there."""
    town = Town()

    async def story() -> tuple[Limit, Limit]:
        flights = [town.begin(wallet(), HERO) for _ in range(3)]
        await town.runtime.sleep(0.01)
        under_way = (await rows(town))[f"char-wallet app:{HERO}"]
        await town.all(flights)
        return under_way, (await rows(town))[f"char-wallet app:{HERO}"]

    under_way, landed = town.run(story())
    assert (0, 6, 144) == (under_way.used, under_way.reserved, under_way.left)
    assert (6, 0, 144) == (landed.used, landed.reserved, landed.left)


def test_who_waits_is_counted() -> None:
    """Ten calls for seven places; the row tells of three who wait, and its text too."""
    town = Town()

    async def story() -> Limit:
        flights = [town.begin(notifications(), HERO, max_wait=math.inf) for _ in range(10)]
        await town.runtime.sleep(10)
        row = (await rows(town))[f"char-notification app:{HERO}"]
        await town.all(flights)
        return row

    row = town.run(story())
    assert (14, 0, 1, 3) == (row.used, row.reserved, row.left, row.waiting)
    assert repr(row).endswith(", 3 waiting>")


@pytest.mark.parametrize("headroom", [0.02, 0.3])
@pytest.mark.parametrize("call", [notifications(), wallet()], ids=["small", "middle"])
def test_the_next_call_leaves_when_the_row_says(call: Any, headroom: float) -> None:
    """To half a second, with the share that is left untouched; not before, and not much after."""
    town = Town(settings={"headroom": headroom, "max_wait": 5000})

    async def story() -> tuple[float, float]:
        row = None
        while row is None or not row.free_in_seconds:
            await town.call(call, HERO)
            row = (await rows(town))[f"{call.operation.group.name} app:{HERO}"]
        began = town.passed
        assert row.free_at.timestamp() == pytest.approx(town.runtime.now() + row.free_in_seconds)
        await town.call(call, HERO)
        return row.free_in_seconds, town.arrivals()[-1] - began

    said, taken = town.run(story())
    assert said <= taken <= said + 0.5
    assert 600 < said < 902


def test_rows_are_of_all_characters_by_name() -> None:
    """Those of the process's other clients too; the error limit is first, and idle buckets are not there."""
    town = Town()

    async def story() -> tuple[list[str], list[str]]:
        await town.call(wallet(OTHER), OTHER)
        await town.call(wallet(), HERO)
        names = list(await rows(town))
        await town.runtime.sleep(2000)
        return names, list(await rows(town))

    names, later = town.run(story())
    assert ["errors", f"char-wallet app:{HERO}", f"char-wallet app:{OTHER}"] == names
    assert ["errors"] == later


@pytest.mark.parametrize("kind", ["memory", "file", "file that may fail"])
def test_rows_are_the_same_from_every_ledger(kind: str, tmp_path: Path) -> None:
    """What is asked of a store is its states, and when a call may leave where little is left."""
    town = Town()
    now = town.runtime.now
    store: LedgerStore = MemoryLedger(now)
    if kind != "memory":
        file = SqliteLedger(tmp_path / "limits.sqlite3", clock=now)
        store = file if kind == "file" else DegradingLedger(file, MemoryLedger(now), now=now)
    town.bench(HERO, ledger=store)

    async def story() -> list[tuple[str, int, int, float]]:
        for _ in range(7):
            await town.call(notifications(), HERO)
        await town.call(wallet(), HERO)
        return [(row.bucket, row.used, row.left, row.free_in_seconds) for row in (await rows(town)).values()]

    found = town.run(story())
    store.close()
    assert [
        ("errors", 0, 100, 0.0),
        (f"char-notification app:{HERO}", 14, 1, pytest.approx(900, abs=2)),
        (f"char-wallet app:{HERO}", 2, 148, 0.0),
    ] == found


def test_T29_no_bucket_is_free_while_the_part_of_this_process_is_spent(tmp_path: Path) -> None:
    """The store fails: half the limit is this process's, less its headroom. The row says what the next call is told."""
    town = Town(latency=(0.01, 0.01), settings={"headroom": 0.1})
    now = town.runtime.now
    file = SqliteLedger(tmp_path / "limits.sqlite3", clock=now, busy_seconds=0.0)
    store = DegradingLedger(file, MemoryLedger(now), now=now)
    town.bench(HERO, ledger=store)

    async def story() -> tuple[list[int], float, float]:
        await town.call(wallet(), HERO)
        with closing(sqlite3.connect(tmp_path / "limits.sqlite3", isolation_level=None)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            statuses = [(await town.call(wallet(), HERO, max_wait=0)).status for _ in range(33)]
            with pytest.raises(LimitedError) as refused:
                await town.call(wallet(), HERO, max_wait=0)
            assert refused.value.retry_at is not None
            row = (await rows(town))[f"char-wallet app:{HERO}"]
            return statuses, row.free_in_seconds, refused.value.retry_at.timestamp() - now()

    statuses, free_in, told = town.run(story())
    store.close()
    assert [200] * 33 == statuses
    assert pytest.approx(told, abs=0.1) == free_in
    assert free_in > 800
