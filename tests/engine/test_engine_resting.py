"""The daily downtime, as batch calls meet it: who waits, who asks, who is told, and how they come back."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TypeVar

import pytest

from esipy.engine.terms import Terms
from esipy.exceptions import BrokenAnswerError, DowntimeError
from esipy.runtime.simulated import SimulatedRuntime
from esipy.simulation import SimulatedEsi, token_for
from tests.engine.kit import WALLET, Bench, Login, Script, answer
from tests.engine.resting_kit import ELEVEN, Esi, Told

T = TypeVar("T")


# ---- waiting ----


def test_batch_calls_wait_until_status_answers(told: list[Told]) -> None:
    """None is sent into the downtime; one asks, first after a minute, then twice a minute; both signals come once."""
    esi = Esi((5, 700))
    calls = [esi.call_at(1 + page / 10, page, priority="batch") for page in range(1, 101)]
    got = esi.run(esi.call_at(-10, 999), *calls)
    assert {200} == {one.status for one in got}
    assert [] == [seen for seen in esi.calls if 0 <= seen.seconds < 700]
    questions = [seen.seconds for seen in esi.questions]
    assert 60 <= questions[0] <= 121
    assert 700 <= questions[-1] <= 740
    assert all(22 <= after - before <= 38 for before, after in pairwise(questions))
    assert [False, True] == [one.ended for one in told]
    assert told[0].at == pytest.approx(ELEVEN + 1.1, abs=1.5)
    assert told[1].at == pytest.approx(ELEVEN + questions[-1], abs=0.1)
    assert told[1].down_seconds == pytest.approx(told[1].at - told[0].at)


def test_the_end_is_no_storm() -> None:
    """A thousand calls that waited leave within a minute, no more than twice the mean in any second."""
    esi = Esi((0, 600))
    esi.run(esi.call_at(-10, 9999), *[esi.call_at(30, page, priority="batch") for page in range(1, 1001)])
    seconds = Counter(int(seen.seconds) for seen in esi.calls if seen.seconds > 0)
    assert 1000 == sum(seconds.values())
    assert max(seconds.values()) <= 34
    assert 50 <= max(seconds) - min(seconds) <= 61


def test_processes_are_not_in_step() -> None:
    """Ten processes ask at ten moments, and leave at ten."""
    asked, left = set(), set()
    for seed in range(10):
        esi = Esi((0, 600), seed=seed)
        esi.run(esi.call_at(-10, 9), esi.call_at(30, 1, priority="batch"))
        asked.add(round(esi.questions[0].seconds))
        left.add(round(esi.calls[-1].seconds))
    assert len(asked) >= 7
    assert len(left) >= 7


def test_a_call_that_waits_for_a_limit_waits_for_the_downtime() -> None:
    """Those who stand in line for a bucket when it begins are not sent into it one after another."""
    runtime: SimulatedRuntime
    esi = SimulatedEsi(lambda: runtime.now(), daily_downtime_seconds=600)
    runtime = SimulatedRuntime(esi, start=ELEVEN - 600)  # what is spent now comes back at five past eleven
    bench = Bench("simulated", Script(), runtime=runtime, cache=None, signer=Login(91, token_for("app", 91)))
    batch = Terms.of(bench.engine.settings, priority="batch", max_wait=36_000)

    async def main() -> None:
        flights = [runtime.spawn(bench.engine.perform(WALLET, terms=batch)) for _ in range(150)]
        for flight in flights:
            await runtime.join(flight)

    runtime.run(main())
    calls = [seen for seen in esi.log if seen.operation != "get_status"]
    assert [] == [seen for seen in calls if ELEVEN <= seen.arrived < ELEVEN + 600]
    assert [200] * 150 == [seen.status for seen in calls]
    assert any(seen.arrived < ELEVEN for seen in calls)


def test_patience_is_for_limits() -> None:
    """A batch call waits half an hour with a patience of two minutes; without any patience it fails."""
    esi = Esi((0, 1800))
    assert 200 == esi.run(esi.call_at(30, priority="batch"))[0].status
    esi = Esi((0, 1800))
    with pytest.raises(DowntimeError):
        esi.run(esi.call_at(30, priority="batch", max_wait=0))
    esi = Esi((0, 1800))
    with pytest.raises(DowntimeError):
        esi.run(esi.call_at(30, priority="batch", policy="fail"))


def test_after_an_hour_nobody_waits(told: list[Told]) -> None:
    """ESI never came back: the calls are sent, and get what there is."""
    esi = Esi((0, 7200), retry=False)
    got = esi.run(esi.call_at(-10, 9), *[esi.call_at(30, page, priority="batch") for page in range(1, 6)])
    assert [200, 503, 503, 503, 503, 503] == [one.status for one in got]
    assert all(3600 <= seen.seconds <= 3612 for seen in esi.calls[1:])
    assert [False, True] == [one.ended for one in told]


def test_a_day_without_a_downtime_costs_ten_minutes(told: list[Told]) -> None:
    """``/status`` answers, but the game was started yesterday: that is believed for so long."""
    esi = Esi()
    esi.run(esi.call_at(-10, 9), esi.call_at(30, 1, priority="batch"))
    assert 600 <= esi.questions[-1].seconds <= 640
    assert [False, True] == [one.ended for one in told]


def test_a_game_that_was_started_again_is_up() -> None:
    """ESI answers for some seconds while it goes down; then the game is started, and it is up."""
    esi = Esi((90, 200), started=180)
    esi.run(esi.call_at(-10, 9), esi.call_at(1, 1, priority="batch"))
    assert 200 <= esi.questions[-1].seconds <= 240


def test_a_question_without_an_answer_is_asked_again() -> None:
    """A broken connection to ``/status`` says that it is not up."""
    esi = Esi()
    script = Script(
        answer(), BrokenAnswerError("https://esi.evetech.net/status", "reset"), answer(b"<html>", 504), answer()
    )
    esi.runtime.server = script
    esi.run(esi.call_at(-10, 9), esi.call_at(30, 1, priority="batch"))
    paths = [target.partition("?")[0].replace("/", " ").split()[-1] for target in script.targets]
    assert ["orders", "status", "status", "status", "orders"] == paths


def test_no_token_is_refreshed_while_it_is_down() -> None:
    """A call that waits asks its login when it is over."""
    login = Login(91)
    esi = Esi((0, 600), signer=login)

    async def work() -> None:
        await esi.runtime.sleep(330)
        await esi.bench.engine.perform(WALLET, terms=esi.terms(priority="batch"))

    async def look() -> int:
        await esi.runtime.sleep(890)
        return len(login.asked)

    assert [None, 0] == esi.run(work(), look())
    assert 1 == len(login.asked)


# ---- the clock ----


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_T06_eleven_is_the_servers(ahead: float, told: list[Told]) -> None:
    """With a clock that is an hour wrong, batch calls go at 10:58 and wait at 11:01."""
    esi = Esi((5, 400), ahead=ahead)
    calls = [esi.call_at(seconds, 500 + int(seconds), priority="batch") for seconds in (-250, -120, -60, 60)]
    esi.run(*calls)
    assert [-250, -120, -60] == [round(seen.seconds) for seen in esi.calls[:3]]
    assert esi.calls[3].seconds >= 400
    assert [False, True] == [one.ended for one in told]


def test_T06_a_clock_an_hour_ahead_costs_one_question(told: list[Told]) -> None:
    """By it it is past eleven when the program starts: it asks, and hears that it is not."""
    esi = Esi((0, 400), begin=-3400, ahead=-3600)
    esi.run(*[esi.call_at(-3300, page, priority="batch") for page in range(1, 20)])
    assert 1 == len(esi.questions)
    assert all(-3300 <= seen.seconds < -3299 for seen in esi.calls)
    assert [] == told


def test_who_starts_at_twenty_past_eleven_waits_for_one_answer(told: list[Told]) -> None:
    """It knows nothing, asks at once, and goes on without a word."""
    esi = Esi((0, 400), begin=1200)
    esi.run(*[esi.call(page, priority="batch") for page in range(1, 20)])
    assert 1 == len(esi.questions)
    assert all(1200 <= seen.seconds < 1201 for seen in esi.calls)
    assert [] == told


def test_who_starts_in_the_downtime_waits(told: list[Told]) -> None:
    """It asks at once, and tells when that fails."""
    esi = Esi((0, 900), begin=600)
    esi.run(*[esi.call(page, priority="batch") for page in range(1, 20)])
    assert [600] == [round(seen.seconds) for seen in esi.questions if seen.seconds < 610]
    assert all(900 <= seen.seconds for seen in esi.calls)
    assert [False, True] == [one.ended for one in told]
