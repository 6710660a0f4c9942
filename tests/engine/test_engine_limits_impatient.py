"""T30: who has no patience is told at once, and the truth; what waits on its own terms holds up nobody."""

from __future__ import annotations

from typing import Any

import pytest

from esipy import ops
from esipy.core.moments import as_seconds
from esipy.engine.lines import Line
from esipy.events import RATE_LIMIT_WAIT
from esipy.exceptions import APIException, LimitedError
from esipy.testing import SignalRecorder
from tests.engine.limits_kit import HERO, PATIENT, Town, notifications, wallet

TYPE = ops.universe.get_universe_types_type_id(type_id=34)

Outcome = tuple[str, float, float | None]
"""What became of a call, after how long, and in how many seconds it is to come back."""


async def outcome(town: Town, call: Any, who: int | None = None, **terms: Any) -> Outcome:
    """Send a call."""
    began = town.runtime.now()
    try:
        await town.call(call, who, **terms)
    except LimitedError as error:
        moment, now = as_seconds(error.retry_at), town.runtime.now()
        return "refused", now - began, None if moment is None else moment - now
    except APIException as error:
        return str(error.status_code), town.runtime.now() - began, None
    return "sent", town.runtime.now() - began, None


async def half_used(town: Town) -> None:
    """A bucket of which so much is used that ``spread`` evens out the rest."""
    for _ in range(38):
        await town.call(wallet(), HERO)


@pytest.mark.parametrize("terms", [{"policy": "fail"}, {"max_wait": 0}, {}])
@pytest.mark.parametrize("before", [1, 5])
def test_T30_calls_that_even_out_what_is_left_hold_up_nobody(before: int, terms: dict[str, Any]) -> None:
    """They could wait for their pace all day: one that wants to leave now does."""
    town = Town(settings=PATIENT)

    async def story() -> Outcome:
        await half_used(town)
        paced = [town.begin(wallet(), HERO, policy="spread") for _ in range(before)]
        await town.runtime.sleep(1.0)
        found = await outcome(town, wallet(), HERO, **terms)
        await town.all(paced)
        return found

    what, waited, _ = town.run(story())
    assert "sent" == what
    assert waited < 1


def test_T30_a_client_that_leaves_more_untouched_holds_up_no_other() -> None:
    """Of two clients of a process one keeps half of each bucket for others, and waits; the other goes on."""
    town = Town(settings=PATIENT)

    async def story() -> Outcome:
        await half_used(town)
        careful = town.begin(wallet(), HERO, priority="batch", max_wait=1e6)
        await town.runtime.sleep(1.0)
        found = await outcome(town, wallet(), HERO, policy="fail")
        await town.all([careful])
        return found

    town.settings["interactive_share"] = 0.5
    what, waited, _ = town.run(story())
    assert ("sent", True) == (what, waited < 1)


def test_T30_who_comes_to_a_paced_line_without_patience_is_told_at_once_when_it_would_be_its_turn() -> None:
    """Ten are before it, each 25 s after the other: one who waits for 10 s or 100 s at the most fails now."""
    town = Town()

    async def story() -> list[Outcome]:
        await half_used(town)
        paced = [town.begin(wallet(), HERO, policy="spread", max_wait=2000) for _ in range(10)]
        await town.runtime.sleep(0.5)
        found = [await outcome(town, wallet(), HERO, policy="spread", max_wait=max_wait) for max_wait in (0, 10, 100)]
        await town.all(paced)
        return found

    for what, waited, comes_back in town.run(story()):
        assert ("refused", 0.0) == (what, waited)
        assert comes_back == pytest.approx(273, abs=10)


def test_T30_a_pace_that_is_long_past_has_nobody_refused() -> None:
    """Little was left, so a minute lay between calls; since all came back it is a third of that. Of each newcomer it is
    told exactly when it would be its turn."""
    town = Town(settings=PATIENT)

    async def story() -> list[Outcome]:
        for _ in range(68):
            await town.call(wallet(), HERO)
        await town.runtime.sleep(600.0)
        paced = [town.begin(wallet(), HERO, policy="spread") for _ in range(60)]
        await town.runtime.sleep(400.0)
        found = [await outcome(town, wallet(), HERO, policy="spread", max_wait=max_wait) for max_wait in (100, 500)]
        await town.all(paced)
        return found

    refused, sent = town.run(story())
    assert ("refused", "sent") == (refused[0], sent[0])
    assert refused[2] == pytest.approx(sent[1], abs=1)


def test_a_line_may_change_while_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread's first may find between any two steps that it waits for an answer, and no longer for time."""

    class Fickle(Line):
        looks = 0

        @property
        def until(self) -> float | None:
            self.looks += 1
            return self._until if self.looks % 2 else None

        @until.setter
        def until(self, moment: float | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
            self._until = moment

    monkeypatch.setattr("esipy.engine.lines.Line", Fickle)
    town = Town(settings=PATIENT)

    async def story() -> None:
        await half_used(town)
        await town.all([town.begin(wallet(), HERO, policy="spread") for _ in range(4)])

    town.run(story())
    assert 42 == len(town.arrivals(200))


def test_T30_who_cannot_wait_for_the_error_limit_is_not_kept() -> None:
    """Seventy errors are made, forty calls wait for their pace: a call that never waits fails at once."""
    town = Town(shares={404: 1.0})

    async def story() -> Outcome:
        await town.runtime.sleep(61.0 - town.runtime.now() % 60)
        await town.all([town.runtime.spawn(outcome(town, TYPE)) for _ in range(70)])
        waiting = [town.runtime.spawn(outcome(town, TYPE)) for _ in range(40)]
        await town.runtime.sleep(0.5)
        found = await outcome(town, TYPE, policy="fail")
        await town.all(waiting)
        return found

    what, waited, comes_back = town.run(story())
    assert ("refused", 0.0) == (what, waited)
    assert comes_back is not None
    assert 1 < comes_back <= 61


def test_T30_who_waits_for_answers_that_do_not_come_is_told_that() -> None:
    """For a ``timeout`` at the most, without looking again and again; no moment is made up."""
    town = Town(latency=(40.0, 40.0), settings={"timeout": 60.0})
    asked: list[int] = []

    async def story() -> list[Outcome]:
        store = town.bench(HERO).engine.ledger.store
        wait_for = store.wait_for
        store.wait_for = lambda *told: asked.append(1) or wait_for(*told)  # type: ignore[func-returns-value, method-assign]
        return await town.all([town.runtime.spawn(outcome(town, notifications(), HERO, max_wait=0)) for _ in range(5)])

    refused = [(round(waited), then) for what, waited, then in town.run(story()) if what == "refused"]
    assert {(60, None)} == set(refused)
    assert len(asked) < 20


def test_who_waits_long_for_answers_alone_is_told_of_too() -> None:
    """RATE_LIMIT_WAIT after a second, without a number of seconds: once for each that waits."""
    town = Town(latency=(10.0, 10.0), settings=PATIENT)

    async def story() -> None:
        await town.call(notifications(), HERO)
        await town.all([town.begin(notifications(), HERO) for _ in range(6)])

    with SignalRecorder(RATE_LIMIT_WAIT) as told:
        town.run(story())
    late = [moment for moment in town.arrivals() if moment > 31]
    assert [0.0] * len(late) == told.values("wait_seconds")


def test_who_waits_behind_a_paced_call_is_told_of_too() -> None:
    """Each with its own wait."""
    town = Town(settings=PATIENT)

    async def story() -> None:
        await half_used(town)
        await town.all([town.begin(wallet(), HERO, policy="spread") for _ in range(4)])

    with SignalRecorder(RATE_LIMIT_WAIT) as told:
        town.run(story())
    assert [25, 50, 75, 100] == [pytest.approx(seconds, abs=2) for seconds in told.values("wait_seconds")]
