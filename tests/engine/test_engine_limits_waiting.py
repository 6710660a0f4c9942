"""Who waits for a bucket, and in what order: fairness, priorities, policies, and giving back."""

from __future__ import annotations

from typing import Any

import pytest

from esipy import ops
from esipy.core.counts import RELEASE_MARGIN_SECONDS
from esipy.events import LIMIT_CHANGED, RATE_LIMIT_WAIT
from tests.engine.kit import ORDERS, answer
from tests.engine.limits_kit import HERO, PATIENT, Town, notifications, wallet

WINDOW = 900.0


def test_first_come_first_served() -> None:
    """Twenty calls that wait for a small bucket leave in the order in which they came."""
    town = Town(settings=PATIENT, latency=(0.05, 0.05))
    left: list[int] = []

    async def one(number: int) -> None:
        await town.call(notifications(), HERO)
        left.append(number)

    async def story() -> None:
        flights = []
        for number in range(20):
            flights.append(town.runtime.spawn(one(number)))
            await town.runtime.sleep(1.0)
        await town.all(flights)

    town.run(story())
    assert list(range(20)) == left


def test_interactive_calls_go_before_batch_calls() -> None:
    """Six batch calls wait; an interactive one that comes last leaves first."""
    town = Town(settings=PATIENT, latency=(0.05, 0.05))
    left: list[str] = []

    async def one(name: str, priority: str) -> None:
        await town.call(notifications(), HERO, priority=priority)
        left.append(name)

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        flights = [town.runtime.spawn(one(f"batch {number}", "batch")) for number in range(6)]
        await town.runtime.sleep(10.0)
        flights.append(town.runtime.spawn(one("mine", "interactive")))
        await town.all(flights)

    town.run(story())
    assert ["mine", *(f"batch {number}" for number in range(6))] == left


def test_batch_calls_leave_a_share_to_interactive_ones() -> None:
    """A hundred batch calls on 150 tokens leave 18 untouched (a tenth and the headroom): an interactive call leaves."""
    town = Town(settings=PATIENT)

    async def story() -> None:
        waiting = [town.begin(wallet(), HERO, priority="batch") for _ in range(100)]
        await town.runtime.sleep(60.0)
        assert 66 == len(town.arrivals())
        assert 200 == (await town.call(wallet(), HERO, policy="fail")).status
        await town.all(waiting)

    town.run(story())
    assert {} == town.refusals


def test_one_sleeper_and_no_polling() -> None:
    """While fifty calls wait fifteen minutes for a bucket, the store is asked a few times, not over and over."""
    town = Town(settings=PATIENT)
    store = town.bench(HERO).engine.ledger.store
    asked: list[float] = []
    reserve = store.reserve

    def counting(ask: Any) -> Any:
        asked.append(town.passed)
        return reserve(ask)

    store.reserve = counting  # type: ignore[method-assign]

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(14)])

    town.run(story())
    assert [] == [moment for moment in asked if 2.0 < moment < WINDOW]


def test_cancelling_a_waiting_call_gives_its_place_back() -> None:
    """Of three that wait the first is cancelled: the others leave at the moment at which it would have."""
    town = Town(settings=PATIENT)

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        first, *others = [town.begin(notifications(), HERO) for _ in range(3)]
        await town.runtime.sleep(10.0)
        assert town.runtime.cancel(first)
        await town.all(others)

    town.run(story())
    assert 7 + 2 == len(town.arrivals())
    assert town.passed < WINDOW + 3
    ledger = town.bench(HERO).engine.ledger
    assert not ledger.lines
    assert [0] == [state.reserved for state in ledger.store.states()]


def test_cancelling_an_exchange_under_way_costs_the_worst() -> None:
    """Nobody knows whether ESI counted it: five tokens are booked, nothing stays reserved."""
    town = Town(latency=(0.5, 0.5))

    async def story() -> None:
        flight = town.begin(wallet(), HERO)
        await town.runtime.sleep(0.2)
        assert town.runtime.cancel(flight)
        await town.runtime.sleep(0.1)

    town.run(story())
    (state,) = town.bench(HERO).engine.ledger.store.states()
    assert (5, 0) == (state.foreign, state.reserved)  # until headers tell how much it was


def test_spread_evens_out_what_is_left() -> None:
    """Half of the bucket leaves at once; the other half over the window; then all of it, evenly."""
    town = Town(settings=PATIENT)

    async def story() -> None:
        await town.all([town.begin(wallet(), HERO, policy="spread") for _ in range(300)])

    town.run(story())
    moments = town.arrivals()
    assert 37 <= len([moment for moment in moments if moment < 5]) <= 42
    per_minute = [len([m for m in moments if 60 * n <= m < 60 * (n + 1)]) for n in range(1, 15)]
    assert max(per_minute) <= 4
    assert min(per_minute) >= 1
    assert 60 <= len([moment for moment in moments if 2 * WINDOW <= moment < 3 * WINDOW]) <= 75
    assert {} == town.refusals


def test_off_holds_nothing_back_and_counts_all_the_same() -> None:
    """Twenty calls on 15 tokens leave at once; ESI refuses some; the next polite call knows and waits."""
    town = Town(settings=PATIENT)

    async def story() -> list[int]:
        answers = await town.all([town.begin(notifications(), HERO, policy="off") for _ in range(20)])
        await town.call(notifications(), HERO)
        return [response.status for response in answers]

    assert 429 in town.run(story())
    assert town.passed >= WINDOW


def test_a_bucket_that_is_larger_than_its_demand_never_waits() -> None:
    """A thousand public calls on 12,000 tokens, cold: none waits, no signal is sent."""
    town = Town()
    told: list[Any] = []
    calls = [ORDERS.replace(page=page) for page in range(1, 1001)]

    async def story() -> None:
        await town.all([town.begin(call) for call in calls])

    with RATE_LIMIT_WAIT.connected_to(lambda **payload: told.append(payload)):
        town.run(story())
    assert [] == told
    assert town.passed < 1


def test_a_signal_tells_who_waits_for_what_and_how_long() -> None:
    """RATE_LIMIT_WAIT comes once per call that waits, before it waits."""
    town = Town(settings=PATIENT)
    told: list[dict[str, Any]] = []

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        await town.all([town.begin(notifications(), HERO, priority="batch") for _ in range(2)])

    with RATE_LIMIT_WAIT.connected_to(lambda **payload: told.append(payload)):
        town.run(story())
    waited = [payload for payload in told if payload["wait_seconds"] > 10]
    assert [f"char-notification app:{HERO}"] * 2 == [payload["bucket"] for payload in waited]
    assert ["batch"] * 2 == [payload["priority"] for payload in waited]
    assert [1, 2] == [payload["waiting"] for payload in waited]
    assert {"GetCharactersCharacterIdNotifications"} == {payload["operation_id"] for payload in told}
    assert all(890 < payload["wait_seconds"] < 902 for payload in waited)


def test_the_log_tells_of_a_line_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not of each call that comes to it: a job of thousands would drown it."""
    town = Town(settings=PATIENT)

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        await town.call(notifications(), HERO)

    with caplog.at_level("INFO", "esipy.client"):
        town.run(story())
    told = [record.getMessage() for record in caplog.records if " waits " in record.getMessage()]
    assert [f"get_characters_character_id_notifications waits 900 s for char-notification app:{HERO}"] * 2 == told


def test_a_receiver_may_call_the_very_bucket_that_is_waited_for() -> None:
    """It is told before its caller stands in line: no deadlock, and it waits behind nobody it holds up."""
    town = Town(settings=PATIENT)
    depth: list[int] = []

    async def ask_again(**_: Any) -> None:
        if not depth:
            depth.append(1)
            await town.call(notifications(), HERO)

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        with RATE_LIMIT_WAIT.connected_to(ask_again):
            await town.call(notifications(), HERO)

    town.run(story())
    assert 9 == len(town.arrivals())


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ({"x_ratelimit_group": "char-wallet", "x_ratelimit_limit": "20/15m", "x_ratelimit_remaining": "18"}, 10),
        ({"x_ratelimit_group": "brand-new", "x_ratelimit_limit": "10/5m", "x_ratelimit_remaining": "8"}, 5),
    ],
    ids=["another size", "another group"],
)
def test_headers_that_contradict_the_catalogue_win(told: dict[str, str], left: int) -> None:
    """A signal announces it once, and the bucket has the size that the headers tell from then on."""
    town = Town()
    news: list[dict[str, Any]] = []
    remaining = [int(told["x_ratelimit_remaining"]) - 2 * number for number in range(left)]
    town.instead = lambda _: answer(1.0, **{**told, "x_ratelimit_remaining": str(remaining.pop(0))})

    async def story() -> None:
        while True:
            await town.call(wallet(), HERO, policy="fail")

    with (
        LIMIT_CHANGED.connected_to(lambda **payload: news.append(payload)),
        pytest.raises(Exception, match="holds it back"),
    ):
        town.run(story())
    assert [] == remaining
    assert 1 == len(news)
    assert told["x_ratelimit_group"] == news[0]["group"]
    assert 150 == news[0]["previous_max_tokens"]


def test_a_group_that_the_catalogue_does_not_know_is_learned() -> None:
    """An operation without a group whose answers tell of one is counted there from then on, not against the errors."""
    town = Town()
    told = {"x_ratelimit_group": "types", "x_ratelimit_limit": "4/15m"}
    left = [2, 0]
    town.instead = lambda _: answer({}, 404, **told, x_ratelimit_remaining=str(left.pop(0)))
    news: list[dict[str, Any]] = []

    async def story() -> None:
        call = ops.universe.get_universe_types_type_id(type_id=34)
        await town.call(call)
        await town.call(call, policy="fail")

    with LIMIT_CHANGED.connected_to(lambda **payload: news.append(payload)), pytest.raises(Exception, match="types ip"):
        town.run(story())
    assert [None] == [payload["previous_group"] for payload in news]


@pytest.mark.parametrize("late", [0.25, 0.5, 1.0, 5.0, 20.0])
def test_spends_that_come_back_late_draw_one_429_at_the_most(late: float) -> None:
    """Up to the margin none; beyond it a bucket learns from one refusal, made by one call alone."""
    town = Town(settings=PATIENT, retry=None, release_late_seconds=late)

    async def story() -> None:
        small = [town.begin(notifications(), HERO) for _ in range(30)]
        await town.all(small + [town.begin(wallet(), HERO) for _ in range(300)])

    town.run(story())
    assert set() == set(town.refusals.values()) - {1}
    assert late > RELEASE_MARGIN_SECONDS or {} == town.refusals
