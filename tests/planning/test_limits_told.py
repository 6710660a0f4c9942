"""What a row says of the next call is what that call is told, whatever was spent, on whatever terms."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy import ops
from esipy.engine.terms import Terms
from esipy.exceptions import LimitedError
from esipy.limits import limits_of
from esipy.planning import plan_of
from tests.engine.limits_kit import HERO, Town, notifications, wallet

HISTORY = ops.market.get_markets_region_id_history(region_id=10000002, type_id=34)
TYPE = ops.universe.get_universe_types_type_id(type_id=34)


async def said(town: Town, bucket: str) -> float:
    """The seconds that the row of a bucket says; 0 when it has none."""
    rows = {row.bucket.partition(" ")[0]: row.free_in_seconds for row in await limits_of(town.bench(HERO).engine)}
    return rows.get(bucket, 0.0)


async def told(town: Town, call: Any) -> float:
    """The seconds that a call without patience is told; 0 when it is sent."""
    retry_at = None
    try:
        await town.call(call, HERO, max_wait=0)
    except LimitedError as error:
        retry_at = error.retry_at
    return 0.0 if retry_at is None else retry_at.timestamp() - town.runtime.now()


async def use(town: Town, call: Any, times: int) -> None:
    """Spend of a bucket, whatever its share."""
    await town.runtime.gather(lambda one: town.call(one, HERO, policy="off"), [call] * times, 20)


@given(
    bucket=st.sampled_from(["char-notification", "char-wallet", "errors", "route"]),
    used=st.floats(0, 0.9),
    later=st.floats(0, 20),
    headroom=st.sampled_from([0.0, 0.02, 0.1, 0.5]),
    terms=st.fixed_dictionaries(
        {"policy": st.sampled_from(["burst", "spread"]), "priority": st.sampled_from(["interactive", "batch"])}
    ),
)
def test_a_row_says_what_the_next_call_is_told(
    bucket: str, used: float, later: float, headroom: float, terms: dict[str, str]
) -> None:
    """The shares that it leaves untouched, errors that are never used, and the pace: to the moment; a plan, nearly."""
    call, size = {
        "char-notification": (notifications(), 7),
        "char-wallet": (wallet(), 75),
        "errors": (TYPE, 100),
        "route": (HISTORY, 300),
    }[bucket]
    town = Town(settings={"headroom": headroom, **terms}, shares={404: 1.0} if bucket == "errors" else {})

    async def story() -> tuple[float, float, float]:
        await town.runtime.sleep(60 - town.runtime.now() % 60)  # a minute of errors begins
        await use(town, call, int(used * size))
        await town.runtime.sleep(later)
        engine = town.bench(HERO).engine
        planned = await plan_of(engine, [call], Terms.of(engine.settings))
        return await said(town, bucket), planned.seconds, await told(town, call)

    row, planned, at_last = town.run(story())
    assert at_last == pytest.approx(row, abs=0.01)
    assert at_last == pytest.approx(planned, abs=1)


@pytest.mark.parametrize(("headroom", "interactive_share"), [(0.5, 0.5), (0.5, 0.49), (0.4, 0.4)])
@pytest.mark.parametrize("cost", [2, 5])
def test_who_has_no_room_goes_when_the_bucket_is_empty(headroom: float, interactive_share: float, cost: int) -> None:
    """Where all is left to others, a call goes alone, and is told the moment at which it then leaves."""
    call = notifications()
    town = Town(
        settings={"headroom": headroom, "interactive_share": interactive_share, "priority": "batch"},
        shares={403: 1.0} if cost == 5 else {},
    )

    async def story() -> tuple[float, float, float]:
        engine = town.bench(HERO).engine
        await use(town, call, 1)
        planned = await plan_of(engine, [call], Terms.of(engine.settings))
        row, began = await told(town, call), town.passed
        await town.call(call, HERO, max_wait=math.inf)
        return row, planned.seconds, town.arrivals()[-1] - began

    row, planned, taken = town.run(story())
    assert 899 < row < 902
    assert planned == pytest.approx(row, abs=0.01)
    assert taken == pytest.approx(row, abs=0.5)
