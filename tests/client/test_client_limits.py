"""What programs may ask of limits: ``limits()`` and ``plan()`` of both clients, and whom calls are counted against."""

from __future__ import annotations

import time
from datetime import UTC
from typing import Any

import pytest

from esipy import ops
from esipy.exceptions import InvalidCallError, RateLimitedError, SettingError
from esipy.limits import Limit
from esipy.sandbox import RunningSandbox
from tests.client.colours import Colour, Connect

STATUS = ops.status.get_status()
FORGE = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)


def notifications(client: Colour) -> Any:
    return ops.character.get_characters_character_id_notifications(character_id=client.security.character_id)


def rows(client: Colour) -> dict[str, Limit]:
    return {row.bucket: row for row in client.limits()}


def test_before_the_first_call_there_is_the_error_limit(connect: Connect) -> None:
    """A hundred errors a minute, all of them left."""
    [row] = connect().limits()
    assert ("errors", None, "ip", 100, 60.0, 0, 0, 0, 100, 0.0, 0) == (
        row.bucket, row.group, row.principal, row.max_tokens, row.window_seconds, row.used, row.reserved, row.foreign,
        row.left, row.free_in_seconds, row.waiting,
    )  # fmt: skip
    assert (row.free_at.timestamp(), row.free_at.tzinfo) == (pytest.approx(time.time(), abs=30), UTC)


def test_a_bucket_shows_what_was_spent(connect: Connect, box: RunningSandbox) -> None:
    """Own spends, others' (from the headers), and when the next call may leave."""
    hero = connect(login=True, cache=None)
    who = f"{box.client_id}:{hero.security.character_id}"
    box.spend("char-notification", hero.security.character_id, 4)
    hero.request(notifications(hero))
    row = rows(hero)[f"char-notification {who}"]
    assert ("char-notification", who, 15, 900.0) == (row.group, row.principal, row.max_tokens, row.window_seconds)
    assert (2, 0, 4, 9, 0.0) == (row.used, row.reserved, row.foreign, row.left, row.free_in_seconds)
    hero.multi_request([notifications(hero)] * 4)
    row = rows(hero)[f"char-notification {who}"]
    assert (10, 4, 1) == (row.used, row.foreign, row.left)
    assert 890 < row.free_in_seconds < 905
    assert row.free_at.timestamp() == pytest.approx(time.time() + 900, abs=30)
    assert repr(row) == f"<Limit char-notification {who}: 1 of 15 left, free in {row.free_in_seconds:.0f} s>"


def test_a_420_shows_in_every_row(connect: Connect, box: RunningSandbox) -> None:
    """Nothing may leave before the minute ends, whatever a bucket has left."""
    client = connect(cache=None, retry_requests=False)
    client.request(FORGE)
    box.fail("/status", 1, status=420, headers={"X-ESI-Error-Limit-Remain": "0", "X-ESI-Error-Limit-Reset": "45"})
    client.request(STATUS)
    waits = {name: row.free_in_seconds for name, row in rows(client).items()}
    assert {"errors", "market-order ip"} <= waits.keys()
    assert all(40 < seconds <= 62 for seconds in waits.values()), waits


def test_a_refusal_without_headers_shows_as_a_limit_of_its_route(connect: Connect, box: RunningSandbox) -> None:
    """It is no bucket's: the route rests, and has a row of its own."""
    client = connect(cache=None, retry_requests=False)
    box.fail("/status", 1, status=429)
    client.request(STATUS)
    row = rows(client)["route get_status"]
    assert (None, "ip") == (row.group, row.principal)
    assert 10 < row.free_in_seconds < 25


def test_public_calls_count_against_the_address(connect: Connect) -> None:
    """Also those of a client that has a login, unless it says otherwise."""
    hero = connect(login=True)
    hero.request(FORGE)
    assert {"errors", "market-order ip"} == rows(hero).keys()


def test_public_token_counts_them_against_address_and_application(connect: Connect, box: RunningSandbox) -> None:
    """The token goes with them; they leave the address's own bucket alone, at ESI too."""
    hero = connect(login=True, public_token=True, cache=None)
    hero.request(FORGE)
    assert rows(hero)[f"market-order ip:{box.client_id}"].used == 2
    assert rows(hero).get("market-order ip") is None
    [seen] = box.received("/markets/10000002/orders")
    assert "bearer" == seen.authorization
    assert [f"ip:{box.client_id}"] == [row.principal for row in hero.plan([FORGE]).buckets]


def test_a_second_client_of_the_process_shares_the_ledger(connect: Connect, box: RunningSandbox) -> None:
    """What one has spent, the other does not spend again."""
    first = connect(login=True, cache=None)
    first.multi_request([notifications(first)] * 7)
    other = connect(security=first.security, cache=None)
    assert [("errors", 0), ("char-notification", 14)] == [(row.group or row.bucket, row.used) for row in other.limits()]
    box.forget()
    with pytest.raises(RateLimitedError):
        other.fetch(notifications(first), policy="fail")
    assert [] == box.received()


def test_another_esi_has_limits_of_its_own(connect: Connect) -> None:
    """A client shows those of its own address only, though one store counts them all."""
    connect().request(FORGE)
    assert ["errors"] == [row.bucket for row in connect(base_url="http://127.0.0.1:9").limits()]
    assert ["errors"] == [row.bucket for row in connect(base_url="https://esi.evetech.net").limits()]


def test_a_plan_is_made_by_both_clients(connect: Connect, box: RunningSandbox) -> None:
    """Costs by bucket, and the time until the last can leave, before anything is sent."""
    hero = connect(login=True)
    box.forget()
    plan = hero.plan([notifications(hero)] * 10 + [FORGE])
    assert (11, 22, 2) == (plan.calls, plan.tokens, len(plan.buckets))
    assert ("char-notification", 10, 20) == (plan.buckets[0].group, plan.buckets[0].calls, plan.buckets[0].tokens)
    assert plan.seconds == pytest.approx(901, abs=2)
    assert plan.finishes_at.timestamp() == pytest.approx(time.time() + 901, abs=30)
    assert [] == box.received()


def test_a_plan_takes_priority_and_policy(connect: Connect) -> None:
    """As the calls will; what cannot be meant is refused."""
    hero = connect(login=True, interactive_share=0.5)
    calls = [notifications(hero)] * 7
    assert 0 == hero.plan(calls).seconds < hero.plan(calls, priority="batch").seconds
    assert 0 < hero.plan(calls, policy="spread").seconds < 900
    with pytest.raises(SettingError, match=r"^policy='slow'"):
        hero.plan(calls, policy="slow")


def test_a_plan_knows_what_the_cache_has(connect: Connect) -> None:
    """An answer that is still fresh costs nothing."""
    client = connect()
    client.request(FORGE)
    plan = client.plan([FORGE, FORGE.replace(page=2)])
    assert (1, 2) == (plan.cached, plan.tokens)


def test_a_plan_refuses_what_cannot_be_sent(connect: Connect) -> None:
    """Before a job is begun that would fail in its middle."""
    with pytest.raises(InvalidCallError):
        connect().plan([STATUS, ops.universe.post_universe_names(body=list(range(1001)))])
