"""Plans of the policy ``spread``: laws for every state of a bucket, against a simulated ESI."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.limits_kit import Town, notifications, wallet
from tests.planning.planning_kit import plan, send

WINDOW_SECONDS = 900


@given(
    size=st.sampled_from([(notifications(), 7), (wallet(), 74)]),
    before=st.lists(st.tuples(st.floats(0, 1.1), st.floats(0, 901)), max_size=3),
    windows=st.floats(0, 6),
    headroom=st.sampled_from([0.02, 0.1, 0.3, 0.5]),
    priority=st.sampled_from(["interactive", "batch"]),
)
def test_an_even_plan_comes_true(
    size: tuple[Any, int], before: list[tuple[float, float]], windows: float, headroom: float, priority: str
) -> None:
    """Whatever was spent when: to a hundredth, or to the pause between two calls; and it is never shorter than a plan
    that spends what is there."""
    call, fits = size
    town = Town(settings={"headroom": headroom, "priority": priority})
    calls = [call] * (1 + int(fits * windows))

    async def story() -> tuple[float, float, float]:
        for part, pause_seconds in before:
            await send(town, [call] * int(part * fits))
            await town.runtime.sleep(pause_seconds)
        burst, even = (await plan(town, calls)).seconds, (await plan(town, calls, policy="spread")).seconds
        return burst, even, await send(town, calls, policy="spread")

    burst, even, taken = town.run(story())
    room_calls = fits * (1 - headroom - (0.1 if priority == "batch" else 0.0))
    assert burst <= even < math.inf
    assert taken == pytest.approx(even, abs=1.3 * WINDOW_SECONDS / room_calls, rel=0.01)


@pytest.mark.parametrize("before", [0, *range(4, 12)])
@pytest.mark.parametrize("count", [74, 150, 100_000])
def test_an_even_plan_ends(count: int, before: int) -> None:
    """However many calls, whatever was sent before: in a bucket that is full, what just comes back is waited for."""
    town = Town()
    calls = [wallet()] * count

    async def story() -> tuple[float, float]:
        await send(town, [wallet()] * before)
        return (await plan(town, calls, policy="spread")).seconds, (await plan(town, calls)).seconds

    even, burst = town.run(story())
    assert burst <= even <= 1.02 * burst + WINDOW_SECONDS + 1


@pytest.mark.parametrize("windows", [17, 40])
@pytest.mark.parametrize("headroom", [0.02, 0.5])
def test_an_even_plan_of_many_windows_comes_true(windows: int, headroom: float) -> None:
    """More of them than are gone through one by one."""
    town = Town(settings={"headroom": headroom})
    calls = [wallet()] * int(windows * 74 * (1 - headroom))

    async def story() -> tuple[float, float]:
        return (await plan(town, calls, policy="spread")).seconds, await send(town, calls, policy="spread")

    even, taken = town.run(story())
    assert taken == pytest.approx(even, rel=0.01)
