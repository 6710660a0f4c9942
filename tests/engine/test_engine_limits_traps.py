"""The traps of limits, T22 to T31, each played by a simulated ESI that counts with windows of its own."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from esipy import ops
from esipy.events import ERROR_LIMITED, RATE_LIMIT_WAIT, RATE_LIMITED
from esipy.exceptions import ErrorLimitedError, NetworkError, RateLimitedError
from tests.engine.kit import ORDERS, Login, answer
from tests.engine.limits_kit import HERO, OTHER, Town, notifications, wallet

WINDOW = 900.0
PATIENT = {"max_wait": 1e6}
TYPE = ops.universe.get_universe_types_type_id(type_id=34)
HISTORY = ops.market.get_markets_region_id_history(region_id=10000002, type_id=34)


def test_T22_two_hundred_tasks_start_cold_on_a_small_bucket() -> None:
    """On 15 tokens: no 429, seven calls in each window, to the last whole call, and all get their answer."""
    town = Town(settings=PATIENT)

    async def story() -> list[int]:
        answers = await town.all([town.begin(notifications(), HERO) for _ in range(200)])
        return [response.status for response in answers]

    assert [200] * 200 == town.run(story())
    assert {} == town.refusals
    assert 7 == len([moment for moment in town.arrivals() if moment < WINDOW])
    assert 28 * WINDOW < town.passed < 28 * (WINDOW + 2)


def test_T22_a_cold_small_bucket_is_probed_by_one() -> None:
    """Before the first answer one call is under way; a bucket that is larger than its demand does not wait."""
    town = Town(latency=(0.5, 0.5))

    async def story() -> None:
        small = [town.begin(notifications(), HERO) for _ in range(5)]
        large = [town.begin(wallet(), HERO) for _ in range(14)]
        await town.all(small + large)

    town.run(story())
    first = [moment for moment in town.arrivals() if moment < 1.0]
    assert 1 + 14 == len(first)


def test_T22_what_an_earlier_run_spent_draws_one_429_at_the_most() -> None:
    """Nothing is known when a program begins: the one call that finds out is refused, and all wait as it was told."""
    town = Town(settings=PATIENT, retry=None)
    town.esi.limits.spend("char-notification", f"app:{HERO}", 14, town.runtime.now())

    async def story() -> list[int]:
        answers = await town.all([town.begin(notifications(), HERO) for _ in range(20)])
        return [response.status for response in answers]

    assert [200] * 20 == town.run(story())
    assert 1 == sum(town.refusals.values())


def test_T23_headers_that_arrive_out_of_order_never_raise_the_estimate() -> None:
    """Answers that overtake each other tell old numbers late: the bucket is not believed to be fuller than it is."""
    town = Town(latency=(0.01, 1.5), settings=PATIENT, seed=7)

    async def story() -> None:
        await town.all([town.begin(wallet(), HERO) for _ in range(300)])

    town.run(story())
    assert {} == town.refusals
    assert 150 >= town.esi.limits.most_used()[f"char-wallet app:{HERO}"] > 140


def test_T24_after_exhaustion_a_call_leaves_when_the_oldest_spend_returns() -> None:
    """Seven calls spread over ten minutes: the eighth leaves as the first comes back, not a window after the last."""
    town = Town(settings=PATIENT)

    async def story() -> None:
        for _ in range(7):
            await town.call(notifications(), HERO)
            await town.runtime.sleep(100.0)
        await town.call(notifications(), HERO)

    town.run(story())
    moments = town.arrivals()
    assert WINDOW <= moments[7] - moments[0] < WINDOW + 2
    assert {} == town.refusals


def test_T25_a_token_refresh_keeps_the_ledger() -> None:
    """The principal is application and character: a new access token finds the bucket as the old one left it."""
    town = Town()
    bench = town.bench(HERO)

    async def story() -> None:
        for number in range(8):
            login = bench.engine.signer
            assert isinstance(login, Login)
            login.tokens = [f"app:{HERO}:{number}"]
            await town.call(notifications(), HERO)

    with pytest.raises(RateLimitedError):
        Town.run(_with_patience(town, 10.0), story())
    assert {} == town.refusals
    assert 7 == len(town.arrivals())


def _with_patience(town: Town, seconds: float) -> Town:
    for bench in town._benches.values():
        bench.engine.terms = bench.engine.terms._replace(max_wait=seconds)
    return town


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
            return "refused for this minute" if (error.retry_at or 0.0) - town.runtime.now() < 65 else "refused"

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
    first, second = heard[0]["retry_at"], town.began
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

    with RATE_LIMITED.connected_to(lambda retry_at, **_: rests.append(retry_at - town.runtime.now())):
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


def test_T30_a_wait_beyond_patience_fails_at_once_with_the_moment() -> None:
    """Not after waiting in vain: the error says when to come back, and at that moment the call succeeds."""
    town = Town(settings={"max_wait": 60})

    async def story() -> None:
        for _ in range(7):
            await town.call(notifications(), HERO)
        before = town.passed
        with pytest.raises(RateLimitedError) as raised:
            await town.call(notifications(), HERO)
        assert before == town.passed
        assert raised.value.retry_at is not None
        with pytest.raises(RateLimitedError, match=r"longer than max_wait=0\.5\. "):
            await town.call(notifications(), HERO, max_wait=0.5)
        await town.runtime.sleep(raised.value.retry_at - town.runtime.now())
        assert 200 == (await town.call(notifications(), HERO, policy="fail")).status

    town.run(story())
    assert {} == town.refusals


def test_T30_those_who_are_before_count() -> None:
    """The eighth waits for the next window; the fifteenth would wait for the one after, and is told so."""
    town = Town(settings={"max_wait": 1000})

    async def story() -> None:
        waiting = [town.begin(notifications(), HERO) for _ in range(14)]
        await town.runtime.sleep(5.0)
        with pytest.raises(RateLimitedError) as raised:
            await town.call(notifications(), HERO)
        assert raised.value.retry_at is not None
        assert 2 * WINDOW - 10 < raised.value.retry_at - town.began < 2 * WINDOW + 10
        await town.all(waiting)

    town.run(story())


@pytest.mark.parametrize(("call", "limit"), [(notifications(), 15), (wallet(), 150)], ids=["15 tokens", "150 tokens"])
def test_T31_a_storm_of_4xx_draws_no_429(call: Any, limit: int) -> None:
    """Two hundred calls at once that all cost 5 where 2 were expected: nothing is refused."""
    town = Town(settings=PATIENT, shares={404: 1.0})

    async def story() -> None:
        await town.all([town.begin(call, HERO) for _ in range(200)])

    town.run(story())
    assert {} == town.refusals
    (most,) = town.esi.limits.most_used().values()
    assert most <= limit + 3  # the last whole call may cost more than was left


def test_T31_a_call_that_was_lately_answered_4xx_reserves_5() -> None:
    """With 4 tokens left to spend it waits, where another operation of the group leaves at once."""
    town = Town(settings=PATIENT, retry=False)
    journal = ops.wallet.get_characters_character_id_wallet_journal(character_id=HERO)
    told = {"x_ratelimit_group": "char-wallet", "x_ratelimit_limit": "150/15m", "x_ratelimit_remaining": "6"}
    missing = answer({"error": "not found"}, 404, **told)
    town.instead = lambda asked: missing if asked.url.endswith("/wallet/journal") else None

    async def story() -> None:
        await town.call(journal, HERO)
        with pytest.raises(RateLimitedError):
            await town.call(journal, HERO, policy="fail")
        assert 200 == (await town.call(wallet(), HERO, policy="fail")).status

    town.run(story())


def test_what_was_never_sent_costs_nothing_and_what_was_lost_costs_the_worst() -> None:
    """Connections that are refused leave a bucket of 15 full; answers that are cut off fill it at the third."""
    for options, sent in ({"unreachable_share": 1.0}, 20), ({"lost_share": 1.0}, 3):
        town = Town(**options)

        async def story(town: Town = town) -> int:
            failed = 0
            for _ in range(20):
                try:
                    await town.call(notifications(), HERO, policy="fail")
                except NetworkError:
                    failed += 1
                except RateLimitedError:
                    break
            return failed

        assert sent == town.run(story())


def test_errors_that_are_waited_for_name_the_error_limit() -> None:
    """A call that has to wait for the error limit, and does not want to, is told 420, with the moment."""
    town = Town(settings=PATIENT)

    async def story() -> None:
        town.esi.limits.spend_errors(95, town.runtime.now())
        await town.call(HISTORY)
        with pytest.raises(ErrorLimitedError) as raised:
            await town.call(HISTORY, policy="fail")
        assert raised.value.retry_at is not None
        assert 0 < raised.value.retry_at - town.runtime.now() <= 63

    town.run(story())
