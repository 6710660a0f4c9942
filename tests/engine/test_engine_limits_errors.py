"""The traps of limits that are not of one bucket, T26 and T27: the error limit, and limiters that say nothing."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from esipy import ops
from esipy.core.moments import as_seconds
from esipy.events import ERROR_LIMITED, RATE_LIMIT_WAIT, RATE_LIMITED
from esipy.exceptions import ErrorLimitedError
from tests.engine.kit import ORDERS, Script, answer
from tests.engine.limits_kit import HERO, OTHER, PATIENT, Town, notifications, wallet

TYPE = ops.universe.get_universe_types_type_id(type_id=34)
HISTORY = ops.market.get_markets_region_id_history(region_id=10000002, type_id=34)


def test_T26_a_character_that_waits_holds_up_nobody_else() -> None:
    """A's bucket is empty and A waits; B's calls of the same group leave at once."""
    town = Town(settings=PATIENT)

    async def story() -> None:
        waiting = [town.begin(notifications(HERO), HERO) for _ in range(9)]
        await town.runtime.sleep(5.0)
        before = town.passed
        await town.call(notifications(OTHER), OTHER)
        assert town.passed - before < 1
        await town.all(waiting)

    town.run(story())
    assert {} == town.refusals


@pytest.mark.parametrize(
    "terms", [{}, {"max_wait": 1.0}, {"policy": "fail"}, {"policy": "spread"}, {"priority": "batch", "max_wait": 1.0}]
)
def test_T26_a_call_that_may_cost_an_error_is_not_held_up_as_if_it_had(terms: dict[str, Any]) -> None:
    """Of 300 calls without a bucket some are under way at once: none waits longer than for these, or is refused."""
    town = Town()
    waits: list[float] = []

    async def story() -> list[int]:
        answers = await town.all([town.begin(TYPE, **terms) for _ in range(300)])
        return [response.status for response in answers]

    with RATE_LIMIT_WAIT.connected_to(lambda wait_seconds, **_: waits.append(wait_seconds)):
        assert [200] * 300 == town.run(story())
    assert [] == waits
    assert town.passed < 2


def test_T26_three_hundred_errors_at_once_draw_no_420() -> None:
    """Those leave that would do no harm if each were an error; when all of them were, the others are refused."""
    town = Town(retry=None, shares={404: 1.0})

    async def one() -> str:
        try:
            return str((await town.call(TYPE, max_wait=10.0)).status)
        except ErrorLimitedError as error:
            return (
                "refused for this minute"
                if (as_seconds(error.retry_at) or 0.0) - town.runtime.now() < 65
                else "refused"
            )

    async def story() -> list[str]:
        return await town.all([town.runtime.spawn(one()) for _ in range(300)])

    told = Counter(town.run(story()))
    assert {} == town.refusals
    assert 80 < told["404"] <= 90
    assert {"404": told["404"], "refused for this minute": 300 - told["404"]} == told


def test_T26_a_420_that_someone_else_caused_stops_everyone() -> None:
    """Whatever call meets it: no call of any bucket leaves before the reset; a signal tells."""
    town = Town(settings=PATIENT, retry=None)
    heard: list[dict[str, Any]] = []

    async def story() -> None:
        town.esi.limits.spend_errors(100, town.runtime.now())
        await town.all([town.begin(wallet(HERO), HERO), town.begin(ORDERS)])

    with ERROR_LIMITED.connected_to(lambda **told: heard.append(told)):
        town.run(story())
    first, second = heard[0]["retry_at"].timestamp(), town.began
    assert 0 < first - second <= 62
    assert [] == [moment for moment in town.arrivals() if 1.0 < moment < first - town.began]
    assert 2 >= len(town.arrivals(420))


def test_the_error_limit_is_never_reached() -> None:
    """Five hundred calls that all fail: never a 420, and never the last tenth of the errors that a minute allows."""
    town = Town(settings=PATIENT, shares={404: 1.0})

    async def story() -> None:
        calls = [ops.universe.get_universe_types_type_id(type_id=number) for number in range(1, 501)]
        await town.all([town.begin(call) for call in calls])

    town.run(story())
    assert {} == town.refusals
    assert 500 == len(town.arrivals(404))
    assert 5 * 60 < town.passed < 8 * 60


def test_calls_slow_down_as_the_error_limit_falls() -> None:
    """Half of it is gone at once by somebody else's errors: what is left is spread over the rest of the minute."""
    town = Town(settings=PATIENT, shares={404: 1.0})
    calls = [ops.universe.get_universe_types_type_id(type_id=number) for number in range(1, 31)]

    async def story() -> None:
        town.esi.limits.spend_errors(60, town.runtime.now())
        for call in calls:
            await town.call(call)

    town.run(story())
    moments = [moment for moment in town.arrivals() if moment < 60]
    gaps = sorted(after - before for before, after in pairwise(moments[1:]))
    assert gaps[-1] < 4.0
    assert gaps[len(gaps) // 2] > 0.5
    assert {} == town.refusals


def test_T27_a_429_without_headers_rests_its_route_longer_each_time() -> None:
    """A limiter inside the game server says nothing: pauses double, other routes go on, a signal tells."""
    town = Town(settings=PATIENT, retry=False)
    rests: list[float] = []
    refusing = [True, True, True, False]
    town.instead = lambda asked: answer(b"slow down", 429) if "history" in asked.url and refusing.pop(0) else None

    async def story() -> None:
        for _ in range(4):
            await town.call(HISTORY)
            before = town.passed
            await town.call(ORDERS)
            assert town.passed - before < 1

    with RATE_LIMITED.connected_to(lambda retry_at, **_: rests.append(retry_at.timestamp() - town.runtime.now())):
        town.run(story())
    assert 3 == len(rests)
    assert 15 <= rests[0] <= 20
    assert 30 <= rests[1] <= 40
    assert 60 <= rests[2] <= 80


def test_T27_a_520_that_means_too_many_is_a_limit_too() -> None:
    """``ConStopSpamming`` rests the route, and the call succeeds when it is sent again."""
    town = Town(settings=PATIENT, retry=None)
    refusing = [True, False]
    town.instead = lambda _: answer({"error": "ConStopSpamming, 1, ..."}, 520) if refusing.pop(0) else None

    async def story() -> int:
        return (await town.call(HISTORY)).status

    assert 200 == town.run(story())
    assert 15 <= town.passed <= 25


def test_T27_routes_that_are_known_to_be_limited_are_never_refused() -> None:
    """Market history at 300 calls a minute: a thousand calls take more than three minutes and meet no refusal."""
    town = Town(settings=PATIENT, hidden_limits={"get_markets_region_id_history": 300})
    calls = [ops.market.get_markets_region_id_history(region_id=10000002, type_id=34 + n) for n in range(1000)]

    async def story() -> None:
        await town.all([town.begin(call) for call in calls])

    town.run(story())
    assert {200} == {seen.status for seen in town.esi.log}
    assert 180 < town.passed < 200


def test_errors_that_are_waited_for_name_the_error_limit() -> None:
    """A call that has to wait for the error limit, and does not want to, is told 420, with the moment."""
    town = Town(settings=PATIENT)

    async def story() -> None:
        town.esi.limits.spend_errors(95, town.runtime.now())
        await town.call(HISTORY)
        with pytest.raises(ErrorLimitedError) as raised:
            await town.call(HISTORY, policy="fail")
        retry_at = as_seconds(raised.value.retry_at)
        assert retry_at is not None
        assert 0 < retry_at - town.runtime.now() <= 63

    town.run(story())


def test_T27_a_refusal_says_when_its_bucket_lets_the_next_one_leave() -> None:
    """Of two moments the later, also when the first was told by an earlier answer."""
    town = Town(retry=False)
    told = {"x_ratelimit_group": "char-wallet", "x_ratelimit_limit": "150/15m", "x_ratelimit_remaining": "150"}
    town.instead = Script(*(answer(b"", 429, retry_after=seconds, **told) for seconds in ("300", "10")))
    moments: list[float] = []

    async def story() -> None:
        await town.all([town.begin(wallet(), HERO, policy="off") for _ in range(2)])

    with RATE_LIMITED.connected_to(lambda retry_at, **_: moments.append(retry_at.timestamp() - town.began)):
        town.run(story())
    assert [300, 300] == [pytest.approx(moment, abs=1) for moment in moments]


@pytest.mark.parametrize(("retry_after", "reset", "least"), [("5", "40", 40), ("40", "5", 40)])
def test_T26_of_two_moments_that_a_420_names_the_later_counts(retry_after: str, reset: str, least: float) -> None:
    """``Retry-After`` and the reset of the error limit."""
    town = Town(retry=False, settings=PATIENT)
    town.instead = Script(answer(b"", 420, retry_after=retry_after, x_esi_error_limit_reset=reset,
                                 x_esi_error_limit_remain="0"), answer({}))  # fmt: skip

    async def story() -> None:
        await town.call(ORDERS)
        await town.call(wallet(), HERO)

    town.run(story())
    assert least <= town.passed <= least + 5


@pytest.mark.parametrize(
    "rate", [{}, {"x_ratelimit_group": "char-wallet", "x_ratelimit_limit": "150/15m", "x_ratelimit_remaining": "148"}]
)
def test_T26_what_any_answer_says_of_the_error_limit_counts(rate: dict[str, str]) -> None:
    """Also one of an operation that pays with tokens."""
    town = Town(retry=False)
    town.instead = Script(answer(1.5, **rate, x_esi_error_limit_remain="3", x_esi_error_limit_reset="50"))

    async def story() -> None:
        await town.call(wallet(), HERO)
        with pytest.raises(ErrorLimitedError):
            await town.call(TYPE, policy="fail")

    town.run(story())
