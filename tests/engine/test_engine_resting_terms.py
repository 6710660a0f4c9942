"""The daily downtime, as interactive calls meet it; when it begins again; who shares what."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeVar

import pytest

from esipy.core.moments import as_seconds
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import DowntimeError
from esipy.operation import Call, Operation
from esipy.runtime.simulated import SimulatedRuntime
from tests.engine.kit import STATUS, Bench, Script, answer
from tests.engine.resting_kit import DAY, ELEVEN, Esi, Told

T = TypeVar("T")


# ---- interactive calls ----


def test_interactive_calls_are_tried(told: list[Told]) -> None:
    """They go out at once, get what there is, and ask nothing; once one is answered, it is over."""
    esi = Esi((5, 300), retry=False)
    got = esi.run(*[esi.call_at(seconds, 500 + seconds) for seconds in (-10, 1, 20, 150, 290, 310, 320)])
    assert [200, 200, 503, 503, 503, 200, 200] == [one.status for one in got]
    assert [] == esi.questions
    assert [ELEVEN + 1, ELEVEN + 310] == [round(one.at) for one in told]


def test_interactive_calls_fail_if_that_is_asked_for() -> None:
    """At once, with the moment at which more is known; of the call nothing is sent."""
    esi = Esi((0, 300))
    esi.run(esi.call_at(-10, 9))
    with pytest.raises(DowntimeError) as raised:
        esi.run(esi.call_at(30, 1, downtime="fail"))
    error = raised.value
    assert (503, 2) == (error.status_code, 1 + len(esi.seen))
    retry_at = as_seconds(error.retry_at)
    assert retry_at is not None
    assert ELEVEN + 60 <= retry_at <= ELEVEN + 121
    assert "get_markets_region_id_orders" in str(error)


def test_who_fails_and_comes_back_at_the_moment_asks(told: list[Told]) -> None:
    """A program that never waits and never tries still learns of the end, with two questions a minute."""
    esi = Esi((0, 300))

    async def story() -> float:
        while True:
            try:
                await esi.call_at(max(30.0, esi.clock()), 1, downtime="fail")
                return esi.clock()
            except DowntimeError as error:
                await esi.runtime.sleep((as_seconds(error.retry_at) or 0.0) - esi.runtime.now())

    assert 300 <= esi.run(esi.call_at(-10, 9), story())[1] <= 340
    assert len(esi.questions) <= 12
    assert [False, True] == [one.ended for one in told]


def test_interactive_calls_wait_if_that_is_asked_for() -> None:
    """And leave before batch calls do, as far as chance lets them."""
    esi = Esi((0, 300))
    assert 200 == esi.run(esi.call_at(30, 1, downtime="wait"))[0].status
    assert esi.calls[0].seconds >= 300


def test_batch_calls_fail_if_that_is_asked_for() -> None:
    """Whoever says so is not held up."""
    esi = Esi((0, 300))
    with pytest.raises(DowntimeError):
        esi.run(esi.call_at(30, 1, priority="batch", downtime="fail"))


def test_an_interactive_answer_does_not_let_those_go_who_wait() -> None:
    """ESI answers from a cache while the game is down: ``/status`` decides, as long as somebody asks it."""
    esi = Esi((60, 400))
    inner = esi.runtime.server

    def serve(request: HttpRequest) -> HttpResponse:
        return answer([]) if "page=5" in request.url else inner(request)  # type: ignore[return-value]

    esi.runtime.server = serve
    tried = [esi.call_at(seconds, 5000 + seconds) for seconds in range(20, 390, 10)]
    esi.run(esi.call_at(-10, 9), esi.call_at(1, 1, priority="batch"), *tried)
    assert esi.calls[-1].seconds >= 400


# ---- again ----


def test_it_may_begin_again(told: list[Told]) -> None:
    """``/status`` answers, another call fails: the others wait again, and nothing is told to have begun twice."""
    esi = Esi((0, 300), (345, 500), started=250)
    calls = [esi.call_at(30, page, priority="batch") for page in range(1, 1001)]
    got = esi.run(esi.call_at(-10, 9999), *calls)
    assert {200} == {one.status for one in got}
    failed = [seen.seconds for seen in esi.calls if seen.status == 503]
    assert 1 <= len(failed) <= 10
    assert max(failed) - min(failed) < 1
    assert [False, True, True] == [one.ended for one in told]
    assert told[2].down_seconds > 460


def test_a_route_that_stays_broken_does_not_hold_up_the_others_for_an_hour() -> None:
    """Three times it is taken for the downtime."""
    esi = Esi((0, 300), broken="page=777", retry=False)

    async def poll() -> None:
        while esi.clock() < 3500:
            await esi.call(777)
            await esi.runtime.sleep(5)

    async def work() -> list[float]:
        left = []
        while esi.clock() < 3500:
            await esi.call(1, priority="batch")
            left.append(esi.clock())
            await esi.runtime.sleep(1)
        return left

    left = esi.run(esi.call_at(-10, 9), poll(), work())[2]
    after = [moment for moment in left if moment > 500]
    assert max(later - before for before, later in pairwise(after)) < 2
    assert min(after) < 502
    assert 4 == sum(seen.status == 200 for seen in esi.questions)


# ---- who shares what ----


def test_clients_of_a_process_share_it_by_address() -> None:
    """Another ESI has its own downtime."""
    runtime = SimulatedRuntime(Script())
    one, two = Bench("simulated", Script(), runtime=runtime), Bench("simulated", Script(), runtime=runtime)
    far = Bench("simulated", Script(), runtime=runtime, settings={"base_url": "http://127.0.0.1:9"})
    assert one.engine.watch is two.engine.watch
    assert one.engine.watch is not far.engine.watch


def test_other_apis_have_no_downtime() -> None:
    """An operation of another API is sent, whatever the time."""

    esi = Esi((0, 300), retry=False)
    elsewhere: Operation[Any] = Operation("Get", "get", "elsewhere", "GET", "/thing", base_url="https://example.com")
    call = Call(elsewhere, {})

    async def story() -> Any:
        await esi.call_at(-10, 9)
        await esi.runtime.sleep(40)
        return await esi.bench.engine.perform(call, terms=esi.terms(priority="batch"))

    esi.run(story())
    assert ["thing"] == [seen.path for seen in esi.seen if seen.seconds > 0]


def test_questions_are_told_as_any_call() -> None:
    """API_CALL_STATS tells of each."""
    esi = Esi((0, 300))
    stats: list[tuple[str, int]] = []
    esi.bench.stats.add_receiver(lambda operation_id, status_code, **_: stats.append((operation_id, status_code)))
    esi.run(esi.call_at(30, 1, priority="batch"))
    assert len(esi.questions) == sum(operation_id == "GetStatus" for operation_id, _ in stats)


def test_a_fresh_answer_is_given_in_the_downtime() -> None:
    """The cache stands before it."""
    esi = Esi()
    esi.runtime.server = Script(answer([], cache_control="max-age=900"))
    got = esi.run(esi.call_at(-10, 1), esi.call_at(60, 1, priority="batch"))
    assert ["network", "cache"] == [one.source for one in got]


def test_a_simulated_month_without_calls_is_no_news(told: list[Told]) -> None:
    """Who makes no call at eleven hears of nothing."""
    esi = Esi((0, 300))
    esi.run(*[esi.call_at(7200 + day * DAY, day + 1, priority="batch") for day in range(30)])
    assert [] == told
    assert [] == esi.questions


def test_each_day_is_told(told: list[Told]) -> None:
    """A program that runs for three days waits three times."""
    esi = Esi(*[(day * DAY, day * DAY + 300) for day in range(3)], started=2 * DAY + 1)
    esi.run(esi.call_at(-10, 9), *[esi.call_at(day * DAY + 30, day + 1, priority="batch") for day in range(3)])
    assert [False, True] * 3 == [one.ended for one in told]


def test_status_is_a_call_like_any_other() -> None:
    """Who asks for it in the downtime, interactively, is answered what there is."""
    esi = Esi((0, 300), retry=False)

    async def story() -> int:
        await esi.runtime.sleep(330)
        status: int = (await esi.bench.engine.perform(STATUS)).status
        return status

    assert [503] == esi.run(story())


def test_a_task_that_is_cancelled_while_it_leaves_is_gone() -> None:
    """The pause at the end can be cancelled as any wait."""
    esi = Esi((0, 300))

    async def story() -> None:
        await esi.call_at(-10, 9)
        flight = esi.runtime.spawn(esi.call_at(10, 1, priority="batch"))
        while not any(seen.status == 200 for seen in esi.questions):
            await esi.runtime.sleep(1)
        esi.runtime.cancel(flight)
        await esi.runtime.sleep(60)
        assert flight.cancelled()

    esi.run(story())
    assert 1 == len(esi.calls)
