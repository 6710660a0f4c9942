"""Calls that need leave of two limits, and what others told of waits do meanwhile: nobody waits for ever."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import CancelledError
from typing import Any

import pytest

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.events import RATE_LIMIT_WAIT
from esipy.exceptions import LimitedError
from tests.engine.limits_kit import HERO, PATIENT, Town, notifications, wallet


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("count", [3, 10])
def test_calls_that_wait_for_a_bucket_and_for_a_route_all_leave(seed: int, count: int) -> None:
    """One refusal that names no bucket gives the route a limiter, while calls wait for a small bucket."""
    town = Town(settings=PATIENT, latency=(0.1, 1.0), retry=None, seed=seed)
    sent: list[float] = []

    def esi(_: HttpRequest) -> HttpResponse | None:
        sent.append(town.passed)
        assert len(sent) < 100
        return HttpResponse(429, Headers([]), b"{}") if len(sent) == min(6, count) else None

    town.instead = esi

    async def story() -> list[int]:
        answers = await town.all([town.begin(notifications(), HERO) for _ in range(count)])
        return [response.status for response in answers]

    assert [200] * count == town.run(story())
    assert town.passed < 3000


@pytest.mark.parametrize("pause", [None, 0.0, 5.0])
def test_T30_a_receiver_that_takes_time_changes_nothing_for_who_comes_meanwhile(pause: float | None) -> None:
    """Of 400 calls those fail at once for which there is no room within their patience, in any case."""
    town = Town()
    failed: list[float] = []

    async def one() -> None:
        try:
            await town.call(wallet(), HERO)
        except LimitedError:
            failed.append(town.passed)

    async def hear(**_: Any) -> None:
        if pause is not None:
            await town.runtime.sleep(pause)

    async def story() -> None:
        await town.all([town.runtime.spawn(one()) for _ in range(400)])

    with RATE_LIMIT_WAIT.connected_to(hear):
        town.run(story())
    assert {0: 400 - 2 * 74} == Counter(map(round, failed))


def test_who_tells_of_its_wait_keeps_its_place() -> None:
    """The first one's receiver takes five seconds; it leaves first all the same."""
    town = Town(settings=PATIENT, latency=(0.02, 0.02))
    left: list[int] = []

    async def one(number: int) -> None:
        await town.call(notifications(), HERO)
        left.append(number)

    async def hear(waiting: int, **_: Any) -> None:
        await town.runtime.sleep(5.0 if waiting == 1 else 0.0)

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        await town.all([town.runtime.spawn(one(number)) for number in range(5)])

    with RATE_LIMIT_WAIT.connected_to(hear):
        town.run(story())
    assert [*range(5)] == left


def test_who_passes_one_that_tells_of_its_wait_for_the_route_does_not_go_round_between_two_lines() -> None:
    """A paced call rests in the bucket's line, one is away in the route's: who needs both leaves at once."""
    town = Town(settings=PATIENT, latency=(0.02, 0.02))
    store = town.bench(HERO).engine.ledger.store
    reserve, asked = store.reserve, [0]

    def counting(ask: Any) -> Any:
        asked[0] += 1
        assert asked[0] < 200
        return reserve(ask)

    async def hear(bucket: str, **_: Any) -> None:
        if bucket.startswith("route"):
            await town.runtime.sleep(100.0)

    async def story() -> float:
        await town.all([town.begin(notifications(), HERO) for _ in range(4)])
        town.instead = lambda _: HttpResponse(429, Headers([]), b"{}")
        assert 429 == (await town.call(notifications(), HERO)).status
        town.instead = lambda _: None
        waiting = [town.begin(notifications(), HERO)]
        await town.runtime.sleep(20.0)  # the route has rested, and the receiver is still at it
        waiting.append(town.begin(notifications(), HERO, policy="spread"))
        await town.runtime.sleep(1.0)
        store.reserve = counting  # type: ignore[method-assign]
        began = town.passed
        await town.call(notifications(), HERO)
        took = town.passed - began
        await town.all(waiting)
        return took

    with RATE_LIMIT_WAIT.connected_to(hear):
        assert town.run(story()) < 1.0
    assert {} == town.refusals


def test_a_paced_call_does_not_starve_behind_burst_calls_that_came_later() -> None:
    """The bucket is full when it comes: who came first goes first."""
    town = Town(settings=PATIENT)
    left: list[str] = []

    async def one(policy: str) -> None:
        await town.call(notifications(), HERO, policy=policy, max_wait=1e6)
        left.append(policy)

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        flights = [town.runtime.spawn(one("spread"))]
        await town.runtime.sleep(1.0)
        flights += [town.runtime.spawn(one("burst")) for _ in range(30)]
        await town.all(flights)

    town.run(story())
    assert "spread" in left[:3]


@pytest.mark.parametrize("terms", [{}, {"max_wait": 30.0}])
def test_with_the_policy_off_only_the_gate_is_waited_for(terms: dict[str, Any]) -> None:
    """Behind those who wait for a bucket as well: ten seconds after a 420, not fifteen minutes."""
    town = Town(settings=PATIENT)
    closed = {"X-ESI-Error-Limit-Reset": "10", "X-ESI-Error-Limit-Remain": "0"}

    async def story() -> float:
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        waiting = town.begin(notifications(), HERO)
        await town.runtime.sleep(1.0)
        town.instead = lambda _: HttpResponse(420, Headers(closed.items()), b"{}")
        await town.call(wallet(), HERO)
        town.instead = lambda _: None
        began = town.passed
        await town.call(notifications(), HERO, policy="off", **terms)
        waited = town.passed - began
        town.runtime.cancel(waiting)
        with pytest.raises(CancelledError):
            await town.runtime.join(waiting)
        return waited

    assert 10 <= town.run(story()) <= 13
