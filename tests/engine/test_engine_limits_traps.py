"""The traps of buckets, T22 to T25, T30 and T31, each played by a simulated ESI that counts with windows of its own."""

from __future__ import annotations

from typing import Any

import pytest

from esipy import ops
from esipy.core.moments import as_seconds
from esipy.exceptions import NetworkError, RateLimitedError
from tests.engine.kit import Login, answer
from tests.engine.limits_kit import HERO, PATIENT, Town, notifications, wallet

WINDOW = 900.0


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
        large = [town.begin(wallet(), HERO) for _ in range(30)]  # 150 tokens, should each of them cost the most
        await town.all(small + large)

    town.run(story())
    first = [moment for moment in town.arrivals() if moment < 1.0]
    assert 1 + 30 == len(first)


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
        retry_at = as_seconds(raised.value.retry_at)
        assert retry_at is not None
        with pytest.raises(RateLimitedError, match=r"longer than max_wait=0\.5\. "):
            await town.call(notifications(), HERO, max_wait=0.5)
        await town.runtime.sleep(retry_at - town.runtime.now())
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
        retry_at = as_seconds(raised.value.retry_at)
        assert retry_at is not None
        assert 2 * WINDOW - 10 < retry_at - town.began < 2 * WINDOW + 10
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
