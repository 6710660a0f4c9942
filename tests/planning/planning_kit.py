"""Plans, and what becomes of them."""

from __future__ import annotations

import math
from typing import Any

from esipy.engine.terms import Terms
from esipy.planning import Plan, plan_of
from tests.engine.limits_kit import HERO, Town


async def plan(town: Town, calls: list[Any], **terms: Any) -> Plan:
    """The plan of the hero's client."""
    engine = town.bench(HERO).engine
    return await plan_of(engine, calls, Terms.of(engine.settings, **terms))


async def send(town: Town, calls: list[Any], **terms: Any) -> float:
    """Send calls, twenty at a time; gives the seconds until the last one arrived."""
    began = town.passed
    runtime = town.bench(HERO).engine.runtime
    await runtime.gather(lambda call: town.call(call, HERO, max_wait=math.inf, **terms), calls, 20)
    return max(town.arrivals(), default=0.0) - began
