"""What a plan says of costs: by bucket, what the cache has, what counts nowhere; and that it costs nothing itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from esipy import ops
from esipy.engine.terms import Terms
from esipy.exceptions import InvalidCallError
from esipy.planning import Plan, plan_of
from tests.engine.kit import ORDERS, WALLET, Bench, Login, Script, answer

NAMES = ops.universe.post_universe_names(body=[1, 2])
HISTORY = ops.market.get_markets_region_id_history(region_id=10000002, type_id=34)


def bench(script: Script | None = None, **options: Any) -> Bench:
    return Bench("simulated", script or Script(), retry=False, **options)


def planned(at: Bench, *calls: Any, **terms: Any) -> Plan:
    made = Terms.of(at.engine.settings, **terms) if terms else None
    plan: Plan = at.run(plan_of(at.engine, list(calls), made))
    return plan


def rows(plan: Plan) -> list[tuple[str, int, int]]:
    return [(row.bucket, row.calls, row.tokens) for row in plan.buckets]


def test_costs_are_by_bucket() -> None:
    """Two tokens a call, for each group and principal; the one that takes longest is first."""
    plan = planned(bench(signer=Login(91)), *[WALLET] * 80, ORDERS, ORDERS.replace(page=2))
    assert [("char-wallet app:91", 80, 160), ("market-order ip", 2, 4)] == rows(plan)
    assert (82, 0, 0, 164) == (plan.calls, plan.cached, plan.without_bucket, plan.tokens)
    assert [(150, 900.0), (12000, 900.0)] == [(row.max_tokens, row.window_seconds) for row in plan.buckets]
    assert [("char-wallet", "app:91"), ("market-order", "ip")] == [(row.group, row.principal) for row in plan.buckets]


def test_the_end_is_a_moment() -> None:
    """As far from now as the slowest bucket needs."""
    at = bench(signer=Login(91))
    plan = planned(at, *[WALLET] * 80)
    assert datetime.fromtimestamp(at.runtime.now() + plan.seconds, UTC) == plan.finishes_at
    assert plan.seconds == plan.buckets[0].seconds > 900


def test_nothing_is_sent_and_nothing_reserved() -> None:
    """The ledger is as it was, and no request was made."""
    script = Script()
    at = bench(script, signer=Login(91))
    planned(at, *[WALLET] * 80, HISTORY)
    assert ([], []) == (script.requests, at.engine.ledger.store.states())


def test_what_the_cache_has_costs_nothing() -> None:
    """A fresh answer is given without an exchange; another page is not."""
    at = bench(Script(answer([], cache_control="max-age=60")))
    at.perform(ORDERS)
    plan = planned(at, ORDERS, ORDERS.replace(page=2))
    assert (2, 1, 2) == (plan.calls, plan.cached, plan.tokens)

    async def later() -> Plan:
        await at.runtime.sleep(61)
        return await plan_of(at.engine, [ORDERS], None)

    assert at.run(later()).cached == 0


def test_calls_without_a_bucket_are_counted_apart() -> None:
    """They cost errors only."""
    operation = next(one for one in ops.operations() if one.group is None and not one.parameters)
    plan = planned(bench(), operation(), operation())
    assert (2, 2, 0, (), 0.0) == (plan.calls, plan.without_bucket, plan.tokens, plan.buckets, plan.seconds)


def test_the_limit_of_a_single_route_is_a_row() -> None:
    """Three hundred calls a minute, whatever its group says; its calls are no tokens."""
    plan = planned(bench(), *[HISTORY] * 700)
    route = plan.buckets[0]
    assert ("route get_markets_region_id_history", None, "ip", 300, 700) == (
        route.bucket, route.group, route.principal, route.max_tokens, route.calls,
    )  # fmt: skip
    assert 120 < plan.seconds < 130
    assert plan.tokens == sum(row.tokens for row in plan.buckets if row.group is not None)


def test_off_is_held_back_by_a_420_alone() -> None:
    """It costs as much, and takes no time, unless ESI has asked everyone to wait."""
    at = bench(signer=Login(91))
    plan = planned(at, *[WALLET] * 500, policy="off")
    assert (1000, 0.0) == (plan.tokens, plan.seconds)
    at.engine.ledger.store.block(at.engine.ledger.gate, 40.0)
    plan = planned(at, *[WALLET] * 500, policy="off")
    assert (1000, pytest.approx(40.0, abs=1.0)) == (plan.tokens, plan.seconds)


def test_a_public_call_with_a_token_counts_for_the_application() -> None:
    """With ``public_token`` the plan looks at the bucket that the call will be counted in."""
    at = bench(signer=Login(91), settings={"public_token": True})
    assert [("market-order ip:app", 1, 2)] == rows(planned(at, ORDERS))


def test_a_plan_can_be_read() -> None:
    """As text: a line for all, and one for each bucket."""
    plan = planned(bench(), ORDERS, ORDERS.replace(page=2))
    assert str(plan) == (
        "2 calls, 0 of them cached: 4 tokens, 0 s\n  market-order ip: 2 calls, 4 tokens (12000 in 15 min), 0 s"
    )


def test_a_plan_of_nothing_is_empty() -> None:
    """No calls, no time."""
    plan = planned(bench())
    assert (0, 0, (), 0.0) == (plan.calls, plan.tokens, plan.buckets, plan.seconds)


def test_a_call_that_cannot_be_sent_is_refused() -> None:
    """As it would be when it is sent."""
    too_many = ops.universe.post_universe_names(body=list(range(1001)))
    with pytest.raises(InvalidCallError):
        planned(bench(), NAMES, too_many)
