"""What a plan says of time is what then happens, against a simulated ESI that counts with windows of its own."""

from __future__ import annotations

import math
from typing import Any

import pytest

from esipy import ops
from esipy.planning import Plan
from tests.engine.limits_kit import HERO, Town, notifications, wallet
from tests.planning.planning_kit import plan, send

WINDOW_SECONDS = 900
SMALL, MIDDLE = (notifications(), 7), (wallet(), 74)
"""A call of a bucket, and how many of it ESI lets through in a window."""


@pytest.mark.parametrize("terms", [{}, {"priority": "batch"}, {"policy": "spread"}], ids=str)
@pytest.mark.parametrize("used", ["cold", "half used"])
@pytest.mark.parametrize("windows", [0.6, 1, 1.5, 3.3, 5])
@pytest.mark.parametrize(("call", "fits"), [SMALL, MIDDLE], ids=["small", "middle"])
def test_a_job_takes_as_long_as_was_planned(
    call: Any, fits: int, windows: float, used: str, terms: dict[str, str]
) -> None:
    """Within three seconds, or two thousandths, for jobs of up to five windows, and without a refusal."""
    town = Town()
    calls = [call] * max(int(fits * windows), 1)

    async def story() -> tuple[float, float]:
        if used == "half used":
            await send(town, [call] * (fits // 2))
            await town.runtime.sleep(300)
        planned = (await plan(town, calls, **terms)).seconds
        return planned, await send(town, calls, **terms)

    planned, taken = town.run(story())
    assert taken == pytest.approx(planned, abs=3, rel=0.002)
    assert {429: 0, 420: 0} == {status: town.refusals.get(status, 0) for status in (429, 420)}


def test_a_large_bucket_is_planned_as_exactly() -> None:
    """More calls than the arithmetic takes steps: 1.2 windows of 882 calls, evened out."""
    town = Town()
    calls = [ops.assets.get_characters_character_id_assets(character_id=HERO)] * 1060

    async def story() -> tuple[float, float]:
        planned = (await plan(town, calls, policy="spread")).seconds
        return planned, await send(town, calls, policy="spread")

    planned, taken = town.run(story())
    assert taken == pytest.approx(planned, abs=0.02 * taken)


def test_calls_that_were_answered_4xx_are_planned_dearer() -> None:
    """Five tokens each where the ledger expects an error: three calls fill the smallest bucket, not seven."""
    town = Town(shares={403: 1.0})
    call = notifications()

    async def story() -> tuple[Plan, float]:
        await send(town, [call])
        planned = await plan(town, [call] * 4)
        return planned, await send(town, [call] * 4)

    planned, taken = town.run(story())
    assert (4, 20) == (planned.buckets[0].calls, planned.buckets[0].tokens)
    assert taken == pytest.approx(planned.seconds, abs=3)
    assert WINDOW_SECONDS < taken < 2 * WINDOW_SECONDS


def test_who_waits_already_is_before_the_plan() -> None:
    """Ten calls in line for seven places: three go in the second window, and five more after them in the third."""
    town = Town()
    call = notifications()

    async def story() -> tuple[float, float]:
        flights = [town.begin(call, HERO, max_wait=math.inf) for _ in range(10)]
        await town.runtime.sleep(10)
        planned = (await plan(town, [call] * 5)).seconds
        taken = await send(town, [call] * 5)
        await town.all(flights)
        return planned, taken

    planned, taken = town.run(story())
    assert taken == pytest.approx(planned, abs=3)


def test_a_block_is_waited_out_first() -> None:
    """ESI asked everyone to wait: no plan begins before the end, with a bucket or without."""
    town = Town()
    without_a_bucket = next(one for one in ops.operations() if one.group is None and not one.parameters)()

    async def story() -> list[float]:
        ledger = town.bench(HERO).engine.ledger
        ledger.store.block(ledger.gate, 45.0)
        return [(await plan(town, [call])).seconds for call in (wallet(), without_a_bucket)]

    assert [45, 45] == town.run(story())
